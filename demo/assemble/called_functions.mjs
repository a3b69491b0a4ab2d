// node called_functions.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json snapshot.ts OUT PHOTO.ppm...: called.json, which of Python's
// functions the demo calls from its start to its verdicts. The snapshot is one that notes that (set_aside.py).
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { visited } from "./visit.mjs";

const [whole, told, models, snapshot, out, ...photos] = process.argv.slice(2);
const { libraries } = JSON.parse(await readFile(told, "utf8"));
const files = {};
for (const path of [whole, ...libraries.map(({ file }) => join(dirname(told), file))]) files[basename(path)] = await readFile(path);
const pyodide = await visited({ told, models, snapshot, photos }, files);
await writeFile(join(out, "called.json"), pyodide.runPython("import json, set_aside; json.dumps(sorted(set_aside.called))"));
process.exit();
