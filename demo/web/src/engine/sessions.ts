/**
 * ONNX Runtime taken up where the build left it (demo/assemble/runtime.py): its memory, with a session of each network in it. ONNX Runtime's own
 * script does not know: it asks for sessions, and is given those.
 */

import type { Assets } from "./assets";
import { inTurn, type Piece } from "./pieces";

/** What the build tells of the memory: ort.json. */
interface Told {
  bytes: number;
  /** Of this version; the file ends in it. */
  mark: string;
  /** Of what size the pages are; which of them, [first, end), are in the file, and which are all ones, as nobody ever reads them. */
  page: number;
  runs: [number, number][];
  idle: [number, number][];
  /** Addresses of the sessions, in the order in which they were made. */
  sessions: number[];
  /** Weights: the file has a step for each row, float32, and how many steps each weight is, int8; memory holds their products, float32. */
  tables: { address: number; rows: number; columns: number }[];
}

/** Of Emscripten's module what is needed here. */
interface Inner {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _OrtInit(...settings: number[]): number;
  _OrtCreateSession(...model: number[]): number;
}

declare global {
  /** Called with ONNX Runtime's module before ONNX Runtime itself sees it: see assemble.runtime.show_module. */
  var showOnnxRuntime: ((module: Inner) => Promise<void>) | undefined;
}

/** From the next start of ONNX Runtime on. Rejects where the memory does not come, which ONNX Runtime would tell in words of its own. */
export function takeUp(assets: Assets): Promise<unknown> {
  const told = assets.text("ort/ort.json").then((text) => JSON.parse(text) as Told);
  const memory = assets.inflated("ort/ort.memory.gz", told);
  globalThis.showOnnxRuntime = async (module) => layOut(module, await told, await memory);
  return Promise.all([told, memory]);
}

function layOut(module: Inner, { bytes, page, runs, idle, sessions, tables }: Told, file: Piece[]): void {
  if (module.HEAPU8.length < bytes) module._malloc(bytes); // only grows the memory: what it notes is written over
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
  const left = [...sessions];
  const create = module._OrtCreateSession;
  module._OrtInit = () => 0; // has been
  module._OrtCreateSession = (...model) => left.shift() ?? create(...model);
}
