/**
 * Classes, their pupils and their days, in this browser only (IndexedDB). Faces are stored as chips and embeddings; photos are not. Each tab sees the changes
 * of the others, and data may have changed since a tab last read it. So each change is one transaction that checks everything it relies on. All faces of a
 * class have embeddings of one network, because those of two cannot be compared.
 */

import { Dexie } from "dexie";

import { PhotoError, type Gallery } from "../contract";
import { networkName } from "../network-names";
import { newId } from "../new-id";
import { Database, type ClassRow, type Day, type Enrolled, type GroupPhoto, type Mark, type Person, type Sighting } from "./database";
import { faceKey, faultOf, pictureOnly } from "./faces";
import { freeName, normalName } from "./names";

export type * from "./database";

/** Everything about a class that the page shows at once. */
export interface Snapshot {
  row: ClassRow;
  people: Person[];
  photos: Enrolled[];
  days: Day[];
  /** The day in view, which gets a row only when there is something to store. */
  date: string;
  day: Day | undefined;
  sightings: Sighting[];
}

/** What was deleted, for as long as it can be restored. */
export interface Bin {
  what: string;
  rows: { classes: ClassRow[]; people: Person[]; photos: Enrolled[]; days: Day[]; sightings: Sighting[] };
  /** Marks of a deleted pupil on days that stay. */
  marks: { dayId: string; personId: string; mark: Mark }[];
}

/** The stored data changed in the meantime, so the work cannot continue. The message is a sentence for the reader. */
export class ConflictError extends Error {
  override name = "ConflictError";
}

export interface Hearing {
  /** Called when something is wrong with the browser's storage: a sentence for the reader, or "" when the problem is over. */
  trouble: (sentence: string) => void;
  /** The length of an embedder's embeddings, if it is known. */
  dimensionsOf: (embedder: string) => number | undefined;
}

const OPENING = 10_000; // milliseconds for the browser to open its storage
const NOTHING_KEPT =
  "This browser stores nothing for this page (a private window, or blocked site data?). Everything works, but closing the page loses it. Save each class as a file first.";

export class Store {
  private constructor(
    readonly db: Database,
    /** False if the browser stores nothing for this page. The data then lasts as long as the page. */
    readonly lasting: boolean,
    private readonly hearing: Hearing,
  ) {}

  static async open(hearing: Hearing): Promise<Store> {
    const lasting = await opened(hearing.trouble);
    if (lasting) return new Store(lasting, true, hearing);
    hearing.trouble(NOTHING_KEPT);
    const { indexedDB, IDBKeyRange } = await import("fake-indexeddb");
    Object.assign(Dexie.dependencies, { indexedDB, IDBKeyRange }); // set here and not in the database's options, because live queries look here
    const db = new Database();
    await db.open();
    return new Store(db, false, hearing);
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
      return { row, people, photos, days, date, day, sightings };
    });
  }

  async addClass(wanted: string): Promise<ClassRow> {
    void navigator.storage?.persist?.().catch(() => {}); // asks the browser not to delete the data when the disk is nearly full
    const { classes } = this.db;
    return this.db.transaction("rw", classes, async () => {
      const row: ClassRow = { id: newId(), name: normalName(wanted), rule: "template" };
      if (await classes.where({ name: row.name }).first()) throw new PhotoError(`There is already a class ${row.name}. Choose another name.`);
      await classes.add(row);
      return row;
    });
  }

  async setRule(classId: string, rule: ClassRow["rule"]): Promise<void> {
    await this.db.classes.update(classId, { rule });
  }

  // Checks of every transaction that adds something

  async #classOf(classId: string): Promise<ClassRow> {
    const row = await this.db.classes.get(classId);
    if (!row) throw new ConflictError("This class was deleted in the meantime, so nothing more was added to it.");
    return row;
  }

  /** Check that faces have embeddings of the class's network. */
  async admit(faces: Pick<Enrolled, "classId" | "embedder" | "embedding">[]): Promise<void> {
    for (const { classId, embedder, embedding } of faces) {
      const row = await this.#classOf(classId);
      if (!row.embedder) await this.db.classes.update(classId, { embedder });
      else if (row.embedder !== embedder) {
        throw new ConflictError(`The class ${row.name} uses ${networkName(row.embedder)}, so faces that ${networkName(embedder)} has read cannot be added to it.`);
      }
      const fault = faultOf(embedding, this.hearing.dimensionsOf(embedder) ?? embedding.length);
      if (fault) throw new PhotoError(`This face cannot be kept: it has ${fault}. Take another photo.`);
    }
  }

  /** The person of that name in a class, added if necessary. */
  async #person(classId: string, wanted: string): Promise<Person> {
    const { people } = this.db;
    const name = normalName(wanted);
    const known = await people.where({ classId, name }).first();
    if (known) return known;
    const made = { id: newId(), classId, name };
    await people.add(made);
    return made;
  }

  /** The person who already has this photo, by its file or by its embedding. */
  async ownerOf({ classId, hash, embedding }: Pick<Enrolled, "classId" | "hash"> & { embedding?: Float32Array }): Promise<Person | undefined> {
    const { photos, people } = this.db;
    const photo =
      (hash && (await photos.where({ classId, hash }).first())) || (embedding && (await photos.where({ classId, face: faceKey(embedding) }).first()));
    return photo ? people.get(photo.personId) : undefined;
  }

  /**
   * Add one photo of a pupil, who is added if necessary. It is stored at once, so that closing the tab loses nothing that was shown. `personId`: the pupil,
   * if known when the work began; a pupil deleted since then stays deleted. Returns the person whose photo it is, and whether it was `added`.
   */
  async enrol(name: string, photo: NewPhoto, personId?: string): Promise<{ person: Person; added: boolean }> {
    const { classes, people, photos } = this.db;
    return this.db.transaction("rw", classes, people, photos, async () => {
      await this.admit([photo]);
      const owner = await this.ownerOf(photo);
      if (owner) return { person: owner, added: false };
      if (personId && !(await people.get(personId))) throw new PhotoError(`${name} was deleted in the meantime.`);
      const person = await this.#person(photo.classId, name);
      await photos.add({ ...photo, id: newId(), personId: person.id, face: faceKey(photo.embedding), chip: pictureOnly(photo.chip) });
      return { person, added: true };
    });
  }

  /** The roll of a date, added if necessary. */
  async day(classId: string, date: string): Promise<Day> {
    const { classes, days } = this.db;
    return this.db.transaction("rw", classes, days, async () => {
      await this.#classOf(classId);
      const known = await days.where({ classId, date }).first();
      if (known) return known;
      const made: Day = { id: newId(), classId, date, photos: [], marks: {} };
      await days.add(made);
      return made;
    });
  }

  /** Whether a day has a photo with that key. */
  async hasGroupPhoto(dayId: string, key: string): Promise<boolean> {
    return Boolean((await this.db.days.get(dayId))?.photos.some((photo) => photo.key === key));
  }

  async addGroupPhoto({ id, date }: Day, photo: GroupPhoto, sightings: Sighting[]): Promise<void> {
    const { classes, people, days } = this.db;
    await this.db.transaction("rw", classes, people, days, this.db.sightings, async () => {
      await this.admit(sightings);
      const day = await days.get(id);
      if (!day) throw new ConflictError(`The roll of ${date} was deleted in the meantime, so nothing more was added to it.`);
      if (day.photos.some(({ key }) => key && key === photo.key)) throw new PhotoError("is already on this roll");
      await days.update(id, { photos: [...day.photos, photo] });
      await this.db.sightings.bulkAdd(await this.#ofTheLiving(sightings));
    });
  }

  /** Faces, with the names of deleted pupils removed. */
  async #ofTheLiving<T extends Pick<Sighting, "personId" | "answer">>(faces: T[]): Promise<T[]> {
    const living = new Set(await this.db.people.where("id").anyOf(faces.flatMap(({ personId }) => personId ?? [])).primaryKeys());
    return faces.map((face) => (face.personId && !living.has(face.personId) ? { ...face, personId: null, answer: "unknown" } : face));
  }

  /** Store the engine's answers about faces. Deleted faces stay deleted, and the teacher's answers stay. */
  async judge(sightings: Sighting[]): Promise<void> {
    await this.db.transaction("rw", this.db.people, this.db.sightings, async () => {
      for (const { id, personId, answer, distance, chance } of await this.#ofTheLiving(sightings)) {
        await this.db.sightings.where({ id }).filter(({ by }) => by === "machine").modify({ personId, answer, distance, chance });
      }
    });
  }

  /** Store the teacher's answer about a face: a pupil, who is then removed from other faces of the photo, or nobody in the class. */
  async correct(faceId: string, personId: string | null): Promise<void> {
    const { people, sightings } = this.db;
    await this.db.transaction("rw", people, sightings, async () => {
      const face = await sightings.get(faceId);
      if (!face) throw new ConflictError("This face was deleted in the meantime.");
      if (personId && !(await people.get(personId))) throw new ConflictError("This pupil was deleted in the meantime.");
      if (personId) {
        await sightings.where({ personId }).filter(({ photoId }) => photoId === face.photoId).modify({ personId: null, answer: "unknown" });
      }
      await sightings.update(faceId, { personId, answer: personId ? "sure" : "unknown", by: "teacher" });
    });
  }

  /** Enrol a face of a day's photo as a photo of a pupil, who is added if necessary, and give the face that pupil's name. */
  async enrolFace({ id, dayId, photoId, classId, embedding, embedder, chip }: Sighting, name: string): Promise<{ person: Person; added: boolean }> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const day = await db.days.get(dayId);
      const photo = day?.photos.find((one) => one.id === photoId);
      const file = `${photo?.file ?? "group photo"}, ${day?.date ?? ""}`;
      const enrolled = await this.enrol(name, { classId, file, embedding, embedder, chip });
      if (enrolled.person.name === normalName(name)) await this.correct(id, enrolled.person.id);
      return enrolled;
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

  async mark({ id: personId, classId, name }: Person, date: string, mark: Mark | null): Promise<void> {
    const { classes, people, days } = this.db;
    await this.db.transaction("rw", classes, people, days, async () => {
      if (!(await people.get(personId))) throw new ConflictError(`${name} was deleted in the meantime.`);
      const { id } = await this.day(classId, date);
      await days.where({ id }).modify(({ marks }) => {
        if (mark) marks[personId] = mark;
        else delete marks[personId];
      });
    });
  }

  /** Add a gallery's people to a class, or to a new one. Returns how many photos were new, and which already belong to other pupils. */
  async take(into: { id: string } | { name: string }, { embedder, people }: Gallery): Promise<{ classId: string; added: number; elsewhere: string[] }> {
    const { db } = this;
    return db.transaction("rw", db.classes, db.people, db.photos, async () => {
      const classId = "id" in into ? into.id : (await this.addClass(into.name)).id;
      await this.#classOf(classId);
      const elsewhere: string[] = [];
      let added = 0;
      for (const { name, photos } of people) {
        await this.#person(classId, name);
        for (const { file, embedding, chip } of photos) {
          const enrolled = await this.enrol(name, { classId, file, embedding: new Float32Array(embedding), embedder, chip: chip ?? "" });
          if (enrolled.added) added++;
          else if (enrolled.person.name !== normalName(name)) elsewhere.push(`${file} of ${name} is enrolled already, as a photo of ${enrolled.person.name}`);
        }
      }
      return { classId, added, elsewhere };
    });
  }

  /** Every face of a class: the enrolled ones, and those seen on all its days. */
  async faces(classId: string): Promise<{ photos: Enrolled[]; sightings: Sighting[] }> {
    const { db } = this;
    return db.transaction("r", db.photos, db.sightings, async () => ({
      photos: await db.photos.where({ classId }).toArray(),
      sightings: await db.sightings.where({ classId }).toArray(),
    }));
  }

  /**
   * Replace all embeddings of a class at once. `read`: the new embeddings by row id; rows in `dropped` are deleted. Old distances are deleted with the old
   * embeddings; the teacher's answers stay.
   */
  async changeEmbedder(classId: string, embedder: string, read: Map<string, Float32Array>, dropped: string[]): Promise<void> {
    const { db } = this;
    await db.transaction("rw", db.classes, db.photos, db.sightings, async () => {
      await this.#classOf(classId);
      await db.photos.bulkDelete(dropped);
      const { photos, sightings } = await this.faces(classId);
      if ([...photos, ...sightings].some(({ id }) => !read.has(id))) {
        throw new ConflictError("Faces were added to this class in the meantime, so nothing was changed. Start again.");
      }
      await db.classes.update(classId, { embedder });
      await this.admit([...photos, ...sightings].map(({ id }) => ({ classId, embedder, embedding: read.get(id)! })));
      const changed = ({ id }: { id: string }) => ({ embedding: read.get(id)!, embedder });
      const keys = new Set<string>();
      for (const photo of photos) {
        const { face: _, ...rest } = photo;
        const key = faceKey(read.get(photo.id)!);
        await db.photos.put({ ...rest, ...changed(photo), ...(!keys.has(key) && { face: key }) });
        keys.add(key);
      }
      await db.sightings.bulkUpdate(sightings.map((one) => ({ key: one.id, changes: { ...changed(one), distance: null, chance: null } })));
    });
  }

  // Deletions, each of which can be undone for a while

  /** Delete a pupil with all photos and every trace in the rolls. */
  async deletePerson({ id, classId, name }: Person): Promise<Bin> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const days = await db.days.where({ classId }).toArray();
      const rows = {
        ...NO_ROWS,
        people: await db.people.where({ id }).toArray(),
        photos: await db.photos.where({ personId: id }).toArray(),
        sightings: await db.sightings.where({ personId: id }).toArray(),
      };
      await db.people.delete(id);
      await db.photos.where({ personId: id }).delete();
      await db.sightings.where({ personId: id }).delete();
      await db.days.where({ classId }).modify((day) => void delete day.marks[id]);
      const marks = days.flatMap(({ id: dayId, marks }) => (marks[id] ? [{ dayId, personId: id, mark: marks[id] }] : []));
      return { what: `${name}, ${rows.photos.length} enrolled and ${rows.sightings.length} seen faces`, rows, marks };
    });
  }

  async deletePhoto({ id, personId, file }: Enrolled): Promise<Bin> {
    const { people, photos } = this.db;
    return this.db.transaction("rw", people, photos, async () => {
      const rows = { ...NO_ROWS, people: await people.where({ id: personId }).toArray(), photos: await photos.where({ id }).toArray() };
      await photos.delete(id);
      return { what: `the enrolled photo ${file}`, rows, marks: [] };
    });
  }

  async deleteDay({ id, date }: Day): Promise<Bin> {
    const { days, sightings } = this.db;
    return this.db.transaction("rw", days, sightings, async () => {
      const rows = { ...NO_ROWS, days: await days.where({ id }).toArray(), sightings: await sightings.where({ dayId: id }).toArray() };
      await days.delete(id);
      await sightings.where({ dayId: id }).delete();
      return { what: `the roll of ${date}`, rows, marks: [] };
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
      return { what: `the class ${name}`, rows, marks: [] };
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
      return { what: "everything", rows: { classes, people, photos, days, sightings }, marks: [] };
    });
  }

  /**
   * Restore a deletion beside everything that was added since. A pupil or a day that was added again gets the old photos and marks. Returns sentences about
   * what came back differently. Throws, without any change, if the data no longer fit.
   */
  async restore({ rows, marks }: Bin): Promise<string[]> {
    const { db } = this;
    return db.transaction("rw", db.tables, async () => {
      const said: string[] = [];
      for (const row of rows.classes) {
        if (await db.classes.get(row.id)) continue;
        const name = freeName(row.name, (await db.classes.toArray()).map((one) => one.name));
        await db.classes.add({ ...row, name });
        if (name !== row.name) said.push(`There is another class ${row.name} now, so this one is called ${name}.`);
      }
      for (const { classId } of [...rows.people, ...rows.days]) await this.#classOf(classId);
      await this.admit([...rows.photos, ...rows.sightings]);

      const now = new Map<string, string>(); // deleted ids -> ids of rows that were added again
      for (const row of rows.people) {
        if (await db.people.get(row.id)) continue;
        const namesake = await db.people.where({ classId: row.classId, name: row.name }).first();
        if (!namesake) await db.people.add(row);
        else {
          now.set(row.id, namesake.id);
          said.push(`${row.name} was enrolled again in the meantime, so the photos were merged.`);
        }
      }
      const current = (id: string) => now.get(id) ?? id;
      const living = new Set(await db.people.toCollection().primaryKeys());

      for (const photo of rows.photos) {
        const { embedding, face, ...file } = photo;
        if ((await db.photos.get(photo.id)) || (await this.ownerOf(face ? photo : file))) continue;
        await db.photos.add({ ...photo, personId: current(photo.personId) });
      }
      for (const row of rows.days) {
        const marked = Object.entries(row.marks).map(([id, mark]) => [current(id), mark] as const);
        const marks = Object.fromEntries(marked.filter(([id]) => living.has(id)));
        const there = (await db.days.get(row.id)) ?? (await db.days.where({ classId: row.classId, date: row.date }).first());
        if (!there) await db.days.add({ ...row, marks });
        else {
          now.set(row.id, there.id);
          const known = ({ id, key }: GroupPhoto) => there.photos.some((photo) => photo.id === id || (key && photo.key === key));
          await db.days.update(there.id, { photos: [...row.photos.filter((photo) => !known(photo)), ...there.photos], marks: { ...marks, ...there.marks } });
        }
      }
      for (const face of rows.sightings) {
        const day = await db.days.get(current(face.dayId));
        if (!day?.photos.some(({ id }) => id === face.photoId) || (await db.sightings.get(face.id))) continue;
        await db.sightings.add({ ...face, dayId: day.id, personId: face.personId && current(face.personId) });
      }
      await db.sightings.bulkPut(await this.#ofTheLiving(await db.sightings.where("id").anyOf(rows.sightings.map(({ id }) => id)).toArray()));
      for (const { dayId, personId, mark } of marks) {
        await db.days.where({ id: dayId }).modify((day) => void (day.marks[current(personId)] ??= mark));
      }
      return said;
    });
  }
}

export type NewPhoto = Omit<Enrolled, "id" | "personId" | "face">;

const NO_ROWS: Bin["rows"] = { classes: [], people: [], photos: [], days: [], sightings: [] };

/** The browser's own storage; undefined if it has none for this page, or does not answer. */
async function opened(trouble: Hearing["trouble"]): Promise<Database | undefined> {
  const db = new Database();
  let limit: ReturnType<typeof setTimeout> | undefined;
  db.on("versionchange", () => {
    db.close(); // so that the newer page in the other tab can open it
    trouble("A newer version of this page is open in another tab. Reload this one.");
    return false;
  });
  db.on("close", () => trouble("The browser has closed this page’s storage: it may have been cleared. Reload the page."));
  try {
    await new Promise<void>((resolve, reject) => {
      limit = setTimeout(() => reject(new Error("the browser’s storage does not answer")), OPENING);
      db.on("blocked", () => {
        clearTimeout(limit); // the data are there once the other tab closes them
        trouble("Another tab of this site uses an older version of this page. Close all other tabs of this site; then this one continues.");
        limit = undefined;
      });
      db.open().then(() => resolve(), reject);
    });
    if (!limit) trouble("");
    return db;
  } catch (error) {
    console.warn("No storage:", error);
    db.close();
    return undefined;
  } finally {
    clearTimeout(limit);
  }
}

const collator = new Intl.Collator(undefined, { numeric: true });
export const byName = (a: string, b: string): number => collator.compare(a, b);
