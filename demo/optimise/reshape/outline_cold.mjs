// node reshape/outline_cold.mjs PYODIDE.wasm STDLIB.zip NUMPY.whl FACELAB.whl models.json LIBRARY.so OUT: Pyodide's wasm, and that of a library of NumPy's, with
// large functions cut to what the page's Python does all the time. Python's own loop over its bytecode is one of eighty thousand bytes. As soon as it has
// run for a moment, browsers compile it for speed, and again where it then does what it has not done before: on one of two cores most of a second, just
// while the page is to start. Functions of a tenth of that take their share.
// A copy that counts is watched at the work (observe/python_workload.mjs). Nothing is missing afterwards: what is needed after all, is called.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { counting, outlined } from "./outline.mjs";
import { withPlainCalls } from "./call_thunks.mjs";
import { begun, work } from "../observe/python_workload.mjs";
import { Module } from "../wasm/module.mjs";

const COUNTERS = 0x30000000; // an address that no run gets near
const PAGE = 65536;

const [pyodideWasm, stdlib, numpy, facelab, models, library, out] = process.argv.slice(2);
const wholes = await Promise.all([pyodideWasm, library].map((path) => readFile(path)));
const counted = counting(wholes[0], COUNTERS);
const libraryCounted = counting(wholes[1], counted.end);
let memory;
const seen = ({ exports }) => {
  memory = exports.memory;
  memory.grow(Math.ceil(libraryCounted.end / PAGE) - memory.buffer.byteLength / PAGE);
};
const pyodide = await begun(counted.file, stdlib, [numpy, facelab], seen, { [`numpy/_core/${basename(library)}`]: libraryCounted.file });
const countersOf = (from, end) => new Uint32Array(memory.buffer, from, (end - from) / 4);
countersOf(COUNTERS, libraryCounted.end).fill(0); // the page does not begin, it goes on: see snapshot/python.mjs
await work(pyodide, await readFile(models, "utf8"));
const { file: shorter, changed } = outlined(wholes[0], countersOf(COUNTERS, counted.end));
const { bodies } = new Module(wholes[0]);
const loop = changed.reduce((largest, number) => (bodies[number].length > bodies[largest].length ? number : largest));
await writeFile(join(out, basename(pyodideWasm)), withPlainCalls(shorter, [loop]));
await writeFile(join(out, basename(library)), outlined(wholes[1], countersOf(counted.end, libraryCounted.end)).file);
