// node guard.mjs APP IDLE.json OUT: the page's WebAssembly, changed so that it stops where it reads bytes that idle_data.mjs or idle_heap.mjs has left out. Tests
// serve these files in place of the page's. APP: the page's folder; IDLE: what idle_heap.mjs has found.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dataOf } from "../wasm/binary.mjs";
import { guarded } from "./reads.mjs";

const [app, idleHeap, out] = process.argv.slice(2);
const PYTHON = ["pyodide/pyodide.asm.wasm", "python/_multiarray_umath.wasm", "python/_umath_linalg.wasm"];
const ORT = "ort/ort-wasm-simd-threaded-trimmed.wasm";

const late = dataOf(await readFile(join(app, PYTHON[0].replace(".wasm", "_rest.wasm")))).toSorted((a, b) => a.address - b.address);
const ranges = late.map(({ address, bytes }) => [address, address + bytes.length]);
const [{ address, bytes }] = late;
const filledAt = address + bytes.findIndex((byte) => byte); // zero until the rest has arrived
for (const file of PYTHON) await write(file, guarded(await readFile(join(app, file)), ranges, { filledAt }));
await write(ORT, guarded(await readFile(join(app, ORT)), JSON.parse(await readFile(idleHeap, "utf8"))));

async function write(file, content) {
  await mkdir(dirname(join(out, file)), { recursive: true });
  await writeFile(join(out, file), content);
}
