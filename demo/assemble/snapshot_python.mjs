// node snapshot_python.mjs STDLIB.zip NUMPY.zip FACELAB.whl OUT: Python as it is once facelab is imported, NumPy with it.
// The page takes up the interpreter's memory where this script left it (demo/web/src/engine/snapshot.ts), instead of starting Python,
// unpacking archives and importing modules: that took it two seconds. Written into OUT: the memory (python.memory.gz: its pages that are
// not all zero), what the page has to know about it (python.json), and the libraries that were linked in (*.wasm).
//
// Pyodide can take up a memory snapshot by itself, but knows nothing of linked libraries. Each has to come back at the same place: its data at the
// same address, its functions at the same indices of the table, as pointers to both lie all over the memory.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import createPyodideModule from "../web/node_modules/pyodide/pyodide.asm.mjs";
import { loadPyodide } from "../web/node_modules/pyodide/pyodide.mjs";

const [stdlib, numpy, facelab, out] = process.argv.slice(2);
const PAGE = 4096;
// Table slots left free below the libraries': how many functions Pyodide itself adds there depends on what the browser can do.
const SPARE_SLOTS = 64;

const pyodide = await loadPyodide({
  _makeSnapshot: true,
  stdLibURL: stdlib,
  env: { PYTHONHASHSEED: "0" }, // the same memory every time
  createPyodideModule: async (settings) => {
    const module = await createPyodideModule(settings);
    before = Object.fromEntries(Object.entries(module.GOT).map(([symbol, { value }]) => [symbol, value]));
    module.wasmTable.grow(SPARE_SLOTS);
    return module;
  },
});
var before; // of the global offset table: the addresses of symbols, to be told from those that the libraries add
const module = pyodide._module;
const packages = pyodide.runPython("import site; site.getsitepackages()[0]");
for (const [archive, format] of [[numpy, "zip"], [facelab, "wheel"]]) {
  pyodide.unpackArchive(new Uint8Array(await readFile(archive)), format, { extractDir: packages });
}
pyodide.runPython(`
import facelab.browser
import encodings.idna, gc, linecache, textwrap, tokenize, traceback, warnings  # what errors and Python itself may call for
import numpy.lib.format, numpy.lib._npyio_impl

gc.collect()
`);

const libraries = [];
for (const [handle, { name, global, exports }] of Object.entries(module.LDSO.loadedLibsByHandle)) {
  if (handle === "0") continue; // Pyodide itself
  const file = `${basename(name).split(".")[0]}.wasm`;
  await writeFile(join(out, file), module.FS.readFile(name));
  // The fields of Emscripten's \`struct dso\` that its own loader fills in.
  const [memoryBase, , tableBase, tableSize] = module.HEAPU32.subarray(handle / 4 + 3, handle / 4 + 7);
  libraries.push({ file, name, handle: Number(handle), global, memoryBase, tableBase, tableSize, exports });
}

// A library's own functions come back with it; those that were given a place in the table by name do not.
const functions = [];
const first = Math.min(...libraries.map(({ tableBase }) => tableBase));
for (let index = first; index < module.wasmTable.length; index++) {
  if (libraries.some(({ tableBase, tableSize }) => index >= tableBase && index < tableBase + tableSize)) continue;
  const entry = module.wasmTable.get(index);
  const found = libraries.flatMap(({ exports }, library) =>
    Object.entries(exports).flatMap(([name, value]) => (value === entry ? [{ index, library, name }] : [])),
  );
  if (!found.length) throw new Error(`nobody knows the function at index ${index} of the table`);
  functions.push(found[0]);
}

const symbols = Object.fromEntries(
  Object.entries(module.GOT).flatMap(([symbol, { value }]) => (before[symbol] === value ? [] : [[symbol, value]])),
);
const { hiwireKeys, immortalKeys } = pyodide._api.serializeHiwireState();

wipeFreeMemory();
const memory = module.HEAPU8;
const runs = []; // [first, end) of pages that hold something
for (let page = 0; page < memory.length / PAGE; page++) {
  if (new BigUint64Array(memory.buffer, page * PAGE, PAGE / 8).every((word) => word === 0n)) continue;
  if (runs.at(-1)?.[1] === page) runs.at(-1)[1]++;
  else runs.push([page, page + 1]);
}
const pages = Buffer.concat(runs.map(([from, to]) => memory.slice(from * PAGE, to * PAGE)));
await writeFile(join(out, "python.memory.gz"), gzipSync(pages, { level: 9 }));

const { info } = JSON.parse(await readFile(new URL("../web/node_modules/pyodide/pyodide-lock.json", import.meta.url), "utf8"));
const told = {
  bytes: memory.length,
  page: PAGE,
  runs,
  table: module.wasmTable.length,
  libraries: libraries.map(({ exports, tableSize, ...library }) => library),
  functions,
  symbols,
  javascript: { hiwireKeys, immortalKeys },
  lock: { info, packages: {} },
};
await writeFile(join(out, "python.json"), JSON.stringify(told));

/** What was freed is still there, and would be fetched by every visitor: take all of it, write zeros, give it back. */
function wipeFreeMemory() {
  // Python's own small blocks: as many of each size as there may be holes.
  pyodide.runPython(`
held = [[bytes(size - 40) for _ in range(3_000_000 // size)] for size in range(48, 513, 16)]
del held
`);
  const taken = [];
  const end = module._sbrk(0);
  for (let size = 1 << 22; size >= 64; size >>= 1) {
    for (;;) {
      const block = module._malloc(size);
      if (block + size > end) {
        module._free(block);
        break;
      }
      module.HEAPU8.fill(0, block, block + size);
      taken.push(block);
    }
  }
  taken.forEach((block) => module._free(block));
}
