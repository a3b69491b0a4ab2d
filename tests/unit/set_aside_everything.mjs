// node set_aside_everything.mjs [other]: runs set_aside_everything.py in Pyodide, and prints its result. Needs `make site`.
import { readFile } from "node:fs/promises";
import { published } from "../../demo/optimise/observe/page_in_node.mjs";

const PYODIDE = new URL("../../demo/web/node_modules/pyodide/", import.meta.url);
const python = await published(await readFile(new URL("pyodide.asm.wasm", PYODIDE)), new URL("python_stdlib.zip", PYODIDE).pathname, []);
const modules = python.runPython("import site; site.getsitepackages()[0]");
python.FS.mkdirTree(`${modules}/optimise/defer`);
for (const [module, file] of [["optimise/defer/set_aside.py", "../../demo/optimise/defer/set_aside.py"], ["everything.py", "set_aside_everything.py"]])
  python.FS.writeFile(`${modules}/${module}`, await readFile(new URL(file, import.meta.url)));
console.log(python.pyimport("everything").main(process.argv[2] === "other"));
process.exit();
