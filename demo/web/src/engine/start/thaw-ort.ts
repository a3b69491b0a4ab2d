/**
 * Loads ONNX Runtime's memory as the build stored it (demo/optimise/snapshot/pack_ort.py), with a session of each network in it. ONNX Runtime's script
 * asks for sessions as usual, and gets these.
 */

import type { env } from "onnxruntime-web/wasm";

import { GRAPHS, type GraphName } from "../../contract";
import type { Assets } from "../assets";
import { inTurn, type Chunk } from "./chunks";

/** ort.json, in which the build describes the memory. */
interface Description {
  bytes: number;
  /** A mark of this version. The memory's file ends in it. */
  mark: string;
  /** The size of a page in bytes; the ranges of pages [first, end) that the file holds; the ranges that are filled with ones because nothing reads them. */
  page: number;
  runs: [number, number][];
  idle: [number, number][];
  /** Addresses of the sessions. */
  sessions: Record<GraphName, number>;
  /** Weights. For each row, the file has one float32 step and an int8 level for each weight. The memory holds their float32 products. */
  tables: { address: number; rows: number; columns: number }[];
}

/** The parts of Emscripten's module that are used here. */
interface OrtModule {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _OrtInit(...settings: number[]): number;
  _OrtCreateSession(...model: number[]): number;
}

declare global {
  /** ONNX Runtime's script calls this with its module before it uses the module: see optimise.snapshot.pack_ort.show_module. */
  var showOnnxRuntime: ((module: OrtModule) => Promise<void>) | undefined;
  /** ONNX Runtime's script calls this to get its instance. As it is published, the script would request its WebAssembly. */
  var instantiateOnnxRuntime: ((imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance, compiled: WebAssembly.Module) => void) => void) | undefined;
}

/** Gives ONNX Runtime its WebAssembly, which it would otherwise request itself. ONNX Runtime must not start before this resolves. */
export async function provideRuntime(assets: Assets, path: string, settings: typeof env.wasm): Promise<void> {
  if (PLAIN) {
    settings.wasmBinary = await assets.bytes(path);
    return;
  }
  const compiled = assets.compiled(path);
  globalThis.instantiateOnnxRuntime = async (imports, done) => done(await WebAssembly.instantiate(await compiled, imports), await compiled);
  await compiled;
}

/** Gives ONNX Runtime its memory when it starts next. Rejects if the memory does not arrive, which ONNX Runtime would report less clearly. */
export function thawOrt(assets: Assets): Promise<unknown> {
  const description = assets.text("ort/ort.json").then((text) => JSON.parse(text) as Description);
  const memory = assets.inflated("ort/ort.memory.gz", description);
  globalThis.showOnnxRuntime = async (module) => restore(module, await description, await memory);
  return Promise.all([description, memory]);
}

function restore(module: OrtModule, { bytes, page, runs, idle, sessions, tables }: Description, file: Chunk[]): void {
  if (module.HEAPU8.length < bytes) module._malloc(bytes); // this call only grows the memory; what it writes is overwritten below
  const next = inTurn(file);
  const put = (length: number, address: number) => next(length, (part, at) => module.HEAPU8.set(part, address + at));
  for (const [from, to] of runs) put((to - from) * page, from * page);
  for (const [from, to] of idle) module.HEAPU8.fill(255, from * page, to * page);
  for (const { address, rows, columns } of tables) {
    const steps = new Float32Array(rows);
    next(4 * rows, (part, at) => new Uint8Array(steps.buffer).set(part, at));
    const weights = new Float32Array(module.HEAPU8.buffer, address, rows * columns);
    next(rows * columns, (part, at) => {
      const levels = new Int8Array(part.buffer, part.byteOffset, part.length);
      levels.forEach((level, i) => (weights[at + i] = level * steps[Math.trunc((at + i) / columns)]!));
    });
  }
  const left = GRAPHS.map((name) => sessions[name]); // ONNX Runtime creates its sessions in this order
  const create = module._OrtCreateSession;
  module._OrtInit = () => 0; // the stored memory is initialised
  module._OrtCreateSession = (...model) => left.shift() ?? create(...model);
}
