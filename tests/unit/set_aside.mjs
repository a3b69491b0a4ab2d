// node set_aside.mjs: prints, as JSON, what the page's Python answers when it calls functions that are set aside. Needs `make site`.
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { thawed } from "../../demo/optimise/observe/page_in_node.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const memory = join(ROOT, "build", "optimised", "python");
const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
try {
  await cp(memory, folder, { recursive: true, filter: (path) => path === memory || path.endsWith(".wasm") });
  await cp(join(ROOT, "build", "optimised", "outlined", "pyodide.asm.wasm"), join(folder, "pyodide.asm.wasm"));
  const thaw = join(ROOT, "demo", "web", "src", "engine", "start", "thaw-python.ts");
  const pyodide = await thawed({ snapshot: join(memory, "python.json"), thaw }, folder);
  let fetched = 0;
  const aside = new Uint8Array(gzipSync(await readFile(join(memory, "python_rest.marshal"))));
  pyodide.pyimport("set_aside").begin(() => (fetched++, aside));
  const answers = pyodide.runPython(`
import json, numpy, facelab.browser
left = hasattr(facelab.browser.session._runtime, "engine")
was = numpy.median.__doc__
json.dumps([left, was, float(numpy.median([3, 1, 2])), numpy.median.__doc__.split()[:4]])
`);
  console.log(JSON.stringify({ fetched, answers: JSON.parse(answers) }));
} finally {
  await rm(folder, { recursive: true });
}
process.exit();
