// A wasm file in two: the first, which takes its place, has the bodies of some functions (hot ones), the rest those of the others (cold ones).
//
// In the first, a cold function calls through a table that the rest fills as it is instantiated; while that is empty, it calls what lies in the
// table's slot 0, which has to bring the rest before it returns. In the rest, a hot function calls through another table. Functions have the same
// indices in both, and both work on one memory, and the same tables, globals and tags. The first exports these under names that begin with a mark
// of their own: files of two builds do not fit together. Nothing else in it is touched, and so whatever was made with the whole file (a memory
// with pointers to functions in it) is as good for the first.
import { createHash } from "node:crypto";
import { after, leb, signedLeb, toLeb } from "../wasm/binary.mjs";

const [TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, ELEMENT, CODE, DATA, DATA_COUNT, TAG] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13]; // sections
const ORDER = [0, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, 8, ELEMENT, DATA_COUNT, CODE, DATA]; // 0: of dynamic linking
const SECTION_OF = { 1: TABLE, 2: MEMORY, 3: GLOBAL, 4: TAG }; // by the kinds of imports and exports; 0 is a function
const FUNCREF = 0x70;
const SMALL = 64; // bytes: a hot function's body up to this lies in both files: calling it there would take about as many

/**
 * {first, rest} of a file. `isHot(body, number)`: whether the body of its function `number`, imported ones not counted, is to be in the first.
 * `isWanted(name)`: whether the first is to export what the file does; `idle`: [first, end) of addresses whose data is to come with the rest, in order;
 * `hasData`: whether either is to write any into the memory.
 */
export function split(file, isHot, { isWanted = () => true, idle = [], hasData = true } = {}) {
  const sections = taken(file);
  const bodies = items(sections, CODE);
  const imports = items(sections, IMPORT).map(described);
  const called = imports.flatMap(({ kind, type }) => (kind === 0 ? [type] : []));
  const typeOf = [...called, ...items(sections, FUNCTION)].map((type) => leb(type, 0)[0]);
  const bodyAt = (index) => bodies[index - called.length];
  const own = bodies.map((_, number) => called.length + number);
  const cold = own.filter((index, number) => !isHot(bodies[number], number));
  const isCold = new Set(cold);
  const back = [...called.keys(), ...own.filter((index) => !isCold.has(index) && bodyAt(index).length > SMALL)];
  const mark = createHash("sha256").update(file).update(JSON.stringify(cold)).digest("hex").slice(0, 8);

  const types = items(sections, TYPE);
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
  add(first, TYPE, newTypes);
  add(first, FUNCTION, [toLeb(plainType)]);
  add(first, TABLE, tables);
  first.set(EXPORT, vector(items(sections, EXPORT).filter((item) => isWanted(nameOf(item)))));
  add(first, EXPORT, everything.map(({ name, kind, index }) => Buffer.concat([named(name), Uint8Array.of(kind), toLeb(index)])));
  add(first, ELEMENT, [element(hotTable, 0, back)]);
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
    [GLOBAL, vector(items(sections, GLOBAL).slice(sharedGlobals(sections)))], // constants, which may as well lie in both
    [ELEMENT, vector([element(coldTable, 1, cold)])],
    [CODE, vector(restBodies)],
    [DATA, vector(data.there.map(segment))],
  ]);
  return { first: put(first), rest: put(rest) };
}

/** The file with each of its own functions noting its calls, from the very start: it fills its slot in the exported table "called". */
export function noting(file) {
  const sections = taken(file);
  const bodies = items(sections, CODE);
  const table = sharedOf(sections, items(sections, IMPORT).map(described)).filter(({ kind }) => kind === 1).length;
  add(sections, TABLE, [Uint8Array.of(FUNCREF, 0, ...toLeb(bodies.length))]);
  add(sections, EXPORT, [Buffer.concat([named("called"), Uint8Array.of(1, table)])]);
  add(sections, ELEMENT, [Uint8Array.of(3, 0, 1, 0)]); // says that there are references to function 0, which is as good as any
  const note = (number) => [0x41, ...signedLeb(number), 0xd2, 0, 0x26, ...toLeb(table)]; // i32.const, ref.func, table.set
  sections.set(CODE, vector(bodies.map((body, number) => after(body, note(number)))));
  return put(sections);
}

/** [{address, bytes}] of what a file writes into the memory as it starts. */
export function dataOf(file) {
  return items(taken(file), DATA).map((item) => {
    const [address, end] = leb(item, 2);
    if (item[0] !== 0 || item[1] !== 0x41 || item[end] !== 0x0b) unknown("segment of data", item[0]); // into the one memory, at an i32.const
    return { address, bytes: item.subarray(number(item, end + 1)) };
  });
}

/** Of a file's globals that are constants, the `values` by index; those of them that are `exported`. */
export function constantGlobals(file) {
  const sections = taken(file);
  const imported = items(sections, IMPORT).filter((item) => described(item).kind === 3).length;
  const values = new Map(
    items(sections, GLOBAL).flatMap((global, i) => (global[1] === 0 && global[2] === 0x41 ? [[imported + i, leb(global, 3)[0]]] : [])),
  );
  const exported = items(sections, EXPORT).flatMap((item) => {
    const kind = list(item, 0);
    return item[kind] === 3 ? [values.get(leb(item, kind + 1)[0])] : [];
  });
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
    const own = items(sections, section);
    const types = kind === 3 ? own.slice(0, sharedGlobals(sections)).map((global) => global.subarray(0, 2)) : own;
    return [...imports.flatMap((one) => (one.kind === kind ? [one.type] : [])), ...types].map((type, index) => ({ kind, index, type }));
  });
}

/** How many of a file's own globals: up to the last one that can change. */
const sharedGlobals = (sections) => items(sections, GLOBAL).findLastIndex((global) => global[1] === 1) + 1;

// --- a file's sections, and what they list ---

/** Of a file by their numbers, without custom ones but the one that is for linking. */
function taken(file) {
  const sections = new Map();
  for (let at = 8; at < file.length; ) {
    const [length, start] = leb(file, at + 1);
    const content = file.subarray(start, start + length);
    if (file[at] || Buffer.from(content.subarray(1, 9)).equals(Buffer.from("dylink.0"))) sections.set(file[at], content);
    at = start + length;
  }
  return sections;
}

function put(sections) {
  const head = Buffer.from("\0asm\x01\0\0\0", "latin1");
  const written = ORDER.filter((id) => sections.has(id)).map((id) => [Uint8Array.of(id), toLeb(sections.get(id).length), sections.get(id)]);
  return Buffer.concat([head, ...written.flat()]);
}

const vector = (list) => Buffer.concat([toLeb(list.length), ...list]);

function add(sections, id, list) {
  const [count, start] = sections.has(id) ? leb(sections.get(id), 0) : [0, 0];
  sections.set(id, Buffer.concat([toLeb(count + list.length), sections.get(id)?.subarray(start) ?? new Uint8Array(), ...list]));
}

/** What a section lists. */
function items(sections, id) {
  if (!sections.has(id)) return [];
  const bytes = sections.get(id);
  const list = [];
  for (let [left, at] = leb(bytes, 0); left; left--) {
    const end = ENDS[id](bytes, at);
    list.push(bytes.subarray(at, end));
    at = end;
  }
  return list;
}

/** Where a number ends; where a list of bytes does; where the limits of a table or memory do. */
const number = (bytes, at) => leb(bytes, at)[1];
const list = (bytes, at) => leb(bytes, at).reduce((length, start) => length + start);
const limits = (bytes, at) => (bytes[at] & 1 ? number(bytes, number(bytes, at + 1)) : number(bytes, at + 1));

const TYPE_ENDS = [number, (bytes, at) => limits(bytes, at + 1), limits, (_, at) => at + 2, (bytes, at) => number(bytes, at + 1)]; // by kind

const ENDS = {
  [TYPE]: (bytes, at) => (bytes[at] === 0x60 ? list(bytes, list(bytes, at + 1)) : unknown("type", bytes[at])),
  [IMPORT]: (bytes, at) => {
    const kind = list(bytes, list(bytes, at));
    return TYPE_ENDS[bytes[kind]](bytes, kind + 1);
  },
  [FUNCTION]: number,
  [TABLE]: TYPE_ENDS[1],
  [MEMORY]: limits,
  [GLOBAL]: (bytes, at) => expression(bytes, at + 2),
  [EXPORT]: (bytes, at) => number(bytes, list(bytes, at) + 1),
  [CODE]: list,
  [DATA]: (bytes, at) => (bytes[at] === 0 ? list(bytes, expression(bytes, at + 1)) : unknown("segment of data", bytes[at])),
  [TAG]: TYPE_ENDS[4],
};

/** Where a constant one ends. */
function expression(bytes, at) {
  for (;;) {
    const code = bytes[at++];
    if (code === 0x0b) return at;
    if ([0x23, 0x41, 0x42, 0xd2].includes(code)) at = number(bytes, at); // global.get, i32.const, i64.const, ref.func
    else if (code === 0xd0) at++; // ref.null
    else if (code === 0x43 || code === 0x44) at += code === 0x43 ? 4 : 8; // f32.const, f64.const
    else if (![0x6a, 0x6b, 0x6c].includes(code)) unknown("instruction", code); // i32.add, i32.sub, i32.mul
  }
}

function unknown(what, code) {
  throw new Error(`no file with the ${what} 0x${code.toString(16)} here can be split`);
}

function described(item) {
  const kind = list(item, list(item, 0));
  return { kind: item[kind], type: item.subarray(kind + 1) };
}

const parametersOf = (type) => leb(type, 1)[0];

/** What an item begins with. */
const nameOf = (item) => Buffer.from(item.subarray(number(item, 0), list(item, 0))).toString();

const named = (name) => Buffer.concat([toLeb(name.length), Buffer.from(name)]);

/** A body without locals. */
function bodyOf(code) {
  const inner = Uint8Array.of(0, ...code, 0x0b);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** The segment that puts functions into a table, from a slot on. */
const element = (table, slot, functions) =>
  Buffer.concat([Uint8Array.of(2, ...toLeb(table), 0x41, ...signedLeb(slot), 0x0b, 0), vector(functions.map(toLeb))]);
