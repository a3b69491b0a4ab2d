// Divides a WebAssembly file in two: `first`, which takes its place, has the bodies of some functions (hot ones); `rest` has those of the others (cold ones).
//
// In `first`, a cold function calls through a table that `rest` fills as it is instantiated. While the table is empty, a cold function first calls the
// function in the table's slot 0, which has to bring the rest before it returns. In `rest`, a hot function calls through another table. Functions have
// the same indices in both files, and both work on one memory, and on the same tables, globals and tags. `first` exports these under names that begin
// with a mark of the whole file, so files of two builds do not fit together. Nothing else changes: whatever was made with the whole file (a memory with
// pointers to functions) fits `first`.
import { createHash } from "node:crypto";
import { append, CODE, DATA, DATA_COUNT, dataOf, ELEMENT, entries, EXPORT, exportOf, fileOf, FUNCTION, GLOBAL, IMPORT, importOf } from "../wasm/binary.mjs";
import { KINDS, leb, MEMORY, sectionsOf, signedLeb, TABLE, TAG, toLeb, TYPE, vector } from "../wasm/binary.mjs";
import { prepended } from "../wasm/module.mjs";

const SECTION_OF = { [KINDS.table]: TABLE, [KINDS.memory]: MEMORY, [KINDS.global]: GLOBAL, [KINDS.tag]: TAG };
const FUNCREF = 0x70;
const SMALL = 64; // bytes: a hot function's body up to this length lies in both files, because a call there would be as long

/**
 * {first, rest} of a file. `isHot(body, number)`: whether the body of its function `number`, imported ones not counted, is to be in the first.
 * `isWanted(name)`: whether the first is to export what the file does; `idle`: [first, end) of addresses whose data is to come with the rest, in order;
 * `hasData`: whether either is to write any into the memory.
 */
export function split(file, isHot, { isWanted = () => true, idle = [], hasData = true } = {}) {
  const sections = sectionsOf(file);
  const bodies = entries(sections, CODE);
  const imports = entries(sections, IMPORT).map(importOf);
  const called = imports.flatMap(({ kind, type }) => (kind === 0 ? [type] : []));
  const typeOf = [...called, ...entries(sections, FUNCTION)].map((type) => leb(type, 0)[0]);
  const bodyAt = (index) => bodies[index - called.length];
  const own = bodies.map((_, number) => called.length + number);
  const cold = own.filter((index, number) => !isHot(bodies[number], number));
  const isCold = new Set(cold);
  const back = [...called.keys(), ...own.filter((index) => !isCold.has(index) && bodyAt(index).length > SMALL)];
  const mark = createHash("sha256").update(file).update(JSON.stringify(cold)).digest("hex").slice(0, 8);

  const types = entries(sections, TYPE);
  const plain = types.findIndex((type) => Buffer.from(type).equals(Buffer.of(0x60, 0, 0))); // takes nothing, gives nothing
  const [plainType, newTypes] = plain < 0 ? [types.length, [Uint8Array.of(0x60, 0, 0)]] : [plain, []];
  const bring = typeOf.length; // a function behind all others: it sees to it that the rest is there
  const shared = sharedOf(sections, imports);
  const coldTable = shared.filter(({ kind }) => kind === 1).length;
  const hotTable = coldTable + 1;
  const tables = [cold.length + 1, back.length].map((length) => Uint8Array.of(FUNCREF, 0, ...toLeb(length)));
  const everything = [
    ...shared.map((one) => ({ ...one, name: `${mark}/${one.kind}.${one.index}` })),
    { kind: 1, index: coldTable, type: tables[0], name: `${mark}/cold` },
    { kind: 1, index: hotTable, type: tables[1], name: `${mark}/hot` },
  ];

  const passedOn = (index, slot, table) => [
    ...Array.from({ length: parametersOf(types[typeOf[index]]) }, (_, i) => [0x20, ...toLeb(i)]).flat(), // local.get
    ...[0x41, ...signedLeb(slot), 0x11, ...toLeb(typeOf[index]), ...toLeb(table)], // i32.const, call_indirect
  ];
  const coldSlots = new Map(cold.map((index, i) => [index, i + 1]));
  const firstBodies = own.map((index) =>
    coldSlots.has(index) ? bodyOf([0x10, ...toLeb(bring), ...passedOn(index, coldSlots.get(index), coldTable)]) : bodyAt(index),
  );
  const bringing = bodyOf([
    ...[0x41, 1, 0x25, ...toLeb(coldTable), 0xd1, 0x04, 0x40], // i32.const 1, table.get, ref.is_null, if
    ...[0x41, 0, 0x11, ...toLeb(plainType), ...toLeb(coldTable), 0x0b], // i32.const 0, call_indirect, end
  ]);
  const first = new Map(sections);
  append(first, TYPE, newTypes);
  append(first, FUNCTION, [toLeb(plainType)]);
  append(first, TABLE, tables);
  first.set(EXPORT, vector(entries(sections, EXPORT).filter((item) => isWanted(exportOf(item).name))));
  append(first, EXPORT, everything.map(({ name, kind, index }) => Buffer.concat([named(name), Uint8Array.of(kind), toLeb(index)])));
  append(first, ELEMENT, [element(hotTable, 0, back)]);
  first.set(CODE, vector([...firstBodies, bringing]));
  const data = hasData ? divided(dataOf(file), idle) : { here: [], there: [] };
  first.delete(DATA_COUNT);
  first.set(DATA, vector(data.here.map(segment)));

  const hotSlots = new Map(back.map((index, slot) => [index, slot]));
  const restBodies = typeOf.map((_, index) => (hotSlots.has(index) ? bodyOf(passedOn(index, hotSlots.get(index), hotTable)) : bodyAt(index)));
  const rest = new Map([
    [TYPE, first.get(TYPE)],
    [IMPORT, vector(everything.map(({ name, kind, type }) => Buffer.concat([named("first"), named(name), Uint8Array.of(kind), type])))],
    [FUNCTION, vector(typeOf.map(toLeb))],
    [GLOBAL, vector(entries(sections, GLOBAL).slice(sharedGlobals(sections)))], // constants, which may as well lie in both
    [ELEMENT, vector([element(coldTable, 1, cold)])],
    [CODE, vector(restBodies)],
    [DATA, vector(data.there.map(segment))],
  ]);
  return { first: fileOf(first), rest: fileOf(rest) };
}

/** The file with each of its own functions noting its calls, from the very start: it fills its slot in the exported table "called". */
export function noting(file) {
  const sections = sectionsOf(file);
  const bodies = entries(sections, CODE);
  const table = sharedOf(sections, entries(sections, IMPORT).map(importOf)).filter(({ kind }) => kind === 1).length;
  append(sections, TABLE, [Uint8Array.of(FUNCREF, 0, ...toLeb(bodies.length))]);
  append(sections, EXPORT, [Buffer.concat([named("called"), Uint8Array.of(1, table)])]);
  append(sections, ELEMENT, [Uint8Array.of(3, 0, 1, 0)]); // says that there are references to function 0, which is as good as any
  const note = (number) => [0x41, ...signedLeb(number), 0xd2, 0, 0x26, ...toLeb(table)]; // i32.const, ref.func, table.set
  sections.set(CODE, vector(bodies.map((body, number) => prepended(body, note(number)))));
  return fileOf(sections);
}

/** Of a file's globals that are constants, the `values` by index; those of them that are `exported`. */
export function constantGlobals(file) {
  const sections = sectionsOf(file);
  const imported = entries(sections, IMPORT).filter((item) => importOf(item).kind === KINDS.global).length;
  const values = new Map(
    entries(sections, GLOBAL).flatMap((global, i) => (global[1] === 0 && global[2] === 0x41 ? [[imported + i, leb(global, 3)[0]]] : [])),
  );
  const exported = entries(sections, EXPORT).map(exportOf).flatMap(({ kind, index }) => (kind === KINDS.global ? [values.get(index)] : []));
  return { values, exported: exported.filter((value) => value !== undefined) };
}

/** Segments of data: what lies outside of these places, `here`, and what lies in them, `there`. */
function divided(segments, places) {
  const parts = { here: [], there: [] };
  for (const { address, bytes } of segments) {
    const edges = places.flat().filter((edge) => edge > address && edge < address + bytes.length);
    for (const [i, first] of [address, ...edges].entries()) {
      const end = edges[i] ?? address + bytes.length;
      const where = places.some((place) => first >= place[0] && first < place[1]) ? "there" : "here";
      parts[where].push({ address: first, bytes: bytes.subarray(first - address, end - address) });
    }
  }
  return parts;
}

const segment = ({ address, bytes }) => Buffer.concat([Uint8Array.of(0, 0x41, ...signedLeb(address), 0x0b), toLeb(bytes.length), bytes]);

/** What a file's functions work on: tables, memory, globals but the constants behind them, tags; imported and own. */
function sharedOf(sections, imports) {
  return Object.entries(SECTION_OF).flatMap(([key, section]) => {
    const kind = Number(key);
    const own = entries(sections, section);
    const types = kind === 3 ? own.slice(0, sharedGlobals(sections)).map((global) => global.subarray(0, 2)) : own;
    return [...imports.flatMap((one) => (one.kind === kind ? [one.type] : [])), ...types].map((type, index) => ({ kind, index, type }));
  });
}

/** How many of a file's own globals: up to the last one that can change. */
const sharedGlobals = (sections) => entries(sections, GLOBAL).findLastIndex((global) => global[1] === 1) + 1;

const parametersOf = (type) => leb(type, 1)[0];

const named = (name) => Buffer.concat([toLeb(name.length), Buffer.from(name)]);

/** A body without locals. */
function bodyOf(code) {
  const inner = Uint8Array.of(0, ...code, 0x0b);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** The segment that puts functions into a table, from a slot on. */
const element = (table, slot, functions) =>
  Buffer.concat([Uint8Array.of(2, ...toLeb(table), 0x41, ...signedLeb(slot), 0x0b, 0), vector(functions.map(toLeb))]);
