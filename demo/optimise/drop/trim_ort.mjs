// node drop/trim_ort.mjs ORT.wasm SCRIPT.mjs ort.memory ort.json OUT: ONNX Runtime's wasm with only those functions in it that running the page's networks
// takes; making their sessions, which is most of what ONNX Runtime does, is behind it in the memory (snapshot/ort.mjs). Of one function it is half a
// million bytes of which they take a hundredth: that is cut to these (reshape/outline.mjs).
// A copy that notes its calls takes up that memory, as the page does, and runs the networks over photos of many sizes; what it has not called then
// becomes `unreachable`. Should the page ever get there after all, it catches that and takes the whole file (demo/web/src/engine/worker.ts). On one
// thread only: one of several that stopped would tell nobody.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { foundOutBy, NAME, runNetworks } from "../observe/networks.mjs";
import { counting, outlined } from "../reshape/outline.mjs";
import { marking, Module, prepended } from "../wasm/module.mjs";

const MARKS = 0x30000000; // an address that no run gets near: a byte for each function
const COUNTERS = MARKS + (1 << 16);
const SMALL = 128; // bytes: functions up to this are kept uncalled, too, for they cost little and are what an unforeseen photo may call
const PHOTOS = { sizes: [[1, 1], [40, 30], [333, 250], [512, 640], [2048, 1365]], most: 300 };

if (process.argv[2] === "--run") {
  const [folder, memory, handles, end] = process.argv.slice(3);
  await runNetworks(folder, memory, handles, PHOTOS);
  const marks = new Uint8Array(globalThis.noted.buffer, MARKS, 1 << 16);
  const counts = new Uint32Array(globalThis.noted.buffer, COUNTERS, (end - COUNTERS) / 4);
  await writeFile(join(folder, "told.json"), JSON.stringify({ called: Array.from(marks.keys()).filter((number) => marks[number]), counts: [...counts] }));
  process.exit();
}

const [runtime, script, memory, handles, out] = process.argv.slice(2);
const whole = await readFile(runtime);
const { file: counted, end } = counting(whole, COUNTERS);
const noting = new Module(counted);
noting.bodies = noting.bodies.map((body, number) => prepended(body, marking(MARKS + number)));
const told = await foundOutBy(import.meta.url, { wasm: noting.file, script, end, further: [memory, handles, String(end)] });
const called = new Set(told.called);
const { file, added } = process.env.WITHOUT.includes("outline") ? { file: whole, added: () => false } : outlined(whole, Uint32Array.from(told.counts));
const trimmed = new Module(file);
for (const [number, body] of trimmed.bodies.entries()) if (!called.has(number) && !added(number) && body.length > SMALL) trimmed.remove(number);
await writeFile(join(out, `${NAME}-trimmed.wasm`), trimmed.file);
