/**
 * Classes, their pupils and their days, in this browser and nowhere else (IndexedDB). Faces are kept, as chips and embeddings;
 * photos are not. Every tab of the site sees what another one changes. All faces of a class are numbers of one embedder, as those of two cannot be
 * compared: whatever would mix them is refused here, in the transaction that would.
 */

import { Dexie, type EntityTable, type Transaction } from "dexie";

import { PhotoError, type Certainty, type Gallery, type Rule } from "../contract";
import { networkName } from "../network-names";
import { newId } from "../new-id";

export interface ClassRow {
  id: string;
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
  /** Of the file's content: the same photo is not enrolled twice. */
  hash: string;
  embedding: Float32Array;
  /** Whose numbers these are: the class's. */
  embedder: string;
  /** A data URL; "" where none was in the gallery's file. */
  chip: string;
}

/** A day's roll. */
export interface Day {
  id: string;
  classId: string;
  /** As in 2026-11-24. */
  date: string;
  photos: { id: string; file: string; width: number; height: number }[];
  /** What the teacher says of somebody, whatever the photos say. */
  marks: Record<string, "present" | "absent">;
}

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

/** All of a class that the page shows at once. */
export interface Snapshot {
  row: ClassRow;
  people: Person[];
  photos: Enrolled[];
  days: Day[];
  day: Day | undefined;
  sightings: Sighting[];
}

/** The embedder of every face that was kept before classes named theirs. */
const FIRST_EMBEDDER = "dlib-resnet-v1";

async function nameEmbedder(transaction: Transaction): Promise<void> {
  const classes = new Set<string>();
  for (const name of ["photos", "sightings"]) {
    await transaction.table<Enrolled | Sighting>(name).toCollection().modify((face) => {
      face.embedder = FIRST_EMBEDDER;
      classes.add(face.classId);
    });
  }
  await transaction.table<ClassRow, string>("classes").where("id").anyOf([...classes]).modify({ embedder: FIRST_EMBEDDER });
}

class Database extends Dexie {
  classes!: EntityTable<ClassRow, "id">;
  people!: EntityTable<Person, "id">;
  photos!: EntityTable<Enrolled, "id">;
  days!: EntityTable<Day, "id">;
  sightings!: EntityTable<Sighting, "id">;

  constructor(options?: ConstructorParameters<typeof Dexie>[1]) {
    super("facelab", options);
    this.version(1).stores({
      classes: "id",
      people: "id, classId, &[classId+name]",
      photos: "id, classId, personId",
      days: "id, classId, &[classId+date]",
      sightings: "id, classId, dayId, personId",
    });
    this.version(2).upgrade(nameEmbedder);
  }
}

/** What was deleted, for as long as it may be wanted back. */
export interface Bin {
  what: string;
  rows: { classes: ClassRow[]; people: Person[]; photos: Enrolled[]; days: Day[]; sightings: Sighting[] };
}

export class Store {
  private constructor(
    readonly db: Database,
    /** False where the browser keeps nothing for this page: then all lives as long as the page. */
    readonly lasting: boolean,
  ) {}

  static async open(): Promise<Store> {
    try {
      const db = new Database();
      await db.open();
      return new Store(db, true);
    } catch {
      const { indexedDB, IDBKeyRange } = await import("fake-indexeddb");
      const db = new Database({ indexedDB, IDBKeyRange });
      await db.open();
      return new Store(db, false);
    }
  }

  classes(): Promise<ClassRow[]> {
    return this.db.classes.toArray().then((rows) => rows.sort((a, b) => byName(a.name, b.name)));
  }

  async snapshot(classId: string, date: string): Promise<Snapshot | undefined> {
    const { db } = this;
    return db.transaction("r", db.tables, async () => {
      const row = await db.classes.get(classId);
      if (!row) return undefined;
      const [people, photos, days] = await Promise.all([
        db.people.where({ classId }).toArray(),
        db.photos.where({ classId }).toArray(),
        db.days.where({ classId }).toArray(),
      ]);
      const day = days.find((one) => one.date === date);
      const sightings = day ? await db.sightings.where({ dayId: day.id }).toArray() : [];
      people.sort((a, b) => byName(a.name, b.name));
      days.sort((a, b) => (a.date < b.date ? 1 : -1));
      return { row, people, photos, days, day, sightings };
    });
  }

  async addClass(name: string): Promise<string> {
    void navigator.storage?.persist?.(); // asks the browser not to clear it away when the disk is short
    return this.db.classes.add({ id: newId(), name, rule: "template" });
  }

  /** The person of that name in a class, made where there is none. */
  async person(classId: string, name: string): Promise<string> {
    const { people } = this.db;
    return this.db.transaction("rw", people, async () => {
      const known = await people.where({ classId, name }).first();
      return known?.id ?? people.add({ id: newId(), classId, name });
    });
  }

  /** In a transaction that adds faces: another tab may have deleted their class, or read it again with another network. */
  async #admit(faces: Pick<Enrolled, "classId" | "embedder">[]): Promise<void> {
    const kinds = new Map(faces.map(({ classId, embedder }) => [`${classId} ${embedder}`, { classId, embedder }]));
    for (const { classId, embedder } of kinds.values()) {
      const row = await this.db.classes.get(classId);
      if (!row) throw new PhotoError("This class has been deleted meanwhile.");
      if (!row.embedder) await this.db.classes.update(classId, { embedder });
      else if (row.embedder !== embedder) {
        throw new PhotoError(`The class ${row.name} is read with ${networkName(row.embedder)}: no face that ${networkName(embedder)} has read can be added to it.`);
      }
    }
  }

  /** One photo of the pupil of a name, made where there is none; at once, so that a tab that is closed loses none that it has shown. Returns the pupil's id. */
  async enrol(name: string, photo: Omit<Enrolled, "id" | "personId">): Promise<string> {
    const { classes, people, photos } = this.db;
    return this.db.transaction("rw", classes, people, photos, async () => {
      await this.#admit([photo]);
      const personId = await this.person(photo.classId, name);
      await photos.add({ id: newId(), personId, ...photo });
      return personId;
    });
  }

  /** The roll of a date, made where there is none. */
  async day(classId: string, date: string): Promise<Day> {
    const { days } = this.db;
    return this.db.transaction("rw", days, async () => {
      const known = await days.where({ classId, date }).first();
      if (known) return known;
      const made: Day = { id: newId(), classId, date, photos: [], marks: {} };
      await days.add(made);
      return made;
    });
  }

  async addGroupPhoto(dayId: string, photo: Day["photos"][number], sightings: Sighting[]): Promise<void> {
    const { classes, days } = this.db;
    await this.db.transaction("rw", classes, days, this.db.sightings, async () => {
      await this.#admit(sightings);
      await days.where({ id: dayId }).modify((day) => void day.photos.push(photo));
      await this.db.sightings.bulkAdd(sightings);
    });
  }

  /** Faces as they are seen now; one that was deleted meanwhile stays deleted. */
  async amend(sightings: Sighting[]): Promise<void> {
    await this.db.transaction("rw", this.db.sightings, async () => {
      for (const { id, personId, answer, distance, chance, by } of sightings) {
        await this.db.sightings.update(id, { personId, answer, distance, chance, by });
      }
    });
  }

  async removeGroupPhoto(dayId: string, photoId: string): Promise<void> {
    const { days, sightings } = this.db;
    await this.db.transaction("rw", days, sightings, async () => {
      await days.where({ id: dayId }).modify((day) => {
        day.photos = day.photos.filter(({ id }) => id !== photoId);
      });
      await sightings.where({ dayId }).filter((one) => one.photoId === photoId).delete();
    });
  }

  async mark(dayId: string, personId: string, mark: "present" | "absent" | null): Promise<void> {
    await this.db.days.where({ id: dayId }).modify((day) => {
      if (mark) day.marks[personId] = mark;
      else delete day.marks[personId];
    });
  }

  /** A gallery's people into a class; returns how many photos were new. */
  async take(classId: string, { embedder, people }: Gallery): Promise<number> {
    const { db } = this;
    return db.transaction("rw", db.classes, db.people, db.photos, async () => {
      await this.#admit([{ classId, embedder }]);
      let added = 0;
      for (const { name, photos } of people) {
        const personId = await this.person(classId, name);
        const known = await db.photos.where({ personId }).toArray();
        for (const { file, embedding, chip } of photos) {
          const numbers = new Float32Array(embedding);
          if (known.some((one) => one.embedding.every((value, i) => value === numbers[i]))) continue;
          await db.photos.add({ id: newId(), classId, personId, file, hash: "", embedding: numbers, embedder, chip: chip ?? "" });
          added++;
        }
      }
      return added;
    });
  }

  /** Every face of a class: those enrolled, and those seen on all its days. */
  async faces(classId: string): Promise<{ photos: Enrolled[]; sightings: Sighting[] }> {
    const { db } = this;
    return db.transaction("r", db.photos, db.sightings, async () => ({
      photos: await db.photos.where({ classId }).toArray(),
      sightings: await db.sightings.where({ classId }).toArray(),
    }));
  }

  /**
   * A class's faces as another embedder reads them, all at once. `read`: the numbers by the ids of the rows; those of ids in `dropped` are deleted.
   * What distances were is forgotten with the old numbers; what the teacher has said stays.
   */
  async changeEmbedder(classId: string, embedder: string, read: Map<string, Float32Array>, dropped: string[]): Promise<void> {
    const { db } = this;
    await db.transaction("rw", db.classes, db.photos, db.sightings, async () => {
      await db.photos.bulkDelete(dropped);
      const { photos, sightings } = await this.faces(classId);
      if ([...photos, ...sightings].some(({ id }) => !read.has(id))) {
        throw new PhotoError("Faces were added to this class meanwhile: nothing is changed. Start the reading once more.");
      }
      const changed = ({ id }: { id: string }) => ({ embedding: read.get(id)!, embedder });
      await db.photos.bulkUpdate(photos.map((photo) => ({ key: photo.id, changes: changed(photo) })));
      await db.sightings.bulkUpdate(sightings.map((one) => ({ key: one.id, changes: { ...changed(one), distance: null, chance: null } })));
      await db.classes.update(classId, { embedder });
    });
  }

  /** A pupil with all photos and every trace in the rolls. */
  async deletePerson({ id, classId, name }: Person): Promise<Bin> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const days = await db.days.where({ classId }).toArray();
      const rows = {
        classes: [],
        people: await db.people.where({ id }).toArray(),
        photos: await db.photos.where({ personId: id }).toArray(),
        days,
        sightings: await db.sightings.where({ personId: id }).toArray(),
      };
      await db.people.delete(id);
      await db.photos.where({ personId: id }).delete();
      await db.sightings.where({ personId: id }).delete();
      await db.days.where({ classId }).modify((day) => void delete day.marks[id]);
      return { what: `${name}, ${rows.photos.length} enrolled and ${rows.sightings.length} seen faces`, rows };
    });
  }

  async deletePhoto(photo: Enrolled): Promise<Bin> {
    await this.db.photos.delete(photo.id);
    return { what: `the enrolled photo ${photo.file}`, rows: { classes: [], people: [], photos: [photo], days: [], sightings: [] } };
  }

  async deleteDay(day: Day): Promise<Bin> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const sightings = await db.sightings.where({ dayId: day.id }).toArray();
      await db.days.delete(day.id);
      await db.sightings.where({ dayId: day.id }).delete();
      return { what: `the roll of ${day.date}`, rows: { classes: [], people: [], photos: [], days: [day], sightings } };
    });
  }

  async deleteClass({ id, name }: ClassRow): Promise<Bin> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const rows = {
        classes: await db.classes.where({ id }).toArray(),
        people: await db.people.where({ classId: id }).toArray(),
        photos: await db.photos.where({ classId: id }).toArray(),
        days: await db.days.where({ classId: id }).toArray(),
        sightings: await db.sightings.where({ classId: id }).toArray(),
      };
      await db.classes.delete(id);
      for (const table of [db.people, db.photos, db.days, db.sightings]) await table.where("classId").equals(id).delete();
      return { what: `the class ${name}`, rows };
    });
  }

  async deleteEverything(): Promise<Bin> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const [classes, people, photos, days, sightings] = await Promise.all([
        db.classes.toArray(),
        db.people.toArray(),
        db.photos.toArray(),
        db.days.toArray(),
        db.sightings.toArray(),
      ]);
      for (const table of db.tables) await table.clear();
      return { what: "everything", rows: { classes, people, photos, days, sightings } };
    });
  }

  /** As it was before the deletion. */
  async restore({ rows }: Bin): Promise<void> {
    const { db } = this;
    await db.transaction("rw", db.tables, async () => {
      await db.classes.bulkPut(rows.classes);
      await this.#admit([...rows.photos, ...rows.sightings]);
      await db.people.bulkPut(rows.people);
      await db.photos.bulkPut(rows.photos);
      await db.days.bulkPut(rows.days);
      await db.sightings.bulkPut(rows.sightings);
    });
  }
}

const collator = new Intl.Collator(undefined, { numeric: true });
export const byName = (a: string, b: string): number => collator.compare(a, b);
