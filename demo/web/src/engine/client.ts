/** The page's side of the engine: one client for each app folder. It starts the engine when it is first asked for, and restarts it on request. */

import * as Comlink from "comlink";

import {
  ANOTHER_VERSION,
  EngineError,
  VersionError,
  type Analysis,
  type ClassSummary,
  type EmbedderChoice,
  type EmbedderInUse,
  type EmbedderScale,
  type Embedded,
  type Face,
  type Found,
  type GalleryFile,
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
import { acquire, requireFeatures, type Acquired, type Kind } from "./life/acquire";
import { isListed, readList } from "./listed";
import { watchForSilence } from "./life/silence";
import type { Engine } from "./worker";

export type EngineState =
  | { phase: "loading"; progress: Progress }
  | ({ phase: "ready"; seconds: number } & Started)
  | { phase: "failed"; message: string };

/** One engine from its start to its end. */
interface Life {
  acquired: Promise<Acquired>;
  /** Rejects when the worker dies, so that questions without an answer do not wait for ever. */
  death: Promise<never>;
  /** Ends the engine, and rejects all open questions with a reason. */
  stop: (reason: EngineError) => void;
  ready: Promise<void>;
  /** Aborts when this engine is dead, or when the next one starts. */
  ended: AbortController;
}

/** Each page's head defines this: demo/book/theme/renew.html. */
declare global {
  /** `engine`: whether files of the engine have been fetched again. Resolves to whether the page will be replaced. */
  var facelabRenew: ((engine: boolean) => Promise<boolean>) | undefined;
}

const WHOLE_RUNTIME = "ort/ort-wasm-simd-threaded.wasm";
const LOADING: EngineState = { phase: "loading", progress: { loaded: 0, total: 0, what: "" } };

const engines = new Map<string, EngineClient>();

/** The engine whose files are under `app`; all elements of the page share it. */
export function engineAt(app: URL): EngineClient {
  let engine = engines.get(app.href);
  if (!engine) engines.set(app.href, (engine = new EngineClient(app)));
  return engine;
}

/** Fires `change` when `state` changes. */
export class EngineClient extends EventTarget {
  state: EngineState = LOADING;
  readonly #app: URL;
  #life: Life;
  #manifest: Promise<Manifest> | undefined;
  /** The first resolves when the next job may be sent, and the second when the job after that may be sent. */
  #turns: [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()];
  /** The number of jobs that have not been sent, and of jobs that have no answer yet. */
  #waiting = 0;
  #unanswered = 0;
  /** The number of photos so far. */
  #opened = 0;

  constructor(app: URL) {
    super();
    this.#app = app;
    this.#life = this.#start("any");
  }

  /** models.json, which the page needs before the engine is ready. */
  get manifest(): Promise<Manifest> {
    this.#manifest ??= this.#askForManifest();
    this.#manifest.catch(() => (this.#manifest = undefined)); // the next use asks again
    return this.#manifest;
  }

  /** From the server, or from the engine if it is ready sooner. One of the two may fail. */
  async #askForManifest(): Promise<Manifest> {
    const { acquired, death, ready } = this.#life;
    requireFeatures();
    const engines = ready.then(async () => Promise.race([(await acquired).remote.manifest(), death]));
    return Promise.any([readManifest(this.#app), engines]).catch((error: AggregateError) => {
      throw error.errors.at(-1); // the engine's error, which says more
    });
  }

  /** Bytes of the whole ONNX Runtime, which other networks need (see Pool). The plain build has loaded it, so there it is 0. */
  async runtimeBytes(): Promise<number> {
    if (PLAIN) return 0;
    const { [WHOLE_RUNTIME]: whole } = await readList(this.#app, fetched(this.#app));
    return whole?.bytes ?? 0;
  }

  /** Starts a new engine after a failure. Photos in the old one are lost. */
  restart(): void {
    this.#manifest = undefined;
    this.#begin("reload");
  }

  /** Ends the engine, whatever it computes, and starts a new one with the files that the browser has stored. */
  interrupt(): void {
    this.#life.stop(new EngineError("Stopped."));
    this.#begin("dedicated");
  }

  /**
   * Makes sure that the engine is one that `interrupt` can end, which a shared engine is not. Resolves to whether the engine is new and therefore has none of
   * the photos.
   */
  async alone(): Promise<boolean> {
    await this.#turns[1];
    const { release } = await this.#life.acquired;
    if (!release) return false;
    release();
    this.#begin("dedicated");
    return true;
  }

  #begin(kind: Kind): void {
    this.#turns = [Promise.resolve(), Promise.resolve()];
    this.#waiting = 0;
    this.#life.ended.abort();
    this.#life = this.#start(kind);
    this.#enter(LOADING);
  }

  /** Gives the engine a photo to keep until `close`. Returns the photo's name. */
  open(pixels: Pixels): string {
    const name = `${performance.timeOrigin}/${++this.#opened}`; // unique among pages, because messages of the last page may arrive late
    const opened = this.#life.acquired.then(({ remote }) => remote.open(name, Comlink.transfer(pixels, [pixels.rgba])));
    opened.catch(() => {}); // later questions about the photo report the error
    return name;
  }

  /** The largest face, quickly, with its embedding. `complete` says whether there are no others. */
  find(photo: string, signal: AbortSignal): Promise<Found> {
    return this.#ask(signal, (remote) => remote.find(photo));
  }

  /** All faces; `known` stays unchanged, and chosen. */
  analyse(photo: string, signal: AbortSignal, known?: Face): Promise<Analysis> {
    return this.#ask(signal, (remote) => remote.analyse(photo, known));
  }

  /** `embedder`: a name in models.json; by default the one in use. */
  embed(photo: string, face: Face, signal: AbortSignal, embedder?: string): Promise<Embedded> {
    return this.#ask(signal, (remote) => remote.embed(photo, face, embedder));
  }

  /** Uses another network from the next face on; null: the page's default. */
  useEmbedder(choice: EmbedderChoice | null): Promise<EmbedderInUse> {
    return this.#ask(undefined, (remote) => remote.useEmbedder(choice));
  }

  /** `embedder`: as above. */
  scale(embedder?: string): Promise<EmbedderScale> {
    return this.#ask(undefined, (remote) => remote.scale(embedder));
  }

  /** `poor`: whether one of the faces is of poor quality. */
  compare(a: Float32Array, b: Float32Array, poor: boolean): Promise<Verdict & { milliseconds: number }> {
    return this.#ask(undefined, (remote) => remote.compare(a, b, poor));
  }

  // Questions of the roll call and the album. Each question names its embedder by its name in models.json, because the engine may have used another one for
  // the last class, and may have started again since.

  /** All faces of a photo, which the engine does not keep. */
  look(pixels: Pixels, smallest: number, embedder: string, signal: AbortSignal): Promise<Look> {
    return this.#ask(signal, (remote) => remote.look(Comlink.transfer(pixels, [pixels.rgba]), smallest, embedder));
  }

  /** The embedding of a face from its chip, which was cut for the embedder `cutFor`. */
  reread(chip: Pixels, cutFor: string, embedder: string, signal?: AbortSignal): Promise<Float32Array> {
    return this.#ask(signal, (remote) => remote.reread(Comlink.transfer(chip, [chip.rgba]), cutFor, embedder));
  }

  enrol(keys: string[], embeddings: Float32Array, embedder: string): Promise<ClassSummary> {
    return this.#ask(undefined, (remote) => remote.enrol(keys, embeddings, embedder));
  }

  /** Identifies faces among the people enrolled last. */
  who(embeddings: Float32Array[], rule: Rule): Promise<Who[]> {
    return this.#ask(undefined, (remote) => remote.who(embeddings.length, joined(embeddings), rule));
  }

  /** `photos`: the number of each face's photo; faces of one photo are never grouped together. */
  group(embeddings: Float32Array[], photos: number[], limit: number | undefined, embedder: string): Promise<number[][]> {
    return this.#ask(undefined, (remote) => remote.group(photos, joined(embeddings), limit, embedder));
  }

  /** `entries`: facelab.layout.Entry as JSON. */
  photosAmong(entries: string): Promise<Sifted> {
    return this.#ask(undefined, (remote) => remote.photosAmong(entries));
  }

  /** `peopleAt`: the reader's answer to the question of an earlier layout. `called`: the person's name, if all photos were given without a folder. */
  layout(entries: string, peopleAt: number | undefined, called: string): Promise<Layout> {
    return this.#ask(undefined, (remote) => remote.layout(entries, peopleAt, called));
  }

  writeGallery(gallery: NamedGallery): Promise<string> {
    return this.#ask(undefined, (remote) => remote.writeGallery(gallery));
  }

  readGallery(text: string): Promise<GalleryFile> {
    return this.#ask(undefined, (remote) => remote.readGallery(text));
  }

  // Questions of labs and code cells.

  put(name: string, pixels: Pixels): Promise<void> {
    return this.#ask(undefined, (remote) => remote.put(name, Comlink.transfer(pixels, [pixels.rgba])));
  }

  remove(name: string): Promise<void> {
    return this.#ask(undefined, (remote) => remote.remove(name));
  }

  lab(kind: string, settings: Settings, signal: AbortSignal): Promise<Panel[]> {
    return this.#ask(signal, (remote) => remote.lab(kind, settings));
  }

  runCell(source: string, signal: AbortSignal): Promise<Outcome> {
    return this.#ask(signal, (remote) => remote.runCell(source));
  }

  close(photo: string): void {
    this.#ask(undefined, (remote) => remote.close(photo)).catch(() => {}); // a dead worker holds no photos
  }

  /**
   * Sends jobs in order, once the engine is ready. The engine works on one job and already has the next, so that it need not wait for a busy page. Jobs that
   * were aborted before they were sent never start.
   */
  #ask<T>(signal: AbortSignal | undefined, job: (remote: Comlink.Remote<Engine>) => Promise<T>): Promise<T> {
    const { acquired, death, ready } = this.#life;
    const [turn, after] = this.#turns;
    this.#waiting++;
    this.#unanswered++;
    const sent = turn.then(async () => {
      const [{ remote }] = await Promise.all([acquired, ready]);
      this.#waiting--;
      signal?.throwIfAborted();
      return { answer: Promise.race([job(remote), death]) };
    });
    const result = sent.then(({ answer }) => answer);
    this.#turns = [settled(after, sent), settled(after, result)];
    void settled(result).then(() => this.#unanswered--);
    return result;
  }

  /** Runs the networks while the reader looks for a photo, because first runs take several times as long as later ones. */
  async #warmUp(): Promise<void> {
    for (let round = 0; round < 3 && this.#waiting === 0; round++) {
      await this.#ask(undefined, (remote) => remote.warmUp()).catch(() => {}); // a photo will show what is wrong
    }
  }

  #start(kind: Kind): Life {
    const begun = performance.now();
    document.documentElement.dataset.facelab = "loading"; // book.ts waits for this to change
    let stop!: (reason: EngineError) => void;
    const stopped = new Promise<never>((_, reject) => (stop = reject));
    const acquired = acquire(kind);
    const current = () => this.#life.stop === stop;
    const fail = (error: unknown): never => {
      acquired.then(({ end }) => end(), () => {}); // there may be no worker
      const known = error instanceof Error && error.name === "EngineError";
      if (!known) console.error(error);
      const message = known ? error.message : `The engine did not start: ${describe(error)} Reload the page; if that does not help, update the browser.`;
      if (current()) {
        this.#enter({ phase: "failed", message });
        document.documentElement.dataset.facelab = "failed";
        dispatchEvent(new Event("facelab-engine-failed"));
        void globalThis.facelabRenew?.(message.includes(ANOTHER_VERSION));
      }
      throw new EngineError(message);
    };

    const report = Comlink.proxy((progress: Progress) => {
      if (current() && this.state.phase === "loading") this.#enter({ phase: "loading", progress });
    });
    const died = acquired.then(({ died }) => died).then((words) => {
      const own = /EngineError: (.+)/.exec(words)?.[1];
      const message = own ??
        (this.state.phase === "ready"
          ? "The engine stopped; the browser may be short of memory. Close other tabs, then try again."
          : "The engine did not start. Check the connection, then try again.");
      throw new EngineError(message);
    });
    const death = Promise.race([stopped, died]).catch(fail);
    const loaded = acquired.then(({ remote }) => remote.load(report)).catch(fail);
    const ready = Promise.race([loaded, death]).then((started) => {
      if (!current()) return; // another life has begun
      this.#enter({ phase: "ready", ...started, seconds: (performance.now() - begun) / 1000 });
      document.documentElement.dataset.facelab = "ready";
      dispatchEvent(new Event("facelab-engine-ready"));
      void this.#warmUp();
    });
    for (const promise of [death, ready]) promise.catch(() => {}); // `state` and every job report the error
    const ended = new AbortController();
    void settled(death).then(() => ended.abort());
    const started = settled(ready);
    let isStarting = true;
    void started.then(() => (isStarting = false));
    const watched = {
      phase: () => (isStarting ? "starting" : this.#unanswered ? "asked" : "idle") as "starting" | "asked" | "idle",
      arrivals: async () => (await acquired).remote.arrivals(),
      report: (files: string[], silent: number) => {
        if (!current() || this.state.phase !== "loading") return;
        const what = files.length ? `nothing has arrived for ${silent / 1000} seconds; waiting for ${files.join(", ")}` : "";
        this.#enter({ phase: "loading", progress: { ...this.state.progress, what } });
      },
      giveUp: (why: string) => void acquired.then(({ remote }) => remote.giveUp(why)),
      lost: () => stop(new EngineError("The engine did not start, for an unknown reason. Check the connection, then try again.")),
    };
    watchForSilence(watched, ended.signal);
    return { acquired, death, stop, ready, ended };
  }

  #enter(state: EngineState): void {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

async function readManifest(app: URL): Promise<Manifest> {
  const path = "models/models.json";
  const get = fetched(app);
  const list = readList(app, get);
  for (const cache of [undefined, "reload"] as const) {
    const bytes = await (await get(path, cache)).arrayBuffer();
    const listed = (await list)[path];
    if (listed && (await isListed(new URL(path, app), listed, bytes))) return JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
  }
  throw new VersionError(path);
}

/** Files by their paths in a folder. */
function fetched(app: URL): (path: string, cache?: RequestCache) => Promise<Response> {
  return async (path, cache = "default") => {
    const response = await fetch(new URL(path, app), { cache });
    if (!response.ok) throw new EngineError(`${path}: the server answered ${response.status}.`);
    return response;
  };
}

/** Embeddings, one after another. */
export function joined(embeddings: Float32Array[]): Float32Array {
  const length = embeddings[0]?.length ?? 0;
  const all = new Float32Array(embeddings.length * length);
  embeddings.forEach((embedding, i) => all.set(embedding, i * length));
  return all;
}

/** An unexpected error's message as a sentence. */
const describe = (error: unknown) => (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/\.?$/, ".");

/**
 * Resolves when all promises have settled. It holds none of their results, because each turn waits for the turn before it, and all results would stay in
 * memory.
 */
const settled = (...all: Promise<unknown>[]): Promise<void> => Promise.allSettled(all).then(() => {});
