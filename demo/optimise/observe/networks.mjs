// All that the page does with the networks on one thread, under Node: for scripts that watch what of ONNX Runtime that takes.
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const NAME = "ort-wasm-simd-threaded";
const API = "ort.wasm.min.mjs";
const DIST = new URL("../../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const SHAPES = { size: [], boxes: [4], transforms: [2, 3] }; // of one row

/**
 * What a script finds out in a process of its own, where it is called with --run, a folder with ONNX Runtime's files, and `further`: it runs the
 * networks (`runNetworks`) and leaves told.json there. `wasm`: a file in place of ONNX Runtime's, that takes notes in its memory up to `end`;
 * `flags`: for Node.
 */
export async function foundOutBy(url, { wasm, script, end, further, flags = [] }) {
  const folder = await mkdtemp(join(tmpdir(), "ort-"));
  try {
    await writeFile(join(folder, `${NAME}.wasm`), wasm);
    await writeFile(join(folder, `${NAME}.mjs`), withNotes(await readFile(script, "utf8"), end));
    await copyFile(new URL(API, DIST), join(folder, API)); // finds the others beside itself
    const done = spawnSync(process.execPath, [...flags, fileURLToPath(url), "--run", folder, ...further], { encoding: "utf8" });
    if (done.status) throw new Error(done.stderr);
    return JSON.parse(await readFile(join(folder, "told.json"), "utf8"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** ONNX Runtime's script with a memory of its own that is long enough for notes: `globalThis.noted` is it then. */
function withNotes(script, bytes) {
  const larger = script.replace("new WebAssembly.Memory({initial:256,", `globalThis.noted=new WebAssembly.Memory({initial:${Math.ceil(bytes / 65536)},`);
  if (larger === script) throw new Error("ONNX Runtime makes its memory in another way than this script knows");
  return larger;
}

/**
 * `folder`: with ONNX Runtime's files; it takes up the memory with the sessions that snapshot/ort.mjs has left. `sizes`: of photos, [height, width].
 * `most`: boxes at once. `seen`: is given the module once the memory is in place.
 */
export async function runNetworks(folder, memory, handles, { sizes, most, seen = () => {} }) {
  const made = await readFile(memory);
  const { sessions } = JSON.parse(await readFile(handles, "utf8"));
  const left = [...sessions];
  globalThis.showOnnxRuntime = (module) => {
    module.HEAPU8.set(made);
    module._OrtInit = () => 0;
    module._OrtCreateSession = () => left.shift();
    seen(module);
  };
  const ort = await import(pathToFileURL(join(folder, API)).href);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await readFile(join(folder, `${NAME}.wasm`))).buffer;
  for (const _ of sessions) {
    const session = await ort.InferenceSession.create(new Uint8Array(1), { executionProviders: ["wasm"] });
    for (const [height, width] of sizes) {
      const image = new ort.Tensor("uint8", Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) >> 3), [height, width, 3]);
      for (const [name, values] of [...inputsFor(session.inputNames, height, width, most)]) {
        const dims = [values.length / SHAPES[name].reduce((a, b) => a * b, 1), ...SHAPES[name]];
        const numbers = { size: ["int64", () => BigInt64Array.from(values, BigInt)] }[name] ?? ["float32", () => Float32Array.from(values)];
        // Of no boxes, or no pixels, some networks make nothing: an error like those of wrong inputs below, which take exceptions.
        const outputs = await session.run({ image, [name]: new ort.Tensor(numbers[0], numbers[1](), dims) }).catch(() => ({}));
        Object.values(outputs).forEach((tensor) => tensor.dispose());
      }
      const second = session.inputNames.find((name) => name !== "image");
      for (const wrong of [new ort.Tensor("uint8", [1], [1]), new ort.Tensor("float32", [1], [1, 1, 1])]) {
        await session.run({ image, [second]: wrong }).catch(() => {});
      }
    }
  }
}

/** Second inputs of a network: sizes of levels, boxes or transforms, none and many, large and small, over the edge. */
function* inputsFor(names, height, width, most) {
  const name = names.find((name) => name !== "image");
  if (name === "size") {
    for (const scale of [0.6, 0.3, 0.107, 0.03]) yield [name, [height * scale, width * scale].map((side) => Math.max(1, Math.trunc(side)))];
    return;
  }
  for (const count of [0, 1, 2, 9, name === "boxes" ? most : Math.ceil(most / 8)]) {
    const rows = Array.from({ length: count }, (_, i) => {
      const [x, y, side] = [((i * 37) % 100) / 100 * width - 10, ((i * 61) % 100) / 100 * height - 10, 20 + ((i * 97) % 100) / 100 * height];
      const [turn, scale] = [i / 5, side / 150];
      return name === "boxes" ? [x, y, x + side, y + side] : [scale * Math.cos(turn), -scale * Math.sin(turn), x, scale * Math.sin(turn), scale * Math.cos(turn), y];
    });
    yield [name, rows.flat()];
  }
}
