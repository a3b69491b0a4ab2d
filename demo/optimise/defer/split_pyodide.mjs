// node split_pyodide.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json thaw-python.ts OUT PHOTO.ppm...: the WebAssembly of Pyodide, and of the libraries
// linked to it (beside python.json), each in two files (split.mjs). In OUT, NAME.wasm has the functions that the demo calls until its first verdict, and the
// data that they read (idle_data.mjs). The page fetches NAME_rest.wasm, the others, when it has nothing else to do.
// Copies that note their calls, and then their reads, are watched at a few visits. A missed function costs a wait and no more: Python stops until the page has
// fetched the rest (start/deferred.ts).
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { idleData } from "../drop/idle_data.mjs";
import { visited, wasmFiles } from "../observe/page_in_node.mjs";
import { tracing } from "../observe/reads.mjs";
import { entries, EXPORT, exportOf, leb, sectionsOf } from "../wasm/binary.mjs";
import { instructions } from "../wasm/code.mjs";
import { localsOf, Module } from "../wasm/module.mjs";
import { noting, split } from "./split.mjs";

const [whole, snapshot, models, thaw, out, ...photos] = process.argv.slice(2);
const SMALL = 64; // bytes: shorter functions are always hot, because a call of the rest is as long
const [MARKS, SHIFT] = [0x30000000, 5]; // an address that no run comes near; a byte there for each 32
const WASM_PAGE = 65536;
const CALL = 0x10;

const { asked, further, page, runs } = JSON.parse(await readFile(snapshot, "utf8"));
const sources = await wasmFiles(whole, snapshot);
const isLibrary = (name) => name !== basename(whole);
const visits = { snapshot, models, thaw, photos };
const called = {}; // by file: a table in which the functions that were called are
await visited(visits, copies((_, bytes) => noting(bytes)), (name, exports) => (called[name] = exports.called));
const entered = await enteredInBrowsers();
const isHot = (name) => (body, number) => called[name].get(number) !== null || body.length <= SMALL || (!isLibrary(name) && entered.has(number));

const marks = process.env.WITHOUT.includes("idle-data") ? undefined : await reads();
const names = new Set([...Object.keys(asked), ...further]);
for (const [name, bytes] of Object.entries(sources)) {
  // A library's data is part of the memory that the page takes up.
  const kept = isLibrary(name) ? { hasData: false } : { isWanted: (exported) => names.has(exported), idle: marks ? idleOf(bytes, isHot(name)) : [] };
  const { first, rest } = split(bytes, isHot(name), kept);
  await writeFile(join(out, name), first);
  await writeFile(join(out, name.replace(".wasm", "_rest.wasm")), rest);
}
process.exit();

function copies(made) {
  return Object.fromEntries(Object.entries(sources).map(([name, bytes]) => [name, made(name, bytes)]));
}

/** Functions that browsers enter by JSPI, which Node 20 does not have, and the functions that these call. */
async function enteredInBrowsers() {
  const script = await readFile(join(dirname(snapshot), "pyodide.asm.mjs"), "utf8");
  const entrances = new Set([...script.matchAll(/createPromising\(wasmExports\.(\w+)\)/g)].map(([, name]) => name));
  const bytes = sources[basename(whole)];
  const module = new Module(bytes);
  const own = (index) => (index < module.imported ? [] : [index - module.imported]);
  const numbers = entries(sectionsOf(bytes), EXPORT).map(exportOf).flatMap(({ name, index }) => (entrances.has(name) ? own(index) : []));
  const callees = numbers.flatMap((number) => {
    const body = module.bodies[number];
    const code = [...instructions(body, localsOf(body).start)];
    return code.flatMap(({ op, start }) => (op === CALL ? own(leb(body, start + 1)[0]) : []));
  });
  return new Set([...numbers, ...callees]);
}

/** For each 32 bytes of the memory a byte: whether functions of the first files have read them. */
async function reads() {
  setFlagsFromString("--no-wasm-tier-up"); // V8's other compiler takes minutes for so many notes
  setFlagsFromString("--no-wasm-dynamic-tiering");
  const watched = copies((name, bytes) => tracing(bytes, MARKS, SHIFT, isHot(name)));
  let memory;
  await visited(visits, watched, (name, exports) => {
    if (isLibrary(name)) return;
    ({ memory } = exports);
    memory.grow((MARKS + (MARKS >> SHIFT) - memory.buffer.byteLength) / WASM_PAGE);
  });
  return new Uint8Array(memory.buffer, MARKS, MARKS >> SHIFT);
}

function idleOf(bytes, isHot) {
  const [[changed]] = runs; // before this page, the memory is as the file fills it
  return idleData(bytes, isHot, changed * page, (first, end) => marks.subarray(first >> SHIFT, ((end - 1) >> SHIFT) + 1).includes(1));
}
