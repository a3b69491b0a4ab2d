// node drop/idle_heap.mjs ORT-trimmed.wasm SCRIPT.mjs ort.memory ort.json OUT
// Writes idle.json into OUT: the ranges [first, end) of ONNX Runtime's heap that the page's networks never read. Most of them describe operators that these
// networks do not have. snapshot/pack_ort.py leaves these bytes out of the page's file, and the page fills them with ones.
//
// A copy of the trimmed WebAssembly, which notes its reads, runs the networks. A block of the allocator's is idle if none of its bytes was read.
// Assumes that other inputs read no other blocks, and that the heap consists of dlmalloc's blocks (checked).
// Guarantees that blocks that were read stay whole.
// On a miss, a read gets ones. As an address, these lie outside the memory: WebAssembly stops, and the page loads the whole ONNX Runtime (engine/worker.ts). As
// a number, they could give a wrong answer; observe/guard.mjs looks for such reads.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { observed, runNetworks } from "../observe/networks.mjs";
import { tracing } from "../observe/reads.mjs";

const [MARKS, SHIFT] = [0x30000000, 3]; // an address that the heap does not reach; a byte there stands for 8 bytes of memory
const LONGEST = 1 << 26; // bytes of marks at most
const PHOTOS = { sizes: [[1, 1], [40, 30], [250, 200]], most: 20 }; // small, because noting reads is slow
const IN_USE = 2;
const WORTH = 128; // bytes: shorter ranges are not worth an entry in the list

if (process.argv[2] === "--run") {
  const [folder, memory, handles] = process.argv.slice(3);
  let heap; // its first address: it follows the stack, which is empty between runs
  await runNetworks(folder, memory, handles, { ...PHOTOS, onMemory: (module) => (heap = module.stackSave()) });
  const bytes = await readFile(memory);
  const marks = new Uint8Array(globalThis.observedMemory.buffer, MARKS, bytes.length >> SHIFT);
  const idle = idleBlocks(bytes, heap, (first, end) => marks.subarray(first >> SHIFT, ((end - 1) >> SHIFT) + 1).includes(1));
  await writeFile(join(folder, "result.json"), JSON.stringify(idle));
  process.exit();
}

const [runtime, script, memory, handles, out] = process.argv.slice(2);
const idle = await observed(import.meta.url, {
  wasm: tracing(await readFile(runtime), MARKS, SHIFT),
  script,
  end: MARKS + LONGEST,
  more: [memory, handles],
  flags: ["--liftoff-only"], // V8's optimising compiler would take minutes for a file with so many notes
});
await writeFile(join(out, "idle.json"), JSON.stringify(idle));

/**
 * Ranges of blocks that are in use and of which `wasRead(first, end)` is false. A block of dlmalloc's begins with four bytes that belong to the block before
 * it. The next four hold its length, whose lowest bits say whether this block and the one before it are in use. Neighbouring idle blocks make one range that
 * includes these lengths, because ones also say that both blocks are in use.
 */
function idleBlocks(bytes, heap, wasRead) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const idle = [];
  let blocks = 0;
  for (let at = heap, length; at + 8 <= bytes.length; at += length, blocks++) {
    const head = words[(at + 4) >> 2];
    length = head & ~7;
    if (!length) break;
    const [first, end] = [at + 8, at + length + 4];
    if (!(head & IN_USE) || wasRead(first, end)) continue;
    if (idle.at(-1)?.[1] === first - 4) idle.at(-1)[1] = end;
    else idle.push([first, end]);
  }
  if (blocks < 1000 || !idle.length) throw new Error("demo/optimise/drop/idle_heap.mjs does not find dlmalloc's blocks in ONNX Runtime's heap");
  return idle.filter(([first, end]) => end - first >= WORTH);
}
