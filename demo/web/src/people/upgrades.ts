/** Upgrades of databases that older versions of this page have left. */

import type { Transaction } from "dexie";

import type { ClassRow, Day, Enrolled, Person, Sighting } from "./database";
import { faceKey, faultOf, pictureOnly } from "./faces";
import { freeName, normalName } from "./names";

/** The network of all faces that were stored before classes had a network. */
const FIRST_EMBEDDER = "dlib-resnet-v1";

export async function nameEmbedder(transaction: Transaction): Promise<void> {
  const classes = new Set<string>();
  for (const name of ["photos", "sightings"]) {
    await transaction.table<Enrolled | Sighting>(name).toCollection().modify((face) => {
      face.embedder = FIRST_EMBEDDER;
      classes.add(face.classId);
    });
  }
  await transaction.table<ClassRow, string>("classes").where("id").anyOf([...classes]).modify({ embedder: FIRST_EMBEDDER });
}

/**
 * Clean up what earlier versions could leave. Rows without a class or pupil are personal data that nobody sees, so they are deleted. Names get one spelling,
 * each photo is enrolled once, and pictures on other servers are removed.
 */
export async function tidy(transaction: Transaction): Promise<void> {
  await deleteOrphans(transaction);
  await nameClassesApart(transaction);
  await mergeNamesakes(transaction);
  await enrolPhotosOnce(transaction);
  await transaction.table<Sighting>("sightings").toCollection().modify((face) => {
    face.chip = pictureOnly(face.chip);
  });
}

async function deleteOrphans(transaction: Transaction): Promise<void> {
  const classes = await ids(transaction, "classes");
  for (const name of ["people", "photos", "days", "sightings"]) {
    await transaction.table<Person>(name).filter(({ classId }) => !classes.has(classId)).delete();
  }
  const people = await ids(transaction, "people");
  await transaction.table<Enrolled>("photos").filter(({ personId }) => !people.has(personId)).delete();
  const shown = new Set<string>();
  await transaction.table<Day>("days").toCollection().modify((day) => {
    for (const { id } of day.photos) shown.add(`${day.id} ${id}`);
    for (const id of Object.keys(day.marks)) if (!people.has(id)) delete day.marks[id];
  });
  const sightings = transaction.table<Sighting>("sightings");
  await sightings.filter(({ dayId, photoId }) => !shown.has(`${dayId} ${photoId}`)).delete();
  await sightings.filter(({ personId }) => personId !== null && !people.has(personId)).modify(nobody);
}

async function nameClassesApart(transaction: Transaction): Promise<void> {
  const classes = transaction.table<ClassRow, string>("classes");
  const taken: string[] = [];
  for (const { id, name } of await classes.toArray()) {
    taken.push(freeName(normalName(name), taken));
    await classes.update(id, { name: taken.at(-1)! });
  }
}

/** Merge pupils of a class whose names differ only in spelling. */
async function mergeNamesakes(transaction: Transaction): Promise<void> {
  const people = transaction.table<Person, string>("people");
  const known = new Map<string, string>();
  const asWritten = ({ name }: Person) => Number(name !== normalName(name));
  for (const { id, classId, name } of (await people.toArray()).sort((a, b) => asWritten(a) - asWritten(b))) {
    const normal = normalName(name);
    const first = known.get(`${classId} ${normal}`);
    if (first) {
      for (const table of ["photos", "sightings"]) await transaction.table<Enrolled>(table).where("personId").equals(id).modify({ personId: first });
      await transaction.table<Day>("days").where("classId").equals(classId).modify(({ marks }) => {
        const mark = marks[id];
        delete marks[id];
        if (mark) marks[first] ??= mark;
      });
      await people.delete(id);
    } else {
      known.set(`${classId} ${normal}`, id);
      if (name !== normal) await people.update(id, { name: normal });
    }
  }
}

/** Delete a photo that a pupil has twice. A photo that two pupils have stays with both, because only the teacher knows whom it shows. */
async function enrolPhotosOnce(transaction: Transaction): Promise<void> {
  const photos = transaction.table<Enrolled, string>("photos");
  const owners = new Map<string, string>();
  for (const photo of await photos.toArray()) {
    const { hash, face, ...rest } = photo;
    const keys = {
      ...(/^[0-9a-f]{64}$/.test(hash ?? "") && { hash: hash! }),
      ...(!faultOf(photo.embedding, photo.embedding.length) && { face: faceKey(photo.embedding) }),
    };
    const free = Object.entries(keys).filter(([, key]) => !owners.has(`${photo.classId} ${key}`));
    if (Object.values(keys).some((key) => owners.get(`${photo.classId} ${key}`) === photo.personId)) {
      await photos.delete(photo.id);
    } else {
      for (const [, key] of free) owners.set(`${photo.classId} ${key}`, photo.personId);
      await photos.put({ ...rest, chip: pictureOnly(photo.chip), ...Object.fromEntries(free) });
    }
  }
}

async function ids(transaction: Transaction, table: string): Promise<Set<string>> {
  return new Set((await transaction.table(table).toCollection().primaryKeys()) as string[]);
}

function nobody(face: Sighting): void {
  Object.assign(face, { personId: null, answer: "unknown", distance: null, chance: null, by: "machine" } satisfies Partial<Sighting>);
}
