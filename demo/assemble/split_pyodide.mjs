// node split_pyodide.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json snapshot.ts OUT PHOTO.ppm...: Pyodide's wasm, and that of
// the libraries linked to it (beside python.json), each in two (wasm_split.mjs). In OUT, NAME.wasm has the functions that the demo calls from its start to
// its verdicts; NAME_rest.wasm, the others, is fetched when the page has nothing else to do.
// A copy that notes its calls takes up Python's memory by the page's own script (snapshot.ts) and answers what the page asks. What
// this misses costs a wait, no more: the page stops and fetches the rest when it comes to a function that is not there (rest.ts).
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { rolldown } from "../web/node_modules/rolldown/dist/index.mjs";
import * as ort from "../web/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";
import { noting, split } from "./wasm_split.mjs";

const [whole, told, models, snapshot, out, ...photos] = process.argv.slice(2);
const MODULES = new URL("../web/node_modules/", import.meta.url);
const SMALL = 64; // bytes: functions up to this stay in any case, for a call of the rest is not much shorter
const GRAPHS = ["pnet", "rnet", "onet", "embedder"];

const { called, libraries } = JSON.parse(await readFile(told, "utf8"));
const sources = Object.fromEntries([whole, ...libraries.map(({ file }) => join(dirname(told), file))].map((path) => [basename(path), path]));
const manifest = await readFile(models, "utf8");
const fileOf = ({ compact, file }) => readFile(join(dirname(models), (compact ?? { file }).file));
const noted = {}; // of the files by name: the table of functions that were called
const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
try {
  for (const [name, path] of Object.entries(sources)) await writeFile(join(folder, name), noting(await readFile(path)));
  const pyodide = await thawed();
  const ask = await engine();
  for (let round = 0; round < 3; round++) await visit(pyodide, ask); // Python runs code otherwise once it has seen it a few times
} finally {
  await rm(folder, { recursive: true });
}
const names = new Set(called);
for (const [name, path] of Object.entries(sources)) {
  const isHot = (body, number) => noted[name].get(number) !== null || body.length <= SMALL;
  const { first, rest } = split(await readFile(path), isHot, path === whole ? (exported) => names.has(exported) : undefined);
  await writeFile(join(out, name), first);
  await writeFile(join(out, name.replace(".wasm", "_rest.wasm")), rest);
}
process.exit();

/** Python as the page has it. */
async function thawed() {
  const bundle = await rolldown({ input: snapshot, external: "pyodide" });
  await bundle.write({ file: join(folder, "snapshot.mjs"), paths: { pyodide: "./pyodide.mjs" } });
  // Node's Pyodide takes addresses for names of files. Python's library is an empty archive, as on the page.
  const files = JSON.stringify({ indexURL: folder, stdLibURL: join(folder, "empty.zip") });
  await writeFile(join(folder, "empty.zip"), Uint8Array.of(0x50, 0x4b, 5, 6, ...Array(18).fill(0)));
  const page = `import * as pyodide from "${new URL("pyodide/pyodide.mjs", MODULES)}";
    export const loadPyodide = (settings) => pyodide.loadPyodide({ ...settings, ...${files} });`;
  await writeFile(join(folder, "pyodide.mjs"), page);
  const { thawPython } = await import(pathToFileURL(join(folder, "snapshot.mjs")).href);
  const pathOf = (path) => join(path.endsWith(".wasm") ? folder : dirname(told), basename(path));
  const read = (path) => readFile(pathOf(path));
  const assets = {
    url: () => pathToFileURL(`${folder}/`),
    ahead: () => {},
    script: (path) => import(pathToFileURL(pathOf(path)).href),
    text: (path) => readFile(pathOf(path), "utf8"),
    response: async (path) => new Response(await read(path), { headers: { "Content-Type": "application/wasm" } }),
    inflated: (path) => read(path.replace(/\.gz$/, "")), // here it is not packed yet
  };
  const belongTo = (path, { called, ...exports }) => {
    noted[basename(path)] = called;
    return exports;
  };
  return thawPython(assets, { belongTo });
}

/** The networks, as Python asks for them. */
async function engine() {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const { graphs } = JSON.parse(manifest);
  const sessions = {};
  for (const name of GRAPHS) sessions[name] = await ort.InferenceSession.create(await fileOf(graphs[name]), { executionProviders: ["wasm"] });
  const tensor = ({ type, data, dims }) => new ort.Tensor(type, type === "int64" ? BigInt64Array.from(data, BigInt) : data, dims);
  const plain = (outputs) => Object.fromEntries(Object.entries(outputs).map(([name, { type, data, dims }]) => [name, { type, data, dims: [...dims] }]));
  const run = async (name, photo, feeds) =>
    plain(await sessions[name].run({ image: tensor(photo), ...Object.fromEntries(Object.entries(feeds).map(([input, value]) => [input, tensor(value)])) }));
  return {
    run,
    run_pyramid: (photo, sizes) => Promise.all(sizes.map((size) => run("pnet", photo, { size: { type: "int64", data: size, dims: [2] } }))),
    hold: (data, dims) => photoOf(data, ...dims),
    release: () => {},
  };
}

function photoOf(data, height, width) {
  return { id: 1, type: "uint8", dims: [height, width, 3], data };
}

/** What the demo may be asked, with photos of all kinds: portraits, nothing, noise, as small and as long as they come; and nonsense. */
async function visit(pyodide, ask) {
  const { session } = pyodide.pyimport("facelab.browser");
  session.begin(ask, manifest);
  const painted = (height, width, colour) => photoOf(Uint8Array.from({ length: height * width * 3 }, (_, i) => colour(i)), height, width);
  const pictures = [
    painted(480, 640, () => 0),
    ...(await Promise.all(photos.map(readPhoto))),
    ...[[1, 1], [30, 40], [900, 60], [700, 933]].map(([height, width]) => painted(height, width, (i) => (i * 7919) >> 3)),
  ];
  const face = { box: [260, 160, 380, 320], score: 1, landmarks: [[293, 216], [347, 216], [320, 249], [295, 276], [345, 276]] };
  const embeddings = [];
  for (const picture of pictures) {
    const found = JSON.parse(await session.find(picture));
    for (const one of [...found.faces, face]) embeddings.push(await session.embed(picture, JSON.stringify(one)));
    await session.analyse(picture, undefined);
    if (found.faces.length) await session.analyse(picture, JSON.stringify(found.faces[0]));
  }
  for (const a of embeddings) for (const b of embeddings) session.compare(a.embedding, b.embedding, a.poor.length > 0);
  for (const nonsense of [
    () => session.offer_file(new Uint8Array(100)),
    () => session.offer_listed("nobody", undefined),
    () => session.embed(pictures[0], "{}"),
    () => session.begin({ ...ask, run: () => Promise.reject(new Error("nothing runs")) }, manifest),
    () => session.embed(pictures[0], JSON.stringify(face)),
  ]) {
    await Promise.resolve().then(nonsense).catch(() => {}); // a sentence for the reader
  }
  pyodide.runPython("import gc; gc.collect()");
  await collectGarbage();
}

/** Of JavaScript, which lets go of what it held of Python's. */
async function collectGarbage() {
  setFlagsFromString("--expose-gc");
  for (let i = 0; i < 3; i++) {
    runInNewContext("gc")();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function readPhoto(path) {
  const bytes = await readFile(path);
  const [head, width, height] = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.subarray(0, 40).toString("latin1"));
  return photoOf(new Uint8Array(bytes.subarray(head.length)), Number(height), Number(width));
}
