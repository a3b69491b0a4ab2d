// node observe/called_functions.mjs PYODIDE.wasm SNAPSHOT/python.json models.json thaw-python.ts OUT PHOTO.ppm...
// Writes called.json into OUT: the Python functions that run while the snapshot is made (`started`), and at a few visits (`called`). snapshot/python.mjs sets
// all others aside.
// Assumes that the snapshot notes calls (`watch` in defer/set_aside.py).
// On a miss, a function that was set aside costs the page a wait.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { visited, wasmFiles } from "./page_in_node.mjs";

const [whole, snapshot, models, thaw, out, ...photos] = process.argv.slice(2);
const pyodide = await visited({ snapshot, models, thaw, photos }, await wasmFiles(whole, snapshot));
await writeFile(join(out, "called.json"), pyodide.runPython(
  "import json, set_aside; json.dumps({name: sorted(getattr(set_aside, name)) for name in ('started', 'called')})",
));
process.exit();
