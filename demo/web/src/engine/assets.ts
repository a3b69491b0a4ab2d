/**
 * The engine's files. All are asked for at once, counted as they arrive, and handed to whoever fetches them first: Pyodide and
 * onnxruntime-web fetch their own files, by address, and know nothing of this.
 */

import { EngineError, type ModelFile, type Progress } from "../contract";

const NAMES: [prefix: string, name: string][] = [
  ["models/embedder", "embedder"],
  ["models/cohort", "cohort"],
  ["models/", "face detector"],
  ["pyodide/", "Python"],
  ["python/numpy", "NumPy"],
  ["python/_", "NumPy"],
  ["python/python", "Python"],
  ["python/", "facelab"],
  ["ort/", "ONNX Runtime"],
];

/** Of files by their paths: how many bytes each has. */
export type Sizes = [path: string, bytes: number][];

/** Asked for by all but the demo, when they first need it. */
const isForLater = (path: string) => path.includes("_rest") || path.endsWith(".whl") || path.endsWith("packages.json");
const isScript = (path: string) => path.endsWith(".mjs") || path.endsWith(".js");

export class Assets {
  /** Rejects when the first file fails to arrive; never resolves. */
  readonly failed: Promise<never>;
  #fail!: (error: EngineError) => void;

  readonly #app: URL;
  readonly #cache: RequestCache;
  readonly #report: (progress: Progress) => void;
  readonly #waiting = new Map<string, Promise<Response>>();
  readonly #fetch = globalThis.fetch.bind(globalThis);
  #loaded = 0;
  #total = 0;

  constructor(app: URL, cache: RequestCache, report: (progress: Progress) => void) {
    this.#app = app;
    this.#cache = cache;
    this.#report = report;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => {}); // whoever needs it races against it
  }

  url(path: string): URL {
    return new URL(path, this.#app);
  }

  /** Of all files that are needed at the start. */
  async sizes(): Promise<Sizes> {
    const files = JSON.parse(await this.text("assets.json")) as Record<string, number>;
    return Object.entries(files).filter(([path]) => !isForLater(path) && NAMES.some(([prefix]) => path.startsWith(prefix)));
  }

  /** Ask for files, all at once, and answer later `fetch` calls of this worker from what is already on its way. */
  start(sizes: Sizes): void {
    this.#total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    for (const [path, bytes] of sizes) {
      // A script cannot be handed over; importing it now puts it in the worker's module map, where its user finds it.
      if (isScript(path)) this.script(path).then(() => this.#count(path, bytes), () => {});
      else this.#ask(path);
    }
    globalThis.fetch = (input, init) => {
      const href = input instanceof Request ? input.url : new URL(input, this.#app).href;
      return this.#take(href) ?? this.#fetch(input, init);
    };
  }

  async script<Module>(path: string): Promise<Module> {
    try {
      return (await import(/* @vite-ignore */ this.url(path).href)) as Module;
    } catch (cause) {
      throw this.#failure(path, "did not arrive", cause);
    }
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    return (await this.response(path)).arrayBuffer();
  }

  /** Of a gzipped file. */
  async inflated(path: string): Promise<ArrayBuffer> {
    const { body } = await this.response(path);
    return new Response(body!.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  async text(path: string): Promise<string> {
    return (await this.response(path)).text();
  }

  /** A model that was cut short or mixed up with another version would answer nonsense: refuse it. */
  async model({ file, sha256 }: ModelFile): Promise<ArrayBuffer> {
    const bytes = await this.bytes(`models/${file}`);
    if (!globalThis.crypto.subtle) return bytes; // on plain http
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex === sha256) return bytes;
    throw new EngineError(`${file} is not the file that this page expects. Try again; if that does not help, the site itself is damaged.`);
  }

  response(path: string): Promise<Response> {
    return this.#take(this.url(path).href) ?? this.#request(path);
  }

  /** Say what is being started; the bytes stay as they are. */
  note(what: string): void {
    this.#report({ loaded: this.#loaded, total: this.#total, what });
  }

  #ask(path: string): void {
    const response = this.#request(path);
    response.catch(() => {}); // `failed` tells of it, even if nobody comes for the file
    this.#waiting.set(this.url(path).href, response);
  }


  #take(href: string): Promise<Response> | undefined {
    const response = this.#waiting.get(href);
    this.#waiting.delete(href); // a body can be read only once
    return response;
  }

  async #request(path: string): Promise<Response> {
    const response = await this.#fetch(this.url(path), { priority: "low", cache: this.#cache }).catch((cause: unknown) => {
      throw this.#failure(path, "did not arrive", cause);
    });
    if (response.status === 409) throw this.#failure(path, "the site has a new version"); // says the service worker
    if (!response.ok || !response.body) throw this.#failure(path, `the server answered ${response.status}`);
    if (path.endsWith(".wasm")) {
      // Only beside a response that is the network's own does the browser keep what it has compiled of it.
      void this.#counted(response.clone().body!, path).pipeTo(new WritableStream()).catch(() => {});
      return response;
    }
    return new Response(this.#counted(response.body, path), { headers: response.headers });
  }

  #counted(body: ReadableStream<Uint8Array>, path: string): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    return new ReadableStream({
      // In `start`, not in `pull`: the file keeps arriving while its reader is still busy with something else.
      start: async (controller) => {
        for (;;) {
          const { done, value } = await reader.read().catch((cause: unknown) => {
            throw this.#failure(path, "the connection broke", cause);
          });
          if (done) break;
          controller.enqueue(value);
          this.#count(path, value.byteLength);
        }
        controller.close();
      },
    });
  }

  #count(path: string, bytes: number): void {
    if (!this.#total) return; // the list itself is not on the list
    this.#loaded += bytes;
    this.note(NAMES.find(([prefix]) => path.startsWith(prefix))?.[1] ?? path);
  }

  #failure(path: string, why: string, cause?: unknown): EngineError {
    const error = new EngineError(`Loading stopped at ${path}: ${why}. Check the connection, or reload the page; then try again.`, { cause });
    this.#fail(error);
    return error;
  }
}
