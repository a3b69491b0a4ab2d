// Run by test_pieces.py: what came in pieces is taken up whole, in order, however it was cut.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { rolldown } from "../../demo/web/node_modules/rolldown/dist/index.mjs";

const folder = await mkdtemp(join(tmpdir(), "pieces-"));
const bundle = await rolldown({ input: new URL("../../demo/web/src/engine/pieces.ts", import.meta.url).pathname });
await bundle.write({ file: join(folder, "pieces.mjs") });
const { inTurn, lastOf, piecesOf } = await import(pathToFileURL(join(folder, "pieces.mjs")).href);
await rm(folder, { recursive: true });

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);
const cut = (...lengths) => {
  let at = 0;
  return [...lengths.map((length) => BYTES.slice(at, (at += length))), BYTES.slice(at)];
};

for (const [name, pieces] of Object.entries({ one: () => cut(), many: () => cut(1, 2, 0, 30, 31, 7), each: () => cut(...Array(99).fill(1)) })) {
  test(`taken up from ${name}`, () => {
    const next = inTurn(pieces());
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
    for (const length of [0, 1, 16, 100]) assert.deepEqual(lastOf(pieces(), length), BYTES.slice(100 - length));
  });
}

test("pieces of a stream", async () => {
  const stream = new Blob([BYTES]).stream();
  assert.deepEqual(lastOf(await piecesOf(stream), 100), BYTES);
});

test("pieces that are through are let go of", () => {
  const pieces = cut(50);
  inTurn(pieces);
  assert.equal(pieces.length, 0);
});
