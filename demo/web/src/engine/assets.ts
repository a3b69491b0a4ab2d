/** The engine's files, checked, with their bytes counted as they arrive. Pyodide and ONNX Runtime request none themselves: see start/. */

import { EngineError, RELOAD, VersionError, workerName, type ModelFile } from "../contract";
import { isForLater } from "./files";
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
/** The folder of all these files; this script lies in its web/. */
const APP = new URL("../", SCRIPT);
const CACHE: RequestCache = workerName === RELOAD ? "reload" : "default";

const WASM = "application/wasm";
const A_WEB_PAGE = "the server sent a web page in its place (some networks do until you sign in)";
/** Milliseconds for a file that blocks Python. Nothing can check in the meantime whether it arrives. */
const LONGEST_STOP = 180_000;

/** The bytes that have arrived so far, and the files that are on their way. */
export interface Arrivals {
  bytes: number;
  files: string[];
}

export class Assets {
  /** Rejects when the first file fails to arrive, or belongs to another build. Never resolves. */
  readonly failed: Promise<never>;
  #fail!: (error: EngineError) => void;
  readonly #list: Promise<List>;
  /** Whether each script belongs to this build. Scripts run before they are checked. */
  readonly #checks: Promise<boolean>[] = [];

  readonly #report: Report;
  #loaded = 0;
  #total = 0;
  #sizes = new Map<string, number>();
  #arrived = 0;
  readonly #coming = new Set<Arrival>();

  constructor(report: Report) {
    this.#report = report;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => {}); // its users race against it
    this.#list = readList(APP, (path, cache) => this.#request(path, cache));
    this.#list.catch((error: EngineError) => this.#fail(error));
    if (SCRIPT.startsWith(APP.href)) this.#check(SCRIPT.slice(APP.href.length));
  }

  url(path: string): URL {
    return new URL(path, APP);
  }

  /** The size of all files that the start needs. */
  async sizes(): Promise<Sizes> {
    const files = Object.entries(await this.#list).map(([path, { bytes }]): [string, number] => [path, bytes]);
    return files.filter(([path]) => !isForLater(path) && NAMES.some(([prefix]) => path.startsWith(prefix)));
  }

  /** Resolves when all scripts so far are known to belong to this build. No answer may be given before. */
  async allRight(): Promise<void> {
    const right = await Promise.all(this.#checks);
    if (right.includes(false)) await this.failed;
  }

  /** The files that the progress is about. */
  expect(sizes: Sizes): void {
    this.#total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    this.#sizes = new Map(sizes);
    this.note(""); // everything may have arrived before
  }

  get arrivals(): Arrivals {
    return { bytes: this.#arrived, files: [...this.#coming].map(({ path }) => path) };
  }

  /** Abort the requests of all files on their way. `why`: the reason, for the error’s sentence. */
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
    const bytes = await (await this.#request(path)).arrayBuffer();
    if (await this.#isRight(path, bytes)) return bytes;
    const anew = await (await this.#request(path, "reload")).arrayBuffer();
    return (await this.#isRight(path, anew)) ? anew : this.refuse(path);
  }

  /** A WebAssembly file, compiled as it arrives. */
  async compiled(path: string): Promise<WebAssembly.Module> {
    const compiled = await this.#compiled(path).catch((error: unknown) => {
      if (error instanceof EngineError) throw error; // it did not arrive
    });
    const anew = async () =>
      this.#compiled(path, "reload").catch((cause: unknown) => {
        throw cause instanceof EngineError ? cause : this.#failure(path, "it is damaged", cause);
      });
    return compiled ?? (await anew()) ?? this.refuse(path);
  }

  /** A compiled file; undefined if it belongs to another build. */
  async #compiled(path: string, cache?: RequestCache): Promise<WebAssembly.Module | undefined> {
    const [response, arrival] = await this.#answer(path, cache);
    const bytes = new Response(this.#counted(response.clone().body!, arrival)).arrayBuffer();
    // Browsers keep compiled code only for a network's own response, and compile only responses of this type.
    const isTyped = response.headers.get("Content-Type") === WASM;
    const compiling = WebAssembly.compileStreaming(isTyped ? response : new Response(response.body, { headers: { "Content-Type": WASM } }));
    const [compiled, isRight] = await Promise.all([compiling, bytes.then((bytes) => this.#isRight(path, bytes))]);
    return isRight ? compiled : undefined;
  }

  /** The content of a gzipped file that ends in a mark. The mark comes from another file: a file of another version would lead to nonsense. */
  async inflated(path: string, told: Promise<{ mark: string }>): Promise<Chunk[]> {
    const inflate = ({ body }: Response) => chunksOf(body!.pipeThrough(new DecompressionStream("gzip"))); // gzip’s checksum detects damage
    const isRight = async (chunks: Chunk[]) => {
      const { mark } = await told;
      return hex(lastOf(chunks, mark.length / 2).buffer) === mark;
    };
    const chunks = await inflate(await this.#request(path)).catch(() => []);
    if (await isRight(chunks)) return chunks;
    const anew = await inflate(await this.#request(path, "reload")).catch((cause: unknown) => {
      throw this.#failure(path, "it is damaged", cause);
    });
    return (await isRight(anew)) ? anew : this.refuse(path);
  }

  /** A file for code that cannot wait. This thread does nothing else until it has arrived. */
  now(path: string): ArrayBuffer {
    const request = new XMLHttpRequest();
    request.open("GET", this.url(path), false);
    request.responseType = "arraybuffer";
    // If the file was requested already, it arrives only while this thread reads it, and the browser would let the second request wait for the first.
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

  /** Throw an error if the server, too, has another build's file. */
  refuse(path: string): never {
    throw new VersionError(path);
  }

  /** Whether a file belongs to this build. Files that the list does not name are the reader's own. */
  async #isRight(path: string, bytes?: ArrayBuffer): Promise<boolean> {
    const listed = (await this.#list)[path];
    return !listed || isListed(this.url(path), listed, bytes);
  }

  /** The same check for a script, which runs already. A script of another build is fetched again, for the next engine. */
  #check(path: string): void {
    const check = (async () => {
      const right = await this.#isRight(path);
      if (!right) await fetchAnew(this.url(path));
      return right;
    })();
    this.#checks.push(check);
    const tell = async (right: boolean) => {
      if (right) return;
      await Promise.allSettled(this.#checks); // so that all wrong files are fetched again together
      this.#fail(new VersionError(path));
    };
    check.then(tell, () => {}); // `failed` reports a file, or the list, that did not arrive
  }

  /** Report what is being started; the byte counts stay as they are. */
  note(what: string): void {
    if (this.#total) this.#report({ loaded: Math.min(this.#loaded, this.#total), total: this.#total, what });
  }

  async #request(path: string, cache?: RequestCache): Promise<Response> {
    const [response, arrival] = await this.#answer(path, cache);
    return new Response(this.#counted(response.body!, arrival), { headers: response.headers });
  }

  /** The server's answer, if that can be the file. Its bytes are not counted yet. */
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
      // In `start` and not in `pull`, so that the file keeps arriving while its reader is busy.
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
          this.#coming.delete(arrival);
        }
      },
    });
  }

  /** Find out why an `import` failed, because the browser does not say it. */
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
