/**
 * The rest of Pyodide and NumPy (demo/optimise/defer/split_pyodide.mjs): functions that the demo does not need before its first verdict, three quarters of the
 * code. The page fetches them when it is idle. If Python calls one earlier, Python waits until they are there.
 */

import { VersionError } from "../../contract";
import type { Assets } from "../assets";

/** A WebAssembly function that calls a JavaScript function, because a table holds nothing else: (module (import "e" "f" (func)) (export "f" (func 0))). */
const WRAPPED = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0);

export class Deferred {
  readonly #assets: Assets;
  readonly #parts: Part[] = [];

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  /** From now on, missing functions of this file lead to its rest. Exports with a slash in their names exist for this alone. */
  belongTo(file: string, first: WebAssembly.Exports): void {
    this.#parts.push(new Part(this.#assets, file.replace(".wasm", "_rest.wasm"), first));
  }

  /** Load the rest before it is needed. */
  async come(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.come()));
  }
}

/** The rest of one file. */
class Part {
  readonly #assets: Assets;
  readonly #file: string;
  readonly #first: WebAssembly.Exports;
  #there = false;
  #coming: Promise<void> | undefined;

  constructor(assets: Assets, file: string, first: WebAssembly.Exports) {
    this.#assets = assets;
    this.#file = file;
    this.#first = first;
    const cold = Object.keys(first).find((name) => name.endsWith("/cold"))!;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(WRAPPED), { e: { f: () => this.#comeNow() } });
    (first[cold] as WebAssembly.Table).set(0, exports.f);
  }

  come(): Promise<void> {
    this.#coming ??= this.#come().catch((error: unknown) => {
      this.#coming = undefined; // so that the next use tries again
      throw error;
    });
    return this.#coming;
  }

  async #come(): Promise<void> {
    if (!this.#there) this.#join(await this.#assets.compiled(this.#file));
  }

  #comeNow(): void {
    try {
      this.#join(new WebAssembly.Module(this.#assets.now(this.#file)));
    } catch (error) {
      setTimeout(() => { throw error; }); // Python has stopped half-way and cannot continue: the page hears of it like of a worker's end
      throw error;
    }
  }

  /** Instantiating the rest fills the table through which the first file calls these functions. */
  #join(rest: WebAssembly.Module): void {
    if (this.#there) return;
    try {
      new WebAssembly.Instance(rest, { first: this.#first });
    } catch {
      throw new VersionError(this.#file);
    }
    this.#there = true;
  }
}
