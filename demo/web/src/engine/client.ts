/** The page's side of the worker: one for each app folder, started when first asked for, started again on request. */

import * as Comlink from "comlink";

import {
  ANOTHER_VERSION,
  EngineError,
  VersionError,
  type Analysis,
  type ClassTold,
  type EmbedderChoice,
  type EmbedderScale,
  type EmbedderTold,
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
import { hire, type Hired, type Kind } from "./hire";
import { isListed, readList } from "./listed";
import { watchForSilence } from "./silence";
import type { Engine } from "./worker";

export type EngineState =
  | { phase: "loading"; progress: Progress }
  | ({ phase: "ready"; seconds: number } & Started)
  | { phase: "failed"; message: string };

interface Life {
  hired: Promise<Hired>;
  /** Rejects when the worker dies: a call that it will never answer must not wait for it. */
  death: Promise<never>;
  /** Let it die, for a reason. */
  stop: (reason: EngineError) => void;
  ready: Promise<void>;
  /** Aborts when another one begins. */
  left: AbortController;
}

/** In each page's head: demo/book/theme/renew.html. */
declare global {
  /** `engine`: files of it have been fetched anew. Whether the page goes, for a new one to come. */
  var facelabRenew: ((engine: boolean) => Promise<boolean>) | undefined;
}

const WHOLE_RUNTIME = "ort/ort-wasm-simd-threaded.wasm";
const LOADING: EngineState = { phase: "loading", progress: { loaded: 0, total: 0, what: "" } };

const engines = new Map<string, EngineClient>();

/** The engine whose files are under `app`; every element of the page shares it. */
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
  /** When the next job may be sent, and when the one after it. */
  #turns: [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()];
  /** Jobs that have not begun, and those that have no answer. */
  #waiting = 0;
  #unanswered = 0;
  /** Photos so far. */
  #opened = 0;

  constructor(app: URL) {
    super();
    this.#app = app;
    this.#life = this.#start("any");
  }

  /** models.json, which the page needs long before the worker is ready. */
  get manifest(): Promise<Manifest> {
    this.#manifest ??= this.#askForManifest();
    this.#manifest.catch(() => (this.#manifest = undefined)); // ask again next time
    return this.#manifest;
  }

  /** From the server, or from the engine where that has it sooner; whichever fails, the other may not. */
  async #askForManifest(): Promise<Manifest> {
    const { hired, death, ready } = this.#life;
    const engines = ready.then(async () => Promise.race([(await hired).remote.manifest(), death]));
    return Promise.any([readManifest(this.#app), engines]).catch((error: AggregateError) => {
      throw error.errors.at(-1); // the engine knows more of what is wrong
    });
  }

  /** Bytes of the whole of ONNX Runtime, which networks other than the site's own need (see Pool). */
  async runtimeBytes(): Promise<number> {
    const { [WHOLE_RUNTIME]: whole } = await readList(this.#app, fetched(this.#app));
    return whole?.bytes ?? 0;
  }

  /** Begin afresh after a failure, in a new worker; photos that were in the old one are gone. */
  restart(): void {
    this.#manifest = undefined;
    this.#begin("afresh");
  }

  /** Stop whatever runs, which only the end of the worker does, and begin afresh with the files that the browser has kept. */
  interrupt(): void {
    this.#life.stop(new EngineError("Stopped."));
    this.#begin("own");
  }

  /**
   * An engine that is this page's alone, from now on: one that outlives it cannot be interrupted, and others come after. Whether that is another one:
   * what the one before has been given is gone then.
   */
  async alone(): Promise<boolean> {
    await this.#turns[1];
    const { leave } = await this.#life.hired;
    if (!leave) return false;
    leave();
    this.#begin("own");
    return true;
  }

  #begin(kind: Kind): void {
    this.#turns = [Promise.resolve(), Promise.resolve()];
    this.#waiting = 0;
    this.#life.left.abort();
    this.#life = this.#start(kind);
    this.#enter(LOADING);
  }

  /** A photo for the engine to keep until `close`; the name that comes back stands for it. */
  open(pixels: Pixels): string {
    const name = `${performance.timeOrigin}/${++this.#opened}`; // no other page's: one that has just gone may be heard of late
    const opened = this.#life.hired.then(({ remote }) => remote.open(name, Comlink.transfer(pixels, [pixels.rgba])));
    opened.catch(() => {}); // whoever asks about it will hear
    return name;
  }

  /** The largest face, soon, and its embedding; whether that is all of them, `complete` says. */
  find(photo: string, signal: AbortSignal): Promise<Found> {
    return this.#next(signal, (remote) => remote.find(photo));
  }

  /** All faces; `known` stays as it is, and chosen. */
  analyse(photo: string, signal: AbortSignal, known?: Face): Promise<Analysis> {
    return this.#next(signal, (remote) => remote.analyse(photo, known));
  }

  /** `embedder`: one of the manifest's; left out, the one in use. */
  embed(photo: string, face: Face, signal: AbortSignal, embedder?: string): Promise<Embedded> {
    return this.#next(signal, (remote) => remote.embed(photo, face, embedder));
  }

  /** From the next face on; null: the embedder that the engine came with. */
  useEmbedder(choice: EmbedderChoice | null): Promise<EmbedderTold> {
    return this.#next(undefined, (remote) => remote.useEmbedder(choice));
  }

  /** `embedder`: as above. */
  scale(embedder?: string): Promise<EmbedderScale> {
    return this.#next(undefined, (remote) => remote.scale(embedder));
  }

  /** `poor`: one of the faces is not seen well. */
  compare(a: Float32Array, b: Float32Array, poor: boolean): Promise<Verdict & { milliseconds: number }> {
    return this.#next(undefined, (remote) => remote.compare(a, b, poor));
  }

  // What the roll call and the album ask for. Each question names the embedder of its numbers, one of the manifest's: whichever class was in view
  // before, and whether the engine has begun afresh since, does not matter then.

  /** All faces of a photo, which the engine does not keep. */
  look(pixels: Pixels, smallest: number, embedder: string, signal: AbortSignal): Promise<Look> {
    return this.#next(signal, (remote) => remote.look(Comlink.transfer(pixels, [pixels.rgba]), smallest, embedder));
  }

  /** The embedding of a face of which a chip is left that was cut for the embedder `cutFor`. */
  reread(chip: Pixels, cutFor: string, embedder: string, signal?: AbortSignal): Promise<Float32Array> {
    return this.#next(signal, (remote) => remote.reread(Comlink.transfer(chip, [chip.rgba]), cutFor, embedder));
  }

  enrol(keys: string[], embeddings: Float32Array, embedder: string): Promise<ClassTold> {
    return this.#next(undefined, (remote) => remote.enrol(keys, embeddings, embedder));
  }

  /** Among whom was enrolled last. */
  who(embeddings: Float32Array[], rule: Rule): Promise<Who[]> {
    return this.#next(undefined, (remote) => remote.who(embeddings.length, joined(embeddings), rule));
  }

  /** `photos`: the number of the photo that each face is in; faces of one photo are kept apart. */
  group(embeddings: Float32Array[], photos: number[], limit: number | undefined, embedder: string): Promise<number[][]> {
    return this.#next(undefined, (remote) => remote.group(photos, joined(embeddings), limit, embedder));
  }

  /** Entries: facelab.layout.Entry as JSON. */
  photosAmong(entries: string): Promise<Sifted> {
    return this.#next(undefined, (remote) => remote.photosAmong(entries));
  }

  /** `peopleAt`: an answer to the question that came back before. `called`: whose the photos are, where no folder says so. */
  layout(entries: string, peopleAt: number | undefined, called: string): Promise<Layout> {
    return this.#next(undefined, (remote) => remote.layout(entries, peopleAt, called));
  }

  writeGallery(gallery: NamedGallery): Promise<string> {
    return this.#next(undefined, (remote) => remote.writeGallery(gallery));
  }

  readGallery(text: string): Promise<GalleryFile> {
    return this.#next(undefined, (remote) => remote.readGallery(text));
  }

  // What chapters ask for

  put(name: string, pixels: Pixels): Promise<void> {
    return this.#next(undefined, (remote) => remote.put(name, Comlink.transfer(pixels, [pixels.rgba])));
  }

  remove(name: string): Promise<void> {
    return this.#next(undefined, (remote) => remote.remove(name));
  }

  lab(kind: string, settings: Settings, signal: AbortSignal): Promise<Panel[]> {
    return this.#next(signal, (remote) => remote.lab(kind, settings));
  }

  runCell(source: string, signal: AbortSignal): Promise<Outcome> {
    return this.#next(signal, (remote) => remote.runCell(source));
  }

  close(photo: string): void {
    this.#next(undefined, (remote) => remote.close(photo)).catch(() => {}); // a dead worker holds no photos
  }

  /**
   * In the order asked, once the engine is ready, which works on one at a time and has the next at hand: it need not wait for a page that may be drawing.
   * What was called off before it was sent never starts.
   */
  #next<T>(signal: AbortSignal | undefined, job: (remote: Comlink.Remote<Engine>) => Promise<T>): Promise<T> {
    const { hired, death, ready } = this.#life;
    const [turn, after] = this.#turns;
    this.#waiting++;
    this.#unanswered++;
    const sent = turn.then(async () => {
      const [{ remote }] = await Promise.all([hired, ready]);
      this.#waiting--;
      signal?.throwIfAborted();
      return { answer: Promise.race([job(remote), death]) };
    });
    const result = sent.then(({ answer }) => answer);
    this.#turns = [over(after, sent), over(after, result)];
    void over(result).then(() => this.#unanswered--);
    return result;
  }

  /** The first runs of a network take several times as long as later ones: do them while the reader still looks for a photo. */
  async #warmUp(): Promise<void> {
    for (let round = 0; round < 3 && this.#waiting === 0; round++) {
      await this.#next(undefined, (remote) => remote.warmUp()).catch(() => {}); // a photo will tell what is wrong
    }
  }

  #start(kind: Kind): Life {
    const begun = performance.now();
    document.documentElement.dataset.facelab = "loading"; // book.ts lets it go first
    let stop!: (reason: EngineError) => void;
    const stopped = new Promise<never>((_, reject) => (stop = reject));
    const hired = hire(kind);
    const current = () => this.#life.stop === stop;
    const fail = (error: unknown): never => {
      hired.then(({ end }) => end(), () => {}); // there may be none
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
    const died = hired.then(({ died }) => died).then((words) => {
      const own = /EngineError: (.+)/.exec(words)?.[1];
      const message = own ??
        (this.state.phase === "ready"
          ? "The engine stopped; the browser may be short of memory. Close other tabs, then try again."
          : "The engine did not start. Check the connection, then try again.");
      throw new EngineError(message);
    });
    const death = Promise.race([stopped, died]).catch(fail);
    const loaded = hired.then(({ remote }) => remote.load(report)).catch(fail);
    const ready = Promise.race([loaded, death]).then((started) => {
      if (!current()) return; // left meanwhile
      this.#enter({ phase: "ready", ...started, seconds: (performance.now() - begun) / 1000 });
      document.documentElement.dataset.facelab = "ready";
      dispatchEvent(new Event("facelab-engine-ready"));
      void this.#warmUp();
    });
    for (const promise of [death, ready]) promise.catch(() => {}); // told through `state`, and to every job
    const left = new AbortController();
    void over(death).then(() => left.abort());
    const started = over(ready);
    let isStarting = true;
    void started.then(() => (isStarting = false));
    const watched = {
      phase: () => (isStarting ? "starting" : this.#unanswered ? "asked" : "idle") as "starting" | "asked" | "idle",
      arrivals: async () => (await hired).remote.arrivals(),
      tell: (files: string[], silent: number) => {
        if (!current() || this.state.phase !== "loading") return;
        const what = files.length ? `nothing has arrived for ${silent / 1000} seconds; waiting for ${files.join(", ")}` : "";
        this.#enter({ phase: "loading", progress: { ...this.state.progress, what } });
      },
      giveUp: (why: string) => void hired.then(({ remote }) => remote.giveUp(why)),
      lost: () => stop(new EngineError("The engine did not start, for an unknown reason. Check the connection, then try again.")),
    };
    watchForSilence(watched, left.signal);
    return { hired, death, stop, ready, left };
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

/** By paths in a folder. */
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

/** What an error that nobody foresaw says of itself, as a sentence. */
const describe = (error: unknown) => (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/\.?$/, ".");

/** When all have ended, well or not. It holds nothing of what they gave: a turn waits for the one before, and so all would be kept for ever. */
const over = (...all: Promise<unknown>[]): Promise<void> => Promise.allSettled(all).then(() => {});
