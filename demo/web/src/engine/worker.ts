/**
 * The engine: Python (Pyodide) decides here, onnxruntime-web computes in other workers (pool.ts), and photos stay in their memory as long as the page
 * shows them. Only boxes, chips and embeddings leave it.
 */

import * as Comlink from "comlink";

import {
  EngineError,
  PhotoError,
  type Analysis,
  type ClassTold,
  type EmbedderChoice,
  type EmbedderScale,
  type EmbedderTold,
  type Embedded,
  type Face,
  type Found,
  type GalleryFile,
  type GraphName,
  type Layout,
  type Look,
  type Manifest,
  type NamedGallery,
  type Outcome,
  type Panel,
  type Pixels,
  type Progress,
  type Rule,
  type Settings,
  type Sifted,
  type Started,
  type Verdict,
  type Who,
} from "../contract";
import { Assets, type Arrivals, type Sizes } from "./assets";
import type { Outputs, Plain } from "./compute/graphs";
import { withoutAlpha } from "./compute/rgb";
import { Pool, type GetWorker, type Photo } from "./compute/pool";
import { throttled, type Report } from "./report";
import { isShared, tellLoaded, whenFree, whoComes } from "./life/shared";
import { closeWaysOut } from "./life/start-worker";
import { startPython } from "./start";
import type { Python, PythonSession } from "./start/python";

/** Files that Python does not need. */
const isForGraphs = (path: string) => path.startsWith("ort/") || path.endsWith(".onnx");

/** The name of an empty photo for warming up. */
const NOTHING = "nothing";

/** Milliseconds after a verdict until the rest of Pyodide is fetched. The page first shows the verdict and looks for more faces. */
const QUIET = 1000;

/** Milliseconds for the last page to leave when the next one is there already. */
const PATIENCE = 100;
/** Milliseconds to wait for a next page. After that the engine ends and releases its memory. */
const LINGER = 120_000;

/** A photo, and the transforms to chips of some of its faces, float32 [N, 2, 3]. */
type Transformed = [photo: Photo, dims: number[], transforms: Float32Array];

class Engine {
  #session!: PythonSession;
  readonly #pool: Pool;
  #report: Report = () => {};
  readonly #told = throttled((progress) => this.#report(progress));
  readonly #parts = together((progress) => {
    this.#bytes = progress.total;
    this.#told(progress);
  });
  #bytes = 0;
  readonly #assets = new Assets(this.#parts[0]);
  #manifest!: Manifest;
  /** The name in models.json of the network in use, if distances are plain; undefined for a reader's file or corrected distances. */
  #plain: string | undefined;
  /** Photos under the names that the page gives them. `look` and `reread` choose other names. */
  readonly #photos = new Map<string, Photo>();
  /** The names of photos from before the first answer. */
  readonly #first = new Set<string>();
  #passed = 0;
  /** The names of photos that lie on Python's workspace. */
  readonly #workspace = new Set<string>();
  #python!: Python;
  #completed: Promise<void> | undefined;
  readonly #loaded: Promise<void>;
  /** Whether a page has had an answer. */
  #warm = false;
  /** Resolves when the page that has this engine is gone; only for engines that outlive pages. */
  #taken: Promise<void> | undefined;
  #visits = 0;
  /** Set after an unrecoverable error. The engine is then not given to another page. */
  #spent = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /** Begins to load without being asked. `graphs`: see Pool. */
  constructor(graphs?: Promise<MessagePort>) {
    this.#pool = new Pool(graphs);
    this.#loaded = Promise.race([this.#load(), this.#assets.failed]);
    this.#loaded.catch(() => (this.#spent = true)); // handled in `load`
  }

  /**
   * Let a page take this engine until the page is gone, because an engine that outlives pages serves one at a time. Resolves to whether the page may have it.
   * `lock`: a name of a lock that the page holds as long as it exists; `build`: the page's version.
   */
  async take(lock: string, build: string, getWorker: GetWorker): Promise<boolean> {
    await Promise.race([this.#taken, new Promise((resolve) => setTimeout(resolve, PATIENCE))]); // the page before may just be leaving
    if (this.#taken) return false;
    if (this.#spent || build !== BUILD) {
      this.end(); // the next page starts another engine
      return false;
    }
    clearTimeout(this.#lingering);
    this.#letGo(); // whatever the page before has requested while it was leaving
    this.#pool.getWorkersFrom(getWorker);
    // If that is never known, no other page gets the engine, and the browser ends it some time after its page.
    this.#taken = whenFree(lock).then(() => this.#forget(), () => new Promise(() => {}));
    return true;
  }

  /** A number that changes when a page is gone. */
  visit(): number {
    return this.#visits;
  }

  /** Remove what a page has left here. */
  #forget(): void {
    this.#visits++;
    this.#taken = undefined;
    this.#report = () => {};
    this.#letGo();
    if (this.#spent || this.#pool.changed || this.#plain !== this.#manifest?.embedder.name) return this.end();
    this.#lingering = setTimeout(() => this.end(), LINGER);
    if (this.#completed) this.#session.enrol("[]", { rows: 0, numbers: new Float32Array() });
  }

  /** Close all photos. */
  #letGo(): void {
    for (const name of [...this.#photos.keys()]) this.close(name);
    for (const name of [...this.#workspace]) void this.remove(name);
  }

  /** End this worker and all its workers. */
  end(): void {
    this.#pool.end();
    close();
  }

  /** Resolves when the engine is ready. */
  async load(report: Report): Promise<Started> {
    const { distrusted } = this.#pool;
    if (this.#warm) return { bytes: 0, distrusted };
    this.#report = report;
    await this.#loaded;
    return { bytes: this.#bytes, distrusted: this.#pool.distrusted };
  }

  /** The bytes that have arrived so far, and the files on their way, for a page that waits. */
  async arrivals(): Promise<Arrivals> {
    const [own, graphs] = [this.#assets.arrivals, await this.#pool.arrivals()];
    return { bytes: own.bytes + graphs.bytes, files: [...own.files, ...graphs.files] };
  }

  /** See Assets.giveUp. */
  giveUp(why: string): void {
    this.#assets.giveUp(why);
    this.#pool.giveUp(why);
  }

  /** models.json, once it is ready. */
  manifest(): Manifest {
    return this.#manifest;
  }

  async #load(): Promise<void> {
    const assets = this.#assets;
    const starting = startPython(assets);
    starting.catch(() => {}); // handled below
    const [sizes, text] = await Promise.all([assets.sizes(), assets.text("models/models.json")]);
    const manifest = (this.#manifest = JSON.parse(text) as Manifest);
    this.#plain = manifest.embedder.name;
    const later = laterModels(manifest);
    const needed = sizes.filter(([path]) => !later.has(path));
    const part = (graphs: boolean): Sizes => needed.filter(([path]) => isForGraphs(path) === graphs);
    assets.expect(part(false));
    [this.#python] = await Promise.all([starting, this.#pool.load(part(true), manifest, this.#parts[1])]);
    const engine = {
      run: (graph: GraphName, photo: Photo, input: string, dims: number[], type: Plain["type"], data: Plain["data"]) =>
        this.#pool.run(graph, photo, input, { dims, type, data }),
      run_pyramid: (photo: Photo, sizes: [number, number][]) => this.#pool.runPyramid(photo, sizes),
      hold: (pixels: Uint8Array, dims: number[]) => this.#pool.hold(pixels, dims),
      release: (photo: Photo) => this.#pool.release(photo),
      run_with: (embedder: string, jobs: Transformed[]) => this.#runWith(embedder, jobs),
      model: async (file: string, sha256: string) => new Uint8Array(await assets.model({ file, sha256 })),
    };
    this.#session = this.#python.session(text);
    this.#session.begin(engine, text);
    await assets.allRight();
    if (isShared) tellLoaded();
  }

  /** The answer of another network, for a lab that compares networks. The page's default is in use again afterwards. */
  async #runWith(name: string, jobs: Transformed[]): Promise<Outputs[]> {
    const { graph, embedder } = this.#manifest.embedders![name]!;
    const stored = graph.compact ?? graph;
    await this.#pool.use(await this.#assets.model(stored), embedder, stored.known);
    try {
      const answers: Outputs[] = [];
      for (const [photo, dims, data] of jobs) answers.push(await this.#pool.run("embedder", photo, "transforms", { dims, type: "float32", data }));
      return answers;
    } finally {
      await this.#pool.use(null, this.#manifest.embedder);
    }
  }

  /** Keep a photo until `close`. */
  open(name: string, pixels: Pixels): void {
    this.#photos.set(name, this.#hold(pixels));
    if (!this.#warm) this.#first.add(name);
  }

  close(name: string): void {
    const photo = this.#photos.get(name);
    this.#first.delete(name);
    if (this.#photos.delete(name)) this.#pool.release(photo!);
  }

  /** The largest face, quickly, with its embedding. */
  async find(photo: string): Promise<Found> {
    await this.#restFor(photo);
    const { analysis, embedded } = await this.#surely(() => this.#session.find(this.#photo(photo)));
    return { ...(JSON.parse(analysis) as Analysis), ...(embedded && { embedded }) };
  }

  /** All faces; `known` stays unchanged, and chosen. */
  async analyse(photo: string, known?: Face): Promise<Analysis> {
    await this.#restFor(photo);
    return JSON.parse(await this.#surely(() => this.#session.analyse(this.#photo(photo), known && JSON.stringify(known)))) as Analysis;
  }

  async embed(photo: string, face: Face, embedder?: string): Promise<Embedded> {
    if (embedder) await this.#readWith(embedder);
    await this.#restFor(photo);
    return this.#surely(() => this.#session.embed(this.#photo(photo), JSON.stringify(face)));
  }

  /** Use another network from the next face on; null: the default. If this fails, the one in use stays. */
  async useEmbedder(choice: EmbedderChoice | null): Promise<EmbedderTold> {
    const before = this.#spent;
    this.#spent = true; // if the page leaves now, the next one expects the default network
    try {
      await this.#rest();
      const [file, offered] = choice && "file" in choice ? await this.#offerFile(choice.file) : await this.#offerListed(choice ?? {});
      const told = JSON.parse(offered) as EmbedderTold;
      await this.#pool.use(file, told, this.#knownOf(choice));
      this.#session.use_offered();
      this.#plain = told.normalised || (choice && "file" in choice) ? undefined : told.name;
      return told;
    } finally {
      this.#spent = before;
    }
  }

  #knownOf(choice: EmbedderChoice | null): number[] | undefined {
    if (!choice || "file" in choice) return undefined;
    const graph = this.#manifest.embedders?.[choice.name]?.graph;
    return (graph?.compact ?? graph)?.known;
  }

  async #offerFile(file: ArrayBuffer): Promise<[ArrayBuffer, string]> {
    return [file, await plainly(() => this.#session.offer_file(new Uint8Array(file)))];
  }

  /** The default needs no file, because its graph is loaded. */
  async #offerListed({ name = this.#manifest.embedder.name, normalise = false }): Promise<[ArrayBuffer | null, string]> {
    const graph = this.#manifest.embedders?.[name]?.graph;
    return Promise.all([
      graph ? this.#assets.model(graph.compact ?? graph) : null,
      plainly(() => this.#session.offer_listed(name, normalise)),
    ]);
  }

  /** Switch to a network before a job that needs its embeddings. Jobs run one after another, so no other job comes between. */
  async #readWith(embedder: string): Promise<void> {
    if (embedder !== this.#plain) await this.useEmbedder({ name: embedder });
  }

  async scale(embedder?: string): Promise<EmbedderScale> {
    if (embedder) await this.#readWith(embedder);
    await this.#rest();
    return JSON.parse(await plainly(() => this.#session.scale())) as EmbedderScale;
  }

  async compare(a: Float32Array, b: Float32Array, poor: boolean): Promise<Verdict & { milliseconds: number }> {
    if (this.#warm) await this.#rest();
    this.#warm = true;
    const start = performance.now();
    const verdict = JSON.parse(await plainly(() => this.#session.compare(a, b, poor))) as Verdict;
    const milliseconds = performance.now() - start;
    setTimeout(() => void this.#python.bringBack().catch(() => {}), QUIET); // later uses report why it is missing
    return { ...verdict, milliseconds };
  }

  /** All faces of a photo that is not kept. `smallest`: side of the smallest face looked for, pixels. */
  async look(pixels: Pixels, smallest: number, embedder: string): Promise<Look> {
    return this.#passing(pixels, embedder, (photo) => this.#session.look(photo, smallest));
  }

  /** The embedding of a face from its chip, which was cut for the embedder `cutFor`. */
  async reread(chip: Pixels, cutFor: string, embedder: string): Promise<Float32Array> {
    return this.#passing(chip, embedder, (photo) => this.#session.reread(photo, cutFor));
  }

  /** Ask about a photo that is not kept. */
  async #passing<T>(pixels: Pixels, embedder: string, ask: (photo: Photo) => Promise<T>): Promise<T> {
    await this.#readWith(embedder);
    this.#pool.grow();
    this.#warm = true;
    await this.#whole();
    const name = `passing/${++this.#passed}`;
    this.open(name, pixels);
    try {
      return await this.#surely(() => ask(this.#photo(name)));
    } finally {
      this.close(name);
    }
  }

  /** Enrol the people whom `who` may name: the person on each photo, and the embeddings one after another. */
  async enrol(keys: string[], numbers: Float32Array, embedder: string): Promise<ClassTold> {
    await this.#readWith(embedder);
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.enrol(JSON.stringify(keys), { rows: keys.length, numbers }))) as ClassTold;
  }

  async who(rows: number, numbers: Float32Array, rule: Rule): Promise<Who[]> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.who({ rows, numbers }, rule))) as Who[];
  }

  async group(photos: number[], numbers: Float32Array, limit: number | undefined, embedder: string): Promise<number[][]> {
    await this.#readWith(embedder);
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.group({ rows: photos.length, numbers }, JSON.stringify(photos), limit))) as number[][];
  }

  async photosAmong(entries: string): Promise<Sifted> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.photos_among(entries))) as Sifted;
  }

  async layout(entries: string, peopleAt: number | undefined, called: string): Promise<Layout> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.layout(entries, peopleAt, called))) as Layout;
  }

  async writeGallery({ embedder, people, name }: NamedGallery): Promise<string> {
    await this.#readWith(embedder);
    await this.#whole();
    return plainly(() => this.#session.write_gallery(JSON.stringify(people), name));
  }

  async readGallery(text: string): Promise<GalleryFile> {
    await this.#whole();
    return JSON.parse(await plainly(() => this.#session.read_gallery(text))) as GalleryFile;
  }

  /** Put a photo on the workspace for labs and code cells, in place of one of the same name. */
  async put(name: string, pixels: Pixels): Promise<void> {
    const visit = this.#visits;
    await this.#rest();
    if (visit !== this.#visits) return; // the page is gone
    this.#workspace.add(name);
    this.#session.put(name, this.#hold(pixels));
  }

  async remove(name: string): Promise<void> {
    this.#workspace.delete(name);
    this.#session.remove(name);
  }

  async lab(kind: string, settings: Settings): Promise<Panel[]> {
    await this.#whole();
    return this.#surely(() => this.#session.lab(kind, JSON.stringify(settings)));
  }

  async runCell(source: string): Promise<Outcome> {
    closeWaysOut();
    await this.#whole();
    return plainly(() => this.#session.run(source));
  }

  /** Run every network and stage once, on an empty photo with an invented face, or until a photo arrives. */
  async warmUp(): Promise<void> {
    if (this.#warm) return;
    await this.#surely(() => this.#pool.warmUp());
    if (this.#photos.size) return;
    const [width, height] = [640, 480];
    this.open(NOTHING, { width, height, rgba: new ArrayBuffer(width * height * 4) });
    const face: Face = { box: [260, 160, 380, 320], score: 1, landmarks: [[293, 216], [347, 216], [320, 249], [295, 276], [345, 276]], turned: 0 };
    try {
      await this.analyse(NOTHING); // `find` would also turn the photo in search of a face
      await this.embed(NOTHING, face);
    } finally {
      this.close(NOTHING);
    }
  }

  /** Load all of Python and NumPy. Only the demo can do without the rest. */
  #whole(): Promise<void> {
    return (this.#completed ??= this.#python.complete());
  }

  /**
   * Wait for what the first verdict does not need, because Python itself could wait only by blocking this thread. If it does not arrive, ask Python anyway:
   * most questions need little of it.
   */
  async #rest(): Promise<void> {
    await this.#python.bringBack().catch(() => {});
  }

  /** The same for a question about a photo, except for photos of the first verdict. */
  async #restFor(photo: string): Promise<void> {
    if (this.#warm && !this.#first.has(photo)) await this.#rest();
  }

  #photo(name: string): Photo {
    const photo = this.#photos.get(name);
    if (!photo) throw new EngineError("That photo was removed.");
    return photo;
  }

  /** Ask again if the trimmed runtime has failed. */
  async #surely<T>(job: () => T | Promise<T>): Promise<T> {
    try {
      return await plainly(job);
    } catch (error) {
      if (!this.#pool.lacking) throw error;
      await this.#pool.takeWhole();
      return plainly(job);
    }
  }

  #hold({ width, height, rgba }: Pixels): Photo {
    return this.#pool.hold(withoutAlpha(rgba), [height, width, 3]);
  }
}

/** Files that nobody has chosen yet: the cohorts, and the graphs of other embedders. */
function laterModels({ embedder, embedders = {} }: Manifest): Set<string> {
  const others = Object.values(embedders);
  const cohorts = [embedder, ...others.map((other) => other.embedder)].flatMap(({ cohort }) => cohort ?? []);
  const files = [...cohorts, ...others.map(({ graph }) => graph.compact ?? graph)];
  return new Set(files.map(({ file }) => `models/${file}`));
}

/** Python's errors carry a sentence for the reader in their last line, `facelab.errors.NoFace: There is ...`. */
async function plainly<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const last = error instanceof Error ? error.message.trimEnd().split("\n").at(-1) : undefined;
    const sentence = /^(?:facelab\.errors\.\w+|pyodide\.ffi\.JsException: EngineError): (.+)$/.exec(last ?? "")?.[1];
    throw sentence ? new PhotoError(sentence) : error;
  }
}

/** Two reporters, each of which reports its part of one progress. */
function together(report: Report): [Report, Report] {
  const parts: [Progress, Progress] = [
    { loaded: 0, total: 0, what: "" },
    { loaded: 0, total: 0, what: "" },
  ];
  const part = (own: 0 | 1) => (progress: Progress) => {
    parts[own] = progress;
    report({ loaded: parts[0].loaded + parts[1].loaded, total: parts[0].total + parts[1].total, what: progress.what });
  };
  return [part(0), part(1)];
}

/**
 * The engine as a page sees it. A page may ask several things at once; they run one after another, and those that have not begun when the page is gone never
 * run.
 */
function inTurn(engine: Engine): Engine {
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(engine, {
    get(target, name: keyof Engine) {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown;
      if (AT_ONCE.has(name)) return method;
      return (...args: unknown[]) => {
        const visit = target.visit();
        const answer = last.then(() => {
          if (target.visit() !== visit) throw new EngineError("The page that asked this is gone.");
          return method(...args);
        });
        last = answer.catch(() => {});
        return answer;
      };
    },
  });
}

/** Calls that need no answer, or that come before there is one. */
const AT_ONCE = new Set<keyof Engine>(["take", "load", "open", "end", "arrivals", "giveUp", "manifest"]);

export type { Engine };
if (isShared) {
  let bring!: (graphs: MessagePort) => void;
  const engine = new Engine(new Promise((resolve) => (bring = resolve)));
  whoComes((page) => {
    page.onmessage = ({ data }) => {
      page.onmessage = null;
      bring(data as MessagePort); // the first message; files are being fetched in the meantime
      Comlink.expose(inTurn(engine), page);
    };
    addEventListener("error", ({ message }) => page.postMessage({ died: message })); // because nobody else would hear of it
  });
} else {
  Comlink.expose(inTurn(new Engine()));
}
