/**
 * The engine in Python's worker. Python (Pyodide) decides here, and ONNX Runtime runs the networks in other workers (compute/pool.ts). Photos stay in these
 * workers' memory as long as the page shows them, and the page gets boxes, chips and embeddings.
 */

import * as Comlink from "comlink";

import {
  EngineError,
  PhotoError,
  type Analysis,
  type ClassSummary,
  type EmbedderChoice,
  type EmbedderInUse,
  type EmbedderScale,
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
import type { Outputs, PlainTensor } from "./compute/graphs";
import { withoutAlpha } from "./compute/rgb";
import { Pool, type GetWorker, type Photo } from "./compute/pool";
import { throttled, type Report } from "./report";
import { announceLoaded, isShared, onConnect, whenReleased } from "./life/shared";
import { closeWaysOut } from "./life/start-worker";
import { startPlain } from "./start/plain";
import type { Python, PythonSession } from "./start/python";
import { startThawed } from "./start/thawed";

/** Whether the workers of the networks request a file, and not this one. */
const isForGraphs = (path: string) => path.startsWith("ort/") || path.endsWith(".onnx");

/** The name of an empty photo for warming up. */
const WARM_UP_PHOTO = "nothing";

/** Milliseconds after a verdict until deferred functions are fetched. The page first shows the verdict and looks for more faces. */
const QUIET = 1000;

/** Milliseconds to wait for the last page to leave when the next page is there already. */
const LEAVING = 100;
/** Milliseconds to wait for a next page before the engine ends and releases its memory. */
const NEXT_PAGE = 120_000;

/** A photo, and transforms from chips to the photo for some of its faces, float32 [N, 2, 3]. */
type Transformed = [photo: Photo, dims: number[], transforms: Float32Array];

class Engine {
  #session!: PythonSession;
  readonly #pool: Pool;
  #report: Report = () => {};
  readonly #throttledReport = throttled((progress) => this.#report(progress));
  readonly #reporters = splitProgress((progress) => {
    this.#bytes = progress.total;
    this.#throttledReport(progress);
  });
  #bytes = 0;
  readonly #assets = new Assets(this.#reporters[0]);
  #manifest!: Manifest;
  /** The name in models.json of the network in use, if distances are plain; undefined for a reader's file or corrected distances. */
  #plainEmbedder: string | undefined;
  /** Photos under the names that the page gives them. `look` and `reread` choose other names. */
  readonly #photos = new Map<string, Photo>();
  /** The names of photos that were opened before the first answer. */
  readonly #first = new Set<string>();
  #askedOnce = 0;
  /** The names of photos in Python's workspace, for labs and code cells. */
  readonly #workspace = new Set<string>();
  #python!: Python;
  #completed: Promise<void> | undefined;
  readonly #loaded: Promise<void>;
  /** Whether a page has had an answer. */
  #warm = false;
  /** Resolves when the page that has claimed this engine is gone. Only shared engines are claimed. */
  #pageGone: Promise<void> | undefined;
  #visits = 0;
  /** Whether another page must start a new engine: after an unrecoverable error, and while another network may be in use. */
  #unusable = false;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to load at once. `graphs`: see Pool. */
  constructor(graphs?: Promise<MessagePort>) {
    this.#pool = new Pool(graphs);
    this.#loaded = Promise.race([this.#load(), this.#assets.failed]);
    this.#loaded.catch(() => (this.#unusable = true)); // handled in `load`
  }

  /**
   * Lets a page have this engine until the page is gone, because a shared engine serves one page at a time. Resolves to whether the page has it.
   * `lock`: the name of a lock that the page holds as long as it exists; `build`: the page's version.
   */
  async claim(lock: string, build: string, getWorker: GetWorker): Promise<boolean> {
    await Promise.race([this.#pageGone, new Promise((resolve) => setTimeout(resolve, LEAVING))]); // the last page may just be leaving
    if (this.#pageGone) return false;
    if (this.#unusable || build !== BUILD) {
      this.end(); // the next page starts another engine
      return false;
    }
    clearTimeout(this.#endTimer);
    this.#closePhotos(); // messages of the last page may have arrived after it left
    this.#pool.getWorkersFrom(getWorker);
    // If the lock is refused, no other page gets the engine, and the browser ends it some time after its page.
    this.#pageGone = whenReleased(lock).then(() => this.#forget(), () => new Promise(() => {}));
    return true;
  }

  /** The number of pages that have been here and are gone. */
  visit(): number {
    return this.#visits;
  }

  /** Removes what a page has left here, and ends the engine if the next page cannot use it. */
  #forget(): void {
    this.#visits++;
    this.#pageGone = undefined;
    this.#report = () => {};
    this.#closePhotos();
    if (this.#unusable || this.#pool.changed || this.#plainEmbedder !== this.#manifest?.embedder.name) return this.end();
    this.#endTimer = setTimeout(() => this.end(), NEXT_PAGE);
    if (this.#completed) this.#session.enrol("[]", { rows: 0, numbers: new Float32Array() });
  }

  #closePhotos(): void {
    for (const name of [...this.#photos.keys()]) this.close(name);
    for (const name of [...this.#workspace]) void this.remove(name);
  }

  /** Ends this worker and the workers of the networks. */
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

  /** The bytes that have arrived so far, and the files on their way. */
  async arrivals(): Promise<Arrivals> {
    const [own, graphs] = [this.#assets.arrivals, await this.#pool.arrivals()];
    return { bytes: own.bytes + graphs.bytes, files: [...own.files, ...graphs.files] };
  }

  /** See Assets.giveUp. */
  giveUp(why: string): void {
    this.#assets.giveUp(why);
    this.#pool.giveUp(why);
  }

  /** models.json. Only a page whose engine is ready may ask for it. */
  manifest(): Manifest {
    return this.#manifest;
  }

  async #load(): Promise<void> {
    const assets = this.#assets;
    const starting = PLAIN ? startPlain(assets) : startThawed(assets);
    starting.catch(() => {}); // handled where the promise is awaited
    const [sizes, text] = await Promise.all([assets.sizes(), assets.text("models/models.json")]);
    const manifest = (this.#manifest = JSON.parse(text) as Manifest);
    this.#plainEmbedder = manifest.embedder.name;
    const later = laterModels(manifest);
    const needed = sizes.filter(([path]) => !later.has(path));
    const part = (graphs: boolean): Sizes => needed.filter(([path]) => isForGraphs(path) === graphs);
    assets.expect(part(false));
    [this.#python] = await Promise.all([starting, this.#pool.load(part(true), manifest, this.#reporters[1])]);
    const engine = {
      run: (graph: GraphName, photo: Photo, input: string, dims: number[], type: PlainTensor["type"], data: PlainTensor["data"]) =>
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
    if (isShared) announceLoaded();
  }

  /** The answers of another network, for a lab that compares networks. The page's default network is in use again afterwards. */
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

  /** Keeps a photo until `close`. */
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
    await this.#fetchDeferredFor(photo);
    const { analysis, embedded } = await this.#withFallback(() => this.#session.find(this.#photo(photo)));
    return { ...(JSON.parse(analysis) as Analysis), ...(embedded && { embedded }) };
  }

  /** All faces; `known` stays unchanged, and chosen. */
  async analyse(photo: string, known?: Face): Promise<Analysis> {
    await this.#fetchDeferredFor(photo);
    return JSON.parse(await this.#withFallback(() => this.#session.analyse(this.#photo(photo), known && JSON.stringify(known)))) as Analysis;
  }

  async embed(photo: string, face: Face, embedder?: string): Promise<Embedded> {
    if (embedder) await this.#readWith(embedder);
    await this.#fetchDeferredFor(photo);
    return this.#withFallback(() => this.#session.embed(this.#photo(photo), JSON.stringify(face)));
  }

  /** Uses another network from the next face on; null: the default. If this fails, the network in use stays. */
  async useEmbedder(choice: EmbedderChoice | null): Promise<EmbedderInUse> {
    const before = this.#unusable;
    this.#unusable = true; // if the page leaves now, the next one expects the default network
    try {
      await this.#fetchDeferred();
      const [file, offered] = choice && "file" in choice ? await this.#offerFile(choice.file) : await this.#offerListed(choice ?? {});
      const embedder = JSON.parse(offered) as EmbedderInUse;
      await this.#pool.use(file, embedder, this.#knownOf(choice));
      this.#session.use_offered();
      this.#plainEmbedder = embedder.normalised || (choice && "file" in choice) ? undefined : embedder.name;
      return embedder;
    } finally {
      this.#unusable = before;
    }
  }

  #knownOf(choice: EmbedderChoice | null): number[] | undefined {
    if (!choice || "file" in choice) return undefined;
    const graph = this.#manifest.embedders?.[choice.name]?.graph;
    return (graph?.compact ?? graph)?.known;
  }

  async #offerFile(file: ArrayBuffer): Promise<[ArrayBuffer, string]> {
    return [file, await withReadableErrors(() => this.#session.offer_file(new Uint8Array(file)))];
  }

  /** The default network needs no file, because its session exists. */
  async #offerListed({ name = this.#manifest.embedder.name, normalise = false }): Promise<[ArrayBuffer | null, string]> {
    const graph = this.#manifest.embedders?.[name]?.graph;
    return Promise.all([
      graph ? this.#assets.model(graph.compact ?? graph) : null,
      withReadableErrors(() => this.#session.offer_listed(name, normalise)),
    ]);
  }

  /** Switches to a network before a job that needs its embeddings. Jobs run one after another, so no other job comes between. */
  async #readWith(embedder: string): Promise<void> {
    if (embedder !== this.#plainEmbedder) await this.useEmbedder({ name: embedder });
  }

  async scale(embedder?: string): Promise<EmbedderScale> {
    if (embedder) await this.#readWith(embedder);
    await this.#fetchDeferred();
    return JSON.parse(await withReadableErrors(() => this.#session.scale())) as EmbedderScale;
  }

  async compare(a: Float32Array, b: Float32Array, poor: boolean): Promise<Verdict & { milliseconds: number }> {
    if (this.#warm) await this.#fetchDeferred();
    this.#warm = true;
    const start = performance.now();
    const verdict = JSON.parse(await withReadableErrors(() => this.#session.compare(a, b, poor))) as Verdict;
    const milliseconds = performance.now() - start;
    setTimeout(() => void this.#python.fetchDeferred().catch(() => {}), QUIET); // a later use reports what failed
    return { ...verdict, milliseconds };
  }

  /** All faces of a photo that is not kept. `smallest`: side of the smallest face looked for, pixels. */
  async look(pixels: Pixels, smallest: number, embedder: string): Promise<Look> {
    return this.#askOnce(pixels, embedder, (photo) => this.#session.look(photo, smallest));
  }

  /** The embedding of a face from its chip, which was cut for the embedder `cutFor`. */
  async reread(chip: Pixels, cutFor: string, embedder: string): Promise<Float32Array> {
    return this.#askOnce(chip, embedder, (photo) => this.#session.reread(photo, cutFor));
  }

  /** Asks about a photo and closes it. */
  async #askOnce<T>(pixels: Pixels, embedder: string, ask: (photo: Photo) => Promise<T>): Promise<T> {
    await this.#readWith(embedder);
    this.#pool.grow();
    this.#warm = true;
    await this.#complete();
    const name = `once/${++this.#askedOnce}`;
    this.open(name, pixels);
    try {
      return await this.#withFallback(() => ask(this.#photo(name)));
    } finally {
      this.close(name);
    }
  }

  /** Enrols the people that `who` can name. `keys`: the person on each photo; `numbers`: the photos' embeddings, joined. */
  async enrol(keys: string[], numbers: Float32Array, embedder: string): Promise<ClassSummary> {
    await this.#readWith(embedder);
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.enrol(JSON.stringify(keys), { rows: keys.length, numbers }))) as ClassSummary;
  }

  async who(rows: number, numbers: Float32Array, rule: Rule): Promise<Who[]> {
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.who({ rows, numbers }, rule))) as Who[];
  }

  async group(photos: number[], numbers: Float32Array, limit: number | undefined, embedder: string): Promise<number[][]> {
    await this.#readWith(embedder);
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.group({ rows: photos.length, numbers }, JSON.stringify(photos), limit))) as number[][];
  }

  async photosAmong(entries: string): Promise<Sifted> {
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.photos_among(entries))) as Sifted;
  }

  async layout(entries: string, peopleAt: number | undefined, called: string): Promise<Layout> {
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.layout(entries, peopleAt, called))) as Layout;
  }

  async writeGallery({ embedder, people, name }: NamedGallery): Promise<string> {
    await this.#readWith(embedder);
    await this.#complete();
    return withReadableErrors(() => this.#session.write_gallery(JSON.stringify(people), name));
  }

  async readGallery(text: string): Promise<GalleryFile> {
    await this.#complete();
    return JSON.parse(await withReadableErrors(() => this.#session.read_gallery(text))) as GalleryFile;
  }

  /** Puts a photo into the workspace of labs and code cells, in place of one of the same name. */
  async put(name: string, pixels: Pixels): Promise<void> {
    const visit = this.#visits;
    await this.#fetchDeferred();
    if (visit !== this.#visits) return; // the page is gone
    this.#workspace.add(name);
    this.#session.put(name, this.#hold(pixels));
  }

  async remove(name: string): Promise<void> {
    this.#workspace.delete(name);
    this.#session.remove(name);
  }

  async lab(kind: string, settings: Settings): Promise<Panel[]> {
    await this.#complete();
    return this.#withFallback(() => this.#session.lab(kind, JSON.stringify(settings)));
  }

  async runCell(source: string): Promise<Outcome> {
    closeWaysOut();
    await this.#complete();
    return withReadableErrors(() => this.#session.run(source));
  }

  /** Runs every network and stage once, on an empty photo with an invented face. Stops when a photo arrives. */
  async warmUp(): Promise<void> {
    if (this.#warm) return;
    await this.#withFallback(() => this.#pool.warmUp());
    if (this.#photos.size) return;
    const [width, height] = [640, 480];
    this.open(WARM_UP_PHOTO, { width, height, rgba: new ArrayBuffer(width * height * 4) });
    const face: Face = { box: [260, 160, 380, 320], score: 1, landmarks: [[293, 216], [347, 216], [320, 249], [295, 276], [345, 276]], turned: 0 };
    try {
      await this.analyse(WARM_UP_PHOTO); // `find` would also turn the photo in search of a face
      await this.embed(WARM_UP_PHOTO, face);
    } finally {
      this.close(WARM_UP_PHOTO);
    }
  }

  /** Loads all of Python and NumPy, which all questions but the demo's need. */
  #complete(): Promise<void> {
    return (this.#completed ??= this.#python.complete());
  }

  /**
   * Waits for the deferred functions before a question, because a question that needed one would block this thread until it arrived. If they do not arrive,
   * the question is asked all the same, because most questions need few of them.
   */
  async #fetchDeferred(): Promise<void> {
    await this.#python.fetchDeferred().catch(() => {});
  }

  /** Does the same before a question about a photo, unless the photo belongs to the first verdict. */
  async #fetchDeferredFor(photo: string): Promise<void> {
    if (this.#warm && !this.#first.has(photo)) await this.#fetchDeferred();
  }

  #photo(name: string): Photo {
    const photo = this.#photos.get(name);
    if (!photo) throw new EngineError("That photo was removed.");
    return photo;
  }

  /** Asks again with the whole ONNX Runtime if the trimmed one has failed. */
  async #withFallback<T>(job: () => T | Promise<T>): Promise<T> {
    try {
      return await withReadableErrors(job);
    } catch (error) {
      if (!this.#pool.trimmedFailed) throw error;
      await this.#pool.useWhole();
      return withReadableErrors(job);
    }
  }

  #hold({ width, height, rgba }: Pixels): Photo {
    return this.#pool.hold(withoutAlpha(rgba), [height, width, 3]);
  }
}

/** Files that the start does not need: the cohorts, and the graphs of other embedders. */
function laterModels({ embedder, embedders = {} }: Manifest): Set<string> {
  const others = Object.values(embedders);
  const cohorts = [embedder, ...others.map((other) => other.embedder)].flatMap(({ cohort }) => cohort ?? []);
  const files = [...cohorts, ...others.map(({ graph }) => graph.compact ?? graph)];
  return new Set(files.map(({ file }) => `models/${file}`));
}

/** Turns Python's errors into sentences for the reader, which they have in their last line: `facelab.errors.NoFace: There is ...`. */
async function withReadableErrors<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const last = error instanceof Error ? error.message.trimEnd().split("\n").at(-1) : undefined;
    const sentence = /^(?:facelab\.errors\.\w+|pyodide\.ffi\.JsException: EngineError): (.+)$/.exec(last ?? "")?.[1];
    throw sentence ? new PhotoError(sentence) : error;
  }
}

/** Two reporters, each of which reports its part of one progress. */
function splitProgress(report: Report): [Report, Report] {
  const parts: [Progress, Progress] = [
    { loaded: 0, total: 0, what: "" },
    { loaded: 0, total: 0, what: "" },
  ];
  const part = (i: 0 | 1) => (progress: Progress) => {
    parts[i] = progress;
    report({ loaded: parts[0].loaded + parts[1].loaded, total: parts[0].total + parts[1].total, what: progress.what });
  };
  return [part(0), part(1)];
}

/**
 * The engine as a page sees it. A page may ask several questions at once. They run one after another, and questions that have not begun when the page is gone
 * never run.
 */
function oneAtATime(engine: Engine): Engine {
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

/** Calls that must not wait for the questions before them. */
const AT_ONCE = new Set<keyof Engine>(["claim", "load", "open", "end", "arrivals", "giveUp", "manifest"]);

export type { Engine };
if (isShared) {
  let receive!: (graphs: MessagePort) => void;
  const engine = new Engine(new Promise((resolve) => (receive = resolve)));
  onConnect((page) => {
    page.onmessage = ({ data }) => {
      page.onmessage = null;
      receive(data as MessagePort); // the page's first message brings the port, and the engine already loads
      Comlink.expose(oneAtATime(engine), page);
    };
    addEventListener("error", ({ message }) => page.postMessage({ died: message })); // the browser does not report a shared worker's errors to its pages
  });
} else {
  Comlink.expose(oneAtATime(new Engine()));
}
