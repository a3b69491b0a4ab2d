// Of demo/optimise/observe/trace_reads.mjs: a small file by hand notes where it reads, and does what it did. `node --test touching.mjs`
import assert from "node:assert/strict";
import { test } from "node:test";
import { touching } from "../../demo/optimise/observe/trace_reads.mjs";

const [MARKS, SHIFT] = [1024, 3];
const I32 = 0x7f;
const list = (...items) => [items.length, ...items.flat()];
const section = (id, ...items) => {
  const content = list(...items);
  return [id, (content.length & 127) | 128, content.length >> 7, ...content];
};
const get = (local) => [0x20, local];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
const named = (name, index, kind = 0) => [1, name.charCodeAt(0), kind, index];
const FILE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [0x60, 2, I32, I32, 1, I32]),
  ...section(3, [0], [0], [0], [0]),
  ...section(5, [3, 1, 1]), // a page that threads share
  ...section(7, named("l", 0), named("s", 1), named("a", 2), named("c", 3), named("m", 0, 2)),
  ...section(
    10,
    body(...get(0), 0x28, 2, 16), // l: i32.load, sixteen bytes on
    body(...get(0), ...get(1), 0x36, 2, 0, 0x41, 0), // s: i32.store
    body(...get(0), ...get(1), 0xfe, 0x1e, 2, 0), // a: i32.atomic.rmw.add
    body(...get(0), ...get(1), 0x41, 4, 0xfc, 0x0a, 0, 0, 0x41, 0), // c: memory.copy of four bytes
  ),
]);

test("reads are noted, writes are not, and all else is as it was", () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(touching(FILE, MARKS, SHIFT)));
  const memory = new Uint8Array(exports.m.buffer);
  const noted = () => {
    const marks = memory.subarray(MARKS, MARKS + 64);
    const found = [...marks.keys()].filter((i) => marks[i]).map((i) => i << SHIFT);
    marks.fill(0);
    return found;
  };
  memory[40] = 7;
  assert.equal(exports.l(24, 0), 7);
  assert.deepEqual(noted(), [40]);
  exports.s(80, 5);
  assert.deepEqual(noted(), []);
  assert.equal(exports.a(80, 3), 5);
  assert.equal(memory[80], 8);
  assert.deepEqual(noted(), [80]);
  exports.c(160, 80);
  assert.equal(memory[160], 8);
  assert.deepEqual(noted(), [80]);
});
