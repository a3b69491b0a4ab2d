// node drop/trim_ort.mjs ORT.wasm SCRIPT.mjs ort.memory ort.json OUT
// Writes ort-wasm-simd-threaded-trimmed.wasm into OUT: ONNX Runtime's WebAssembly without the functions that running the page's networks never calls. The
// sessions lie in the memory already (snapshot/ort.mjs), so most of ONNX Runtime, which makes sessions, is not needed. The cold code of large functions becomes
// functions (reshape/outline.mjs): one has half a million bytes, of which the networks run a hundredth.
//
// A copy that notes its calls runs the networks on photos of many sizes. Functions that it does not call become `unreachable`.
// Assumes that other photos call only these functions and short ones.
// Guarantees that indices of functions, the table and data stay as they are, so the memory with the sessions fits.
// On a miss, WebAssembly stops, and the page loads the whole ONNX Runtime (engine/worker.ts). The page uses one thread, because it would not notice that one of
// several had stopped.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NAME, observed, runNetworks } from "../observe/networks.mjs";
import { counting, outlined } from "../reshape/outline.mjs";
import { marking, Module, prepended } from "../wasm/module.mjs";

const [MARKS, MOST] = [0x30000000, 1 << 16]; // an address that the heap does not reach; a byte there for each function
const COUNTERS = MARKS + MOST;
const SMALL = 128; // bytes: functions up to this length stay in any case, because they cost little and an unforeseen photo may call them
const PHOTOS = { sizes: [[1, 1], [40, 30], [333, 250], [512, 640], [2048, 1365]], most: 300 };

if (process.argv[2] === "--run") {
  const [folder, memory, handles, end] = process.argv.slice(3);
  await runNetworks(folder, memory, handles, PHOTOS);
  const { buffer } = globalThis.observedMemory;
  const called = [...new Uint8Array(buffer, MARKS, MOST).entries()].flatMap(([number, mark]) => (mark ? [number] : []));
  const counts = [...new Uint32Array(buffer, COUNTERS, (end - COUNTERS) / 4)];
  await writeFile(join(folder, "result.json"), JSON.stringify({ called, counts }));
  process.exit();
}

const [runtime, script, memory, handles, out] = process.argv.slice(2);
const whole = await readFile(runtime);
const { file: counted, end } = counting(whole, COUNTERS);
const noting = new Module(counted);
noting.bodies = noting.bodies.map((body, number) => prepended(body, marking(MARKS + number)));
const { called, counts } = await observed(import.meta.url, { wasm: noting.file, script, end, more: [memory, handles, String(end)] });
const hot = new Set(called);
const { file, added } = process.env.WITHOUT.includes("outline") ? { file: whole, added: () => false } : outlined(whole, Uint32Array.from(counts));
const trimmed = new Module(file);
for (const [number, body] of trimmed.bodies.entries()) if (!hot.has(number) && !added(number) && body.length > SMALL) trimmed.remove(number);
await writeFile(join(out, `${NAME}-trimmed.wasm`), trimmed.file);
