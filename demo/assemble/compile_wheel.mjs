// node compile_wheel.mjs WHEEL: the wheel with .pyc in place of .py, compiled by Pyodide's own Python.
// Does what `pyodide py-compile` does, for hosts whose Python is of another version than Pyodide's.
import { readFile, writeFile, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { loadPyodide } from "../web/node_modules/pyodide/pyodide.mjs";

const wheel = process.argv[2];
const pyodide = await loadPyodide();
pyodide.FS.writeFile("plain.whl", await readFile(wheel));
const tag = pyodide.runPython(`
import pathlib, py_compile, sys, zipfile

with zipfile.ZipFile("plain.whl") as plain, zipfile.ZipFile("compiled.whl", "w", zipfile.ZIP_DEFLATED) as compiled:
    for member in plain.infolist():
        data = plain.read(member)
        if member.filename.endswith(".py"):
            pathlib.Path("module.py").write_bytes(data)
            # By hash and unchecked: no source is there to compare a time stamp with.
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile("module.py", "module.pyc", dfile=member.filename, doraise=True, invalidation_mode=mode)
            member.filename += "c"
            data = pathlib.Path("module.pyc").read_bytes()
        compiled.writestr(member, data)
f"cp{sys.version_info.major}{sys.version_info.minor}"
`);
const [name, version] = basename(wheel).split("-");
await writeFile(join(dirname(wheel), `${name}-${version}-${tag}-none-any.whl`), pyodide.FS.readFile("compiled.whl"));
await unlink(wheel);
