/** The rows that the browser keeps, and the database that they lie in. */

import { Dexie, type EntityTable } from "dexie";

import type { Certainty, Rule } from "../contract";
import { nameEmbedder, tidy } from "./upgrades";

export interface ClassRow {
  id: string;
  /** No other class's. */
  name: string;
  rule: Rule;
  /** Whose numbers its faces are; undefined until it has a face. */
  embedder?: string;
}

export interface Person {
  id: string;
  classId: string;
  /** Nobody else's in the class. */
  name: string;
}

/** An enrolled face. */
export interface Enrolled {
  id: string;
  classId: string;
  personId: string;
  file: string;
  /** SHA-256 of the file, no other photo's in the class. It is missing where the file was not seen, and on plain http, where browsers compute none. */
  hash?: string;
  /** Its numbers as a key (see faceKey), no other photo's in the class. It is missing where an older version of this page enrolled one photo for two pupils. */
  face?: string;
  embedding: Float32Array;
  /** Whose numbers these are: the class's. */
  embedder: string;
  /** A data URL; "" where none was in the gallery's file. */
  chip: string;
}

/** A photo of a day. `key`: the file's SHA-256, or else the first face's; no other photo's of that day. */
export interface GroupPhoto {
  id: string;
  file: string;
  width: number;
  height: number;
  key?: string;
}

/** A day's roll. */
export interface Day {
  id: string;
  classId: string;
  /** As in 2026-11-24. */
  date: string;
  photos: GroupPhoto[];
  /** What the teacher says of somebody, whatever the photos say. */
  marks: Record<string, Mark>;
}

export type Mark = "present" | "absent";

/** A face in one of a day's photos. */
export interface Sighting {
  id: string;
  classId: string;
  dayId: string;
  photoId: string;
  box: [x1: number, y1: number, x2: number, y2: number];
  embedding: Float32Array;
  /** Whose numbers these are: the class's. */
  embedder: string;
  chip: string;
  poor: string[];
  personId: string | null;
  answer: Certainty;
  distance: number | null;
  chance: number | null;
  /** Who says so. */
  by: "machine" | "teacher";
}

export class Database extends Dexie {
  classes!: EntityTable<ClassRow, "id">;
  people!: EntityTable<Person, "id">;
  photos!: EntityTable<Enrolled, "id">;
  days!: EntityTable<Day, "id">;
  sightings!: EntityTable<Sighting, "id">;

  constructor() {
    super("facelab");
    this.version(1).stores({
      classes: "id",
      people: "id, classId, &[classId+name]",
      photos: "id, classId, personId",
      days: "id, classId, &[classId+date]",
      sightings: "id, classId, dayId, personId",
    });
    this.version(2).upgrade(nameEmbedder);
    this.version(3).upgrade(tidy); // what the unique indexes of the next version would refuse goes first
    this.version(4).stores({
      classes: "id, &name",
      photos: "id, classId, personId, &[classId+hash], &[classId+face]",
    });
  }
}
