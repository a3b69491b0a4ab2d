/** The rows that the browser stores, and their database. */

import { Dexie, type EntityTable } from "dexie";

import type { Certainty, Rule } from "../contract";
import { nameEmbedder, tidy } from "./upgrades";

export interface ClassRow {
  id: string;
  /** Unique among classes. */
  name: string;
  rule: Rule;
  /** The network of its embeddings; undefined until the class has a face. */
  embedder?: string;
}

export interface Person {
  id: string;
  classId: string;
  /** Unique in the class. */
  name: string;
}

/** An enrolled face. */
export interface Enrolled {
  id: string;
  classId: string;
  personId: string;
  file: string;
  /** SHA-256 of the file, unique in the class. Missing if the file was not seen, and on plain http, where browsers compute no hashes. */
  hash?: string;
  /** The embedding as a key (see faceKey), unique in the class. Missing if an older version of this page enrolled one photo for two pupils. */
  face?: string;
  embedding: Float32Array;
  /** The network of the embedding, which is the class's. */
  embedder: string;
  /** A data URL; "" if the gallery's file had no picture. */
  chip: string;
}

/** A photo of a day. `key`: the file's SHA-256, or else the first face's key; unique on that day. */
export interface GroupPhoto {
  id: string;
  file: string;
  width: number;
  height: number;
  key?: string;
}

/** The roll of a day. */
export interface Day {
  id: string;
  classId: string;
  /** In the form 2026-11-24. */
  date: string;
  photos: GroupPhoto[];
  /** What the teacher decided about pupils, which overrides the photos. */
  marks: Record<string, Mark>;
}

export type Mark = "present" | "absent";

/** A face in a photo of a day. */
export interface Sighting {
  id: string;
  classId: string;
  dayId: string;
  photoId: string;
  box: [x1: number, y1: number, x2: number, y2: number];
  embedding: Float32Array;
  /** The network of the embedding, which is the class's. */
  embedder: string;
  chip: string;
  poor: string[];
  personId: string | null;
  answer: Certainty;
  distance: number | null;
  chance: number | null;
  /** Who decided. */
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
    this.version(3).upgrade(tidy); // first removes rows that the next version's unique indexes would refuse
    this.version(4).stores({
      classes: "id, &name",
      photos: "id, classId, personId, &[classId+hash], &[classId+face]",
    });
  }
}
