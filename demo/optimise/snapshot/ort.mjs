// node ort.mjs RUNTIME.wasm SCRIPT.mjs OUT MODEL.onnx...: ONNX Runtime's memory after it has made a session of each network, on one thread.
// Writes into OUT: ort.memory; ort.loaded and ort.started, the memory before ONNX Runtime's start and after it; ort.json, {sessions: [address of each]}.
// pack_ort.py turns them into the page's files.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { wipeFree } from "./wipe_free.mjs";

const [runtime, script, out, ...models] = process.argv.slice(2);
const DIST = new URL("../../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const API = "ort.wasm.min.mjs";
const SCRIPT = "ort-wasm-simd-threaded.mjs";

const { instantiate } = WebAssembly;
let loaded; // the memory once the file is in it, before any of its functions has run
WebAssembly.instantiate = async (file, imports) => {
  const made = await instantiate(file, imports);
  const memory = Object.values(imports).flatMap(Object.values).find((one) => one instanceof WebAssembly.Memory);
  if (!memory) throw new Error("ONNX Runtime's file imports no memory any more: a new version of it needs another snapshot/ort.mjs");
  loaded = new Uint8Array(memory.buffer).slice();
  return made;
};
let module, started;
const sessions = [];
globalThis.showOnnxRuntime = (made) => {
  module = made;
  started = made.HEAPU8.slice();
  const create = made._OrtCreateSession;
  made._OrtCreateSession = (...values) => sessions[sessions.push(create(...values)) - 1];
};
const folder = await mkdtemp(join(tmpdir(), "ort-"));
try {
  await copyFile(new URL(API, DIST), join(folder, API));
  await copyFile(script, join(folder, SCRIPT));
  const ort = await import(pathToFileURL(join(folder, API)).href);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await readFile(runtime)).buffer;
  for (const model of models) await ort.InferenceSession.create(await readFile(model), { executionProviders: ["wasm"] });
} finally {
  await rm(folder, { recursive: true });
}
if (sessions.length !== models.length) throw new Error(`ONNX Runtime made ${sessions.length} sessions of ${models.length} networks: look for _OrtCreateSession in its script`);
wipeFree(module); // the models as they were read are still there
await writeFile(join(out, "ort.memory"), module.HEAPU8);
await writeFile(join(out, "ort.loaded"), loaded);
await writeFile(join(out, "ort.started"), started);
await writeFile(join(out, "ort.json"), JSON.stringify({ sessions }));
process.exit();
