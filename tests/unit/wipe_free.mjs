// Run by test_wipe_free.py: wipeFree writes zeros over what Pyodide's memory has free, and changes nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wipeFree } from "../../demo/optimise/snapshot/wipe_free.mjs";
import { loadPyodide } from "../../demo/web/node_modules/pyodide/pyodide.mjs";

const { _module: module } = await loadPyodide();
let seed = 7;
const random = (most) => Math.floor(((seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff) * most);
const sizeOf = () => 1 + random([24, 40, 600, 70_000][random(4)]); // from the smallest blocks that the allocator has to large ones

function filled(count) {
  return Array.from({ length: count }, (_, i) => {
    const [size, value] = [sizeOf(), 1 + (i % 255)];
    const block = module._malloc(size);
    module.HEAPU8.fill(value, block, block + size);
    return { block, size, value };
  });
}

const isWhole = ({ block, size, value }) => module.HEAPU8.subarray(block, block + size).every((byte) => byte === value);

test("free memory becomes zero, blocks in use keep their content, and the memory hardly grows", () => {
  const all = filled(20_000);
  const [kept, gone] = [0, 1].map((half) => all.filter((_, i) => ((i * 7919) >> 3) % 2 === half));
  gone.forEach(({ block }) => module._free(block));
  const before = module._sbrk(0);
  wipeFree(module);
  assert.ok(kept.every(isWhole));
  assert.ok(module._sbrk(0) - before < 1 << 20);
  const lengths = gone.filter(({ size }) => size > 1000).map(({ block, size }) => module.HEAPU8.slice(block + 100, block + size - 100));
  assert.ok(lengths.length > 1000 && lengths.every((bytes) => bytes.every((byte) => byte === 0)), "except at either end, where the allocator keeps notes");
  const more = filled(20_000);
  assert.ok([...kept, ...more].every(isWhole), "blocks do not overlap");
  [...kept, ...more].forEach(({ block }) => module._free(block));
});
