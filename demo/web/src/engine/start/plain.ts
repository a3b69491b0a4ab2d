/**
 * Starts Python in the documented way: `loadPyodide`, then NumPy's and facelab's wheels, then an import. The pages of `make site PLAIN=1` start like this.
 * Pyodide fetches nothing from the network, because Assets counts and checks each file first.
 */

import { loadPyodide, type PyodideConfig } from "pyodide";
import type { PyProxy } from "pyodide/ffi";

import type { Assets } from "../assets";
import { reportFatalErrors, unpack, type Python } from "./python";

export async function startPlain(assets: Assets): Promise<Python> {
  const [script, wasm, library, lockFileContents, wheels] = await Promise.all([
    assets.script<{ default: NonNullable<PyodideConfig["createPyodideModule"]> }>("pyodide/pyodide.asm.mjs"),
    assets.bytes("pyodide/pyodide.asm.wasm"),
    assets.bytes("pyodide/python_stdlib.zip"),
    assets.text("pyodide/pyodide-lock.json"),
    wheelsOf(assets),
  ]);
  const wasmURL = addressOf(wasm, "application/wasm");
  const stdLibURL = addressOf(library, "application/zip");
  const indexURL = `${wasmURL}#`; // Pyodide appends a file's name, which changes nothing behind the #
  const pyodide = await loadPyodide({ indexURL, stdLibURL, lockFileContents, createPyodideModule: script.default });
  for (const address of [wasmURL, stdLibURL]) URL.revokeObjectURL(address);
  reportFatalErrors(pyodide);
  unpack(pyodide, wheels.map((wheel) => [wheel, "wheel"]));
  const facelab = pyodide.pyimport("facelab.browser") as PyProxy & { Session: Python["session"] };
  const nothing = () => Promise.resolve();
  return { session: facelab.Session, fetchDeferred: nothing, complete: nothing };
}

async function wheelsOf(assets: Assets): Promise<ArrayBuffer[]> {
  const paths = (await assets.sizes()).map(([path]) => path).filter((path) => path.endsWith(".whl"));
  return Promise.all(paths.map((path) => assets.bytes(path)));
}

const addressOf = (content: ArrayBuffer, type: string) => URL.createObjectURL(new Blob([content], { type }));
