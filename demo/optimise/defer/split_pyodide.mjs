// node defer/split_pyodide.mjs PYODIDE.wasm SNAPSHOT/python.json MODELS/models.json thaw-python.ts OUT PHOTO.ppm...: Pyodide's wasm, and that of
// the libraries linked to it (beside python.json), each in two (defer/split.mjs). In OUT, NAME.wasm has the functions that the demo calls from its start to
// its verdicts, and the data that they need (drop/idle_data.mjs); NAME_rest.wasm, the others, is fetched when the page has nothing else to do.
// Copies that note their calls, then what they read, are watched at a few visits. Functions that these miss cost a wait, no more: the page stops and fetches
// the rest when it comes to one that is not there (deferred.ts).
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { idleData } from "../drop/idle_data.mjs";
import { tracing } from "../observe/reads.mjs";
import { visited, wasmFiles } from "../observe/page_in_node.mjs";
import { noting, split } from "./split.mjs";

const [whole, told, models, thaw, out, ...photos] = process.argv.slice(2);
const SMALL = 64; // bytes: functions up to this stay in any case, for a call of the rest is not much shorter
const [MARKS, SHIFT] = [0x30000000, 5]; // an address that no run gets near; a byte there for each 32
const WASM_PAGE = 65536;

const { asked, further, page, runs } = JSON.parse(await readFile(told, "utf8"));
const sources = await wasmFiles(whole, told);
const isLibrary = (name) => name !== basename(whole);
const noted = {}; // of the files by name: the table of functions that were called
await visited({ told, models, thaw, photos }, copies((_, bytes) => noting(bytes)), (name, { called }) => (noted[name] = called));
const isHot = (name) => (body, number) => noted[name].get(number) !== null || body.length <= SMALL;

const marks = await whatIsRead();
const names = new Set([...Object.keys(asked), ...further]);
for (const [name, bytes] of Object.entries(sources)) {
  // A library's data is in the memory that the page takes up.
  const kept = isLibrary(name) ? { hasData: false } : { isWanted: (exported) => names.has(exported), idle: process.env.WITHOUT.includes("idle-data") ? [] : idleOf(bytes, isHot(name)) };
  const { first, rest } = split(bytes, isHot(name), kept);
  await writeFile(join(out, name), first);
  await writeFile(join(out, name.replace(".wasm", "_rest.wasm")), rest);
}
process.exit();

function copies(made) {
  return Object.fromEntries(Object.entries(sources).map(([name, bytes]) => [name, made(name, bytes)]));
}

/** For each 32 bytes of the memory a byte: whether functions of the first files read them. */
async function whatIsRead() {
  setFlagsFromString("--no-wasm-tier-up"); // V8's other compiler takes minutes for so many notes
  setFlagsFromString("--no-wasm-dynamic-tiering");
  const watched = copies((name, bytes) => tracing(bytes, MARKS, SHIFT, isHot(name)));
  let memory;
  await visited({ told, models, thaw, photos }, watched, (name, exports) => {
    if (isLibrary(name)) return;
    ({ memory } = exports);
    memory.grow((MARKS + (MARKS >> SHIFT) - memory.buffer.byteLength) / WASM_PAGE);
  });
  return new Uint8Array(memory.buffer, MARKS, MARKS >> SHIFT);
}

function idleOf(bytes, isHot) {
  const [[changed]] = runs; // no byte before this page is another than in the file
  return idleData(bytes, isHot, changed * page, (first, end) => marks.subarray(first >> SHIFT, ((end - 1) >> SHIFT) + 1).includes(1));
}
