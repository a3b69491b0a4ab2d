// node drop/idle_heap.mjs ORT-trimmed.wasm SCRIPT.mjs ort.memory ort.json OUT: idle.json, what of ONNX Runtime's heap running the page's networks never reads,
// as [first, end) of addresses. Most of it describes operators that they do not have. In the page these bytes are all ones (optimise.snapshot.pack_ort): as an
// address, that is outside of the memory, so that who reads one after all stops there, and the page takes the whole ONNX Runtime (worker.ts).
// Block by block of the allocator's: who reads a block at all, has all of it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { foundOutBy, runNetworks } from "../observe/networks.mjs";
import { tracing } from "../observe/reads.mjs";

const MARKS = 0x30000000; // an address that no run gets near: a byte for each eight
const SHIFT = 3;
const LONGEST = 1 << 26; // the notes
const PHOTOS = { sizes: [[1, 1], [40, 30], [250, 200]], most: 20 }; // small ones: with all these notes it is slow
const IN_USE = 2;
const WORTH = 128; // bytes

if (process.argv[2] === "--run") {
  const [folder, memory, handles] = process.argv.slice(3);
  let heap; // where it begins: behind the stack, on which nothing lies now
  await runNetworks(folder, memory, handles, { ...PHOTOS, seen: (module) => (heap = module.stackSave()) });
  const bytes = await readFile(memory);
  const marks = new Uint8Array(globalThis.noted.buffer, MARKS, bytes.length >> SHIFT);
  const idle = idleBlocks(bytes, heap, (first, end) => marks.subarray(first >> SHIFT, ((end - 1) >> SHIFT) + 1).includes(1));
  await writeFile(join(folder, "told.json"), JSON.stringify(idle));
  process.exit();
}

const [runtime, script, memory, handles, out] = process.argv.slice(2);
const idle = await foundOutBy(import.meta.url, {
  wasm: tracing(await readFile(runtime), MARKS, SHIFT),
  script,
  end: MARKS + LONGEST,
  further: [memory, handles],
  flags: ["--liftoff-only"], // V8's other compiler takes minutes for so many notes
});
await writeFile(join(out, "idle.json"), JSON.stringify(process.env.WITHOUT.includes("idle-heap") ? [] : idle));

/**
 * Blocks of Emscripten's allocator (dlmalloc) that are in use and not `touched`, with what lies between them. Each begins with four bytes of the one
 * before it; then its length, whose lowest bits say that it is in use, and the one before it, as all ones do. The rest is whoever asked for it's.
 */
function idleBlocks(bytes, heap, touched) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const idle = [];
  let blocks = 0;
  for (let at = heap, length; at + 8 <= bytes.length; at += length, blocks++) {
    const head = words[(at + 4) >> 2];
    length = head & ~7;
    if (!length) break;
    const [first, end] = [at + 8, at + length + 4];
    if (!(head & IN_USE) || touched(first, end)) continue;
    if (idle.at(-1)?.[1] === first - 4) idle.at(-1)[1] = end;
    else idle.push([first, end]);
  }
  if (blocks < 1000 || !idle.length) throw new Error("the heap of ONNX Runtime is arranged in another way than this script knows");
  return idle.filter(([first, end]) => end - first >= WORTH);
}
