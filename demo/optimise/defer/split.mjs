// Divides a WebAssembly file in two: `first`, which replaces it, has the bodies of hot functions; `rest` has those of cold functions.
//
// In `first`, a cold function calls its body through a table that `rest` fills when it is instantiated. While the table is empty, a cold function first calls
// the function in the table's slot 0, which must load the rest before it returns. In `rest`, a hot function calls its body through another table. Functions
// have the same indices in both files, and both files use the same memory, tables, globals and tags. `first` exports these under names that begin with a mark
// of the whole file.
// Assumes that each part of the file has a form that wasm/binary.mjs knows; otherwise it throws.
// Guarantees that `first` with its rest computes what the whole file does; that anything made with the whole file fits `first`, such as a memory with pointers
// to functions; and that files of two builds cannot be linked.
// On a miss, a cold function that is called early waits for the rest.
import { createHash } from "node:crypto";
import { append, CODE, DATA, DATA_COUNT, dataOf, ELEMENT, entries, EXPORT, exportOf, fileOf, FUNCTION, GLOBAL, IMPORT, importOf } from "../wasm/binary.mjs";
import { KINDS, leb, MEMORY, sectionsOf, signedLeb, TABLE, TAG, toLeb, TYPE, vector } from "../wasm/binary.mjs";
import { bodyOf, raw } from "../wasm/code.mjs";
import { prepended } from "../wasm/module.mjs";

const SECTION_OF = { [KINDS.table]: TABLE, [KINDS.memory]: MEMORY, [KINDS.global]: GLOBAL, [KINDS.tag]: TAG };
const FUNCREF = 0x70;
const SMALL = 64; // bytes: hot bodies up to this length lie in both files, because a call through the table would be as long

/**
 * {first, rest} of a file. `isHot(body, number)`: whether a function is hot; numbers do not count imported functions. `isWanted(name)`: whether `first` keeps
 * an export of the file. `idle`: ranges [first, end) of addresses, in order, whose data `rest` has. `hasData`: whether the two files have any data.
 */
export function split(file, isHot, { isWanted = () => true, idle = [], hasData = true } = {}) {
  const sections = sectionsOf(file);
  const bodies = entries(sections, CODE);
  const imports = entries(sections, IMPORT).map(importOf);
  const imported = imports.flatMap(({ kind, type }) => (kind === KINDS.function ? [type] : []));
  const typeOf = [...imported, ...entries(sections, FUNCTION)].map((type) => leb(type, 0)[0]);
  const bodyAt = (index) => bodies[index - imported.length];
  const own = bodies.map((_, number) => imported.length + number);
  const cold = own.filter((index, number) => !isHot(bodies[number], number));
  const isCold = new Set(cold);
  const calledByRest = [...imported.keys(), ...own.filter((index) => !isCold.has(index) && bodyAt(index).length > SMALL)]; // what the rest calls through a table
  const mark = createHash("sha256").update(file).update(JSON.stringify(cold)).digest("hex").slice(0, 8);

  const types = entries(sections, TYPE);
  const plain = types.findIndex((type) => Buffer.from(type).equals(Buffer.of(0x60, 0, 0))); // without arguments and results
  const [plainType, newTypes] = plain < 0 ? [types.length, [Uint8Array.of(0x60, 0, 0)]] : [plain, []];
  const load = typeOf.length; // the index of a function, after all others, that makes sure that the rest is loaded
  const shared = sharedOf(sections, imports);
  const coldTable = shared.filter(({ kind }) => kind === KINDS.table).length;
  const hotTable = coldTable + 1;
  const tables = [cold.length + 1, calledByRest.length].map((length) => Uint8Array.of(FUNCREF, 0, ...toLeb(length)));
  const links = [
    ...shared.map((entry) => ({ ...entry, name: `${mark}/${entry.kind}.${entry.index}` })),
    { kind: KINDS.table, index: coldTable, type: tables[0], name: `${mark}/cold` },
    { kind: KINDS.table, index: hotTable, type: tables[1], name: `${mark}/hot` },
  ];

  const callThrough = (index, slot, table) => [
    ...Array.from({ length: parametersOf(types[typeOf[index]]) }, (_, i) => [0x20, ...toLeb(i)]).flat(), // local.get
    ...[0x41, ...signedLeb(slot), 0x11, ...toLeb(typeOf[index]), ...toLeb(table)], // i32.const, call_indirect
  ];
  const coldSlots = new Map(cold.map((index, i) => [index, i + 1]));
  const firstBodies = own.map((index) =>
    coldSlots.has(index) ? body([0x10, ...toLeb(load), ...callThrough(index, coldSlots.get(index), coldTable)]) : bodyAt(index),
  );
  const loading = body([
    ...[0x41, 1, 0x25, ...toLeb(coldTable), 0xd1, 0x04, 0x40], // i32.const 1, table.get, ref.is_null, if
    ...[0x41, 0, 0x11, ...toLeb(plainType), ...toLeb(coldTable), 0x0b], // i32.const 0, call_indirect, end
  ]);
  const first = new Map(sections);
  append(first, TYPE, newTypes);
  append(first, FUNCTION, [toLeb(plainType)]);
  append(first, TABLE, tables);
  first.set(EXPORT, vector(entries(sections, EXPORT).filter((item) => isWanted(exportOf(item).name))));
  append(first, EXPORT, links.map(({ name, kind, index }) => Buffer.concat([named(name), Uint8Array.of(kind), toLeb(index)])));
  append(first, ELEMENT, [element(hotTable, 0, calledByRest)]);
  first.set(CODE, vector([...firstBodies, loading]));
  const data = hasData ? divided(dataOf(file), idle) : { first: [], rest: [] };
  first.delete(DATA_COUNT);
  first.set(DATA, vector(data.first.map(segment)));

  const hotSlots = new Map(calledByRest.map((index, slot) => [index, slot]));
  const restBodies = typeOf.map((_, index) => (hotSlots.has(index) ? body(callThrough(index, hotSlots.get(index), hotTable)) : bodyAt(index)));
  const rest = new Map([
    [TYPE, first.get(TYPE)],
    [IMPORT, vector(links.map(({ name, kind, type }) => Buffer.concat([named("first"), named(name), Uint8Array.of(kind), type])))],
    [FUNCTION, vector(typeOf.map(toLeb))],
    [GLOBAL, vector(entries(sections, GLOBAL).slice(sharedGlobals(sections)))], // constants, which both files have
    [ELEMENT, vector([element(coldTable, 1, cold)])],
    [CODE, vector(restBodies)],
    [DATA, vector(data.rest.map(segment))],
  ]);
  return { first: fileOf(first), rest: fileOf(rest) };
}

/**
 * The file, in which each function notes its first call: it fills its slot of a table, exported as "called". Unlike a mark in memory, the table also works
 * while the memory is restored.
 */
export function noting(file) {
  const sections = sectionsOf(file);
  const bodies = entries(sections, CODE);
  const table = sharedOf(sections, entries(sections, IMPORT).map(importOf)).filter(({ kind }) => kind === KINDS.table).length;
  append(sections, TABLE, [Uint8Array.of(FUNCREF, 0, ...toLeb(bodies.length))]);
  append(sections, EXPORT, [Buffer.concat([named("called"), Uint8Array.of(1, table)])]);
  append(sections, ELEMENT, [Uint8Array.of(3, 0, 1, 0)]); // WebAssembly demands that an element declares function 0, to which all slots refer
  const note = (number) => [0x41, ...signedLeb(number), 0xd2, 0, 0x26, ...toLeb(table)]; // i32.const, ref.func, table.set
  sections.set(CODE, vector(bodies.map((body, number) => prepended(body, note(number)))));
  return fileOf(sections);
}

/** {first, rest}: segments of data outside and inside the idle ranges. */
function divided(segments, idle) {
  const parts = { first: [], rest: [] };
  for (const { address, bytes } of segments) {
    const edges = idle.flat().filter((edge) => edge > address && edge < address + bytes.length);
    for (const [i, first] of [address, ...edges].entries()) {
      const end = edges[i] ?? address + bytes.length;
      const isIdle = idle.some((range) => first >= range[0] && first < range[1]);
      parts[isIdle ? "rest" : "first"].push({ address: first, bytes: bytes.subarray(first - address, end - address) });
    }
  }
  return parts;
}

const segment = ({ address, bytes }) => Buffer.concat([Uint8Array.of(0, 0x41, ...signedLeb(address), 0x0b), toLeb(bytes.length), bytes]);

/** The file's tables, memories, tags, and globals up to the last one that can change; imported ones too. */
function sharedOf(sections, imports) {
  return Object.entries(SECTION_OF).flatMap(([key, section]) => {
    const kind = Number(key);
    const own = entries(sections, section);
    const types = kind === KINDS.global ? own.slice(0, sharedGlobals(sections)).map((global) => global.subarray(0, 2)) : own;
    return [...imports.flatMap((entry) => (entry.kind === kind ? [entry.type] : [])), ...types].map((type, index) => ({ kind, index, type }));
  });
}

/** The number of the file's own globals up to the last one that can change. The others are constants. */
const sharedGlobals = (sections) => entries(sections, GLOBAL).findLastIndex((global) => global[1] === 1) + 1;

const parametersOf = (type) => leb(type, 1)[0];

const named = (name) => Buffer.concat([toLeb(name.length), Buffer.from(name)]);

/** A body without local variables. */
const body = (code) => bodyOf([], [raw(Uint8Array.from(code))]);

/** The segment that puts functions into a table, beginning at a slot. */
const element = (table, slot, functions) =>
  Buffer.concat([Uint8Array.of(2, ...toLeb(table), 0x41, ...signedLeb(slot), 0x0b, 0), vector(functions.map(toLeb))]);
