/**
 * Deferred functions of Pyodide and NumPy (demo/optimise/defer/split_pyodide.mjs): functions that the demo does not call before its first verdict, three
 * quarters of the code. Each has a second WebAssembly file, which the engine fetches when it is idle. If Python calls such a function earlier, Python waits
 * until the second file is there.
 */

import { VersionError } from "../../contract";
import type { Assets } from "../assets";

/** A WebAssembly function that calls a JavaScript function, because a table holds nothing else: (module (import "e" "f" (func)) (export "f" (func 0))). */
const WRAPPER = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0);

export class Deferred {
  readonly #assets: Assets;
  readonly #parts: Part[] = [];

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  /** From now on, a call of a function that `file` lacks loads its second file. `first`: the exports of `file`; those with a slash serve this purpose. */
  register(file: string, first: WebAssembly.Exports): void {
    this.#parts.push(new Part(this.#assets, file.replace(".wasm", "_rest.wasm"), first));
  }

  /** Loads all second files before any is needed. */
  async load(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.load()));
  }
}

/** The second file of one WebAssembly file. */
class Part {
  readonly #assets: Assets;
  readonly #file: string;
  readonly #first: WebAssembly.Exports;
  #isThere = false;
  #loading: Promise<void> | undefined;

  constructor(assets: Assets, file: string, first: WebAssembly.Exports) {
    this.#assets = assets;
    this.#file = file;
    this.#first = first;
    const cold = Object.keys(first).find((name) => name.endsWith("/cold"))!;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(WRAPPER), { e: { f: () => this.#loadSync() } });
    (first[cold] as WebAssembly.Table).set(0, exports.f);
  }

  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined; // so that the next use tries again
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    if (!this.#isThere) this.#link(await this.#assets.compiled(this.#file));
  }

  #loadSync(): void {
    try {
      this.#link(new WebAssembly.Module(this.#assets.bytesSync(this.#file)));
    } catch (error) {
      setTimeout(() => { throw error; }); // Python has stopped half-way and cannot continue, so the page gets the same message as after a worker's end
      throw error;
    }
  }

  /** Instantiating the second file fills the table through which the first file calls these functions. */
  #link(second: WebAssembly.Module): void {
    if (this.#isThere) return;
    try {
      new WebAssembly.Instance(second, { first: this.#first });
    } catch {
      throw new VersionError(this.#file);
    }
    this.#isThere = true;
  }
}
