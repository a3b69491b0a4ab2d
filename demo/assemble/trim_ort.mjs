// node trim_ort.mjs ORT.wasm SCRIPT.mjs ort.memory ort.handles.json OUT: ONNX Runtime's wasm with only those functions in it that running the page's networks
// takes; making their sessions, which is most of what ONNX Runtime does, is behind it in the memory (snapshot_ort.mjs). Of one function it is half a
// million bytes of which they take a hundredth: that is cut to these (outline.mjs).
// A copy that notes its calls takes up that memory, as the page does, and runs the networks over photos of many sizes; what it has not called then
// becomes `unreachable`. Should the page ever get there after all, it catches that and takes the whole file (demo/web/src/engine/worker.ts). On one
// thread only: one of several that stopped would tell nobody.
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { counting, outlined } from "./outline.mjs";
import { marking, unreachable, withBodies } from "./wasm_functions.mjs";

const DIST = new URL("../web/node_modules/onnxruntime-web/dist/", import.meta.url);
const NAME = "ort-wasm-simd-threaded";
const API = "ort.wasm.min.mjs";
const MARKS = 0x30000000; // an address that no run gets near: a byte for each function
const COUNTERS = MARKS + (1 << 16);
const PAGE = 65536;
const SMALL = 128; // bytes: functions up to this are kept uncalled, too, for they cost little and are what an unforeseen photo may call
const SHAPES = { size: [], boxes: [4], transforms: [2, 3] }; // of one row

if (process.argv[2] === "--run") {
  await run(...process.argv.slice(3));
  process.exit();
}

const [runtime, script, memory, handles, out] = process.argv.slice(2);
const whole = await readFile(runtime);
const { file: counted, end } = counting(whole, COUNTERS);
const folder = await mkdtemp(join(tmpdir(), "ort-"));
let called, counts;
try {
  await writeFile(join(folder, `${NAME}.wasm`), withBodies(counted, (body, number) => marking(body, MARKS + number)));
  const text = await readFile(script, "utf8");
  const larger = text.replace("new WebAssembly.Memory({initial:256,", `globalThis.noted=new WebAssembly.Memory({initial:${Math.ceil(end / PAGE)},`);
  if (larger === text) throw new Error("ONNX Runtime makes its memory in another way than this script knows");
  await writeFile(join(folder, `${NAME}.mjs`), larger);
  await copyFile(new URL(API, DIST), join(folder, API)); // finds the others beside itself
  const done = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--run", folder, memory, handles, end], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.status) throw new Error(done.stderr);
  const told = JSON.parse(done.stdout.trim().split("\n").at(-1));
  [called, counts] = [new Set(told.called), Uint32Array.from(told.counts)];
} finally {
  await rm(folder, { recursive: true });
}
const { file, added } = outlined(whole, counts);
const trimmed = withBodies(file, (body, number) => (called.has(number) || added(number) || body.length <= SMALL ? body : unreachable()));
await writeFile(join(out, `${NAME}-trimmed.wasm`), trimmed);

/** All that the page does with the networks; printed is which functions that took, and how often the large ones came where. */
async function run(folder, memory, handles, end) {
  const made = await readFile(memory);
  const sessions = JSON.parse(await readFile(handles, "utf8"));
  const left = [...sessions];
  globalThis.showOnnxRuntime = (module) => {
    module.HEAPU8.set(made);
    module._OrtInit = () => 0;
    module._OrtCreateSession = () => left.shift();
  };
  const ort = await import(pathToFileURL(join(folder, API)).href);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await readFile(join(folder, `${NAME}.wasm`))).buffer;
  for (const _ of sessions) {
    const session = await ort.InferenceSession.create(new Uint8Array(1), { executionProviders: ["wasm"] });
    for (const [height, width] of [[1, 1], [40, 30], [333, 250], [512, 640], [2048, 1365]]) {
      const image = new ort.Tensor("uint8", Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) >> 3), [height, width, 3]);
      for (const [name, values] of [...inputsFor(session.inputNames, height, width)]) {
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
  const marks = new Uint8Array(globalThis.noted.buffer, MARKS, 1 << 16);
  const counts = new Uint32Array(globalThis.noted.buffer, COUNTERS, (end - COUNTERS) / 4);
  console.log(JSON.stringify({ called: Array.from(marks.keys()).filter((number) => marks[number]), counts: [...counts] }));
}

/** Second inputs of a network: sizes of levels, boxes or transforms, none and many, large and small, over the edge. */
function* inputsFor(names, height, width) {
  const name = names.find((name) => name !== "image");
  if (name === "size") {
    for (const scale of [0.6, 0.3, 0.107, 0.03]) yield [name, [height * scale, width * scale].map((side) => Math.max(1, Math.trunc(side)))];
    return;
  }
  for (const count of [0, 1, 2, 9, name === "boxes" ? 300 : 40]) {
    const rows = Array.from({ length: count }, (_, i) => {
      const [x, y, side] = [((i * 37) % 100) / 100 * width - 10, ((i * 61) % 100) / 100 * height - 10, 20 + ((i * 97) % 100) / 100 * height];
      const [turn, scale] = [i / 5, side / 150];
      return name === "boxes" ? [x, y, x + side, y + side] : [scale * Math.cos(turn), -scale * Math.sin(turn), x, scale * Math.sin(turn), scale * Math.cos(turn), y];
    });
    yield [name, rows.flat()];
  }
}
