/**
 * The rest of Pyodide (demo/assemble/split_pyodide.mjs): functions that the demo has no need of before its first verdict, two thirds of its code.
 * The page fetches them when it has nothing else to do. Should Python call one of them earlier, it stops until they are there.
 */

import { EngineError } from "../contract";
import type { Assets } from "./assets";

const FILE = "pyodide/pyodide_rest.wasm";
/** A function of JavaScript as one of WebAssembly, as nothing else fits into a table: (module (import "e" "f" (func)) (export "f" (func 0))). */
const WRAPPED = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0);

export class Rest {
  readonly #assets: Pick<Assets, "response" | "now">;
  #first: WebAssembly.Exports | undefined;
  #there = false;
  #coming: Promise<void> | undefined;

  constructor(assets: Pick<Assets, "response" | "now">) {
    this.#assets = assets;
  }

  /** To what Pyodide's own file exports. */
  belongTo(first: WebAssembly.Exports): void {
    this.#first = first;
    const cold = Object.keys(first).find((name) => name.endsWith("/cold"))!;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(WRAPPED), { e: { f: () => this.#comeNow() } });
    (first[cold] as WebAssembly.Table).set(0, exports.f);
  }

  /** Have it here before anybody asks for it. */
  come(): Promise<void> {
    this.#coming ??= this.#come().catch((error: unknown) => {
      this.#coming = undefined; // once more, when it is asked for again
      throw error;
    });
    return this.#coming;
  }

  async #come(): Promise<void> {
    if (!this.#there) this.#join(await WebAssembly.compileStreaming(this.#assets.response(FILE)));
  }

  #comeNow(): void {
    try {
      this.#join(new WebAssembly.Module(this.#assets.now(FILE)));
    } catch (error) {
      setTimeout(() => { throw error; }); // Python has stopped half-way and is of no use any more: the page hears of it as of a worker's end
      throw error;
    }
  }

  /** It fills the table that Pyodide's own file calls these functions through. */
  #join(rest: WebAssembly.Module): void {
    if (this.#there) return;
    try {
      new WebAssembly.Instance(rest, { first: this.#first! });
    } catch (cause) {
      throw new EngineError(`${FILE} is not the file that this page expects. Try again; if that does not help, the site itself is damaged.`, { cause });
    }
    this.#there = true;
  }
}
