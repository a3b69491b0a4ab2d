/**
 * Loads ONNX Runtime's memory as the build stored it (demo/optimise/snapshot/pack_ort.py), with a session of each network in it. ONNX Runtime's script
 * asks for sessions as usual, and gets these.
 */

import type { env } from "onnxruntime-web/wasm";

import { GRAPHS, type GraphName } from "../../contract";
import type { Assets } from "../assets";
import { inTurn, type Chunk } from "./chunks";

/** What the build says about the memory: ort.json. */
interface Told {
  bytes: number;
  /** This version's mark, with which the file ends. */
  mark: string;
  /** The size of a page; the ranges of pages [first, end) that the file holds; the ranges that are all ones because nothing reads them. */
  page: number;
  runs: [number, number][];
  idle: [number, number][];
  /** Addresses of the sessions. */
  sessions: Record<GraphName, number>;
  /** Weights: the file has a step for each row, float32, and a whole number for each weight, int8. Memory holds their products, float32. */
  tables: { address: number; rows: number; columns: number }[];
}

/** The parts of Emscripten's module that are used here. */
interface Inner {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _OrtInit(...settings: number[]): number;
  _OrtCreateSession(...model: number[]): number;
}

declare global {
  /** Called with ONNX Runtime's module before ONNX Runtime itself sees it: see optimise.snapshot.pack_ort.show_module. */
  var showOnnxRuntime: ((module: Inner) => Promise<void>) | undefined;
  /** Called in place of ONNX Runtime's own request for its WebAssembly: as above. */
  var instantiateOnnxRuntime: ((imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance, compiled: WebAssembly.Module) => void) => void) | undefined;
}

/** Hands ONNX Runtime its WebAssembly, which it would otherwise request itself. ONNX Runtime must not start before this resolves. */
export async function handOver(assets: Assets, path: string, settings: typeof env.wasm): Promise<void> {
  if (PLAIN) {
    settings.wasmBinary = await assets.bytes(path);
    return;
  }
  const compiled = assets.compiled(path);
  globalThis.instantiateOnnxRuntime = async (imports, done) => done(await WebAssembly.instantiate(await compiled, imports), await compiled);
  await compiled;
}

/** Applies to the next start of ONNX Runtime. Rejects if the memory does not arrive, which ONNX Runtime would report less clearly. */
export function thawOrt(assets: Assets): Promise<unknown> {
  const told = assets.text("ort/ort.json").then((text) => JSON.parse(text) as Told);
  const memory = assets.inflated("ort/ort.memory.gz", told);
  globalThis.showOnnxRuntime = async (module) => layOut(module, await told, await memory);
  return Promise.all([told, memory]);
}

function layOut(module: Inner, { bytes, page, runs, idle, sessions, tables }: Told, file: Chunk[]): void {
  if (module.HEAPU8.length < bytes) module._malloc(bytes); // only grows the memory; what it writes is overwritten below
  const next = inTurn(file);
  const lay = (length: number, address: number) => next(length, (part, at) => module.HEAPU8.set(part, address + at));
  for (const [from, to] of runs) lay((to - from) * page, from * page);
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
  const left = GRAPHS.map((name) => sessions[name]); // the order in which they are asked for
  const create = module._OrtCreateSession;
  module._OrtInit = () => 0; // already initialised
  module._OrtCreateSession = (...model) => left.shift() ?? create(...model);
}
