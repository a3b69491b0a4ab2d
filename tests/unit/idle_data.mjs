// Run by test_idle_data.py: idleData finds idle ranges of a small WebAssembly file, written by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { idleData } from "../../demo/optimise/drop/idle_data.mjs";

const I32 = 0x7f;
const LENGTH = 5000; // bytes of a table: more than idleData's LEAST
const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
const signed = (value) => (value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)]);
const vector = (...items) => [...leb(items.length), ...items.flat()];
const section = (id, ...items) => [id, ...leb(vector(...items).length), ...vector(...items)];
const body = (...code) => [...leb(code.length + 2), 0, ...code, 0x0b];
const named = (name, kind, index) => [1, name.charCodeAt(0), kind, index];
const START = 1024;
const table = (number) => START + number * LENGTH;

// The data has nine tables in a row. Hot functions name table 0 by the offset of a load, table 1 by a constant, table 2 by a global, and table 5 inside a try block.
// An exported global has the address of table 3. Nothing names table 4. A cold function names tables 6, 7 and 8.
const FUNCTIONS = [
  body(0x20, 0, 0x28, 2, ...leb(table(0)), 0x1a),
  body(0x41, ...signed(table(1)), 0x1a),
  body(0x23, 0, 0x1a),
  body(0x06, 0x40, 0x41, ...signed(table(5)), 0x1a, 0x19, 0x0b), // try, catch_all
  body(...[6, 7, 8].flatMap((number) => [0x41, ...signed(table(number)), 0x1a])),
];
const [OFFSET, ADDRESS, GLOBAL, TRY, LAST] = FUNCTIONS.keys();
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
const idle = (hot, wasRead = () => false, end = table(9)) => idleData(FILE, (_, number) => hot.includes(number), end, wasRead);
const all = [OFFSET, ADDRESS, GLOBAL, TRY];

test("tables that only cold functions name are idle", () => assert.deepEqual(idle(all), [[table(6), table(9)]]));

test("a table that nothing names belongs to the one before it", () => {
  assert.deepEqual(idle([ADDRESS, TRY, LAST]), [[table(2), table(3)]]); // the first object and exported ones stay
});

test("a table that was read is not idle", () => {
  const within = (address) => (first, end) => first <= address && address < end;
  assert.deepEqual(idle(all, within(table(7) + 9)), [[table(6), table(7)], [table(8), table(9)]]);
});

test("data that may change is not idle", () => {
  assert.deepEqual(idle(all, undefined, table(8)), [[table(6), table(8)]]);
  assert.deepEqual(idle(all, undefined, table(6) + 4000), []);
});
