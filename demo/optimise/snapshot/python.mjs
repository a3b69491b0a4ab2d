// node python.mjs PYODIDE.wasm STDLIB.zip NUMPY.whl FACELAB.whl models.json CALLED.json OUT LIBRARY.so...: Python with facelab imported, NumPy with it, and
// facelab's session made. The page takes the interpreter's memory from here (demo/web/src/engine/start/thaw-python.ts), instead of starting Python, unpacking
// archives and importing modules, which takes two seconds.
// Writes into OUT: the memory (python.memory: its pages, without those that are zero or as Pyodide's file fills them), what the page has to know about it
// (python.json), the libraries that were linked (*.wasm), and Pyodide's script without unused parts (pyodide.asm.mjs). Each LIBRARY may be linked later.
// CALLED lists the Python functions that the demo calls; the others go into python_rest.marshal (defer/set_aside.py). With "-" in its place, Python notes in
// that memory which functions are called from then on.
//
// Pyodide can take up a memory snapshot, but knows nothing of linked libraries. Each library has to return to the same place, because pointers to its data
// and indices of its functions in the table lie all over the memory.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import createPyodideModule from "../../web/node_modules/pyodide/pyodide.asm.mjs";
import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";
import { leb } from "../wasm/binary.mjs";
import { wipeFree } from "./wipe_free.mjs";
import { begin } from "../observe/page_in_node.mjs";
import { trimScript } from "../drop/trim_script.mjs";

const [pyodideWasm, stdlib, numpy, facelab, manifest, called, out, ...later] = process.argv.slice(2);
const PYODIDE = new URL("../../web/node_modules/pyodide/", import.meta.url);
const PAGE = 1024;
const WASM_PAGE = 65536;
const SPARE_SLOTS = 64; // of the table, below the libraries': Pyodide adds functions there, in some browsers more than here. The page checks that they suffice.

const wasm = await readFile(pyodideWasm);
const script = await readFile(new URL("pyodide.asm.mjs", PYODIDE), "utf8");
const lockFileContents = await readFile(new URL("pyodide-lock.json", PYODIDE), "utf8");
const { asked, further } = await exportsByUse();
const pristine = await memoryBeforePython();
const scripts = await scriptsAround();
let own; // the exports of Pyodide's file
let placed; // how many places of the table its functions take
let before; // addresses of symbols in the global offset table before libraries add theirs
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

for name in ("stdin", "stdout", "stderr"):  # their buffers are full of what lay in the memory before
    old = getattr(sys, name)
    settings = {key: getattr(old, key) for key in ("encoding", "errors", "line_buffering", "write_through")}
    mode, buffered = old.mode, old.detach()
    new = io.TextIOWrapper(type(buffered)(buffered.detach()), newline="\\n", **settings)
    new.mode = mode
    for place in (name, f"__{name}__"):
        setattr(sys, place, new)
del buffered, new, old
`);
for (const wheel of [numpy, facelab]) pyodide.unpackArchive(new Uint8Array(await readFile(wheel)), "wheel", { extractDir: packages });
pyodide.runPython(`
import encodings.idna, gc, linecache, textwrap, tokenize, traceback, warnings  # Python imports them for errors, before its library has arrived
import numpy.lib.format, numpy.lib._npyio_impl
`);
await setAside("started", "called");
begin(pyodide, await readFile(manifest, "utf8"));
pyodide.runPython("import random; random.seed(0); del random"); // the same memory every time; the page seeds anew (facelab.browser.Session.begin)

const libraries = [];
for (const [handle, { name, global, exports }] of Object.entries(module.LDSO.loadedLibsByHandle)) {
  if (handle === "0") continue; // Pyodide itself
  const file = `${basename(name).split(".")[0]}.wasm`;
  await writeFile(join(out, file), module.FS.readFile(name));
  // The fields of Emscripten's `struct dso` that its loader fills in. The last two say where it has put the file, which nobody reads any more.
  const fields = module.HEAPU32.subarray(handle / 4 + 3, handle / 4 + 9);
  const [memoryBase, memorySize, tableBase, tableSize, copy] = fields;
  const needs = sizesOf(module.FS.readFile(name));
  if (memorySize !== needs.memory || tableSize !== needs.table) throw changed(`${file} needs ${JSON.stringify(needs)}, and struct dso says otherwise`);
  if (!scripts.some((text) => text.includes(`"${file}"`))) throw changed(`thaw-python.ts does not name ${file} among its LIBRARIES`);
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
const free = Math.min(...libraries.map(({ tableBase }) => tableBase)); // the first place of the table that Pyodide must leave free in the page
for (let index = free; index < module.wasmTable.length; index++) {
  if (libraries.some(({ tableBase, tableSize }) => index >= tableBase && index < tableBase + tableSize)) continue;
  const entry = module.wasmTable.get(index);
  const found = [...libraries, { exports: own }].flatMap(({ exports }, library) =>
    Object.entries(exports).flatMap(([name, value]) => (value === entry ? [{ index, library, name }] : [])),
  );
  if (!found.length) throw changed(`no file exports the function at index ${index} of the table`);
  functions.push(found[0]);
}

const symbols = Object.fromEntries(
  Object.entries(module.GOT).flatMap(([symbol, { value }]) => (before[symbol] === value ? [] : [[symbol, value]])),
);
const { hiwireKeys: kept, immortalKeys } = pyodide._api.serializeHiwireState(() => "ours");
const hiwireKeys = kept.map((one) => (one?.serialized ? null : one)); // Pyodide keeps the last function that was called

const memory = module.HEAPU8;
const dataEnd = module._emscripten_stack_get_end(); // the data of Pyodide's file lies below the stack
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
const unnamed = script.replaceAll(/\b_\w+=Module\["_\w+"\]=wasmExports\["(\w+)"\];/g, (naming, name) => (named.has(name) ? naming : ""));
if (unnamed === script) throw changed("pyodide.asm.mjs gives names to its exports in another way");
await writeFile(join(out, "pyodide.asm.mjs"), process.env.WITHOUT.includes("trim-script") ? unnamed : trimScript(unnamed, await namesImported(pyodideWasm, ...later), scripts));
const { info } = JSON.parse(lockFileContents);
const told = {
  bytes: Math.ceil(module._sbrk(0) / WASM_PAGE) * WASM_PAGE,
  page: PAGE,
  runs,
  asked: Object.fromEntries(asked.map((name) => [name, typeof own[name] === "function" && before[name] < placed ? before[name] : 0])),
  further,
  free,
  table: module.wasmTable.length,
  libraries: libraries.map(({ exports, tableSize, ...library }) => library),
  functions,
  symbols,
  javascript: { hiwireKeys, immortalKeys },
  lock: { info, packages: {} },
};
await writeFile(join(out, "python.json"), JSON.stringify(told));

/**
 * Set all functions aside but those in these lists of CALLED's, so that whatever comes next takes their place in the memory. Without CALLED, note the functions
 * that are called from now on.
 */
async function setAside(...lists) {
  if (called === "-") return pyodide.runPython("import set_aside; set_aside.watch()");
  const functions = JSON.parse(await readFile(called, "utf8"));
  pyodide.globals.set("names", JSON.stringify(lists.flatMap((list) => functions[list])));
  pyodide.runPython("import json, set_aside; set_aside.set_aside({tuple(name) for name in json.loads(names)}, '/aside'); del json, names");
}

/** What the linker has to reserve for a library: a section of the tool conventions for dynamic linking, subsection WASM_DYLINK_MEM_INFO. */
function sizesOf(library) {
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(library), "dylink.0");
  const bytes = new Uint8Array(section);
  if (bytes[0] !== 1) throw changed("a library of NumPy's does not begin with its sizes");
  const [memory, alignment] = leb(bytes, 2);
  const [table] = leb(bytes, leb(bytes, alignment)[1]);
  return { memory, table };
}

/**
 * Those of Pyodide's 8,500 exports that somebody asks for by name: `asked`, by its script or file as it starts; `further`, by libraries. Emscripten gives each
 * export that it sees an address, which takes a tenth of a second for all.
 */
async function exportsByUse() {
  const assigned = placeOf("function assignWasmExports("); // names every export, and so does a list of variables
  const elsewhere = script.slice(0, assigned) + script.slice(placeOf("var wasmImports={", assigned));
  const mentioned = new Set(elsewhere.replaceAll(/var (_\w+,){50,}_\w+/g, "").match(/[\w$]+/g));
  const module = new WebAssembly.Module(wasm);
  const addressed = new Set(WebAssembly.Module.imports(module).flatMap(({ module, name }) => (module.startsWith("GOT.") ? [name] : [])));
  const ofLibraries = await namesImported(...later);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  const asked = names.filter((name) => mentioned.has(name) || mentioned.has(`_${name}`) || addressed.has(name));
  return { asked, further: names.filter((name) => ofLibraries.has(name) && !asked.includes(name)) };
}

function placeOf(text, from = 0) {
  const place = script.indexOf(text, from);
  if (place < 0) throw changed(`pyodide.asm.mjs has no ${text}`);
  return place;
}

/** An error that stops the build. */
function changed(what) {
  return new Error(`${what}. Pyodide or NumPy has probably changed`);
}

/** The names that WebAssembly files import. */
async function namesImported(...files) {
  const imports = files.map(async (file) => WebAssembly.Module.imports(new WebAssembly.Module(await readFile(file))));
  return new Set((await Promise.all(imports)).flat().map(({ name }) => name));
}

/** The scripts that use Pyodide's module: its loader, and the page's worker. */
async function scriptsAround() {
  const engine = new URL("../../web/src/engine/", import.meta.url);
  const files = [new URL("pyodide.mjs", PYODIDE), ...(await readdir(engine, { recursive: true })).filter((name) => name.endsWith(".ts")).map((name) => new URL(name, engine))];
  return Promise.all(files.map((file) => readFile(file, "utf8")));
}

/** The memory onto which the page lays the snapshot: Pyodide is loaded, and Python has not started. */
async function memoryBeforePython() {
  let memory;
  const seen = new Error("seen");
  await loadPyodide({
    indexURL: dirname(pyodideWasm),
    lockFileContents,
    _loadSnapshot: new Uint8Array(1), // makes Pyodide load without starting Python; the content does not matter
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
