// node reshape/outline_cold.mjs PYODIDE.wasm STDLIB.zip NUMPY.whl FACELAB.whl models.json LIBRARY.so OUT PHOTO.ppm...
// Writes into OUT: Pyodide's WebAssembly and a library of NumPy's, in which the cold code of large functions has become functions (outline.mjs).
//
// Python's loop over its bytecode is one function of eighty thousand bytes. Browsers compile it for speed soon after the start, and again when it does
// something new. That occupies one of two cores for most of a second while the page starts. A tenth of the function takes a tenth of the time.
// Assumes that a few visits, watched with files that count, show which code is hot.
// Guarantees that the files compute the same, and that functions keep their indices.
// On a miss, cold code that runs costs a call.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { published, visits } from "../observe/page_in_node.mjs";
import { Module } from "../wasm/module.mjs";
import { withCallThunks } from "./call_thunks.mjs";
import { counting, outlined } from "./outline.mjs";

const COUNTERS = 0x30000000; // an address that Python's memory does not reach
const PAGE = 65536;

const [pyodideWasm, stdlib, numpy, facelab, models, library, out, ...photos] = process.argv.slice(2);
const wholes = await Promise.all([pyodideWasm, library].map((path) => readFile(path)));
const counted = counting(wholes[0], COUNTERS);
const libraryCounted = counting(wholes[1], counted.end);
let memory;
const pyodide = await published(counted.file, stdlib, [numpy, facelab], {
  manifest: await readFile(models, "utf8"),
  onInstance: ({ exports }) => {
    memory = exports.memory;
    memory.grow(Math.ceil(libraryCounted.end / PAGE) - memory.buffer.byteLength / PAGE);
  },
  replaced: { [`numpy/_core/${basename(library)}`]: libraryCounted.file },
});
const countersOf = (from, end) => new Uint32Array(memory.buffer, from, (end - from) / 4);
countersOf(COUNTERS, libraryCounted.end).fill(0); // the page does not run Python's start, so it does not count (snapshot/python.mjs)
await visits(pyodide, models, photos);
const { file: shorter, changed } = outlined(wholes[0], countersOf(COUNTERS, counted.end));
const { bodies } = new Module(wholes[0]);
const loop = changed.reduce((largest, number) => (bodies[number].length > bodies[largest].length ? number : largest));
await writeFile(join(out, basename(pyodideWasm)), withCallThunks(shorter, [loop]));
await writeFile(join(out, basename(library)), outlined(wholes[1], countersOf(counted.end, libraryCounted.end)).file);
process.exit();
