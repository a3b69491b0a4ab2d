// node split_pyodide.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json snapshot.ts OUT PHOTO.ppm...: Pyodide's wasm, and that of
// the libraries linked to it (beside python.json), each in two (wasm_split.mjs). In OUT, NAME.wasm has the functions that the demo calls from its start to
// its verdicts; NAME_rest.wasm, the others, is fetched when the page has nothing else to do.
// A copy that notes its calls is watched at a few visits. What these miss costs a wait, no more: the page stops and fetches the rest when it comes to a
// function that is not there (rest.ts).
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { visited, wasmFiles } from "./visit.mjs";
import { noting, split } from "./wasm_split.mjs";

const [whole, told, models, snapshot, out, ...photos] = process.argv.slice(2);
const SMALL = 64; // bytes: functions up to this stay in any case, for a call of the rest is not much shorter

const { asked, further } = JSON.parse(await readFile(told, "utf8"));
const sources = await wasmFiles(whole, told);
const copies = Object.fromEntries(Object.entries(sources).map(([name, bytes]) => [name, noting(bytes)]));
const noted = {}; // of the files by name: the table of functions that were called
await visited({ told, models, snapshot, photos }, copies, (name, { called }) => (noted[name] = called));
const names = new Set([...Object.keys(asked), ...further]);
for (const [name, bytes] of Object.entries(sources)) {
  const isHot = (body, number) => noted[name].get(number) !== null || body.length <= SMALL;
  const isLibrary = name !== basename(whole); // whose data is in the memory that the page takes up
  const { first, rest } = split(bytes, isHot, { isWanted: (exported) => isLibrary || names.has(exported), hasData: !isLibrary });
  await writeFile(join(out, name), first);
  await writeFile(join(out, name.replace(".wasm", "_rest.wasm")), rest);
}
process.exit();
