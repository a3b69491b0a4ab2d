// The page's Python at what the demo may be asked, under Node: it takes up a memory by the page's own script (thaw-python.ts) and asks the real networks.
// Scripts that want to know what a visit takes, watch it.
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
const ROUNDS = 3; // Python runs code otherwise once it has seen it a few times

/** Pyodide's wasm and that of the libraries linked to it, beside python.json (`told`), by their names. */
export async function wasmFiles(whole, told) {
  const { libraries } = JSON.parse(await readFile(told, "utf8"));
  const paths = [whole, ...libraries.map(({ file }) => join(dirname(told), file))];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [basename(path), await readFile(path)])));
}

/**
 * Pyodide after a few visits. `told`, `models`, `thaw`: paths of the memory's python.json, of models.json and of thaw-python.ts; `photos`: .ppm files.
 * `files`: as from `wasmFiles`; `seen`: is given the name and the exports of each.
 */
export async function visited({ told, models, thaw, photos }, files, seen = () => {}) {
  const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const pyodide = await thawed({ told, thaw }, folder, seen);
    pyodide.pyimport("set_aside").begin(() => { throw new Error("a function that no visit has called before"); });
    await visits(pyodide, models, photos);
    return pyodide;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A few visits of the demo. `facelab.browser.session` exists. */
export async function visits(pyodide, models, photos) {
  const manifest = await readFile(models, "utf8");
  const ask = await engine(models, manifest);
  for (let round = 0; round < ROUNDS; round++) await visit(pyodide, ask, manifest, photos);
}

/**
 * Pyodide as it is published, with facelab's session. `wasm`: the content of its file; `archives`: paths of NumPy's and facelab's wheels; `seen` is given the
 * instance before anything runs in it; `replaced`: bytes in place of what the wheels have under these names.
 */
export async function published(wasm, stdlib, archives, { manifest, seen = () => {}, replaced = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
  await writeFile(join(folder, "pyodide.asm.wasm"), wasm);
  const pyodide = await loadPyodide({
    indexURL: folder,
    stdLibURL: stdlib,
    lockFileContents: await readFile(new URL("pyodide/pyodide-lock.json", MODULES), "utf8"),
    env: { PYTHONHASHSEED: "0" }, // the same every time
    createPyodideModule: (settings) => {
      const { instantiateWasm } = settings;
      settings.instantiateWasm = (imports, done) => instantiateWasm(imports, (instance, compiled) => (seen(instance), done(instance, compiled)));
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

/** Make facelab's session, as the page finds it. */
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

/** Python as the page has it: see `visited`. `folder`: with the wasm files; scripts are put there. */
export async function thawed({ told, thaw }, folder, seen) {
  const bundle = await rolldown({ input: thaw, external: "pyodide" });
  await bundle.write({ file: join(folder, "thaw.mjs"), paths: { pyodide: "./pyodide.mjs" } });
  // Node's Pyodide takes addresses for names of files. What it reads itself is empty, as on the page.
  const empty = join(folder, "empty");
  await mkdir(empty);
  await writeFile(join(empty, "pyodide.asm.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const files = JSON.stringify({ indexURL: empty, stdLibURL: join(empty, "python.zip") });
  await writeFile(join(empty, "python.zip"), Uint8Array.of(0x50, 0x4b, 5, 6, ...Array(18).fill(0)));
  const page = `import * as pyodide from "${new URL("pyodide/pyodide.mjs", MODULES)}";
    export const loadPyodide = (settings) => pyodide.loadPyodide({ ...settings, ...${files} });`;
  await writeFile(join(folder, "pyodide.mjs"), page);
  const { thawPython } = await import(pathToFileURL(join(folder, "thaw.mjs")).href);
  const pathOf = (path) => join(path.endsWith(".wasm") ? folder : dirname(told), basename(path));
  const read = (path) => readFile(pathOf(path));
  const assets = {
    url: () => pathToFileURL(`${folder}/`),
    script: (path) => import(pathToFileURL(pathOf(path)).href),
    text: (path) => readFile(pathOf(path), "utf8"),
    compiled: async (path) => WebAssembly.compile(await read(path)),
    inflated: async (path) => [await read(path.replace(/\.gz$/, ""))], // here it is not packed yet
  };
  return thawPython(assets, { register: (path, exports) => seen(basename(path), exports) });
}

/** The networks, as Python asks for them. */
async function engine(models, manifest) {
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

/** What the demo may be asked, with photos of all kinds: portraits, a crowd, nothing, noise, as small and as long as they come; and nonsense. */
async function visit(pyodide, ask, manifest, photos) {
  const { session } = pyodide.pyimport("facelab.browser");
  session.begin(ask, manifest);
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
  pyodide.pyimport("sys").intern(String(performance.now())); // a name that nobody keeps: when one goes depends on where others lie
  await collectGarbage(pyodide);
}

/** JavaScript lets go of what it held of Python's, and the other way round, in turns. */
async function collectGarbage(pyodide) {
  setFlagsFromString("--expose-gc");
  for (let i = 0; i < 3; i++) {
    runInNewContext("gc")();
    await new Promise((resolve) => setTimeout(resolve, 20));
    pyodide.pyimport("gc").collect(); // by no line of Python, whose compiler a visit has no use for
  }
}

/** All of them many times over, small: more faces, and more places to look at, than a portrait has. */
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
