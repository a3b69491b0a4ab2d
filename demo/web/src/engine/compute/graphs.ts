/**
 * A worker of the networks, with onnxruntime-web. It is not Python's worker, so that the two start side by side. It keeps photos, each under a number that the
 * pool (pool.ts) chooses.
 */

import * as Comlink from "comlink";
import * as ort from "onnxruntime-web/wasm";

import { EngineError, GRAPHS, PhotoError, RELOAD, storedIn, WHOLE, workerName, type EmbedderSizes, type GraphName, type Manifest } from "../../contract";
import { Assets, type Arrivals, type Sizes } from "../assets";
import { isKnown, knownPicture, TRANSFORM } from "./known-answer";
import { throttled, type Report } from "../report";
import { provideRuntime, thawOrt } from "../start/thaw-ort";
import { isShared, onConnect } from "../life/shared";

/**
 * Whether this worker uses the trimmed ONNX Runtime, which has sessions in its memory and lacks the functions that the site's networks never call
 * (demo/optimise/drop/trim_ort.mjs). The plain build, other networks, and engines after a failure use the whole one.
 */
const TRIMMED = !PLAIN && workerName !== RELOAD && !workerName.startsWith(WHOLE);
const RUNTIME = "ort/ort-wasm-simd-threaded";
const SCRIPT = "ort/ort-wasm-simd-threaded.mjs";
const RUNTIME_WASM = TRIMMED ? `${RUNTIME}-trimmed.wasm` : `${RUNTIME}.wasm`;

/** A tensor that can be sent to another thread. */
export interface PlainTensor {
  dims: number[];
  type: "uint8" | "float32" | "int64";
  data: Uint8Array | Float32Array | number[];
}

/** Refers to a photo that is kept here. */
export interface Held {
  id: number;
  dims: number[];
}

export type Feeds = Record<string, PlainTensor | Held>;
export type Outputs = Record<string, PlainTensor>;

/** Rows of the networks' second inputs for warming up, at a place without a face. */
const FACE = { boxes: [260, 160, 380, 320], transforms: [1, 0, 250, 0, 1, 150] };

class Graphs {
  readonly #sessions = new Map<GraphName, ort.InferenceSession>();
  readonly #photos = new Map<number, ort.Tensor>();
  #report: Report = () => {};
  readonly #assets = new Assets((progress) => this.#report(progress));
  /** The session of the page's default network. */
  #embedder!: ort.InferenceSession;
  readonly #runtimeReady: Promise<void>;
  #memoryReady: Promise<unknown> | undefined;
  #started: Promise<void> | undefined;
  #proven: Promise<boolean> | undefined;

  /** Requests the files at once, before the pool asks for anything. */
  constructor() {
    this.#assets.script(SCRIPT).catch(() => {}); // ONNX Runtime reports the error when it imports the script
    this.#runtimeReady = provideRuntime(this.#assets, RUNTIME_WASM, ort.env.wasm);
    this.#runtimeReady.catch(() => {}); // handled in `#start`
    if (!TRIMMED) return;
    this.#memoryReady = thawOrt(this.#assets);
    this.#started = this.#start();
    for (const promise of [this.#memoryReady, this.#started]) promise.catch(() => {}); // handled in `load`
  }

  async load(sizes: Sizes, manifest: Manifest, report: Report): Promise<void> {
    this.#report = throttled(report);
    this.#assets.expect(sizes);
    this.#started ??= this.#start(manifest);
    await Promise.race([Promise.all([this.#memoryReady, this.#started]), this.#assets.failed]);
    const { known } = storedIn(manifest, "embedder");
    // The check begins now, because the pool asks for it later. It waits until this answer has been sent, because a damaged runtime may never return.
    this.#proven ??= new Promise((resolve) => setTimeout(() => resolve(this.#isRight(this.#embedder, known))));
  }

  /** Whether all files belong to this build and the embedder gives the known answer. Call it after `load`. */
  async isRight(): Promise<boolean> {
    await Promise.race([this.#assets.allRight(), this.#assets.failed]);
    return this.#proven!;
  }

  async #isRight(embedder: ort.InferenceSession, known?: number[]): Promise<boolean> {
    if (!known) return true; // a reader's network has no known answer
    const { data, dims } = knownPicture();
    const inputs = { image: new ort.Tensor("uint8", data, dims), transforms: new ort.Tensor("float32", TRANSFORM, [1, 2, 3]) };
    const answer = await embedder.run(inputs).catch(() => undefined);
    return answer !== undefined && isKnown(answer.embeddings!.data as Float32Array, known);
  }

  /** Keeps a photo under a number until `release`. */
  hold(id: number, dims: number[], pixels: Uint8Array): void {
    this.#photos.set(id, new ort.Tensor("uint8", pixels, dims));
  }

  release(id: number): void {
    this.#photos.get(id)?.dispose();
    this.#photos.delete(id);
  }

  /** Uses another network in place of the default; null: the default again. `known`: see StoredGraph. */
  async use(file: ArrayBuffer | null, sizes: EmbedderSizes, known?: number[]): Promise<void> {
    const session = file ? await this.#checkedSession(file, sizes, known) : this.#embedder;
    const before = this.#sessions.get("embedder")!;
    this.#sessions.set("embedder", session);
    if (before !== this.#embedder) await before.release();
  }

  /** All outputs of a graph. */
  async run(name: GraphName, inputs: Feeds): Promise<Outputs> {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([input, value]) => [input, this.#tensorOf(value)]));
    return transferred(await this.#sessions.get(name)!.run(feeds))[0]!;
  }

  /** P-Net's outputs on smaller and smaller copies of a photo, each made from the one before. */
  async runLevels(photo: Held, sizes: [number, number][]): Promise<Outputs[]> {
    const session = this.#sessions.get("pnet")!;
    const levels = [this.#tensorOf(photo)];
    const answers: ort.InferenceSession.ReturnType[] = [];
    for (const size of sizes) {
      const { level, ...answer } = await session.run({ image: levels.at(-1)!, size: new ort.Tensor("int64", BigInt64Array.from(size, BigInt), [2]) });
      levels.push(level!);
      answers.push(answer);
    }
    levels.slice(1).forEach((level) => level.dispose());
    return transferred(...answers);
  }

  #session(bytes: ArrayBuffer): Promise<ort.InferenceSession> {
    return ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  }

  async #checkedSession(file: ArrayBuffer, sizes: EmbedderSizes, known?: number[]): Promise<ort.InferenceSession> {
    const session = await this.#session(file).catch((cause: unknown) => {
      throw new PhotoError("This network cannot be run here: ONNX Runtime refuses its file. Export it again with python -m export.", { cause });
    });
    const fault = await this.#fault(session, sizes);
    if (!fault && (await this.#isRight(session, known))) return session;
    await session.release();
    if (!fault) throw new PhotoError("This network gives another answer here than where it was made. Update the browser, or use another browser.");
    throw new PhotoError(`This page cannot use this network as an embedder: ${fault}. python -m export --embedder makes one that it can use.`);
  }

  /** How a network breaks the contract, by its names or by its answer on a trial run; "" if it keeps the contract. */
  async #fault(session: ort.InferenceSession, { dimensions, chip_size: side }: EmbedderSizes): Promise<string> {
    const { inputNames, outputNames } = session;
    const lacks = [
      ...["image", "transforms"].filter((name) => !inputNames.includes(name)).map((name) => `input “${name}”`),
      ...["embeddings", "chips"].filter((name) => !outputNames.includes(name)).map((name) => `output “${name}”`),
    ];
    if (lacks.length) return `it has no ${lacks.join(", no ")}`;
    const image = new ort.Tensor("uint8", new Uint8Array(64 * 64 * 3), [64, 64, 3]);
    const transforms = new ort.Tensor("float32", [0.4, 0, 0, 0, 0.4, 0], [1, 2, 3]);
    const tried = await session.run({ image, transforms }).catch(() => undefined);
    if (!tried) return "it fails on a trial run";
    const wrong = [
      ["embeddings", `float32 [1,${dimensions}]`] as const,
      ["chips", `uint8 [1,${side},${side},3]`] as const,
    ].flatMap(([name, expected]) => {
      const { type, dims } = tried[name]!;
      const got = `${type} [${dims.join()}]`;
      return got === expected ? [] : `its “${name}” are ${got} where its own entry says ${expected}`;
    });
    return wrong.join("; ");
  }

  /** `manifest`: lists the networks' files, if the memory holds no sessions. */
  async #start(manifest?: Manifest): Promise<void> {
    const models = GRAPHS.map((name) => (manifest ? this.#assets.model(storedIn(manifest, name)) : new ArrayBuffer(1)));
    ort.env.logLevel = "error";
    ort.env.wasm.wasmPaths = { mjs: this.#assets.url(SCRIPT).href };
    ort.env.wasm.numThreads = 1; // pool.ts says why
    await this.#runtimeReady;
    for (const [i, name] of GRAPHS.entries()) this.#sessions.set(name, await this.#session(await models[i]!));
    this.#embedder = this.#sessions.get("embedder")!;
  }

  arrivals(): Arrivals {
    return this.#assets.arrivals;
  }

  /** See Assets. */
  giveUp(why: string): void {
    this.#assets.giveUp(why);
  }

  /** Ends this worker. */
  end(): void {
    close();
  }

  /** Runs every network once, because first runs take several times as long as later ones. Stops when a photo arrives. */
  async warmUp(): Promise<void> {
    const [height, width] = [480, 640];
    const photo = new ort.Tensor("uint8", new Uint8Array(height * width * 3), [height, width, 3]);
    const rows = (row: number[], count: number, dims: number[]) =>
      new ort.Tensor("float32", Float32Array.from({ length: row.length * count }, (_, i) => row[i % row.length]!), [count, ...dims]);
    const second: Record<GraphName, () => Record<string, ort.Tensor>> = {
      pnet: () => ({ size: new ort.Tensor("int64", BigInt64Array.from([144n, 192n]), [2]) }),
      rnet: () => ({ boxes: rows(FACE.boxes, 24, [4]) }),
      onet: () => ({ boxes: rows(FACE.boxes, 8, [4]) }),
      embedder: () => ({ transforms: rows(FACE.transforms, 1, [2, 3]) }),
    };
    for (const name of GRAPHS) {
      if (this.#photos.size) return;
      const outputs = await this.#sessions.get(name)!.run({ image: photo, ...second[name]() });
      Object.values(outputs).forEach((tensor) => tensor.dispose());
      await new Promise((resolve) => setTimeout(resolve)); // a question can arrive in this pause
    }
  }

  #tensorOf(value: PlainTensor | Held): ort.Tensor {
    if ("id" in value) {
      const photo = this.#photos.get(value.id);
      if (!photo) throw new EngineError("That photo was removed.");
      return photo;
    }
    const { type, data, dims } = value;
    return new ort.Tensor(type, type === "int64" ? BigInt64Array.from(data as number[], BigInt) : (data as Uint8Array | Float32Array), dims);
  }
}

/** Outputs as plain tensors, whose memory moves to the other thread. */
function transferred(...answers: ort.InferenceSession.ReturnType[]): Outputs[] {
  const buffers: Transferable[] = [];
  const plain = answers.map((answer) =>
    Object.fromEntries(
      Object.entries(answer).map(([name, tensor]): [string, PlainTensor] => {
        const data = tensor.data as Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
        buffers.push(data.buffer);
        return [name, { dims: [...tensor.dims], type: tensor.type as PlainTensor["type"], data }];
      }),
    ),
  );
  return Comlink.transfer(plain, buffers);
}

export type { Graphs };
const graphs = new Graphs();
if (isShared) onConnect((port) => Comlink.expose(graphs, port));
else Comlink.expose(graphs);
