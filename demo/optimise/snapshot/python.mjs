// node snapshot/python.mjs PYODIDE.wasm STDLIB.zip NUMPY.zip FACELAB.whl models.json CALLED.json OUT LIBRARY.so...: Python as it is once
// facelab is imported, NumPy with it, and facelab's session is made.
// The page takes up the interpreter's memory where this script left it (demo/web/src/engine/snapshot.ts), instead of starting Python,
// unpacking archives and importing modules: that took it two seconds. Written into OUT: the memory (python.memory: its pages, without
// those that are as Pyodide's own file fills them, or zero), what the page has to know about it (python.json), the libraries that were
// linked in (*.wasm), and Pyodide's script without what nobody calls (pyodide.asm.mjs). Each LIBRARY is one that may be linked later.
// CALLED tells which of Python's functions the demo calls, and which were called before, from the first step to the last in which functions are set
// aside (set_aside.py), into python_rest.marshal: in the end all but the former. With "-" for it, Python takes notes of that, instead.
//
// Pyodide can take up a memory snapshot by itself, but knows nothing of linked libraries. Each has to come back at the same place: its data at the
// same address, its functions at the same indices of the table, as pointers to both lie all over the memory.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import createPyodideModule from "../../web/node_modules/pyodide/pyodide.asm.mjs";
import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";
import { wipeFree } from "./wipe_free.mjs";
import { rehearse } from "../observe/python_workload.mjs";
import { trimScript } from "../drop/trim_script.mjs";

const [pyodideWasm, stdlib, numpy, facelab, manifest, called, out, ...later] = process.argv.slice(2);
const PYODIDE = new URL("../../web/node_modules/pyodide/", import.meta.url);
const PAGE = 1024;
const WASM_PAGE = 65536;
// Table slots left free below the libraries': how many functions Pyodide itself adds there depends on what the browser can do.
const SPARE_SLOTS = 64;

const wasm = await readFile(pyodideWasm);
const script = await readFile(new URL("pyodide.asm.mjs", PYODIDE), "utf8");
const lockFileContents = await readFile(new URL("pyodide-lock.json", PYODIDE), "utf8");
const { asked, further } = await exportsByUse();
const pristine = await memoryBeforePython();
let own; // what Pyodide's file exports
let placed; // so many places of the table its own functions take
let before; // of the global offset table: the addresses of symbols, to be told from those that the libraries add
const pyodide = await loadPyodide({
  _makeSnapshot: true,
  indexURL: dirname(pyodideWasm),
  lockFileContents,
  stdLibURL: stdlib,
  env: { PYTHONHASHSEED: "0" }, // the same memory every time
  createPyodideModule: async (settings) => {
    const { instantiateWasm } = settings;
    settings.instantiateWasm = (imports, done) =>
      instantiateWasm(imports, ({ exports }, compiled) => {
        own = exports;
        placed = own.__indirect_function_table.length;
        done({ exports: Object.fromEntries(asked.map((name) => [name, own[name]])) }, compiled);
      });
    const module = await createPyodideModule(settings);
    before = Object.fromEntries(Object.entries(module.GOT).map(([symbol, { value }]) => [symbol, value]));
    Object.setPrototypeOf(module.LDSO.loadedLibsByName.__main__.exports, own); // where libraries look
    module.wasmTable.grow(SPARE_SLOTS);
    return module;
  },
});
const module = pyodide._module;
const packages = pyodide.runPython("import site; site.getsitepackages()[0]");
pyodide.FS.writeFile(`${packages}/set_aside.py`, await readFile(new URL("../defer/set_aside.py", import.meta.url)));
await setAside("started", "called");
wipeFree(module);
pyodide.runPython(`
import io, sys

for name in ("stdin", "stdout", "stderr"):  # they came with buffers full of what was in the memory before
    old = getattr(sys, name)
    settings = {key: getattr(old, key) for key in ("encoding", "errors", "line_buffering", "write_through")}
    mode, buffered = old.mode, old.detach()
    new = io.TextIOWrapper(type(buffered)(buffered.detach()), newline="\\n", **settings)
    new.mode = mode
    for place in (name, f"__{name}__"):
        setattr(sys, place, new)
del buffered, new, old
`);
for (const [archive, format] of [[numpy, "zip"], [facelab, "wheel"]]) {
  pyodide.unpackArchive(new Uint8Array(await readFile(archive)), format, { extractDir: packages });
}
pyodide.runPython(`
import encodings.idna, gc, linecache, textwrap, tokenize, traceback, warnings  # what errors and Python itself may call for
import numpy.lib.format, numpy.lib._npyio_impl
`);
await setAside("started", "called");
pyodide.globals.set("manifest", await readFile(manifest, "utf8"));
pyodide.runPython(`
import gc
import facelab.browser

facelab.browser.session = facelab.browser.Session(manifest)
del manifest
gc.collect()
`);
const { session } = pyodide.pyimport("facelab.browser");
await rehearse(session, await readFile(manifest, "utf8"));
session.destroy();
pyodide.runPython("runtime = facelab.browser.session._runtime; del runtime.engine, runtime.engine_seconds, runtime; gc.collect()");
pyodide.runPython("import random; random.seed(0); del random"); // the same memory every time; the page seeds anew (facelab.browser.Session.begin)

const libraries = [];
for (const [handle, { name, global, exports }] of Object.entries(module.LDSO.loadedLibsByHandle)) {
  if (handle === "0") continue; // Pyodide itself
  const file = `${basename(name).split(".")[0]}.wasm`;
  await writeFile(join(out, file), module.FS.readFile(name));
  // The fields of Emscripten's `struct dso` that its own loader fills in; the last two say where it has put the file, which nobody reads any more.
  const fields = module.HEAPU32.subarray(handle / 4 + 3, handle / 4 + 9);
  const [memoryBase, memorySize, tableBase, tableSize, copy] = fields;
  module._free(copy);
  fields.fill(0, 4);
  libraries.push({ file, name, handle: Number(handle), global, memoryBase, memorySize, tableBase, tableSize, exports });
}

await setAside("called");
if (called !== "-") {
  pyodide.runPython("set_aside.seal('/aside'); del set_aside");
  await writeFile(join(out, "python_rest.marshal"), pyodide.FS.readFile("/aside"));
  pyodide.FS.unlink("/aside");
}
wipeFree(module);

// A library's own functions come back with it; those that were given a place in the table by name do not.
const functions = [];
const first = Math.min(...libraries.map(({ tableBase }) => tableBase));
for (let index = first; index < module.wasmTable.length; index++) {
  if (libraries.some(({ tableBase, tableSize }) => index >= tableBase && index < tableBase + tableSize)) continue;
  const entry = module.wasmTable.get(index);
  const found = [...libraries, { exports: own }].flatMap(({ exports }, library) =>
    Object.entries(exports).flatMap(([name, value]) => (value === entry ? [{ index, library, name }] : [])),
  );
  if (!found.length) throw new Error(`nobody knows the function at index ${index} of the table`);
  functions.push(found[0]);
}

const symbols = Object.fromEntries(
  Object.entries(module.GOT).flatMap(([symbol, { value }]) => (before[symbol] === value ? [] : [[symbol, value]])),
);
const { hiwireKeys: kept, immortalKeys } = pyodide._api.serializeHiwireState(() => "ours");
const hiwireKeys = kept.map((one) => (one?.serialized ? null : one)); // Pyodide keeps hold of the last function called, and of what it is of

const memory = module.HEAPU8;
const dataEnd = module._emscripten_stack_get_end(); // below the stack lies what comes out of Pyodide's file
const runs = []; // [first, end) of the pages that are kept
for (let page = 0; page < memory.length / PAGE; page++) {
  const [from, to] = [page * PAGE, (page + 1) * PAGE];
  const known = to <= dataEnd ? pristine.subarray(from, to) : Buffer.alloc(PAGE);
  if (Buffer.compare(memory.subarray(from, to), known) === 0) continue;
  if (runs.at(-1)?.[1] === page) runs.at(-1)[1]++;
  else runs.push([page, page + 1]);
}
const pages = Buffer.concat(runs.map(([from, to]) => memory.slice(from * PAGE, to * PAGE)));
await writeFile(join(out, "python.memory"), pages);

// A third of the script gives a name to each export.
const named = new Set(asked);
const shorter = script.replaceAll(/\b_\w+=Module\["_\w+"\]=wasmExports\["(\w+)"\];/g, (naming, name) => (named.has(name) ? naming : ""));
await writeFile(join(out, "pyodide.asm.mjs"), trimScript(shorter, await namesImported(pyodideWasm, ...later), await scriptsAround()));
const { info } = JSON.parse(lockFileContents);
const told = {
  bytes: Math.ceil(module._sbrk(0) / WASM_PAGE) * WASM_PAGE,
  page: PAGE,
  runs,
  asked: Object.fromEntries(asked.map((name) => [name, typeof own[name] === "function" && before[name] < placed ? before[name] : 0])),
  further,
  table: module.wasmTable.length,
  libraries: libraries.map(({ exports, tableSize, ...library }) => library),
  functions,
  symbols,
  javascript: { hiwireKeys, immortalKeys },
  lock: { info, packages: {} },
};
await writeFile(join(out, "python.json"), JSON.stringify(told));

/** A step: all functions but those in these lists of CALLED's are set aside; or, without it, what is called from now on is noted. */
async function setAside(...lists) {
  if (called === "-") return pyodide.runPython("import set_aside; set_aside.watch()");
  const told = JSON.parse(await readFile(called, "utf8"));
  pyodide.globals.set("names", JSON.stringify(lists.flatMap((list) => told[list])));
  pyodide.runPython("import json, set_aside; set_aside.set_aside({tuple(name) for name in json.loads(names)}, '/aside'); del json, names");
}

/**
 * What of Pyodide's 8,500 exports somebody asks for by name: `asked`, its own script or file, as it starts; `further`, libraries. Emscripten gives each
 * that it sees an address, which takes the page a tenth of a second for all.
 */
async function exportsByUse() {
  const assigned = script.indexOf("function assignWasmExports("); // names every one, and so does a list of variables
  const elsewhere = script.slice(0, assigned) + script.slice(script.indexOf("var wasmImports={", assigned));
  const mentioned = new Set(elsewhere.replaceAll(/var (_\w+,){50,}_\w+/g, "").match(/[\w$]+/g));
  const module = new WebAssembly.Module(wasm);
  const addressed = new Set(WebAssembly.Module.imports(module).flatMap(({ module, name }) => (module.startsWith("GOT.") ? [name] : [])));
  const ofLibraries = await namesImported(...later);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  const asked = names.filter((name) => mentioned.has(name) || mentioned.has(`_${name}`) || addressed.has(name));
  return { asked, further: names.filter((name) => ofLibraries.has(name) && !asked.includes(name)) };
}

/** By files of wasm. */
async function namesImported(...files) {
  const imports = files.map(async (file) => WebAssembly.Module.imports(new WebAssembly.Module(await readFile(file))));
  return new Set((await Promise.all(imports)).flat().map(({ name }) => name));
}

/** Whatever uses Pyodide's module: its own loader, and the page's worker. */
async function scriptsAround() {
  const engine = new URL("../../web/src/engine/", import.meta.url);
  const files = [new URL("pyodide.mjs", PYODIDE), ...(await readdir(engine, { recursive: true })).filter((name) => name.endsWith(".ts")).map((name) => new URL(name, engine))];
  return Promise.all(files.map((file) => readFile(file, "utf8")));
}

/** As the page has it when the snapshot is laid over it: Pyodide is loaded, and Python has not begun. */
async function memoryBeforePython() {
  let memory;
  const seen = new Error("seen");
  await loadPyodide({
    indexURL: dirname(pyodideWasm),
    lockFileContents,
    _loadSnapshot: new Uint8Array(1), // of what, does not matter: it makes Pyodide wait with Python
    stdLibURL: stdlib,
    createPyodideModule: async (settings) => {
      memory = (await createPyodideModule(settings)).HEAPU8.slice();
      throw seen;
    },
  }).catch((error) => {
    if (error !== seen) throw error;
  });
  return memory;
}
