// node outline_cold.mjs PYODIDE.wasm STDLIB.zip NUMPY.whl FACELAB.whl models.json OUT: Pyodide's wasm with Python's own loop over its bytecode cut to
// what the page's Python does all the time. The loop is one function of eighty thousand bytes. As soon as it has run for a moment, browsers compile it
// for speed, and again where it then does what it has not done before: on one of two cores most of a second, just while the page is to start.
// A copy that counts is watched at the work (python_workload.mjs). Nothing is missing afterwards: what is needed after all, is called.
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { counting, outlined } from "./outline.mjs";
import { withPlainCalls } from "./plain_calls.mjs";
import { begun, work } from "./python_workload.mjs";

const COUNTERS = 0x30000000; // an address that no run gets near
const PAGE = 65536;

const [pyodideWasm, stdlib, numpy, facelab, models, out] = process.argv.slice(2);
const whole = await readFile(pyodideWasm);
const { file, end } = counting(whole, COUNTERS);
let counters;
const pyodide = await begun(file, stdlib, [numpy, facelab], ({ exports: { memory } }) => {
  memory.grow(Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE);
  counters = new Uint32Array(memory.buffer, COUNTERS, (end - COUNTERS) / 4);
});
counters.fill(0); // the page does not begin, it goes on: see snapshot_python.mjs
const manifest = await readFile(models, "utf8");
const { cohort } = JSON.parse(manifest).embedder;
await work(pyodide, manifest, new Uint8Array(await readFile(join(dirname(models), cohort.file))));
const { file: shorter, changed } = outlined(whole, counters);
await writeFile(join(out, "pyodide.asm.wasm"), withPlainCalls(shorter, changed));
