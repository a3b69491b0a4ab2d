// node trim_ort.mjs ORT.wasm OUT MODEL.onnx...: ONNX Runtime's wasm with only those functions in it that the page's networks call: two fifths of it.
// A copy that notes its calls runs the networks over photos of many sizes, on one thread and on several; what it has not called then becomes
// `unreachable`. Should the page ever get there after all, it catches that and takes the whole file (demo/web/src/engine/worker.ts).
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { marking, unreachable, withBodies } from "./wasm_functions.mjs";

const DIST = new URL("../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const NAME = "ort-wasm-simd-threaded";
const API = "ort.wasm.min.mjs";
const MARKS = 0x30000000; // an address that no run gets near: a byte for each function
const PAGES = MARKS / 65536 + 4;
const SHAPES = { size: [], boxes: [4], transforms: [2, 3] }; // of one row

if (process.argv[2] === "--run") {
  await run(process.argv[3], Number(process.argv[4]), process.argv.slice(5));
  process.exit(); // its threads would stay
}

const [runtime, out, ...models] = process.argv.slice(2);
const whole = await readFile(runtime);
const folder = await mkdtemp(join(tmpdir(), "ort-"));
const called = new Set();
try {
  await writeFile(join(folder, `${NAME}.wasm`), withBodies(whole, (body, number) => marking(body, MARKS + number)));
  const script = await readFile(new URL(`${NAME}.mjs`, DIST), "utf8");
  const larger = script.replace(/new WebAssembly\.Memory\(\{initial:256,/, `globalThis.noted=new WebAssembly.Memory({initial:${PAGES},`);
  if (larger === script) throw new Error("ONNX Runtime makes its memory in another way than this script knows");
  await writeFile(join(folder, `${NAME}.mjs`), larger);
  await copyFile(new URL(API, DIST), join(folder, API)); // finds the others beside itself
  for (const threads of [1, 2]) {
    const done = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--run", folder, threads, ...models], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (done.status) throw new Error(done.stderr);
    for (const number of JSON.parse(done.stdout.trim().split("\n").at(-1))) called.add(number);
  }
} finally {
  await rm(folder, { recursive: true });
}
await writeFile(join(out, `${NAME}-trimmed.wasm`), withBodies(whole, (body, number) => (called.has(number) ? body : unreachable())));

/** All that the page does with the networks; printed is which functions that took. */
async function run(folder, threads, models) {
  // For threads it fetches its script and makes an address for what came; under Node the script's own will do.
  globalThis.fetch = async (address) => ({ blob: async () => address });
  URL.createObjectURL = (address) => address;
  const ort = await import(pathToFileURL(join(folder, API)).href);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmBinary = (await readFile(join(folder, `${NAME}.wasm`))).buffer;
  await ort.InferenceSession.create(Uint8Array.of(1, 2, 3)).catch(() => {}); // a file that is none is said so, by an exception
  for (const file of models) {
    const bytes = await readFile(file);
    await (await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] })).release();
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    for (const [height, width] of [[40, 30], [333, 250], [512, 640], [2048, 1365]]) {
      const image = new ort.Tensor("uint8", Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) >> 3), [height, width, 3]);
      for (const [name, values] of [...inputsFor(session.inputNames, height, width)]) {
        const dims = [values.length / SHAPES[name].reduce((a, b) => a * b, 1), ...SHAPES[name]];
        const second = name === "size" ? new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [2]) : new ort.Tensor("float32", Float32Array.from(values), dims);
        const outputs = await session.run({ image, [name]: second }).catch((error) => (values.length ? Promise.reject(error) : {}));
        Object.values(outputs).forEach((tensor) => tensor.dispose());
      }
      await session.run({ image }).catch(() => {}); // an input is missing
    }
    await session.release();
  }
  const marks = new Uint8Array(globalThis.noted.buffer, MARKS, 1 << 16);
  console.log(JSON.stringify(Array.from(marks.keys()).filter((number) => marks[number])));
}

/** Second inputs of a network: sizes of levels, boxes or transforms, none and many, large and small, over the edge. */
function* inputsFor(names, height, width) {
  const name = names.find((name) => name !== "image");
  if (name === "size") {
    for (const scale of [0.6, 0.3, 0.107, 0.03]) yield [name, [height * scale, width * scale].map((side) => Math.max(1, Math.trunc(side)))];
    return;
  }
  for (const count of [0, 1, 2, 9, name === "boxes" ? 300 : 3]) {
    const rows = Array.from({ length: count }, (_, i) => {
      const [x, y, side] = [((i * 37) % 100) / 100 * width - 10, ((i * 61) % 100) / 100 * height - 10, 20 + ((i * 97) % 100) / 100 * height];
      const [turn, scale] = [i / 5, side / 150];
      return name === "boxes" ? [x, y, x + side, y + side] : [scale * Math.cos(turn), -scale * Math.sin(turn), x, scale * Math.sin(turn), scale * Math.cos(turn), y];
    });
    yield [name, rows.flat()];
  }
}
