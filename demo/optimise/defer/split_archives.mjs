// node defer/split_archives.mjs STDLIB.zip NUMPY.whl FACELAB.whl OUT: what the page's Python needs to start, apart from all the rest.
// Pyodide starts as in the page, facelab is imported, and the modules that this has touched become python_core.zip and numpy_core.zip,
// byte-compiled. For the labs and cells there are numpy_rest.zip, with what was left out, and the whole library as python_rest.zip: a
// package cannot lie in two archives.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";

const [stdlib, numpy, facelab, out] = process.argv.slice(2);
const pyodide = await loadPyodide();
for (const [name, path] of [["stdlib.zip", stdlib], ["numpy.zip", numpy], ["facelab.zip", facelab]]) {
  pyodide.FS.writeFile(name, await readFile(path));
}
pyodide.runPython(`
import sys, zipfile, site

packages = site.getsitepackages()[0]
for archive in ("numpy.zip", "facelab.zip"):
    zipfile.ZipFile(archive).extractall(packages)

import facelab.browser
import facelab.labs
import encodings.idna, traceback, linecache, tokenize, textwrap, warnings, gc  # what errors and Python itself may call for
import numpy.lib.format, numpy.lib._npyio_impl

touched = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
in_stdlib = {path.split(".zip/", 1)[1] for path in touched if ".zip/" in path}
in_numpy = {path.removeprefix(packages + "/") for path in touched if path.startswith(packages + "/numpy/")}

import pathlib, py_compile

def entry(name):
    info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same bytes every time
    info.compress_type = zipfile.ZIP_DEFLATED
    return info

def split(archive, core, rest, wanted, whole_rest, optimize):
    """wanted: the files that go into the core, as .pyc where they are source. whole_rest: those go into the rest too."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH  # no source is there to compare a time stamp with
    with (
        zipfile.ZipFile(archive) as whole,
        zipfile.ZipFile(core, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small,
        zipfile.ZipFile(rest, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as large,
    ):
        for member in sorted(whole.infolist(), key=lambda member: member.filename):
            if member.is_dir():
                continue
            name, data = member.filename, whole.read(member)
            if name not in wanted or whole_rest:
                if not name.endswith((".pyi", ".pxd", ".h", ".c", ".in")) and "/tests/" not in name:
                    large.writestr(entry(name), data)
            if name not in wanted:
                continue
            if name.endswith(".py"):
                pathlib.Path("module.py").write_bytes(data)
                py_compile.compile("module.py", "module.pyc", dfile=name, doraise=True, optimize=optimize, invalidation_mode=mode)
                name, data = name + "c", pathlib.Path("module.pyc").read_bytes()
            small.writestr(entry(name), data)

split("stdlib.zip", "python_core.zip", "python_rest.zip", in_stdlib, True, 2)
split("numpy.zip", "numpy_core.zip", "numpy_rest.zip", in_numpy, False, 0)  # numpy.ma reads docstrings
`);
for (const name of ["python_core.zip", "python_rest.zip", "numpy_core.zip", "numpy_rest.zip"]) {
  await writeFile(join(out, name), pyodide.FS.readFile(name));
}
