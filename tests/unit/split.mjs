// Run by test_split.py: a small WebAssembly file, written by hand, behaves the same in two files as in one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { noting, split } from "../../demo/optimise/defer/split.mjs";

const I32 = 0x7f;
const list = (...items) => [items.length, ...items.flat()];
const name = (text) => list(...Buffer.from(text));
const section = (id, ...items) => {
  const content = list(...items);
  return [id, (content.length & 127) | 128, content.length >> 7, ...content];
};
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
const get = (local) => [0x20, local];
const call = (index) => [0x10, index];
const padding = Array(80).fill(0x01); // `nop`: too long a body to lie in both files

// Functions: 0 is JavaScript's, the others' numbers are one less than their indices.
const [TOLD, ADD, SQUARE, THROW, CATCH, COUNT, TWICE] = [0, 1, 2, 3, 4, 5, 6];
const FILE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[0, 11, ...name("dylink.0"), 1, 0], // kept, because Emscripten's linker reads it
  ...[0, 5, ...name("name")], // left out
  ...section(1, [0x60, 1, I32, 1, I32], [0x60, 1, I32, 0], [0x60, 2, I32, I32, 1, I32]),
  ...section(2, [...name("env"), ...name("told"), 0, 1], [...name("env"), ...name("base"), 3, I32, 1]),
  ...section(3, [2], [0], [0], [0], [0], [0]),
  ...section(4, [0x70, 0, 2]),
  ...section(5, [0, 1]),
  ...section(13, [0, 1]),
  ...section(6, [I32, 1, 0x41, 0, 0x0b], [I32, 0, 0x41, 42, 0x0b]), // a counter and a constant
  ...section(7, ...Object.entries({ add: ADD, square: SQUARE, catching: CATCH, count: COUNT, twice: TWICE }).map(([text, index]) => [...name(text), 0, index]), [...name("memory"), 2, 0], [...name("table"), 1, 0], [...name("base"), 3, 0]),
  ...section(9, [0, 0x41, 0, 0x0b, ...list([SQUARE], [ADD])]),
  ...section(
    10,
    body(...padding, ...get(0), ...get(1), 0x6a), // add: i32.add
    body(...get(0), ...call(TOLD), ...get(0), ...get(0), 0x6c, 0x23, 2, ...call(ADD)), // square: tells its argument to JavaScript, and gives the square plus 42
    body(...get(0), 0x08, 0), // throw
    body(0x06, I32, ...get(0), ...call(THROW), 0x07, 0, 0x41, 1, 0x6a, 0x0b), // catch: the value thrown, plus 1
    body(0x23, 1, ...get(0), 0x6a, 0x24, 1, 0x41, 0, 0x23, 1, 0x36, 2, 0, 0x23, 1), // count: adds its argument to the counter, and stores the sum in memory too
    body(...get(0), 0x41, 0, 0x11, 0, 0, 0x41, 0, 0x11, 0, 0), // twice: square of the square, called through the table
  ),
  ...section(11, [0, 0x41, 8, 0x0b, ...name("data")]),
]);
const WRAPPED = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0);

const instance = (file, imports) => new WebAssembly.Instance(new WebAssembly.Module(file), imports).exports;
const SETS = [[], [ADD], [SQUARE], [THROW, TWICE], [CATCH, SQUARE], [ADD, SQUARE, THROW, CATCH, COUNT, TWICE]];

/** What a file answers and calls, as one list; how often it brought the rest; and what it exports. */
function behaviour(file, rest) {
  const seen = [];
  const base = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  const first = instance(file, { env: { told: (value) => seen.push(["told", value]), base } });
  let brought = 0;
  const bring = () => {
    brought++;
    instance(rest, { first });
  };
  if (rest) first[Object.keys(first).find((key) => key.endsWith("/cold"))].set(0, instance(WRAPPED, { e: { f: bring } }).f);
  for (let round = 0; round < 2; round++) {
    seen.push(first.add(2, 3), first.square(4), first.catching(7), first.count(5), first.twice(2), first.table.get(0)(3), first.base === base);
    seen.push(Buffer.from(first.memory.buffer, 0, 12).toString("latin1"));
  }
  return { seen, brought, exported: Object.keys(first).filter((key) => !key.includes("/")) };
}

for (const hot of SETS) {
  test(`hot: ${hot.join() || "none"}`, () => {
    const { first, rest } = split(FILE, (_, number) => hot.includes(number + 1));
    const { seen, brought, exported } = behaviour(first, rest);
    const whole = behaviour(FILE);
    assert.deepEqual(seen, whole.seen);
    assert.deepEqual(exported, whole.exported);
    assert.equal(brought, hot.length === 6 ? 0 : 1);
    const [linking] = WebAssembly.Module.customSections(new WebAssembly.Module(first), "dylink.0");
    assert.equal(linking.byteLength, 2);
  });
}

test("exports that are not wanted are left out", () => {
  const { first } = split(FILE, () => false, { isWanted: (exported) => exported === "add" });
  assert.deepEqual(WebAssembly.Module.exports(new WebAssembly.Module(first)).map((one) => one.name).filter((one) => !one.includes("/")), ["add"]);
});

test("idle data comes with the rest", () => {
  const { first, rest } = split(FILE, (_, number) => number + 1 !== SQUARE, { idle: [[9, 11]] });
  const base = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  const exports = instance(first, { env: { told() {}, base } });
  const data = () => Buffer.from(exports.memory.buffer, 8, 4).toString("latin1");
  assert.equal(data(), "d\0\0a");
  instance(rest, { first: exports });
  assert.equal(data(), "data");
});

test("a file for a memory that has its data already brings no data", () => {
  const { first } = split(FILE, () => false, { hasData: false });
  const base = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  const { memory } = instance(first, { env: { told() {}, base } });
  assert.deepEqual(Buffer.from(memory.buffer, 8, 4), Buffer.alloc(4));
  assert.ok(first.length < split(FILE, () => false).first.length);
});

test("files of two builds do not link", () => {
  const [{ first }, { rest }] = [[ADD], [SQUARE]].map((hot) => split(FILE, (_, number) => hot.includes(number + 1)));
  assert.throws(() => behaviour(first, rest), WebAssembly.LinkError);
});

test("calls are noted", () => {
  const { called, ...exports } = instance(noting(FILE), { env: { told() {}, base: new WebAssembly.Global({ value: "i32", mutable: true }, 0) } });
  exports.square(3);
  assert.deepEqual(Array.from({ length: called.length }, (_, number) => called.get(number) !== null), [true, true, false, false, false, false]);
});
