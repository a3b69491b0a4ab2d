/**
 * The engine's files, counted as they arrive. Those asked for ahead are handed to whoever fetches them first: Pyodide and
 * onnxruntime-web fetch their own files, by address, and know nothing of this.
 */

import { EngineError, RELOAD, VersionError, workerName, type ModelFile } from "../contract";
import { isForLater } from "./files";
import { fetchAnew, hex, isListed, LIST, readList, type List } from "./listed";
import { lastOf, piecesOf, type Piece } from "./pieces";
import type { Report } from "./report";

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

const SCRIPT = import.meta.url;
/** The folder that all of it lies in: this script is one of its web/. */
const APP = new URL("../", SCRIPT);
const CACHE: RequestCache = workerName === RELOAD ? "reload" : "default";

const WASM = "application/wasm";
/** How every file of WebAssembly begins. */
const WASM_MARK = [0x00, 0x61, 0x73, 0x6d];
const A_WEB_PAGE = "the server sent a web page in its place (some networks do until you sign in)";
/** Milliseconds for a file that Python itself stops for: nobody can look meanwhile whether any of it comes. */
const LONGEST_STOP = 180_000;

/** Bytes that have come so far, and the files that are on their way. */
export interface Arrivals {
  bytes: number;
  files: string[];
}

export class Assets {
  /** Rejects when the first file fails to arrive, or turns out to be of another build; never resolves. */
  readonly failed: Promise<never>;
  #fail!: (error: EngineError) => void;
  readonly #list: Promise<List>;
  /** Whether each file is this build's, of those whose readers do not wait to hear. */
  readonly #checks = new Map<string, Promise<boolean>>();

  readonly #report: Report;
  readonly #waiting = new Map<string, Promise<Response>>();
  readonly #fetch = globalThis.fetch.bind(globalThis);
  #loaded = 0;
  #total = 0;
  #sizes = new Map<string, number>();
  #arrived = 0;
  readonly #coming = new Set<Arrival>();

  constructor(report: Report) {
    this.#report = report;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => {}); // whoever needs it races against it
    globalThis.fetch = (input, init) => this.#take(input instanceof Request ? input.url : new URL(input, APP).href) ?? this.#fetch(input, init);
    this.#list = readList(APP, (path, cache) => this.#request(path, cache));
    this.#list.catch((error: EngineError) => this.#fail(error));
    if (SCRIPT.startsWith(APP.href)) this.#check(SCRIPT.slice(APP.href.length));
  }

  url(path: string): URL {
    return new URL(path, APP);
  }

  /** Of all files that are needed at the start. */
  async sizes(): Promise<Sizes> {
    const files = Object.entries(await this.#list).map(([path, { bytes }]): [string, number] => [path, bytes]);
    return files.filter(([path]) => !isForLater(path) && NAMES.some(([prefix]) => path.startsWith(prefix)));
  }

  /** When every file so far is known to be this build's: nobody may have an answer before. */
  async allRight(): Promise<void> {
    const right = await Promise.all(this.#checks.values());
    if (right.includes(false)) await this.failed;
  }

  /** Of which files the progress is told. */
  expect(sizes: Sizes): void {
    this.#total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    this.#sizes = new Map(sizes);
    this.note(""); // all of it may have come before
  }

  /** Ask for files now that somebody will fetch soon. */
  ahead(...paths: string[]): void {
    for (const path of paths) {
      const response = this.#request(path);
      response.catch(() => {}); // `failed` tells of it, even if nobody comes for the file
      this.#waiting.set(this.url(path).href, response);
    }
  }

  get arrivals(): Arrivals {
    return { bytes: this.#arrived, files: [...this.#coming].map(({ path }) => path) };
  }

  /** Rejects the requests of all files that are on their way. `why`: the reason, for the error’s sentence. */
  giveUp(why: string): void {
    for (const { controller } of this.#coming) controller.abort(why);
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
      this.#coming.delete(arrival);
    }
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    const bytes = await (await this.response(path)).arrayBuffer();
    if (await this.#isRight(path, bytes)) return bytes;
    const anew = await (await this.#request(path, "reload")).arrayBuffer();
    return (await this.#isRight(path, anew)) ? anew : this.refuse(path);
  }

  /** WebAssembly, compiled as it arrives. */
  async compiled(path: string): Promise<WebAssembly.Module> {
    const compiled = await this.#compiled(path, await this.response(path));
    return compiled ?? (await this.#compiled(path, await this.#request(path, "reload"))) ?? this.refuse(path);
  }

  /** Nothing where the file is of another build. */
  async #compiled(path: string, response: Response): Promise<WebAssembly.Module | undefined> {
    const compiled = WebAssembly.compileStreaming(response);
    compiled.catch(() => {}); // heard of below
    return (await this.#checks.get(path)) ? compiled : undefined;
  }

  /** What is in a gzipped file that ends in a mark, which is told by another: what was mixed up with another version would answer nonsense. */
  async inflated(path: string, told: Promise<{ mark: string }>): Promise<Piece[]> {
    const inflate = ({ body }: Response) => piecesOf(body!.pipeThrough(new DecompressionStream("gzip"))); // gzip’s checksum finds damage
    const isRight = async (pieces: Piece[]) => {
      const { mark } = await told;
      return hex(lastOf(pieces, mark.length / 2).buffer) === mark;
    };
    const pieces = await inflate(await this.response(path)).catch(() => []);
    if (await isRight(pieces)) return pieces;
    const anew = await inflate(await this.#request(path, "reload")).catch((cause: unknown) => {
      throw this.#failure(path, "it is damaged", cause);
    });
    return (await isRight(anew)) ? anew : this.refuse(path);
  }

  /** For whoever cannot wait: nothing else happens here until it has arrived. */
  now(path: string): ArrayBuffer {
    const request = new XMLHttpRequest();
    request.open("GET", this.url(path), false);
    request.responseType = "arraybuffer";
    // Where it has been asked for already, it comes as far as this thread takes it, and the browser would let the second wait for the first.
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
    if (!globalThis.crypto.subtle) return bytes; // on plain http
    return hex(await crypto.subtle.digest("SHA-256", bytes)) === sha256 ? bytes : this.refuse(path);
  }

  /** A file that is not this build's, from the server neither. */
  refuse(path: string): never {
    throw new VersionError(path);
  }

  /** Whether what came is this build's. What the list does not name, is the reader's own concern. */
  async #isRight(path: string, bytes?: ArrayBuffer): Promise<boolean> {
    const listed = (await this.#list)[path];
    return !listed || isListed(this.url(path), listed, bytes);
  }

  /** The same for a file that is in use meanwhile. Another build's is fetched anew, for the engine that begins next. */
  #check(path: string, content?: Promise<ArrayBuffer>): void {
    const check = (async () => {
      const right = await this.#isRight(path, await content);
      if (!right) await fetchAnew(this.url(path));
      return right;
    })();
    this.#checks.set(path, check);
    const tell = async (right: boolean) => {
      if (right) return;
      await Promise.allSettled(this.#checks.values()); // all that is wrong is fetched anew at once
      this.#fail(new VersionError(path));
    };
    check.then(tell, () => {}); // of a file that did not arrive, or of the list, `failed` tells
  }

  /** Of a file that somebody else reads. */
  response(path: string): Promise<Response> {
    return this.#take(this.url(path).href) ?? this.#request(path);
  }

  /** Say what is being started; the bytes stay as they are. */
  note(what: string): void {
    if (this.#total) this.#report({ loaded: Math.min(this.#loaded, this.#total), total: this.#total, what });
  }

  #take(href: string): Promise<Response> | undefined {
    const response = this.#waiting.get(href);
    this.#waiting.delete(href); // a body can be read only once
    return response;
  }

  async #request(path: string, cache = CACHE): Promise<Response> {
    const arrival = this.#begin(path);
    const { signal } = arrival.controller;
    try {
      const response = await this.#fetch(this.url(path), { priority: "low", cache, signal }).catch((cause: unknown) => {
        throw this.#failure(path, signal.aborted ? String(signal.reason) : "did not arrive", cause);
      });
      if (response.status === 409) throw this.#failure(path, "the site has a new version"); // says the service worker
      if (!response.ok || !response.body) throw this.#failure(path, `the server answered ${response.status}`);
      const type = response.headers.get("Content-Type");
      if (isWebPage(type)) throw this.#failure(path, A_WEB_PAGE);
      if (!path.endsWith(".wasm")) return new Response(this.#counted(response.body, arrival), { headers: response.headers });
      this.#check(path, new Response(this.#counted(response.clone().body!, arrival)).arrayBuffer());
      // Only beside a response that is the network's own does the browser keep what it has compiled of it. It compiles none of another type.
      return type === WASM ? response : new Response(response.body, { headers: { "Content-Type": WASM } });
    } catch (error) {
      this.#coming.delete(arrival);
      throw error;
    }
  }

  #begin(path: string): Arrival {
    const arrival = { path, controller: new AbortController() };
    this.#coming.add(arrival);
    return arrival;
  }

  #counted(body: ReadableStream<Uint8Array>, arrival: Arrival): ReadableStream<Uint8Array> {
    const { path, controller } = arrival;
    const { signal } = controller;
    const reader = body.getReader();
    return new ReadableStream({
      // In `start`, not in `pull`: the file keeps arriving while its reader is still busy with something else.
      start: async (controller) => {
        try {
          for (let isFirst = true; ; isFirst = false) {
            const { done, value } = await reader.read().catch((cause: unknown) => {
              throw this.#failure(path, signal.aborted ? String(signal.reason) : "the connection broke", cause);
            });
            if (done) break;
            // Pyodide keeps to itself that it could not compile a file.
            if (isFirst && path.endsWith(".wasm") && WASM_MARK.some((byte, i) => value[i] !== byte)) throw this.#failure(path, "it is damaged");
            controller.enqueue(value);
            this.#count(path, value.byteLength);
          }
          controller.close();
        } finally {
          this.#coming.delete(arrival);
        }
      },
    });
  }

  /** `import` does not say. */
  async #whyNoScript(path: string): Promise<string> {
    const response = await this.#fetch(this.url(path)).catch(() => undefined);
    if (!response) return "did not arrive";
    const type = response.headers.get("Content-Type");
    if (!response.ok) return `the server answered ${response.status}`;
    if (isWebPage(type)) return A_WEB_PAGE;
    return /javascript/.test(type ?? "") ? "it is damaged" : `the server sends it as ${type ?? "nothing in particular"}, not as text/javascript`;
  }

  #count(path: string, bytes: number): void {
    this.#arrived += bytes;
    if (path === LIST) return; // is not on itself
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
