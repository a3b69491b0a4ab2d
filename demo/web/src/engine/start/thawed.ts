/** Starts Python from the memory that the build stored (thaw-python.ts), and brings later what that memory leaves out. */

import type { PyProxy } from "pyodide/ffi";

import type { Assets } from "../assets";
import { Deferred } from "./deferred";
import { tellOfItsEnd, unpack, type Python, type PythonSession } from "./python";
import { thawPython } from "./thaw-python";

/** Python functions that the demo does not call. */
const ASIDE = "python/python_rest.marshal.gz";

/** demo/optimise/defer/set_aside.py */
interface SetAside {
  begin(fetch: () => ArrayBuffer): void;
  bring_back(aside: ArrayBuffer): boolean;
}

export async function startThawed(assets: Assets): Promise<Python> {
  const rest = new Deferred(assets);
  const pyodide = await thawPython(assets, rest);
  tellOfItsEnd(pyodide);
  const aside = pyodide.pyimport("set_aside") as PyProxy & SetAside;
  aside.begin(() => assets.now(ASIDE));
  let back: Promise<void> | undefined;
  const bringBack = () =>
    (back ??= (async () => {
      await rest.come();
      const functions = await assets.bytes(ASIDE);
      if (!aside.bring_back(functions)) assets.refuse(ASIDE);
    })().catch((error: unknown) => {
      back = undefined; // so that the next use tries again
      throw error;
    }));
  const browser = pyodide.pyimport("facelab.browser") as PyProxy & { session: PythonSession };
  return {
    session: () => browser.session,
    bringBack,
    complete: async () => {
      await bringBack();
      const packages = JSON.parse(await assets.text("python/packages.json")) as Record<string, { file: string }>;
      const archive = (name: string) => assets.bytes(`python/${packages[name]!.file}`);
      unpack(pyodide, [[await archive("numpy_rest"), "zip"], [await archive("facelab"), "wheel"]]);
      pyodide.FS.writeFile("/lib/python_rest.zip", new Uint8Array(await assets.bytes("python/python_rest.zip")));
      // Packages that were begun in the first archive continue in this one.
      pyodide.runPython(`
import importlib, sys

sys.path.insert(0, "/lib/python_rest.zip")
for name, module in list(sys.modules.items()):
    paths = getattr(module, "__path__", None)
    if isinstance(paths, list) and any(".zip/" in path for path in paths):
        paths.insert(0, "/lib/python_rest.zip/" + name.replace(".", "/"))
importlib.invalidate_caches()
`);
    },
  };
}
