/**
 * The rest of Pyodide and of NumPy (demo/assemble/split_pyodide.mjs): functions that the demo has no need of before its first verdict, three
 * quarters of their code. The page fetches them when it has nothing else to do. Should Python call one earlier, it stops until they are there.
 */

import { VersionError } from "../contract";
import type { Assets } from "./assets";

/** A function of JavaScript as one of WebAssembly, as nothing else fits into a table: (module (import "e" "f" (func)) (export "f" (func 0))). */
const WRAPPED = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0);

export class Rest {
  readonly #assets: Assets;
  readonly #parts: Part[] = [];

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  /** Functions that the file exports lead to the rest of it, from now on. Exports with a slash in their names are for that alone. */
  belongTo(file: string, first: WebAssembly.Exports): void {
    this.#parts.push(new Part(this.#assets, file.replace(".wasm", "_rest.wasm"), first));
  }

  /** Have it here before anybody asks for it. */
  async come(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.come()));
  }
}

/** Of one file. */
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
      this.#coming = undefined; // once more, when it is asked for again
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
      setTimeout(() => { throw error; }); // Python has stopped half-way and is of no use any more: the page hears of it as of a worker's end
      throw error;
    }
  }

  /** It fills the table that the file calls these functions through. */
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
