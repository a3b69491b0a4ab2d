/** Starts Python from the memory that the build stored (thaw-python.ts), and fetches later what that memory leaves out. */

import type { PyProxy } from "pyodide/ffi";

import type { Assets } from "../assets";
import { Deferred } from "./deferred";
import { reportFatalErrors, unpack, type Python, type PythonSession } from "./python";
import { thawPython } from "./thaw-python";

/** Python functions that the demo does not call. */
const ASIDE = "python/python_rest.marshal.gz";

/** The Python module demo/optimise/defer/set_aside.py. */
interface SetAside {
  begin(fetch: () => ArrayBuffer): void;
  bring_back(aside: ArrayBuffer): boolean;
}

export async function startThawed(assets: Assets): Promise<Python> {
  const deferred = new Deferred(assets);
  const pyodide = await thawPython(assets, deferred);
  reportFatalErrors(pyodide);
  const aside = pyodide.pyimport("set_aside") as PyProxy & SetAside;
  aside.begin(() => assets.bytesSync(ASIDE));
  let fetched: Promise<void> | undefined;
  const fetchDeferred = () =>
    (fetched ??= (async () => {
      await deferred.load();
      const functions = await assets.bytes(ASIDE);
      if (!aside.bring_back(functions)) assets.refuse(ASIDE);
    })().catch((error: unknown) => {
      fetched = undefined; // so that the next use tries again
      throw error;
    }));
  const browser = pyodide.pyimport("facelab.browser") as PyProxy & { session: PythonSession };
  return {
    session: () => browser.session,
    fetchDeferred,
    complete: async () => {
      await fetchDeferred();
      const [numpy, facelab, library] = await Promise.all(["numpy_rest.zip", "facelab.whl", "python_rest.zip"].map((file) => assets.bytes(`python/${file}`)));
      unpack(pyodide, [[numpy!, "zip"], [facelab!, "wheel"]]);
      // Python looks for its library in the archive from which it was started when the build made its memory.
      pyodide.FS.writeFile(pyodide.runPython("import sys; next(path for path in sys.path if path.endswith('.zip'))") as string, new Uint8Array(library!));
      pyodide.runPython("import importlib; importlib.invalidate_caches()");
    },
  };
}
