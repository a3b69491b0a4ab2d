/**
 * The engine room: Python (Pyodide) decides, onnxruntime-web computes, and photos live here for as long as the page shows them.
 * Nothing of it leaves this worker but boxes, chips and embeddings.
 */

import * as Comlink from "comlink";
import type * as Ort from "onnxruntime-web";
import type { PyodideAPI } from "pyodide";
import type { PyProxy } from "pyodide/ffi";

import {
  EngineError,
  PhotoError,
  type Analysis,
  type ClassTold,
  type Embedded,
  type Face,
  type GalleryPerson,
  type GraphName,
  type Look,
  type Manifest,
  type ModelFile,
  type Outcome,
  type Panel,
  type Pixels,
  type Progress,
  type Rule,
  type Settings,
  type Verdict,
  type Who,
} from "../contract";
import { Assets } from "./assets";

const GRAPHS: GraphName[] = ["pnet", "rnet", "onet", "embedder"];

/** `facelab.browser.Session`, as JavaScript sees it. */
interface PythonSession {
  analyse(photo: Ort.Tensor, width: number, height: number): Promise<string>;
  embed(photo: Ort.Tensor, face: string): Promise<Embedded>;
  compare(a: Float32Array, b: Float32Array, poor: boolean): string;
  look(photo: Ort.Tensor, width: number, height: number, smallest: number): Promise<Look>;
  enrol(keys: string, embeddings: Rows): string;
  who(embeddings: Rows, rule: Rule): string;
  group(embeddings: Rows, limit: number | undefined): string;
  write_gallery(people: string): string;
  read_gallery(text: string): string;
  put(name: string, photo: Ort.Tensor, width: number, height: number): void;
  remove(name: string): void;
  lab(kind: string, settings: string): Promise<Panel[]>;
  run(source: string): Promise<Outcome>;
}

/** Embeddings, one after another. */
interface Rows {
  rows: number;
  numbers: Float32Array;
}

/** What Python sends to a graph: a plain array with its shape. The photo goes as the tensor it already is. */
interface Plain {
  dims: number[];
  type: "uint8" | "float32" | "int64";
  data: Uint8Array | Float32Array | number[];
}

type Sessions = Record<GraphName, Ort.InferenceSession>;

class Engine {
  #session!: PythonSession;
  #graphs!: Sessions;
  #tensor!: typeof Ort.Tensor;
  readonly #photos = new Map<number, Ort.Tensor>();
  #opened = 0;
  #complete!: Python["complete"];
  #completed: Promise<void> | undefined;

  /** `cache` "reload": distrust what the browser has kept. */
  async load(app: string, cache: RequestCache, report: (progress: Progress) => void): Promise<void> {
    const assets = new Assets(new URL(app), cache, throttled(report));
    const boot = async () => {
      await assets.start();
      const text = await assets.text("models/models.json");
      const manifest = JSON.parse(text) as Manifest;
      const { cohort } = manifest.embedder;
      const [python, graphs, faces] = await Promise.all([
        startPython(assets),
        this.#startOrt(assets, manifest),
        cohort ? model(assets, cohort).then((bytes) => new Uint8Array(bytes)) : null,
      ]);
      this.#graphs = graphs;
      const engine = {
        run: (graph: GraphName, inputs: Record<string, Plain>) => this.#run(graph, inputs),
        tensor: (plain: Plain) => this.#toTensor(plain),
      };
      this.#complete = python.complete;
      this.#session = python.module.Session(text, engine, faces);
    };
    await Promise.race([boot(), assets.failed]);
  }

  /** Keep a photo; the number that comes back stands for it until `close`. */
  open({ width, height, rgba }: Pixels): number {
    const photo = new this.#tensor("uint8", withoutAlpha(new Uint8Array(rgba)), [height, width, 3]);
    this.#photos.set(++this.#opened, photo);
    return this.#opened;
  }

  close(photo: number): void {
    this.#photos.get(photo)?.dispose();
    this.#photos.delete(photo);
  }

  async analyse(photo: number): Promise<Analysis> {
    const tensor = this.#photo(photo);
    const [height = 0, width = 0] = tensor.dims;
    return JSON.parse(await plainly(() => this.#session.analyse(tensor, width, height))) as Analysis;
  }

  async embed(photo: number, face: Face): Promise<Embedded> {
    return plainly(() => this.#session.embed(this.#photo(photo), JSON.stringify(face)));
  }

  async compare(a: Float32Array, b: Float32Array, poor: boolean): Promise<Verdict & { milliseconds: number }> {
    const start = performance.now();
    const verdict = JSON.parse(await plainly(() => this.#session.compare(a, b, poor))) as Verdict;
    return { ...verdict, milliseconds: performance.now() - start };
  }

  /** All faces of a photo, which is not kept. `smallest`: side of the smallest face looked for, pixels. */
  async look({ width, height, rgba }: Pixels, smallest: number): Promise<Look> {
    await this.#whole();
    const photo = new this.#tensor("uint8", withoutAlpha(new Uint8Array(rgba)), [height, width, 3]);
    try {
      return await plainly(() => this.#session.look(photo, width, height, smallest));
    } finally {
      photo.dispose();
    }
  }

  /** Whom `who` is to know: whose each photo is, and their embeddings, one after another. */
  async enrol(keys: string[], numbers: Float32Array): Promise<ClassTold> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.enrol(JSON.stringify(keys), { rows: keys.length, numbers }))) as ClassTold;
  }

  async who(rows: number, numbers: Float32Array, rule: Rule): Promise<Who[]> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.who({ rows, numbers }, rule))) as Who[];
  }

  async group(rows: number, numbers: Float32Array, limit?: number): Promise<number[][]> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.group({ rows, numbers }, limit))) as number[][];
  }

  async writeGallery(people: GalleryPerson[]): Promise<string> {
    await this.#whole();
    return plainly(() => this.#session.write_gallery(JSON.stringify(people)));
  }

  async readGallery(text: string): Promise<GalleryPerson[]> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.read_gallery(text))) as GalleryPerson[];
  }

  /** Lay a photo on the desk that the labs and the code cells work on, in place of one of the same name. */
  async put(name: string, pixels: Pixels): Promise<void> {
    const photo = new this.#tensor("uint8", withoutAlpha(new Uint8Array(pixels.rgba)), [pixels.height, pixels.width, 3]);
    this.#session.put(name, photo, pixels.width, pixels.height);
  }

  async remove(name: string): Promise<void> {
    this.#session.remove(name);
  }

  async lab(kind: string, settings: Settings): Promise<Panel[]> {
    await this.#whole();
    return plainly(() => this.#session.lab(kind, JSON.stringify(settings)));
  }

  async runCell(source: string): Promise<Outcome> {
    await this.#whole();
    return plainly(() => this.#session.run(source));
  }

  /** Run every stage once, on a photo of nothing with faces where none are; after a few rounds the browser has compiled it for speed. */
  async warmUp(): Promise<void> {
    const [width, height] = [640, 480];
    const photo = this.open({ width, height, rgba: new ArrayBuffer(width * height * 4) });
    const image = this.#photo(photo);
    const face: Face = { box: [260, 160, 380, 320], score: 1, landmarks: [[293, 216], [347, 216], [320, 249], [295, 276], [345, 276]] };
    const boxes: Plain = { dims: [16, 4], type: "float32", data: new Float32Array(64).map((_, i) => face.box[i % 4]!) };
    try {
      await this.analyse(photo); // finds nothing, so that the second and third network must be asked by hand
      await this.#run("rnet", { image, boxes });
      await this.#run("onet", { image, boxes });
      await this.embed(photo, face);
    } finally {
      this.close(photo);
    }
  }

  /** All of Python and NumPy: only the demo does with what starting touched. */
  #whole(): Promise<void> {
    return (this.#completed ??= this.#complete());
  }

  #photo(number: number): Ort.Tensor {
    const photo = this.#photos.get(number);
    if (!photo) throw new EngineError("That photo was removed.");
    return photo;
  }

  async #startOrt(assets: Assets, manifest: Manifest): Promise<Sessions> {
    const ort = await assets.script<typeof Ort>("ort/ort.wasm.min.mjs");
    this.#tensor = ort.Tensor;
    ort.env.logLevel = "error";
    ort.env.wasm.wasmPaths = assets.url("ort/").href;
    // Threads need cross-origin isolation; beyond four they stand in each other's way on networks this small.
    ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;

    const sessions: Partial<Sessions> = {};
    for (const name of GRAPHS) {
      const graph = manifest.graphs[name];
      const bytes = await model(assets, graph.compact ?? graph);
      sessions[name] = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    }
    return sessions as Sessions;
  }

  /** Outputs stay tensors: Python copies the data of those that it reads, and hands a photo straight on to another graph. */
  async #run(graph: GraphName, inputs: Record<string, Plain | Ort.Tensor>): Promise<Record<string, Ort.Tensor>> {
    const feeds = Object.entries(inputs).map(([name, value]) => [name, "getData" in value ? value : this.#toTensor(value)]);
    return { ...(await this.#graphs[graph].run(Object.fromEntries(feeds) as Record<string, Ort.Tensor>)) };
  }

  #toTensor({ type, data, dims }: Plain): Ort.Tensor {
    const values = type === "int64" ? BigInt64Array.from(data as number[], BigInt) : (data as Uint8Array | Float32Array);
    return new this.#tensor(type, values, dims);
  }
}

interface Python {
  module: PyProxy & { Session(manifest: string, engine: object, cohort: Uint8Array | null): PythonSession };
  /** Bring what was left out at the start: the larger half of Python's library and of NumPy, for all but the demo. */
  complete: () => Promise<void>;
}

async function startPython(assets: Assets): Promise<Python> {
  const { loadPyodide } = await assets.script<typeof import("pyodide")>("pyodide/pyodide.mjs");
  const pyodide: PyodideAPI = await loadPyodide({
    indexURL: assets.url("pyodide/").href,
    stdLibURL: assets.url("python/python_core.zip").href,
  });
  const packages = JSON.parse(await assets.text("python/packages.json")) as Record<string, { file: string }>;
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]") as string;
  const unpack = async (name: string) => {
    const { file } = packages[name]!;
    pyodide.unpackArchive(await assets.bytes(`python/${file}`), file.endsWith(".whl") ? "wheel" : "zip", { extractDir });
  };
  await unpack("numpy_core");
  await unpack("facelab");
  assets.note("starting Python");
  return {
    module: pyodide.pyimport("facelab.browser") as Python["module"],
    complete: async () => {
      await unpack("numpy_rest");
      pyodide.FS.writeFile("/lib/python_rest.zip", new Uint8Array(await assets.bytes("python/python_rest.zip")));
      // From here on the whole archive answers; packages begun in the small one go on in it.
      pyodide.runPython(`
import importlib, sys

sys.path.insert(0, "/lib/python_rest.zip")
for name, module in list(sys.modules.items()):
    paths = getattr(module, "__path__", None)
    if isinstance(paths, list) and any(".zip/" in path for path in paths):
        paths.insert(0, "/lib/python_rest.zip/" + name.replace(".", "/"))
importlib.invalidate_caches()
`);
    },
  };
}

/** A model that was cut short or mixed up with another version would answer nonsense: refuse it. (No `crypto.subtle` on plain http.) */
async function model(assets: Assets, { file, sha256 }: ModelFile): Promise<ArrayBuffer> {
  const bytes = await assets.bytes(`models/${file}`);
  if (!globalThis.crypto.subtle) return bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex === sha256) return bytes;
  throw new EngineError(`${file} is not the file that this page expects. Try again; if that does not help, the site itself is damaged.`);
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}

/** Python's own errors carry a sentence for the reader in their last line, `facelab.errors.NoFace: There is ...`. */
async function plainly<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const last = error instanceof Error ? error.message.trimEnd().split("\n").at(-1) : undefined;
    const sentence = /^facelab\.errors\.\w+: (.+)$/.exec(last ?? "")?.[1];
    throw sentence ? new PhotoError(sentence) : error;
  }
}

/** At most one report each 50 ms, and always the last one. */
function throttled(report: (progress: Progress) => void): (progress: Progress) => void {
  let latest: Progress | undefined;
  return (progress) => {
    if (!latest) setTimeout(() => { report(latest!); latest = undefined; }, 50);
    latest = progress;
  };
}

export type { Engine };
Comlink.expose(new Engine());
