// Runs the page's Python under Node at a few visits of the demo, with the real networks. Passes use it to find out which code and data a visit needs.
// Python starts either as Pyodide is published (`published`), or from the snapshot, by the page's own script thaw-python.ts (`thawed`, `visited`).
// Assumes that these visits call whatever a reader's visit calls before the first verdict. They have photos of all kinds, and mistakes. What they miss is taken
// for cold.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import createPyodideModule from "../../web/node_modules/pyodide/pyodide.asm.mjs";
import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";
import { rolldown } from "../../web/node_modules/rolldown/dist/index.mjs";
import * as ort from "../../web/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";

const MODULES = new URL("../../web/node_modules/", import.meta.url);
const ROUNDS = 3; // visits; Python specialises bytecode after it has run a few times, and then uses other functions

/** The content, by name, of Pyodide's WebAssembly (`whole`) and of the linked libraries, which lie beside the snapshot's python.json. Arguments are paths. */
export async function wasmFiles(whole, snapshot) {
  const { libraries } = JSON.parse(await readFile(snapshot, "utf8"));
  const paths = [whole, ...libraries.map(({ file }) => join(dirname(snapshot), file))];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [basename(path), await readFile(path)])));
}

/**
 * Pyodide, thawed from the snapshot, after a few visits. `snapshot`, `models`, `thaw`: paths of python.json, models.json and thaw-python.ts; `photos`: paths of
 * .ppm files; `files`: WebAssembly by name (see `wasmFiles`); `onInstance(name, exports)` is called for each file.
 */
export async function visited({ snapshot, models, thaw, photos }, files, onInstance) {
  const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const pyodide = await thawed({ snapshot, thaw }, folder, onInstance);
    pyodide.pyimport("set_aside").begin(() => { throw new Error("a visit calls a Python function that is not in called.json"); });
    await visits(pyodide, models, photos);
    return pyodide;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes a few visits of the demo. Assumes that `facelab.browser.session` exists. */
export async function visits(pyodide, models, photos) {
  const manifest = await readFile(models, "utf8");
  const graphs = await graphsOf(models, manifest);
  for (let round = 0; round < ROUNDS; round++) await visit(pyodide, graphs, manifest, photos);
}

/**
 * Pyodide, started as its authors publish it. `wasm`: the content of its WebAssembly; `stdlib`, `archives`: paths of Python's library and of wheels to unpack;
 * `manifest`: the content of models.json, with which to make facelab's session; `onInstance(instance)` is called before any function runs; `replaced`: the
 * content, by name, of files that replace those of the wheels.
 */
export async function published(wasm, stdlib, archives, { manifest, onInstance = () => {}, replaced = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
  await writeFile(join(folder, "pyodide.asm.wasm"), wasm);
  const pyodide = await loadPyodide({
    indexURL: folder,
    stdLibURL: stdlib,
    lockFileContents: await readFile(new URL("pyodide/pyodide-lock.json", MODULES), "utf8"),
    env: { PYTHONHASHSEED: "0" }, // makes every build watch the same
    createPyodideModule: (settings) => {
      const { instantiateWasm } = settings;
      settings.instantiateWasm = (imports, done) => instantiateWasm(imports, (instance, compiled) => (onInstance(instance), done(instance, compiled)));
      return createPyodideModule(settings);
    },
  });
  await rm(folder, { recursive: true });
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
  for (const archive of archives) pyodide.unpackArchive(new Uint8Array(await readFile(archive)), "wheel", { extractDir });
  for (const [name, bytes] of Object.entries(replaced)) pyodide.FS.writeFile(`${extractDir}/${name}`, bytes);
  if (manifest) begin(pyodide, manifest);
  return pyodide;
}

/** Makes facelab's session, which the page finds in the snapshot. */
export function begin(pyodide, manifest) {
  pyodide.globals.set("manifest", manifest);
  pyodide.runPython(`
import gc
import facelab.browser

facelab.browser.session = facelab.browser.Session(manifest)
del manifest
gc.collect()
`);
}

/** Pyodide, thawed from the snapshot as on the page (arguments as for `visited`). `folder`: has the WebAssembly files; this writes scripts there. */
export async function thawed({ snapshot, thaw }, folder, onInstance = () => {}) {
  const bundle = await rolldown({ input: thaw, external: "pyodide" });
  await bundle.write({ file: join(folder, "thaw.mjs"), paths: { pyodide: "./pyodide.mjs" } });
  // Under Node, Pyodide reads files where it fetches addresses on the page. As on the page, these files are empty, because the snapshot replaces their content.
  const empty = join(folder, "empty");
  await mkdir(empty);
  await writeFile(join(empty, "pyodide.asm.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const files = JSON.stringify({ indexURL: empty, stdLibURL: join(empty, "python.zip") });
  await writeFile(join(empty, "python.zip"), Uint8Array.of(0x50, 0x4b, 5, 6, ...Array(18).fill(0)));
  const page = `import * as pyodide from "${new URL("pyodide/pyodide.mjs", MODULES)}";
    export const loadPyodide = (settings) => pyodide.loadPyodide({ ...settings, ...${files} });`;
  await writeFile(join(folder, "pyodide.mjs"), page);
  const { thawPython } = await import(pathToFileURL(join(folder, "thaw.mjs")).href);
  const pathOf = (path) => join(path.endsWith(".wasm") ? folder : dirname(snapshot), basename(path));
  const read = (path) => readFile(pathOf(path));
  const assets = {
    url: () => pathToFileURL(`${folder}/`),
    script: (path) => import(pathToFileURL(pathOf(path)).href),
    text: (path) => readFile(pathOf(path), "utf8"),
    compiled: async (path) => WebAssembly.compile(await read(path)),
    inflated: async (path) => [await read(path.replace(/\.gz$/, ""))], // the build compresses it later
  };
  return thawPython(assets, { register: (path, exports) => onInstance(basename(path), exports) });
}

/** The object by which facelab's session runs the networks. */
async function graphsOf(models, manifest) {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const { graphs } = JSON.parse(manifest);
  const fileOf = ({ compact, file }) => readFile(join(dirname(models), (compact ?? { file }).file));
  const sessions = {};
  for (const [name, graph] of Object.entries(graphs)) sessions[name] = await ort.InferenceSession.create(await fileOf(graph), { executionProviders: ["wasm"] });
  const tensor = ({ type, data, dims }) => new ort.Tensor(type, type === "int64" ? BigInt64Array.from(data, BigInt) : data, dims);
  const plain = (outputs) => Object.fromEntries(Object.entries(outputs).map(([name, { type, data, dims }]) => [name, { type, data, dims: [...dims] }]));
  const run = async (name, photo, input, dims, type, data) =>
    plain(await sessions[name].run({ image: tensor(photo), [input]: tensor({ dims, type, data }) }));
  return {
    run,
    run_pyramid: (photo, sizes) => Promise.all(sizes.map((size) => run("pnet", photo, "size", [2], "int64", size))),
    hold: (data, dims) => photoOf(data, ...dims),
    release: () => {},
  };
}

function photoOf(data, height, width) {
  return { id: 1, type: "uint8", dims: [height, width, 3], data };
}

/** Asks the session whatever a reader may ask: about portraits, a crowd, black and noisy pictures, tiny and oblong ones; and with mistakes. */
async function visit(pyodide, graphs, manifest, photos) {
  const { session } = pyodide.pyimport("facelab.browser");
  session.begin(graphs, manifest);
  const painted = (height, width, colour) => photoOf(Uint8Array.from({ length: height * width * 3 }, (_, i) => colour(i)), height, width);
  const portraits = await Promise.all(photos.map(readPhoto));
  const pictures = [
    painted(480, 640, () => 0),
    ...portraits,
    crowd(portraits),
    ...[[1, 1], [30, 40], [900, 60], [700, 933]].map(([height, width]) => painted(height, width, (i) => (i * 7919) >> 3)),
  ];
  const face = { box: [260, 160, 380, 320], score: 1, landmarks: [[293, 216], [347, 216], [320, 249], [295, 276], [345, 276]] };
  const embeddings = [];
  for (const picture of pictures) {
    const found = JSON.parse((await session.find(picture)).analysis);
    for (const each of [...found.faces, face]) embeddings.push(await session.embed(picture, JSON.stringify(each)));
    await session.analyse(picture, undefined);
    if (found.faces.length) await session.analyse(picture, JSON.stringify(found.faces[0]));
  }
  for (const a of embeddings) for (const b of embeddings) session.compare(a.embedding, b.embedding, a.poor.length > 0);
  for (const mistake of [
    () => session.offer_file(new Uint8Array(100)),
    () => session.offer_listed("nobody", undefined),
    () => session.embed(pictures[0], "{}"),
    () => session.begin({ ...graphs, run: () => Promise.reject(new Error("nothing runs")) }, manifest),
    () => session.embed(pictures[0], JSON.stringify(face)),
  ]) {
    await Promise.resolve().then(mistake).catch(() => {}); // the page would show the error's sentence
  }
  pyodide.pyimport("sys").intern(String(performance.now())); // is freed at once; otherwise chance would decide whether a visit frees an interned string
  await collectGarbage(pyodide);
}

/** Collects garbage of both languages. They hold objects of each other, so one collection makes the next one free more. */
async function collectGarbage(pyodide) {
  setFlagsFromString("--expose-gc");
  for (let i = 0; i < 3; i++) {
    runInNewContext("gc")();
    await new Promise((resolve) => setTimeout(resolve, 20));
    pyodide.pyimport("gc").collect(); // not by runPython, which would make Python's compiler look hot
  }
}

/** A picture of many small copies of the portraits: it has more faces and more candidate boxes than a portrait. */
function crowd(portraits) {
  const [side, small] = [720, 120];
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const { dims: [height, width], data: from } = portraits[(Math.floor(y / small) + Math.floor(x / small)) % portraits.length];
      const [row, column] = [(height * (y % small)) / small, (width * (x % small)) / small].map(Math.floor);
      for (let i = 0; i < 3; i++) data[(y * side + x) * 3 + i] = from[(row * width + column) * 3 + i];
    }
  }
  return photoOf(data, side, side);
}

async function readPhoto(path) {
  const bytes = await readFile(path);
  const [head, width, height] = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.subarray(0, 40).toString("latin1"));
  return photoOf(new Uint8Array(bytes.subarray(head.length)), Number(height), Number(width));
}
