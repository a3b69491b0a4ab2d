// node snapshot_ort.mjs RUNTIME.wasm SCRIPT.mjs OUT MODEL.onnx...: ONNX Runtime's memory once it has made a session of each network, on one thread.
// Into OUT go the memory as it is then (ort.memory), as it was before (ort.pristine), and the sessions' addresses (ort.handles.json);
// assemble.runtime makes of them what the page takes up.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, script, out, ...models] = process.argv.slice(2);
const DIST = new URL("../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const API = "ort.wasm.min.mjs";
const SCRIPT = "ort-wasm-simd-threaded.mjs";

let module, pristine;
const handles = [];
globalThis.showOnnxRuntime = (made) => {
  module = made;
  pristine = made.HEAPU8.slice();
  const create = made._OrtCreateSession;
  made._OrtCreateSession = (...values) => handles[handles.push(create(...values)) - 1];
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
const bytes = module.HEAPU8.length;
wipeFreeMemory();
await writeFile(join(out, "ort.memory"), module.HEAPU8.slice(0, bytes));
await writeFile(join(out, "ort.pristine"), pristine);
await writeFile(join(out, "ort.handles.json"), JSON.stringify(handles));
process.exit();

/** The models as they were read are freed by now, and still there: take all that is free, write zeros, give it back. */
function wipeFreeMemory() {
  const taken = [];
  for (let size = 1 << 24; size >= 24; size = size > 1024 ? size >> 1 : size - 8) {
    for (;;) {
      const block = module._malloc(size);
      if (block + size > bytes) {
        module._free(block); // grown for it: there is no such block left
        break;
      }
      module.HEAPU8.fill(0, block, block + size);
      taken.push(block);
    }
  }
  taken.forEach((block) => module._free(block));
}
