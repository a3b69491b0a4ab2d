// Run by test_chunks.py: chunks are taken up whole, in order, however the bytes were cut.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { rolldown } from "../../demo/web/node_modules/rolldown/dist/index.mjs";

const folder = await mkdtemp(join(tmpdir(), "chunks-"));
const bundle = await rolldown({ input: new URL("../../demo/web/src/engine/start/chunks.ts", import.meta.url).pathname });
await bundle.write({ file: join(folder, "chunks.mjs") });
const { chunksOf, inTurn, lastOf } = await import(pathToFileURL(join(folder, "chunks.mjs")).href);
await rm(folder, { recursive: true });

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);
const cut = (...lengths) => {
  let at = 0;
  return [...lengths.map((length) => BYTES.slice(at, (at += length))), BYTES.slice(at)];
};

for (const [name, chunks] of Object.entries({ one: () => cut(), many: () => cut(1, 2, 0, 30, 31, 7), each: () => cut(...Array(99).fill(1)) })) {
  test(`taken up from ${name}`, () => {
    const next = inTurn(chunks());
    const taken = new Uint8Array(100);
    let from = 0;
    for (const length of [10, 0, 1, 50, 39]) {
      next(length, (part, at) => taken.set(part, from + at));
      from += length;
    }
    assert.deepEqual(taken, BYTES);
    assert.throws(() => next(1, () => {}), RangeError);
  });

  test(`the last of ${name}`, () => {
    for (const length of [0, 1, 16, 100]) assert.deepEqual(lastOf(chunks(), length), BYTES.slice(100 - length));
  });
}

test("chunks of a stream", async () => {
  const stream = new Blob([BYTES]).stream();
  assert.deepEqual(lastOf(await chunksOf(stream), 100), BYTES);
});

test("chunks that are through are let go of", () => {
  const chunks = cut(50);
  inTurn(chunks);
  assert.equal(chunks.length, 0);
});
