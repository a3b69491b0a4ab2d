/**
 * Python taken up where the build left it (demo/assemble/snapshot_python.mjs): the interpreter's memory with NumPy and facelab imported, and
 * the libraries that were linked in, each at the place that the pointers in that memory mean. Nothing is unpacked or imported any more.
 */

import { loadPyodide, type PyodideAPI, type PyodideConfig } from "pyodide";

import type { Assets } from "./assets";
import { inTurn, type Piece } from "./pieces";
import type { Rest } from "./rest";

/** What the build tells of the memory: python.json. */
interface Told {
  bytes: number;
  /** Of this version; the file ends in it. */
  mark: string;
  /** Of what size the pages are, and which of them are in the file, [first, end). The others are as Pyodide has them, and zero behind its data. */
  page: number;
  runs: [number, number][];
  /** What of Pyodide's exports its own script, or its own file, asks for by name, with its place in the table of functions where it has one. */
  asked: Record<string, number>;
  /** Length of the table of functions. */
  table: number;
  libraries: { file: string; name: string; handle: number; global: boolean; memoryBase: number; memorySize: number; tableBase: number }[];
  /** Functions of a library, or behind those Pyodide's own, that stand elsewhere in the table than its own do. */
  functions: { index: number; library: number; name: string }[];
  /** Addresses of the libraries' symbols. */
  symbols: Record<string, number>;
  /** JavaScript's objects that Python holds, as Pyodide writes them down. */
  javascript: Conf;
  lock: object;
}

type Conf = ReturnType<Inner["API"]["restoreSnapshot"]>;

/** Of Pyodide's module what it does not tell in its types: Emscripten's dynamic linker, and its own start. */
interface Inner {
  API: { restoreSnapshot(): { hiwireKeys: unknown[]; immortalKeys: string[] } };
  GOT: Record<string, WebAssembly.Global>;
  HEAP32: Int32Array;
  HEAPU8: Uint8Array;
  LDSO: { loadedLibsByName: Record<string, Library>; loadedLibsByHandle: Record<number, Library> };
  __PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: number;
  __PyRuntime: number;
  _emscripten_stack_get_base(): number;
  _sbrk(bytes: number): number;
  newDSO(name: string, handle: number, exports: Exports): Library;
  wasmTable: WebAssembly.Table;
  wasmTableMirror: unknown[];
}

interface Library {
  global: boolean;
  exports: Exports;
}

type Exports = Record<string, WebAssembly.ExportValue & { stub?: boolean }>;

type Home = Pick<Rest, "belongTo">;

/** How Emscripten lets others make the instance of its module. */
type Instantiate = (
  imports: WebAssembly.Imports,
  done: (instance: { exports: WebAssembly.Exports }, compiled: WebAssembly.Module) => void,
) => object;

const PYODIDE = "pyodide/pyodide.asm.wasm";
/** NumPy's. python.json names them too, but when that has come and been read, much else is waiting. */
const LIBRARIES = ["_multiarray_umath.wasm", "_umath_linalg.wasm"];
const EMPTY_ZIP = "data:application/zip;base64,UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

const pathOf = (library: string) => `python/${library}`;

/** `rest`: what becomes of functions that are not in these files. */
export async function thawPython(assets: Assets, rest: Home): Promise<PyodideAPI> {
  // First, for a browser has six connections to a server, and large files keep them long.
  const script = assets.script<{ default: NonNullable<PyodideConfig["createPyodideModule"]> }>("python/pyodide.asm.mjs");
  assets.ahead(PYODIDE);
  const told = assets.text("python/python.json").then((text) => JSON.parse(text) as Told);
  const memory = assets.inflated("python/python.memory.gz", told);
  const libraries = Promise.all(
    LIBRARIES.map(async (file) => [file, await assets.compiled(pathOf(file))] as const),
  ).then((compiled) => new Map(compiled));
  const pyodide = loadPyodide({
    indexURL: assets.url("pyodide/").href,
    stdLibURL: EMPTY_ZIP, // what has been imported is in the memory, and what has not comes later
    lockFileContents: told.then(({ lock }) => JSON.stringify(lock)),
    _loadSnapshot: new Uint8Array(1), // there is one, which it need not wait for
    createPyodideModule: async (settings) => {
      const { instantiateWasm } = settings as unknown as { instantiateWasm: Instantiate };
      const places = new WeakMap<object, number>(); // which Pyodide's script looks up: see demo/assemble/trim_script.mjs
      let own: WebAssembly.Exports = {};
      const instantiate: Instantiate = (imports, done) =>
        instantiateWasm(imports, async ({ exports }, compiled) => {
          rest.belongTo(PYODIDE, exports);
          own = exports;
          const asked = Object.entries((await told).asked);
          for (const [name, place] of asked) if (typeof own[name] === "function") places.set(own[name], place);
          done({ exports: Object.fromEntries(asked.map(([name]) => [name, own[name]!])) }, compiled);
        });
      const { default: create } = await script;
      const module = await create({ ...settings, places, instantiateWasm: instantiate } as typeof settings);
      thaw(module as unknown as Inner, own, await told, await libraries, await memory, rest);
      Object.assign(places, { all: false }); // whoever comes from now on may ask for others
      return module;
    },
  });
  await Promise.all([pyodide, script, told, memory, libraries]); // the first that fails: Pyodide waits for ever for what does not come
  return pyodide;
}

/** Link the libraries, and let Pyodide find the memory when it comes to that. */
function thaw(module: Inner, own: WebAssembly.Exports, told: Told, libraries: Map<string, WebAssembly.Module>, pages: Piece[], rest: Home): void {
  const pyodide = module.LDSO.loadedLibsByName.__main__!.exports;
  Object.setPrototypeOf(pyodide, own); // where libraries look, now and later
  (pyodide.emscripten_resize_heap as (bytes: number) => void)(told.bytes);
  module.wasmTable.grow(told.table - module.wasmTable.length);
  const linked: WebAssembly.Exports[] = told.libraries.map((library) => link(module, told, library, libraries.get(library.file)!, rest));
  for (const { index, library, name } of told.functions) {
    module.wasmTable.set(index, (linked[library] ?? own)[name]);
    module.wasmTableMirror[index] = module.wasmTable.get(index);
  }

  module.API.restoreSnapshot = () => {
    // The one thing in the memory that depends on the browser: which function calls others whose signature is not quite known.
    const trampoline = (module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4]!) / 4;
    const ours = module.HEAP32[trampoline]!;
    const { page, runs, javascript } = told;
    // Pages that are not in the file are zero, and most have been untouched all the while.
    module.HEAPU8.fill(0, module._emscripten_stack_get_base(), module._sbrk(0));
    for (const { memoryBase, memorySize } of told.libraries) module.HEAPU8.fill(0, memoryBase, memoryBase + memorySize);
    const next = inTurn(pages);
    for (const [from, to] of runs) next((to - from) * page, (part, at) => module.HEAPU8.set(part, from * page + at));
    module.HEAP32[trampoline] = ours;
    return javascript;
  };
}

/** As Emscripten's own loader does, at given places, and without starting the library: its memory is as it was after that. */
function link(module: Inner, { symbols }: Told, library: Told["libraries"][number], compiled: WebAssembly.Module, rest: Home): Exports {
  const { name, handle, global, memoryBase, tableBase } = library;
  const pyodide = module.LDSO.loadedLibsByName.__main__!.exports;
  const exports: Exports = {};
  const own: Record<string, Function> = {};
  const functions = new Proxy({} as Exports, {
    get(_, symbol: string) {
      if (symbol === "__memory_base") return memoryBase;
      if (symbol === "__table_base") return tableBase;
      const known = pyodide[symbol];
      if (known && !known.stub) return known;
      return (own[symbol] ??= (...values: unknown[]) => (exports[symbol] as Function)(...values)); // its own, not there yet
    },
  });
  const addresses = new Proxy(module.GOT, {
    get(table, symbol: string) {
      const entry = (table[symbol] ??= new WebAssembly.Global({ value: "i32", mutable: true }, -1));
      if (symbol in symbols) entry.value = symbols[symbol];
      return entry;
    },
  });
  const instance = new WebAssembly.Instance(compiled, {
    env: functions,
    wasi_snapshot_preview1: functions,
    "GOT.mem": addresses,
    "GOT.func": addresses,
  });
  rest.belongTo(pathOf(library.file), instance.exports);
  for (const [symbol, value] of Object.entries(instance.exports)) {
    if (symbol.includes("/")) continue; // for the rest of it alone
    exports[symbol] = typeof value === "function" ? value : new WebAssembly.Global({ value: "i32" }, Number((value as WebAssembly.Global).value) + memoryBase);
  }
  module.newDSO(name, handle, exports).global = global;
  return exports;
}
