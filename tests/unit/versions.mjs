// Run by test_versions.py: each file of the built site's engine is checked against the list, and one of another build is fetched anew, or refused.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { rolldown } from "../../demo/web/node_modules/rolldown/dist/index.mjs";

const apps = fileURLToPath(new URL("../../site/app", import.meta.url));
const [build] = await readdir(apps);
const app = join(apps, build);
const TYPES = { wasm: "application/wasm" };

/** Files in place of the site's own, by path; each for the next so many requests. */
const instead = new Map();
const asked = [];
const server = createServer(async ({ url }, response) => {
  const path = url.split(`/app/${build}/`)[1].split("?")[0];
  asked.push(path);
  const other = instead.get(path);
  response.setHeader("Content-Type", TYPES[path.split(".").at(-1)] ?? "text/plain");
  if (other && other.times-- > 0) response.end(other.bytes);
  else createReadStream(join(app, path)).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => server.close());

globalThis.navigator ??= {};
const folder = await mkdtemp(join(tmpdir(), "versions-"));
const address = `http://127.0.0.1:${server.address().port}/repo/app/${build}/web/worker.js`;
const bundle = await rolldown({
  input: new URL("../../demo/web/src/engine/assets.ts", import.meta.url).pathname,
  transform: { define: { "import.meta.url": JSON.stringify(address), PLAIN: "false" } },
});
await bundle.write({ file: join(folder, "assets.mjs") });
const { Assets } = await import(pathToFileURL(join(folder, "assets.mjs")).href);
await rm(folder, { recursive: true });

const listed = JSON.parse(await readFile(join(app, "assets.json"), "utf8"));
const REFUSED = /is not the file that this page expects/;

/** Another build's file that could be used as well: what is behind its content, nobody reads. */
function another(path, bytes) {
  if (path.endsWith(".wasm")) return Buffer.concat([bytes, Buffer.of(0, 2, 1, 0x78)]); // a section that says nothing
  if (/memory\.gz$/.test(path)) return gzipSync(Buffer.concat([gunzipSync(bytes).subarray(0, -16), Buffer.alloc(16)]), { level: 1 });
  return Buffer.concat([bytes, Buffer.from(" ")]);
}

async function mixed(path, times) {
  instead.clear();
  instead.set(path, { bytes: another(path, await readFile(join(app, path))), times });
  asked.length = 0;
  return new Assets(() => {});
}

const paths = Object.keys(listed).filter((path) => /^(models|ort|pyodide|python)\//.test(path) && !path.endsWith(".mjs"));
const marked = paths.filter((path) => path.endsWith("memory.gz"));
const compiled = paths.filter((path) => path.endsWith(".wasm") && listed[path].bytes < 3e6);
const whole = paths.filter((path) => !path.endsWith(".wasm") && !marked.includes(path));

test("files that are read whole", async () => {
  for (const path of whole) {
    const right = await readFile(join(app, path));
    assert.deepEqual(Buffer.from(await (await mixed(path, 1)).bytes(path)), right, path);
    await assert.rejects(async () => (await mixed(path, 9)).bytes(path), REFUSED, path);
  }
});

test("memories, by their marks", async () => {
  assert.ok(marked.length === 2);
  for (const path of marked) {
    const told = readFile(join(app, path.replace(".memory.gz", ".json")), "utf8").then(JSON.parse);
    const right = gunzipSync(await readFile(join(app, path)));
    assert.ok(Buffer.concat(await (await mixed(path, 1)).inflated(path, told)).equals(right), path);
    await assert.rejects(async () => (await mixed(path, 9)).inflated(path, told), REFUSED, path);
  }
});

test("WebAssembly", async () => {
  for (const path of compiled) {
    const right = new WebAssembly.Module(await readFile(join(app, path)));
    const module = await (await mixed(path, 1)).compiled(path);
    assert.equal(WebAssembly.Module.customSections(module, "x").length, 0, path);
    assert.deepEqual(WebAssembly.Module.exports(module), WebAssembly.Module.exports(right));
    await assert.rejects(async () => (await mixed(path, 9)).compiled(path), REFUSED, path);
  }
});

test("the engine's own script, which runs meanwhile", async () => {
  const path = "web/worker.js";
  const assets = await mixed(path, 1);
  await assert.rejects(assets.allRight(), REFUSED);
  await assert.rejects(assets.failed, REFUSED);
  assert.equal(asked.filter((one) => one === path).length, 2, "for the engine that begins next, it is there");
});

test("the list itself", async () => {
  const sizes = await (await mixed("assets.json", 1)).sizes();
  assert.ok(sizes.some(([path]) => path === "pyodide/pyodide.asm.wasm"));
  await assert.rejects(async () => (await mixed("assets.json", 9)).sizes(), REFUSED);
});

test("nothing is fetched twice where all is right", async () => {
  const assets = await mixed("models/models.json", 0);
  await assets.bytes("models/models.json");
  await assets.compiled(compiled[0]);
  await assets.allRight();
  assert.deepEqual(asked.filter((path) => path !== "web/worker.js").sort(), ["assets.json", "models/models.json", compiled[0]].sort());
});
