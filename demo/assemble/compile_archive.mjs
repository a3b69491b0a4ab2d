// node compile_archive.mjs ARCHIVE [OUT]: the archive with .pyc in place of .py, compiled by Pyodide's Python; a wheel's name then says for which Python.
// It does what `pyodide py-compile` does, on hosts whose Python has another version than Pyodide's. Python's own library loses docstrings and assertions.
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { loadPyodide } from "../web/node_modules/pyodide/pyodide.mjs";

const [archive, out = dirname(archive)] = process.argv.slice(2);
const isWheel = archive.endsWith(".whl");
const pyodide = await loadPyodide();
pyodide.FS.writeFile("plain.zip", await readFile(archive));
pyodide.globals.set("optimize", isWheel ? 0 : 2);
const tag = pyodide.runPython(`
import pathlib, py_compile, sys, zipfile

mode = py_compile.PycInvalidationMode.UNCHECKED_HASH  # there is no source whose time stamp could be compared
with zipfile.ZipFile("plain.zip") as plain, zipfile.ZipFile("compiled.zip", "w", zipfile.ZIP_DEFLATED) as compiled:
    for member in plain.infolist():
        data = plain.read(member)
        if member.filename.endswith(".py"):
            pathlib.Path("module.py").write_bytes(data)
            name = member.filename
            py_compile.compile("module.py", "module.pyc", dfile=name, doraise=True, optimize=optimize, invalidation_mode=mode)
            member.filename += "c"
            data = pathlib.Path("module.pyc").read_bytes()
        compiled.writestr(member, data)
f"cp{sys.version_info.major}{sys.version_info.minor}"
`);
const [name, version] = basename(archive).split("-");
await writeFile(join(out, isWheel ? `${name}-${version}-${tag}-none-any.whl` : basename(archive)), pyodide.FS.readFile("compiled.zip"));
