/**
 * Loads Python's memory as the build stored it (demo/optimise/snapshot/python.mjs), with NumPy and facelab imported, and the linked libraries, each at the
 * address that the pointers in that memory mean. Nothing is unpacked or imported.
 */

import { loadPyodide, type PyodideAPI, type PyodideConfig } from "pyodide";

import { EngineError } from "../../contract";
import type { Assets } from "../assets";
import { inTurn, type Chunk } from "./chunks";
import type { Deferred } from "./deferred";

/** python.json, in which the build describes the memory. */
interface Description {
  bytes: number;
  /** A mark of this version. The memory's file ends in it. */
  mark: string;
  /** The size of a page in bytes, and the ranges of pages [first, end) that the file holds. All other pages are zero, or as Pyodide itself fills them. */
  page: number;
  runs: [number, number][];
  /** The exports that Pyodide's script or file uses by name, each with its index in the table of functions, if it has one. */
  asked: Record<string, number>;
  /** The first index in the table of functions that Pyodide must leave free, and the table's length. */
  free: number;
  table: number;
  libraries: { file: string; name: string; handle: number; global: boolean; memoryBase: number; memorySize: number; tableBase: number }[];
  /** Functions that the table has outside their own file's range. `library`: an index in `libraries`; a larger number means Pyodide itself. */
  functions: { index: number; library: number; name: string }[];
  /** Addresses of the libraries' symbols. */
  symbols: Record<string, number>;
  /** JavaScript objects that Python holds, in Pyodide's notation. */
  javascript: SnapshotConfig;
  lock: object;
}

type SnapshotConfig = ReturnType<PyodideModule["API"]["restoreSnapshot"]>;

/** The parts of Pyodide's module that its types leave out: Emscripten's dynamic linker, and what restores a snapshot. */
interface PyodideModule {
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

type Registry = Pick<Deferred, "register">;

/** Emscripten's hook for callers that instantiate its module themselves. */
type Instantiate = (
  imports: WebAssembly.Imports,
  done: (instance: { exports: WebAssembly.Exports }, compiled: WebAssembly.Module) => void,
) => object;

const PYODIDE = "pyodide/pyodide.asm.wasm";
/** NumPy's libraries. python.json names them too, but arrives later than they should be requested. */
const LIBRARIES = ["_multiarray_umath.wasm", "_umath_linalg.wasm"];
/**
 * Pyodide requests its WebAssembly file before the engine can pass it in, so it gets this empty module. It appends the file's name to the address, which
 * changes nothing behind the #.
 */
const EMPTY_WASM = "data:application/wasm;base64,AGFzbQEAAAA=#";
const EMPTY_ZIP = "data:application/zip;base64,UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

const pathOf = (library: string) => `python/${library}`;

/** `deferred`: supplies the functions that these files lack. */
export async function thawPython(assets: Assets, deferred: Registry): Promise<PyodideAPI> {
  // The script is requested first, because a browser has six connections to a server, and large files occupy them for long.
  const script = assets.script<{ default: NonNullable<PyodideConfig["createPyodideModule"]> }>("python/pyodide.asm.mjs");
  const wasm = assets.compiled(PYODIDE);
  const description = assets.text("python/python.json").then((text) => JSON.parse(text) as Description);
  const memory = assets.inflated("python/python.memory.gz", description);
  const libraries = Promise.all(
    LIBRARIES.map(async (file) => [file, await assets.compiled(pathOf(file))] as const),
  ).then((compiled) => new Map(compiled));
  const pyodide = loadPyodide({
    indexURL: EMPTY_WASM,
    stdLibURL: EMPTY_ZIP, // imported modules are in the memory, and thawed.ts fetches the others later
    lockFileContents: description.then(({ lock }) => JSON.stringify(lock)),
    _loadSnapshot: new Uint8Array(1), // Pyodide only needs to know that there is a snapshot
    createPyodideModule: async (settings) => {
      const { instantiateWasm } = settings as unknown as { instantiateWasm: Instantiate };
      const places = new WeakMap<object, number>(); // Pyodide's script looks these up: see demo/optimise/drop/trim_script.mjs
      let own: WebAssembly.Exports = {};
      const instantiate: Instantiate = (imports, done) =>
        instantiateWasm(imports, async () => {
          const compiled = await wasm;
          const { exports } = await WebAssembly.instantiate(compiled, imports); // `instantiateWasm` has added Pyodide's own imports
          deferred.register(PYODIDE, exports);
          own = exports;
          const asked = Object.entries((await description).asked);
          for (const [name, place] of asked) if (typeof own[name] === "function") places.set(own[name], place);
          done({ exports: Object.fromEntries(asked.map(([name]) => [name, own[name]!])) }, compiled);
        });
      const { default: create } = await script;
      const module = await create({ ...settings, places, instantiateWasm: instantiate } as typeof settings);
      thaw(module as unknown as PyodideModule, own, await description, await libraries, await memory, deferred);
      Object.assign(places, { all: false }); // later libraries may ask for other exports
      return module;
    },
  });
  await Promise.all([pyodide, script, wasm, description, memory, libraries]); // rejects with the first failure, because Pyodide would wait for ever
  return pyodide;
}

/** Links the libraries, and sets the hook through which Pyodide restores its memory. */
function thaw(
  module: PyodideModule,
  own: WebAssembly.Exports,
  description: Description,
  libraries: Map<string, WebAssembly.Module>,
  pages: Chunk[],
  deferred: Registry,
): void {
  const pyodide = module.LDSO.loadedLibsByName.__main__!.exports;
  Object.setPrototypeOf(pyodide, own); // libraries look for symbols there, now and later
  (pyodide.emscripten_resize_heap as (bytes: number) => void)(description.bytes);
  if (module.wasmTable.length > description.free) {
    throw new EngineError("Pyodide needs more room in this browser than the build has left (SPARE_SLOTS in demo/optimise/snapshot/python.mjs): please report it.");
  }
  module.wasmTable.grow(description.table - module.wasmTable.length);
  const linked: WebAssembly.Exports[] = description.libraries.map((library) => link(module, description, library, libraries.get(library.file)!, deferred));
  for (const { index, library, name } of description.functions) {
    module.wasmTable.set(index, (linked[library] ?? own)[name]);
    module.wasmTableMirror[index] = module.wasmTable.get(index);
  }

  module.API.restoreSnapshot = () => {
    // Only this number depends on the browser: the address of the function that calls C functions through inexact signatures.
    const trampoline = (module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4]!) / 4;
    const ours = module.HEAP32[trampoline]!;
    const { page, runs, javascript } = description;
    // Pages that are not in the file must be zero. Pyodide has written to these ranges while it started.
    module.HEAPU8.fill(0, module._emscripten_stack_get_base(), module._sbrk(0));
    for (const { memoryBase, memorySize } of description.libraries) module.HEAPU8.fill(0, memoryBase, memoryBase + memorySize);
    const next = inTurn(pages);
    for (const [from, to] of runs) next((to - from) * page, (part, at) => module.HEAPU8.set(part, from * page + at));
    module.HEAP32[trampoline] = ours;
    return javascript;
  };
}

/** Links a library like Emscripten's own loader, but at a given address and without starting it, because its memory is stored as it was after its start. */
function link(
  module: PyodideModule,
  { symbols }: Description,
  library: Description["libraries"][number],
  compiled: WebAssembly.Module,
  deferred: Registry,
): Exports {
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
      return (own[symbol] ??= (...values: unknown[]) => (exports[symbol] as Function)(...values)); // the library's own function, which exists only after this
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
  deferred.register(pathOf(library.file), instance.exports);
  for (const [symbol, value] of Object.entries(instance.exports)) {
    if (symbol.includes("/")) continue; // this export serves only the deferred functions
    exports[symbol] = typeof value === "function" ? value : new WebAssembly.Global({ value: "i32" }, Number((value as WebAssembly.Global).value) + memoryBase);
  }
  module.newDSO(name, handle, exports).global = global;
  return exports;
}
