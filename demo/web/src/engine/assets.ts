/**
 * Requests the engine's files, counts their bytes as they arrive, and checks them against the build's list (listed.ts). Pyodide and ONNX Runtime request no
 * files from the server, because start/ passes them what has arrived here. ONNX Runtime only imports its script by its address, and gets the module that was
 * imported here.
 */

import { EngineError, RELOAD, VersionError, workerName, type ModelFile } from "../contract";
import { fetchAnew, hex, isListed, LIST, readList, type List } from "./listed";
import { lastOf, chunksOf, type Chunk } from "./start/chunks";
import type { Report } from "./report";

const NAMES: [prefix: string, name: string][] = [
  ["models/embedder", "embedder"],
  ["models/cohort", "cohort"],
  ["models/", "face detector"],
  ["pyodide/numpy", "NumPy"],
  ["pyodide/", "Python"],
  ["python/numpy", "NumPy"],
  ["python/_", "NumPy"],
  ["python/python", "Python"],
  ["python/", "facelab"],
  ["ort/", "ONNX Runtime"],
];

/** The size of each file in bytes, by path. */
export type Sizes = [path: string, bytes: number][];

const SCRIPT = import.meta.url;
/** The build's folder. This script lies in its web/. */
const APP = new URL("../", SCRIPT);
const CACHE: RequestCache = workerName === RELOAD ? "reload" : "default";

const WASM = "application/wasm";
const A_WEB_PAGE = "the server sent a web page in its place (some networks do until you sign in)";
/** Milliseconds for a file that blocks this thread, because nothing can check in the meantime whether bytes arrive. */
const LONGEST_STOP = 180_000;

/** The bytes that have arrived so far, and the files that are on their way. */
export interface Arrivals {
  bytes: number;
  files: string[];
}

/** Whether the start leaves a file out: deferred parts of Python and NumPy, the whole ONNX Runtime, networks as files. The plain build defers none. */
const isDeferred = (path: string) => !PLAIN && /_rest|\.onnx$|\.whl$|^ort\/.*threaded\.wasm$/.test(path);

export class Assets {
  /** Rejects when a file does not arrive, or belongs to another build. Never resolves. */
  readonly failed: Promise<never>;
  #fail!: (error: EngineError) => void;
  readonly #list: Promise<List>;
  /** Whether each script belongs to this build. A script runs before it is checked. */
  readonly #checks: Promise<boolean>[] = [];

  readonly #report: Report;
  #loaded = 0;
  #total = 0;
  #sizes = new Map<string, number>();
  #arrived = 0;
  readonly #pending = new Set<Arrival>();

  constructor(report: Report) {
    this.#report = report;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => {}); // callers race other promises against this one
    this.#list = readList(APP, (path, cache) => this.#request(path, cache));
    this.#list.catch((error: EngineError) => this.#fail(error));
    if (SCRIPT.startsWith(APP.href)) this.#check(SCRIPT.slice(APP.href.length));
  }

  url(path: string): URL {
    return new URL(path, APP);
  }

  /** The sizes of all files that the start needs. */
  async sizes(): Promise<Sizes> {
    const files = Object.entries(await this.#list).map(([path, { bytes }]): [string, number] => [path, bytes]);
    return files.filter(([path]) => !isDeferred(path) && NAMES.some(([prefix]) => path.startsWith(prefix)));
  }

  /** Resolves when all scripts so far have proven to belong to this build. The engine may give no answer before. */
  async allRight(): Promise<void> {
    const right = await Promise.all(this.#checks);
    if (right.includes(false)) await this.failed;
  }

  /** Sets the files that count as the start's progress. */
  expect(sizes: Sizes): void {
    this.#total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    this.#sizes = new Map(sizes);
    this.note(""); // all files may have arrived already
  }

  get arrivals(): Arrivals {
    return { bytes: this.#arrived, files: [...this.#pending].map(({ path }) => path) };
  }

  /** Abort the requests of all files on their way. `why`: the reason, for the error’s sentence. */
  giveUp(why: string): void {
    for (const { controller } of this.#pending) controller.abort(why);
  }

  async script<Module>(path: string): Promise<Module> {
    const arrival = this.#begin(path);
    const { signal } = arrival.controller;
    const givenUp = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    try {
      const module = (await Promise.race([import(/* @vite-ignore */ this.url(path).href), givenUp])) as Module;
      this.#count(path, this.#sizes.get(path) ?? 0);
      this.#check(path);
      return module;
    } catch (cause) {
      throw this.#failure(path, signal.aborted ? String(signal.reason) : await this.#whyNoScript(path), cause);
    } finally {
      this.#pending.delete(arrival);
    }
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    const bytes = await (await this.#request(path)).arrayBuffer();
    if (await this.#isRight(path, bytes)) return bytes;
    const anew = await (await this.#request(path, "reload")).arrayBuffer();
    return (await this.#isRight(path, anew)) ? anew : this.refuse(path);
  }

  /** A WebAssembly file, compiled as it arrives. */
  async compiled(path: string): Promise<WebAssembly.Module> {
    const compiled = await this.#compiled(path).catch((error: unknown) => {
      if (error instanceof EngineError) throw error; // the file did not arrive
    });
    const anew = async () =>
      this.#compiled(path, "reload").catch((cause: unknown) => {
        throw cause instanceof EngineError ? cause : this.#failure(path, "it is damaged", cause);
      });
    return compiled ?? (await anew()) ?? this.refuse(path);
  }

  /** A compiled file, or undefined if the file belongs to another build. */
  async #compiled(path: string, cache?: RequestCache): Promise<WebAssembly.Module | undefined> {
    const [response, arrival] = await this.#answer(path, cache);
    const bytes = new Response(this.#counted(response.clone().body!, arrival)).arrayBuffer();
    // Browsers keep compiled code only for a network's own response, and compile only responses of this type.
    const isTyped = response.headers.get("Content-Type") === WASM;
    const compiling = WebAssembly.compileStreaming(isTyped ? response : new Response(response.body, { headers: { "Content-Type": WASM } }));
    const [compiled, isRight] = await Promise.all([compiling, bytes.then((bytes) => this.#isRight(path, bytes))]);
    return isRight ? compiled : undefined;
  }

  /** The content of a gzipped file that ends in a mark. `description`: a file with the same mark, because only files of one version belong together. */
  async inflated(path: string, description: Promise<{ mark: string }>): Promise<Chunk[]> {
    const inflate = ({ body }: Response) => chunksOf(body!.pipeThrough(new DecompressionStream("gzip"))); // gzip’s checksum detects damage
    const isRight = async (chunks: Chunk[]) => {
      const { mark } = await description;
      return hex(lastOf(chunks, mark.length / 2).buffer) === mark;
    };
    const chunks = await inflate(await this.#request(path)).catch(() => []);
    if (await isRight(chunks)) return chunks;
    const anew = await inflate(await this.#request(path, "reload")).catch((cause: unknown) => {
      throw this.#failure(path, "it is damaged", cause);
    });
    return (await isRight(anew)) ? anew : this.refuse(path);
  }

  /** A file for code that cannot await a promise. This thread does nothing else until the file has arrived. */
  bytesSync(path: string): ArrayBuffer {
    const request = new XMLHttpRequest();
    request.open("GET", this.url(path), false);
    request.responseType = "arraybuffer";
    // Without this header, the browser would let the request wait for an earlier one of the same file, whose bytes only this blocked thread can read.
    request.setRequestHeader("Cache-Control", "no-cache");
    request.timeout = LONGEST_STOP;
    try {
      request.send();
    } catch (cause) {
      throw this.#failure(path, "did not arrive", cause);
    }
    if (request.status !== 200) throw this.#failure(path, `the server answered ${request.status}`);
    if (isWebPage(request.getResponseHeader("Content-Type"))) throw this.#failure(path, A_WEB_PAGE);
    return request.response as ArrayBuffer;
  }

  async text(path: string): Promise<string> {
    return new TextDecoder().decode(await this.bytes(path));
  }

  async model({ file, sha256 }: Pick<ModelFile, "file" | "sha256">): Promise<ArrayBuffer> {
    const path = `models/${file}`;
    const bytes = await this.bytes(path);
    if (!globalThis.crypto.subtle) return bytes; // plain http has no hash functions
    return hex(await crypto.subtle.digest("SHA-256", bytes)) === sha256 ? bytes : this.refuse(path);
  }

  /** Call this if the server, too, has another build's file. */
  refuse(path: string): never {
    throw new VersionError(path);
  }

  /** Whether a file belongs to this build. Files that are not on the list cannot be checked. */
  async #isRight(path: string, bytes?: ArrayBuffer): Promise<boolean> {
    const listed = (await this.#list)[path];
    return !listed || isListed(this.url(path), listed, bytes);
  }

  /** Checks a script, which runs already. If it belongs to another build, the browser's copy is replaced for the next engine. */
  #check(path: string): void {
    const check = (async () => {
      const right = await this.#isRight(path);
      if (!right) await fetchAnew(this.url(path));
      return right;
    })();
    this.#checks.push(check);
    const failIfWrong = async (right: boolean) => {
      if (right) return;
      await Promise.allSettled(this.#checks); // so that all wrong scripts are replaced before the page starts another engine
      this.#fail(new VersionError(path));
    };
    check.then(failIfWrong, () => {}); // `failed` reports a file or a list that did not arrive
  }

  /** Report what is being started; the byte counts stay as they are. */
  note(what: string): void {
    if (this.#total) this.#report({ loaded: Math.min(this.#loaded, this.#total), total: this.#total, what });
  }

  async #request(path: string, cache?: RequestCache): Promise<Response> {
    const [response, arrival] = await this.#answer(path, cache);
    return new Response(this.#counted(response.body!, arrival), { headers: response.headers });
  }

  /** The server's answer, unless it is an error or a web page. The caller must count its bytes with `#counted`. */
  async #answer(path: string, cache = CACHE): Promise<[Response, Arrival]> {
    const arrival = this.#begin(path);
    const { signal } = arrival.controller;
    try {
      const response = await fetch(this.url(path), { priority: "low", cache, signal }).catch((cause: unknown) => {
        throw this.#failure(path, signal.aborted ? String(signal.reason) : "did not arrive", cause);
      });
      if (response.status === 409) throw this.#failure(path, "the site has a new version"); // the service worker's answer
      if (!response.ok || !response.body) throw this.#failure(path, `the server answered ${response.status}`);
      if (isWebPage(response.headers.get("Content-Type"))) throw this.#failure(path, A_WEB_PAGE);
      return [response, arrival];
    } catch (error) {
      this.#pending.delete(arrival);
      throw error;
    }
  }

  #begin(path: string): Arrival {
    const arrival = { path, controller: new AbortController() };
    this.#pending.add(arrival);
    return arrival;
  }

  #counted(body: ReadableStream<Uint8Array>, arrival: Arrival): ReadableStream<Uint8Array> {
    const { path, controller } = arrival;
    const { signal } = controller;
    const reader = body.getReader();
    return new ReadableStream({
      // This loop runs in `start` and not in `pull`, so that the file keeps arriving while its reader is busy.
      start: async (controller) => {
        try {
          for (;;) {
            const { done, value } = await reader.read().catch((cause: unknown) => {
              throw this.#failure(path, signal.aborted ? String(signal.reason) : "the connection broke", cause);
            });
            if (done) break;
            controller.enqueue(value);
            this.#count(path, value.byteLength);
          }
          controller.close();
        } finally {
          this.#pending.delete(arrival);
        }
      },
    });
  }

  /** The reason why an `import` failed, which the browser does not give. */
  async #whyNoScript(path: string): Promise<string> {
    const response = await fetch(this.url(path)).catch(() => undefined);
    if (!response) return "did not arrive";
    const type = response.headers.get("Content-Type");
    if (!response.ok) return `the server answered ${response.status}`;
    if (isWebPage(type)) return A_WEB_PAGE;
    return /javascript/.test(type ?? "") ? "it is damaged" : `the server sends it as ${type ?? "nothing in particular"}, not as text/javascript`;
  }

  #count(path: string, bytes: number): void {
    this.#arrived += bytes;
    if (path === LIST) return; // the list does not contain itself
    this.#loaded += bytes;
    this.note(NAMES.find(([prefix]) => path.startsWith(prefix))?.[1] ?? path);
  }

  #failure(path: string, why: string, cause?: unknown): EngineError {
    const error = new EngineError(`Loading stopped at ${path}: ${why}. Check the connection, or reload the page; then try again.`, { cause });
    this.#fail(error);
    return error;
  }
}

interface Arrival {
  path: string;
  controller: AbortController;
}

const isWebPage = (type: string | null) => /^text\/html/.test(type ?? "");
