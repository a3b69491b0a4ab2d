// node snapshot/ort.mjs RUNTIME.wasm SCRIPT.mjs OUT MODEL.onnx...: ONNX Runtime's memory once it has made a session of each network, on one thread.
// Into OUT go the memory as it is then (ort.memory), as it was before (ort.pristine), and ort.handles.json: the addresses of the sessions.
// optimise.snapshot.pack_ort makes of them what the page takes up.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { wipeFree } from "./wipe_free.mjs";

const [runtime, script, out, ...models] = process.argv.slice(2);
const DIST = new URL("../../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const API = "ort.wasm.min.mjs";
const SCRIPT = "ort-wasm-simd-threaded.mjs";

let module, pristine;
const sessions = [];
globalThis.showOnnxRuntime = (made) => {
  module = made;
  pristine = made.HEAPU8.slice();
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
wipeFree(module); // the models as they were read are there still
await writeFile(join(out, "ort.memory"), module.HEAPU8);
await writeFile(join(out, "ort.pristine"), pristine);
await writeFile(join(out, "ort.handles.json"), JSON.stringify({ sessions }));
process.exit();
