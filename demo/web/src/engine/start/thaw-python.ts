/**
 * Loads Python's memory as the build stored it (demo/optimise/snapshot/python.mjs), with NumPy and facelab imported, and the linked libraries, each at the
 * address that the pointers in that memory mean. Nothing is unpacked or imported.
 */

import { loadPyodide, type PyodideAPI, type PyodideConfig } from "pyodide";

import { EngineError } from "../../contract";
import type { Assets } from "../assets";
import { inTurn, type Chunk } from "./chunks";
import type { Deferred } from "./deferred";

/** What the build says about the memory: python.json. */
interface Told {
  bytes: number;
  /** This version's mark, with which the file ends. */
  mark: string;
  /** The size of a page, and the ranges of pages [first, end) that the file holds. The other pages are as Pyodide makes them, or zero behind its data. */
  page: number;
  runs: [number, number][];
  /** Pyodide's exports that its own script or file asks for by name, each with its place in the table of functions, if it has one. */
  asked: Record<string, number>;
  /** The first place of the table of functions that Pyodide must leave free, and the table's length. */
  free: number;
  table: number;
  libraries: { file: string; name: string; handle: number; global: boolean; memoryBase: number; memorySize: number; tableBase: number }[];
  /** Functions of a library, or of Pyodide behind them, whose place in the table differs from that of their own file. */
  functions: { index: number; library: number; name: string }[];
  /** Addresses of the libraries' symbols. */
  symbols: Record<string, number>;
  /** JavaScript objects that Python holds, in Pyodide's notation. */
  javascript: Conf;
  lock: object;
}

type Conf = ReturnType<Inner["API"]["restoreSnapshot"]>;

/** The parts of Pyodide's module that its types do not show: Emscripten's dynamic linker, and its start. */
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

type Home = Pick<Deferred, "belongTo">;

/** The hook by which Emscripten lets others make its module's instance. */
type Instantiate = (
  imports: WebAssembly.Imports,
  done: (instance: { exports: WebAssembly.Exports }, compiled: WebAssembly.Module) => void,
) => object;

const PYODIDE = "pyodide/pyodide.asm.wasm";
/** NumPy's libraries. python.json names them too, but arrives too late to request them early. */
const LIBRARIES = ["_multiarray_umath.wasm", "_umath_linalg.wasm"];
/**
 * Pyodide requests its file before anyone can hand it over. It adds the file's name to an address, which changes nothing behind the #, and gets this empty
 * module.
 */
const EMPTY_WASM = "data:application/wasm;base64,AGFzbQEAAAA=#";
const EMPTY_ZIP = "data:application/zip;base64,UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

const pathOf = (library: string) => `python/${library}`;

/** `rest`: gets the functions that these files lack. */
export async function thawPython(assets: Assets, rest: Home): Promise<PyodideAPI> {
  // First, because a browser has six connections to a server, and large files occupy them for long.
  const script = assets.script<{ default: NonNullable<PyodideConfig["createPyodideModule"]> }>("python/pyodide.asm.mjs");
  const wasm = assets.compiled(PYODIDE);
  const told = assets.text("python/python.json").then((text) => JSON.parse(text) as Told);
  const memory = assets.inflated("python/python.memory.gz", told);
  const libraries = Promise.all(
    LIBRARIES.map(async (file) => [file, await assets.compiled(pathOf(file))] as const),
  ).then((compiled) => new Map(compiled));
  const pyodide = loadPyodide({
    indexURL: EMPTY_WASM,
    stdLibURL: EMPTY_ZIP, // imported modules are in the memory, and the others come later
    lockFileContents: told.then(({ lock }) => JSON.stringify(lock)),
    _loadSnapshot: new Uint8Array(1), // tells Pyodide that there is a snapshot, which it need not wait for
    createPyodideModule: async (settings) => {
      const { instantiateWasm } = settings as unknown as { instantiateWasm: Instantiate };
      const places = new WeakMap<object, number>(); // Pyodide's script looks these up: see demo/optimise/drop/trim_script.mjs
      let own: WebAssembly.Exports = {};
      const instantiate: Instantiate = (imports, done) =>
        instantiateWasm(imports, async () => {
          const compiled = await wasm;
          const { exports } = await WebAssembly.instantiate(compiled, imports); // which now include Pyodide's own
          rest.belongTo(PYODIDE, exports);
          own = exports;
          const asked = Object.entries((await told).asked);
          for (const [name, place] of asked) if (typeof own[name] === "function") places.set(own[name], place);
          done({ exports: Object.fromEntries(asked.map(([name]) => [name, own[name]!])) }, compiled);
        });
      const { default: create } = await script;
      const module = await create({ ...settings, places, instantiateWasm: instantiate } as typeof settings);
      thaw(module as unknown as Inner, own, await told, await libraries, await memory, rest);
      Object.assign(places, { all: false }); // later libraries may ask for other exports
      return module;
    },
  });
  await Promise.all([pyodide, script, wasm, told, memory, libraries]); // rejects with the first failure, because Pyodide would wait for ever
  return pyodide;
}

/** Link the libraries, and give Pyodide the memory when it asks for it. */
function thaw(module: Inner, own: WebAssembly.Exports, told: Told, libraries: Map<string, WebAssembly.Module>, pages: Chunk[], rest: Home): void {
  const pyodide = module.LDSO.loadedLibsByName.__main__!.exports;
  Object.setPrototypeOf(pyodide, own); // where libraries look for symbols, now and later
  (pyodide.emscripten_resize_heap as (bytes: number) => void)(told.bytes);
  if (module.wasmTable.length > told.free) {
    throw new EngineError("Pyodide needs more room in this browser than the build has left (SPARE_SLOTS in demo/optimise/snapshot/python.mjs): please report it.");
  }
  module.wasmTable.grow(told.table - module.wasmTable.length);
  const linked: WebAssembly.Exports[] = told.libraries.map((library) => link(module, told, library, libraries.get(library.file)!, rest));
  for (const { index, library, name } of told.functions) {
    module.wasmTable.set(index, (linked[library] ?? own)[name]);
    module.wasmTableMirror[index] = module.wasmTable.get(index);
  }

  module.API.restoreSnapshot = () => {
    // The only part of the memory that depends on the browser: the function that calls others whose signature is not known exactly.
    const trampoline = (module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4]!) / 4;
    const ours = module.HEAP32[trampoline]!;
    const { page, runs, javascript } = told;
    // Pages that are not in the file are zero, and most were never touched.
    module.HEAPU8.fill(0, module._emscripten_stack_get_base(), module._sbrk(0));
    for (const { memoryBase, memorySize } of told.libraries) module.HEAPU8.fill(0, memoryBase, memoryBase + memorySize);
    const next = inTurn(pages);
    for (const [from, to] of runs) next((to - from) * page, (part, at) => module.HEAPU8.set(part, from * page + at));
    module.HEAP32[trampoline] = ours;
    return javascript;
  };
}

/** Links a library like Emscripten's own loader, but at a given address and without starting it, because its memory is stored as it was after its start. */
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
      return (own[symbol] ??= (...values: unknown[]) => (exports[symbol] as Function)(...values)); // its own function, which is not there yet
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
    if (symbol.includes("/")) continue; // exported for its rest alone
    exports[symbol] = typeof value === "function" ? value : new WebAssembly.Global({ value: "i32" }, Number((value as WebAssembly.Global).value) + memoryBase);
  }
  module.newDSO(name, handle, exports).global = global;
  return exports;
}
