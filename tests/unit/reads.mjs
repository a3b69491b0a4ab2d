// Run by test_reads.py: a small WebAssembly file, written by hand, notes its reads or stops at them, and otherwise does what it did.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guarded, tracing } from "../../demo/optimise/observe/reads.mjs";

const [MARKS, SHIFT] = [1024, 3];
const I32 = 0x7f;
const list = (...items) => [items.length, ...items.flat()];
const section = (id, ...items) => {
  const content = list(...items);
  return [id, (content.length & 127) | 128, content.length >> 7, ...content];
};
const get = (local) => [0x20, local];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
const FUNCTIONS = {
  load: body(...get(0), 0x28, 2, 16), // i32.load with offset 16
  store: body(...get(0), ...get(1), 0x36, 2, 0, 0x41, 0),
  atomic: body(...get(0), ...get(1), 0xfe, 0x1e, 2, 0), // i32.atomic.rmw.add
  copy: body(...get(0), ...get(1), 0x41, 20, 0xfc, 0x0a, 0, 0, 0x41, 0), // memory.copy of twenty bytes
  lane: body(...get(0), 0xfd, 0x0c, ...Array(16).fill(0), 0xfd, 0x56, 2, 0, 1, 0xfd, 0x1b, 1), // v128.load32_lane 1, i32x4.extract_lane 1
  vector: body(...get(0), 0xfd, 0x00, 4, 0, 0xfd, 0x1b, 3), // v128.load, i32x4.extract_lane 3
  caught: body(0x06, I32, ...get(0), 0x28, 2, 0, 0x19, 0x41, 0, 0x0b), // try i32.load catch_all
};
const FILE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [0x60, 2, I32, I32, 1, I32]),
  ...section(3, ...Object.keys(FUNCTIONS).map(() => [0])),
  ...section(5, [3, 1, 1]), // a page that threads share
  ...section(7, ...Object.keys(FUNCTIONS).map((name, index) => [...list(...Buffer.from(name)), 0, index]), [1, "m".charCodeAt(0), 2, 0]),
  ...section(10, ...Object.values(FUNCTIONS)),
]);
const started = (file) => {
  const { m, ...functions } = new WebAssembly.Instance(new WebAssembly.Module(file)).exports;
  return { memory: new Uint8Array(m.buffer), ...functions };
};

test("reads are noted, writes are not, and results stay the same", () => {
  const { memory, ...run } = started(tracing(FILE, MARKS, SHIFT));
  const noted = () => {
    const marks = memory.subarray(MARKS, MARKS + 64);
    const found = [...marks.keys()].filter((i) => marks[i]).map((i) => i << SHIFT);
    marks.fill(0);
    return found;
  };
  memory[40] = 7;
  assert.equal(run.load(24, 0), 7);
  assert.deepEqual(noted(), [40]);
  run.store(80, 5);
  assert.deepEqual(noted(), []);
  assert.equal(run.atomic(80, 3), 5);
  assert.equal(memory[80], 8);
  assert.deepEqual(noted(), [80]);
  run.copy(160, 76);
  assert.equal(memory[164], 8);
  assert.deepEqual(noted(), [72, 80, 88], "all that a copy reads");
  assert.equal(run.lane(80), 8);
  assert.deepEqual(noted(), [80], "a lane of a vector");
  assert.equal(run.vector(68), 8);
  assert.deepEqual(noted(), [64, 72, 80], "both ends of a read");
  assert.equal(run.caught(80), 8);
  assert.deepEqual(noted(), [80], "inside a try");
});

test("a guarded file stops at reads of the ranges, and at no others", () => {
  const ranges = [[40, 44], [80, 81], [200, 300]];
  const { memory, ...run } = started(guarded(FILE, ranges));
  const stops = (name, ...values) => assert.throws(() => run[name](...values), WebAssembly.RuntimeError, `${name} ${values}`);
  memory[36] = 9;
  assert.equal(run.load(20, 0), 9);
  run.load(28, 0);
  for (const from of [21, 24, 27]) stops("load", from, 0);
  run.store(80, 1);
  stops("atomic", 80, 1);
  run.copy(400, 81);
  for (const from of [61, 80, 181, 299]) stops("copy", 400, from);
  run.copy(400, 300);
  stops("lane", 80);
  run.lane(84);
  stops("vector", 70);
  run.vector(64);
  stops("caught", 250);
});

test("a guarded file reads the ranges once they are filled", () => {
  const { memory, load } = started(guarded(FILE, [[40, 44]], { filledAt: 42 }));
  assert.throws(() => load(24, 0), WebAssembly.RuntimeError);
  memory[42] = 1;
  assert.equal(load(24, 0), 1 << 16);
});
