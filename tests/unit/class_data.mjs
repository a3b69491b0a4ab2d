// Run by test_class_data.py: classes, pupils and days as the browser keeps them (demo/web/src/people/store.ts), in an IndexedDB of Node's.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { IDBFactory, IDBKeyRange } from "../../demo/web/node_modules/fake-indexeddb/build/esm/index.js";
import { rolldown } from "../../demo/web/node_modules/rolldown/dist/index.mjs";

const web = fileURLToPath(new URL("../../demo/web/", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "class-data-"));
await writeFile(
  join(folder, "entry.ts"),
  `export * from "${web}src/people/store"; export * from "${web}src/people/names"; export { Dexie, liveQuery } from "dexie";`,
);
const bundle = await rolldown({ input: join(folder, "entry.ts"), resolve: { modules: [`${web}node_modules`] } });
await bundle.write({ dir: folder, entryFileNames: "store.mjs", chunkFileNames: "[name].mjs" });
globalThis.navigator ??= {};
const { Store, Dexie, liveQuery, normalName } = await import(pathToFileURL(join(folder, "store.mjs")).href);
test.after(() => rm(folder, { recursive: true }));

const DAY = "2026-03-02";
const numbers = (...values) => Float32Array.from([...values, 0, 0, 0, 0].slice(0, 4));
const hash = (n) => String(n).padStart(64, "0");
const portrait = (classId, n, more) => ({ classId, file: `${n}.jpg`, hash: hash(n), embedding: numbers(n), embedder: "net", chip: "", ...more });
const group = (id) => ({ id, file: `${id}.jpg`, width: 9, height: 9, key: id });
const seen = (day, photoId, id, more) => ({
  id, classId: day.classId, dayId: day.id, photoId, box: [0, 0, 1, 1], embedding: numbers(7), embedder: "net", chip: "", poor: [],
  personId: null, answer: "unknown", distance: 1, chance: null, by: "machine", ...more,
});

/** A tab: its own connection to what this browser keeps. */
async function tab(heard = []) {
  const dimensionsOf = (name) => (name === "net" ? 4 : undefined);
  return Store.open({ trouble: (sentence) => sentence && heard.push(sentence), dimensionsOf });
}

/** What the browser has to keep things in. */
const browserWith = (indexedDB) => Object.assign(Dexie.dependencies, { indexedDB, IDBKeyRange: indexedDB && IDBKeyRange });

async function fresh() {
  browserWith(new IDBFactory());
  const store = await tab();
  const { id } = await store.addClass("7b");
  return { store, id };
}

const rows = async ({ db }) => Object.fromEntries(await Promise.all(db.tables.map(async (table) => [table.name, await table.toArray()])));
const conflict = { name: "ConflictError" };

test("a photo is enrolled once, whichever tab is first", async () => {
  const { store, id } = await fresh();
  const other = await tab();
  const enrolments = [1, 2, 3].flatMap((n) => [store, other].map((one) => one.enrol("Ada", portrait(id, n))));
  assert.equal((await Promise.all(enrolments)).filter(({ added }) => added).length, 3);
  assert.equal((await rows(store)).photos.length, 3);
  await assert.rejects(store.db.photos.add({ ...portrait(id, 1), id: "again", personId: "x" }), { name: "ConstraintError" });
});

test("a photo of another pupil is not enrolled, by its file or by its numbers alone, and whose it is is told", async () => {
  const { store, id } = await fresh();
  await store.enrol("Ada", portrait(id, 1));
  const { hash: _, ...withoutFile } = portrait(id, 1);
  for (const photo of [portrait(id, 1, { embedding: numbers(9) }), withoutFile]) {
    const { person, added } = await store.enrol("Ben", photo);
    assert.deepEqual([person.name, added], ["Ada", false]);
  }
  assert.deepEqual((await rows(store)).people.map(({ name }) => name), ["Ada"]);
  const gallery = { embedder: "net", people: [{ name: "Ben", photos: [{ file: "x.jpg", embedding: [1, 0, 0, 0], chip: null }] }] };
  assert.deepEqual((await store.take({ id }, gallery)).elsewhere, ["x.jpg of Ben is enrolled already, as a photo of Ada"]);
});

test("nothing is added to a class that another tab has deleted", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person } = await store.enrol("Ada", portrait(id, 1));
  await (await tab()).deleteClass({ id, name: "7b" });
  const gallery = { embedder: "net", people: [{ name: "Ada", photos: [{ file: "a.jpg", embedding: [1, 0, 0, 0], chip: null }] }] };
  await assert.rejects(store.enrol("Ada", portrait(id, 2)), conflict);
  await assert.rejects(store.day(id, DAY), conflict);
  await assert.rejects(store.addGroupPhoto(day, group("g"), [seen(day, "g", "f")]), conflict);
  await assert.rejects(store.take({ id }, gallery), conflict);
  await assert.rejects(store.mark(person, DAY, "present"), conflict);
  await assert.rejects(store.changeEmbedder(id, "other", new Map(), []), conflict);
  assert.deepEqual(Object.values(await rows(store)).flat(), []);
});

test("who or what has been deleted meanwhile does not come back by work that goes on", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person } = await store.enrol("Ada", portrait(id, 1));
  const face = seen(day, "g", "f", { personId: person.id, answer: "sure" });
  await store.deletePerson(person);
  await assert.rejects(store.enrol("Ada", portrait(id, 2), person.id), { name: "PhotoError", message: "Ada was deleted in the meantime." });
  await assert.rejects(store.mark(person, DAY, "present"), conflict);
  await store.addGroupPhoto(day, group("g"), [face]);
  assert.equal((await rows(store)).sightings[0].personId, null);
  await assert.rejects(store.correct("f", person.id), conflict);
  await store.deleteDay(day);
  await assert.rejects(store.addGroupPhoto(day, group("h"), [seen(day, "h", "i")]), conflict);
  const { people, photos, days, sightings } = await rows(store);
  assert.deepEqual([people, photos, days, sightings], [[], [], [], []]);
});

test("a group photo is on a roll once", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  await store.addGroupPhoto(day, group("g"), [seen(day, "g", "f")]);
  await assert.rejects(store.addGroupPhoto(day, { ...group("h"), key: "g" }, [seen(day, "h", "i")]), { message: "is already on this roll" });
  assert.equal((await rows(store)).sightings.length, 1);
});

test("what the teacher has said meanwhile is not overwritten by the machine", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person } = await store.enrol("Ada", portrait(id, 1));
  const face = seen(day, "g", "f");
  await store.addGroupPhoto(day, group("g"), [face]);
  await (await tab()).correct("f", person.id);
  await store.judge([face]);
  assert.equal((await rows(store)).sightings[0].personId, person.id);
});

test("numbers that are no embedding are not kept", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  await store.enrol("Ada", portrait(id, 1));
  const before = await rows(store);
  for (const embedding of [numbers(NaN), numbers(0), numbers(1e38), Float32Array.from([1, 2])]) {
    const gallery = { embedder: "net", people: [{ name: "Ben", photos: [{ file: "b.jpg", embedding: [...embedding], chip: null }] }] };
    await assert.rejects(store.enrol("Ben", portrait(id, 2, { embedding })), { name: "PhotoError" });
    await assert.rejects(store.addGroupPhoto(day, group("g"), [seen(day, "g", "f", { embedding })]), { name: "PhotoError" });
    await assert.rejects(store.take({ name: "8c" }, gallery), { name: "PhotoError" });
    await assert.rejects(store.changeEmbedder(id, "net", new Map([[before.photos[0].id, embedding]]), []), { name: "PhotoError" });
  }
  assert.deepEqual(await rows(store), before);
});

test("a picture that lies elsewhere is not kept", async () => {
  const { store, id } = await fresh();
  await store.enrol("Ada", portrait(id, 1, { chip: "http://127.0.0.1:9/ada.png" }));
  assert.equal((await rows(store)).photos[0].chip, "");
});

test("names are compared as they look, and two classes have two names", async () => {
  assert.equal(normalName("  Zoe\u0308\n A "), "Zo\u00eb A");
  const { store, id } = await fresh();
  const first = await store.enrol("Zo\u00eb", portrait(id, 1));
  assert.equal((await store.enrol(" Zoe\u0308", portrait(id, 2))).person.id, first.person.id);
  assert.notEqual((await store.enrol("ZO\u00cb", portrait(id, 3))).person.id, first.person.id);
  await assert.rejects(store.addClass(" 7b "), { message: "There is already a class 7b. Choose another name." });
});

test("undo brings a pupil back beside what was made since", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person: ada } = await store.enrol("Ada", portrait(id, 1));
  const { person: ben } = await store.enrol("Ben", portrait(id, 2));
  await store.addGroupPhoto(day, group("g"), [seen(day, "g", "f", { personId: ada.id, by: "teacher" })]);
  await store.mark(ada, DAY, "absent");
  const before = await rows(store);
  const bin = await store.deletePerson(ada);
  await store.addGroupPhoto(day, group("h"), [seen(day, "h", "i")]);
  await store.mark(ben, DAY, "present");
  await store.restore(bin);
  await store.restore(bin); // a second click
  const after = await rows(store);
  const sorted = (list) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(sorted(after.photos), sorted(before.photos));
  assert.deepEqual(sorted(after.people), sorted(before.people));
  assert.deepEqual(after.sightings.map(({ id }) => id), ["f", "i"]);
  assert.deepEqual(after.sightings[0], before.sightings[0]);
  assert.deepEqual(after.days[0].marks, { [ada.id]: "absent", [ben.id]: "present" });
  assert.deepEqual(after.days[0].photos.map(({ id }) => id), ["g", "h"]);
});

test("a pupil who was enrolled again gets the old photos, faces and marks too", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person } = await store.enrol("Ada", portrait(id, 1));
  await store.enrol("Ada", portrait(id, 2));
  await store.addGroupPhoto(day, group("g"), [seen(day, "g", "f", { personId: person.id })]);
  await store.mark(person, DAY, "present");
  const bin = await store.deletePerson(person);
  const { person: again } = await store.enrol("Ada", portrait(id, 1));
  await store.enrol("Ada", portrait(id, 3));
  assert.deepEqual(await store.restore(bin), ["Ada was enrolled again in the meantime, so the photos were merged."]);
  const { people, photos, sightings, days } = await rows(store);
  assert.deepEqual(people.map(({ id }) => id), [again.id]);
  assert.deepEqual(photos.map(({ file, personId }) => [file, personId]).sort(), [1, 2, 3].map((n) => [`${n}.jpg`, again.id]));
  assert.equal(sightings[0].personId, again.id);
  assert.deepEqual(days[0].marks, { [again.id]: "present" });
});

test("a day, a class and everything come back beside what was made since", async () => {
  const { store, id } = await fresh();
  const day = await store.day(id, DAY);
  const { person } = await store.enrol("Ada", portrait(id, 1));
  await store.addGroupPhoto(day, group("g"), [seen(day, "g", "f", { personId: person.id })]);
  await store.mark(person, DAY, "present");
  const ofDay = await store.deleteDay(day);
  const anew = await store.day(id, DAY);
  await store.addGroupPhoto(anew, group("h"), [seen(anew, "h", "i")]);
  await store.mark(person, DAY, "absent");
  await store.restore(ofDay);
  const { days, sightings } = await rows(store);
  assert.deepEqual(days.map(({ id, photos, marks }) => [id, photos.map((photo) => photo.id), marks]), [[anew.id, ["g", "h"], { [person.id]: "absent" }]]);
  assert.deepEqual(sightings.map(({ id, dayId }) => [id, dayId]), [["f", anew.id], ["i", anew.id]]);

  const before = await rows(store);
  const ofClass = await store.deleteClass({ id, name: "7b" });
  const made = await store.addClass("7b");
  assert.deepEqual(await store.restore(ofClass), ["There is another class 7b now, so this one is called 7b (2)."]);
  const { classes, ...rest } = await rows(store);
  assert.deepEqual(classes.map(({ name }) => name).sort(), ["7b", "7b (2)"]);
  const { classes: _, ...restBefore } = before;
  assert.deepEqual(rest, restBefore);

  await store.deleteClass(made);
  const all = await rows(store);
  const ofAll = await store.deleteEverything();
  assert.deepEqual(Object.values(await rows(store)).flat(), []);
  await store.restore(ofAll);
  assert.deepEqual(await rows(store), all);
});

test("what cannot lie in its class any more is refused as a whole", async () => {
  const { store, id } = await fresh();
  const { person } = await store.enrol("Ada", portrait(id, 1));
  const { person: ben } = await store.enrol("Ben", portrait(id, 2));
  const bin = await store.deletePerson(person);
  const [{ id: left }] = (await rows(store)).photos;
  await store.changeEmbedder(id, "other", new Map([[left, numbers(5)]]), []);
  const before = await rows(store);
  await assert.rejects(store.restore(bin), conflict);
  assert.deepEqual(await rows(store), before);
  const ofPhoto = await store.deletePhoto(before.photos[0]);
  await store.deletePerson(ben);
  await store.restore(ofPhoto);
  assert.deepEqual((await rows(store)).photos, before.photos, "with the pupil whose photo it is");
});

test("a database of the first version is taken over, without what nobody sees and what is there twice", async () => {
  browserWith(new IDBFactory());
  const old = new Dexie("facelab");
  old.version(1).stores({
    classes: "id", people: "id, classId, &[classId+name]", photos: "id, classId, personId", days: "id, classId, &[classId+date]",
    sightings: "id, classId, dayId, personId",
  });
  await old.open();
  const classId = "c";
  const photo = (id, personId, more) => ({ id, classId, personId, file: id, hash: "", embedding: numbers(1), chip: "", ...more });
  const day = { id: "d", classId, date: DAY, photos: [{ id: "g", file: "g", width: 1, height: 1 }], marks: { b: "absent", gone: "present" } };
  await old.table("classes").bulkAdd([{ id: classId, name: "7b" }, { id: "c2", name: "7b " }]);
  await old.table("people").bulkAdd([
    { id: "a", classId, name: "Zo\u00eb" }, { id: "b", classId, name: "Zoe\u0308" }, { id: "e", classId, name: "Eve" }, { id: "x", classId: "gone", name: "X" },
  ]);
  await old.table("photos").bulkAdd([
    photo("1", "a", { hash: hash(1), chip: "http://127.0.0.1:9/a.png" }),
    photo("2", "a", { hash: hash(1), embedding: numbers(2) }), // the same file, by another tab
    photo("3", "b", { hash: "48213", embedding: numbers(3) }), // of plain http
    photo("4", "e", { embedding: numbers(3) }), // and of another pupil
    photo("5", "e", { embedding: numbers(3), hash: "48213" }),
    photo("6", "e", { embedding: numbers(NaN) }),
    photo("7", "e", { embedding: numbers(NaN), chip: "data:image/jpeg;base64,AAAA" }),
    photo("8", "nobody"),
    photo("9", "x", { classId: "gone" }),
  ]);
  await old.table("days").bulkAdd([day, { ...day, id: "d2", classId: "gone" }]);
  await old.table("sightings").bulkAdd([seen(day, "g", "f", { personId: "b" }), seen(day, "removed", "h"), seen(day, "g", "i", { personId: "gone" })]);
  old.close();

  const store = await tab();
  const { classes, people, photos, days, sightings } = await rows(store);
  assert.deepEqual(classes.map(({ id, name }) => [id, name]), [["c", "7b"], ["c2", "7b (2)"]]);
  assert.deepEqual(people.map(({ id, name }) => [id, name]), [["a", "Zo\u00eb"], ["e", "Eve"]]);
  assert.deepEqual(photos.map(({ id, personId, hash }) => [id, personId, hash]), [
    ["1", "a", hash(1)], ["3", "a", undefined], ["4", "e", undefined], ["5", "e", undefined], ["6", "e", undefined], ["7", "e", undefined],
  ]);
  assert.deepEqual(photos.map(({ chip }) => chip), ["", "", "", "", "", "data:image/jpeg;base64,AAAA"]);
  assert.deepEqual(days.map(({ id, marks }) => [id, marks]), [["d", { a: "absent" }]]);
  assert.deepEqual(sightings.map(({ id, personId }) => [id, personId]), [["f", "a"], ["i", null]]);
});

test("without IndexedDB everything works as long as the page lives, and that is said", async () => {
  browserWith(null);
  const heard = [];
  const store = await tab(heard);
  assert.equal(store.lasting, false);
  assert.match(heard.at(-1), /stores nothing/);
  const seenClasses = new Promise((resolve) =>
    liveQuery(() => store.classes()).subscribe((classes) => classes.length && resolve(classes.map(({ name }) => name))),
  );
  await store.addClass("7b");
  assert.deepEqual(await seenClasses, ["7b"]);
});

test("a storage that never answers is done without after a while", async (t) => {
  browserWith({ open: () => ({}) });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const heard = [];
  const opening = tab(heard);
  t.mock.timers.tick(10_000);
  t.mock.timers.reset();
  assert.equal((await opening).lasting, false);
  assert.match(heard.at(-1), /stores nothing/);
});

test("a tab lets go of the storage for a newer version of the page, and says so", { timeout: 10_000 }, async () => {
  const { store } = await fresh();
  const heard = [];
  const open = await tab(heard);
  store.db.close();
  const newer = new Dexie("facelab");
  newer.version(5).stores({});
  await newer.open();
  assert.match(heard.at(-1), /newer version of this page is open in another tab/);
  await assert.rejects(open.addClass("8c"), { name: "DatabaseClosedError" });
  newer.close();
});

test("a tab waits for an older one that holds the storage, and asks to close it", { timeout: 10_000 }, async () => {
  const indexedDB = new IDBFactory();
  browserWith(indexedDB);
  const holding = await new Promise((resolve) => {
    const request = indexedDB.open("facelab", 10);
    request.onupgradeneeded = () => ["classes", "people", "photos", "days", "sightings"].forEach((name) => request.result.createObjectStore(name, { keyPath: "id" }));
    request.onsuccess = () => resolve(request.result);
  });
  const heard = [];
  const opening = tab(heard);
  while (!heard.length) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(heard[0], /Close all other tabs/);
  holding.close();
  assert.equal((await opening).lasting, true);
});
