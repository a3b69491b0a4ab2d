// node observe/called_functions.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json thaw-python.ts OUT PHOTO.ppm...: called.json, which of Python's
// functions the demo calls from its start to its verdicts. The snapshot is one that notes that (set_aside.py).
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { visited, wasmFiles } from "./page_in_node.mjs";

const [whole, told, models, thaw, out, ...photos] = process.argv.slice(2);
const pyodide = await visited({ told, models, thaw, photos }, await wasmFiles(whole, told));
await writeFile(join(out, "called.json"), pyodide.runPython(
  "import json, set_aside; json.dumps({name: sorted(getattr(set_aside, name)) for name in ('started', 'called')})",
));
process.exit();
