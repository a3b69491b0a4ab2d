// Runs the page's four networks under Node, with inputs of all kinds, on one thread. Passes that ask which code or memory of ONNX Runtime this uses give it a
// WebAssembly file that takes notes in its own memory.
// Each run has a process of its own, because ONNX Runtime's script makes only one instance in a process.
// Assumes that snapshot/ort.mjs has made the sessions, and that inputs of these kinds run all code that a reader's photo runs. What they miss is taken for
// cold.
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const NAME = "ort-wasm-simd-threaded";
const API = "ort.wasm.min.mjs";
const DIST = new URL("../../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const SHAPES = { size: [], boxes: [4], transforms: [2, 3] }; // of one row of the input with that name

/**
 * Runs the script at `url` in a process of its own, with the arguments --run, a folder with ONNX Runtime's files, and `more`; returns the content of
 * result.json, which the script leaves in the folder. `wasm`: a file in place of ONNX Runtime's, which takes notes in its memory below address `end`; `script`:
 * the path of ONNX Runtime's script; `flags`: for Node.
 */
export async function observed(url, { wasm, script, end, more, flags = [] }) {
  const folder = await mkdtemp(join(tmpdir(), "ort-"));
  try {
    await writeFile(join(folder, `${NAME}.wasm`), wasm);
    await writeFile(join(folder, `${NAME}.mjs`), withLargeMemory(await readFile(script, "utf8"), end));
    await copyFile(new URL(API, DIST), join(folder, API)); // imports the script from its own folder
    const done = spawnSync(process.execPath, [...flags, fileURLToPath(url), "--run", folder, ...more], { encoding: "utf8" });
    if (done.status) throw new Error(done.stderr);
    return JSON.parse(await readFile(join(folder, "result.json"), "utf8"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** ONNX Runtime's script, which now makes a memory of this many bytes and keeps it in `globalThis.observedMemory`. */
function withLargeMemory(script, bytes) {
  const made = "new WebAssembly.Memory({initial:256,";
  if (!script.includes(made)) throw new Error(`ONNX Runtime's script has changed: demo/optimise/observe/networks.mjs looks for ${made}`);
  return script.replace(made, `globalThis.observedMemory=new WebAssembly.Memory({initial:${Math.ceil(bytes / 65536)},`);
}

/**
 * Runs each network on photos of all `sizes`, [height, width]. `folder`: has ONNX Runtime's files; `memory`, `handles`: the ort.memory and ort.json of
 * snapshot/ort.mjs, which have the sessions; `most`: how many boxes a network is given at most; `onMemory(module)` is called once the memory is in place.
 */
export async function runNetworks(folder, memory, handles, { sizes, most, onMemory = () => {} }) {
  const content = await readFile(memory);
  const { sessions } = JSON.parse(await readFile(handles, "utf8"));
  const left = [...sessions];
  globalThis.showOnnxRuntime = (module) => {
    module.HEAPU8.set(content);
    module._OrtInit = () => 0;
    module._OrtCreateSession = () => left.shift();
    onMemory(module);
  };
  const ort = await import(pathToFileURL(join(folder, API)).href);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await readFile(join(folder, `${NAME}.wasm`))).buffer;
  for (const _ of sessions) {
    const session = await ort.InferenceSession.create(new Uint8Array(1), { executionProviders: ["wasm"] });
    const input = session.inputNames.find((name) => name !== "image");
    for (const [height, width] of sizes) {
      const image = new ort.Tensor("uint8", Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) >> 3), [height, width, 3]);
      for (const values of inputsFor(input, height, width, most)) {
        const dims = [values.length / SHAPES[input].reduce((a, b) => a * b, 1), ...SHAPES[input]];
        const [type, data] = input === "size" ? ["int64", BigInt64Array.from(values, BigInt)] : ["float32", Float32Array.from(values)];
        const tensor = new ort.Tensor(type, data, dims);
        // Some networks refuse inputs without boxes or pixels. Like the wrong inputs below, these run ONNX Runtime's code for exceptions.
        const outputs = await session.run({ image, [input]: tensor }).catch(() => ({}));
        Object.values(outputs).forEach((output) => output.dispose());
      }
      for (const wrong of [new ort.Tensor("uint8", [1], [1]), new ort.Tensor("float32", [1], [1, 1, 1])]) {
        await session.run({ image, [input]: wrong }).catch(() => {});
      }
    }
  }
}

/** Values of a network's second input: sizes of pyramid levels; or boxes or transforms, none and many, small and large, also beyond the photo's edge. */
function inputsFor(name, height, width, most) {
  if (name === "size") return [0.6, 0.3, 0.107, 0.03].map((scale) => [height * scale, width * scale].map((side) => Math.max(1, Math.trunc(side))));
  return [0, 1, 2, 9, name === "boxes" ? most : Math.ceil(most / 8)].map((count) =>
    Array.from({ length: count }, (_, i) => {
      const [x, y, side] = [((i * 37) % 100) / 100 * width - 10, ((i * 61) % 100) / 100 * height - 10, 20 + ((i * 97) % 100) / 100 * height];
      const [turn, scale] = [i / 5, side / 150];
      return name === "boxes" ? [x, y, x + side, y + side] : [scale * Math.cos(turn), -scale * Math.sin(turn), x, scale * Math.sin(turn), scale * Math.cos(turn), y];
    }).flat(),
  );
}
