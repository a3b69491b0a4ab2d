// Of demo/optimise/drop/idle_data.mjs: a small file by hand. `node --test idle_data.mjs`
import assert from "node:assert/strict";
import { test } from "node:test";
import { idleData } from "../../demo/optimise/drop/idle_data.mjs";

const I32 = 0x7f;
const LENGTH = 5000; // of a table; longer than what is too short to be moved
const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
const signed = (value) => (value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)]);
const vector = (...items) => [...leb(items.length), ...items.flat()];
const section = (id, ...items) => [id, ...leb(vector(...items).length), ...vector(...items)];
const body = (...code) => [...leb(code.length + 2), 0, ...code, 0x0b];
const named = (name, kind, index) => [1, name.charCodeAt(0), kind, index];
const START = 1024;
const table = (number) => START + number * LENGTH;

// Tables, one after another; functions read the first by an offset, the second by an address, the third by a global's; a global that is exported has
// the fourth's, nobody the fifth's, one that is not known here the sixth's, and only functions that are not hot the last's three.
const FUNCTIONS = [
  body(0x20, 0, 0x28, 2, ...leb(table(0)), 0x1a),
  body(0x41, ...signed(table(1)), 0x1a),
  body(0x23, 0, 0x1a),
  body(0x06, 0x40, 0x41, ...signed(table(5)), 0x1a, 0x19, 0x0b), // try, catch_all
  body(...[6, 7, 8].flatMap((number) => [0x41, ...signed(table(number)), 0x1a])),
];
const [OFFSET, ADDRESS, GLOBAL, UNKNOWN, LAST] = FUNCTIONS.keys();
const FILE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [0x60, 1, I32, 0]),
  ...section(3, ...FUNCTIONS.map(() => [0])),
  ...section(5, [0, 1]),
  ...section(6, ...[2, 3].map((number) => [I32, 0, 0x41, ...signed(table(number)), 0x0b])),
  ...section(7, named("t", 3, 1)),
  ...section(10, ...FUNCTIONS),
  ...section(11, [0, 0x41, ...signed(START), 0x0b, ...leb(9 * LENGTH), ...Array(9 * LENGTH).fill(1)]),
]);
const idle = (hot, touched = () => false, end = table(9)) => idleData(FILE, (_, number) => hot.includes(number), end, touched);
const all = [OFFSET, ADDRESS, GLOBAL, UNKNOWN];

test("what only functions of the rest name, is idle", () => assert.deepEqual(idle(all), [[table(6), table(9)]]));

test("what nobody names belongs to what lies before it", () => {
  assert.deepEqual(idle([ADDRESS, UNKNOWN, LAST]), [[table(2), table(3)]]); // the first may be what lies before all; of the fourth somebody outside knows
});

test("what is touched is not idle", () => {
  const within = (address) => (first, end) => first <= address && address < end;
  assert.deepEqual(idle(all, within(table(7) + 9)), [[table(6), table(7)], [table(8), table(9)]]);
});

test("what may change is not idle", () => {
  assert.deepEqual(idle(all, undefined, table(8)), [[table(6), table(8)]]);
  assert.deepEqual(idle(all, undefined, table(6) + 4000), []);
});
