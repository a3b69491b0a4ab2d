"""The passes in their order, and what they have made before: nothing is made again whose sources have not changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import deflate
from PIL import Image

from assemble.inputs import ROOT, AssembleError, sha256
from assemble.plain import ORT_SCRIPT, ORT_WASM

from .snapshot.pack_ort import pack_memory, show_module
from .snapshot.seal import seal

HERE = Path(__file__).parent
THAW = ROOT / "demo" / "web" / "src" / "engine" / "start" / "thaw-python.ts"  # how the page takes up Python's memory
ADVICE = "after an upgrade, a pass may need a change: see demo/optimise/README.md; make site PLAIN=1 needs no pass"
NOTHING = Path("-")  # in place of a script's file
SWITCHES = "f32", "idle-data", "idle-heap", "outline", "trim-script"  # passes that can be left out one by one
NOT_IMPORTED = re.compile(r"\.(pyi|pxd|h|c|in)$|/tests/")  # files of NumPy's wheel that no reader's code imports


def optimise(app: Path, work: Path, without: Sequence[str] = ()) -> None:
    """Changes a folder that assemble.plain has filled.

    work: a folder for what the passes make. without: names of SWITCHES to leave out. Raises AssembleError where a pass does not
    recognise its input, or a name is unknown.
    """
    if unknown := set(without) - set(SWITCHES):
        raise AssembleError(f"--without knows {', '.join(SWITCHES)}, not {', '.join(sorted(unknown))}")
    shutil.rmtree(work / "plain", ignore_errors=True)  # of a build before
    work.mkdir(parents=True, exist_ok=True)
    made = _Made(work, ",".join(sorted(without)))
    _onnx_runtime(app, made)
    _python(app, made)


def _onnx_runtime(app: Path, made: _Made) -> None:
    wasm, script = app / "ort" / ORT_WASM, app / "ort" / ORT_SCRIPT
    show_module(script)
    if "f32" not in made.without:
        (faster,) = made.by("kernels/f32.mjs", [wasm], "ort-fast")
        shutil.copyfile(faster, wasm)
    networks = own_networks(app / "models")
    memory, sessions = _named(
        made.by("snapshot/ort.mjs", [wasm, script], "ort-memory", list(networks.values())), "ort.memory", "ort.json"
    )
    (trimmed,) = made.by("drop/trim_ort.mjs", [wasm, script, memory, sessions], "ort-trimmed")
    idle = []
    if "idle-heap" not in made.without:
        idle = made.by("drop/idle_heap.mjs", [trimmed, script, memory, sessions], "ort-idle")
    pack_memory(memory.parent, idle, networks, app / "ort")
    shutil.copy(trimmed, app / "ort")


def _python(app: Path, made: _Made) -> None:
    models = app / "models" / "models.json"
    plain = (app / "pyodide").rename(made.work / "plain")
    facelab = Path(shutil.move(_only(app / "python", "facelab-*.whl"), plain))
    stdlib, wasm, numpy = plain / "python_stdlib.zip", plain / "pyodide.asm.wasm", _only(plain, "numpy-*.whl")
    photos = _readable(sorted((app / "samples").glob("*.jpg")), made.work / "photos")
    if "outline" not in made.without:
        wasm, numpy = _outlined([wasm, stdlib, numpy, facelab, models], photos, made)
    libraries = _libraries(numpy, made.work / "libraries")
    # Compiled in advance, because the compiler would leave its traces all over the memory.
    compiled = [made.by("../assemble/compile_archive.mjs", [archive], f"compiled/{archive.stem}")[0] for archive in (stdlib, numpy)]
    sources = [wasm, *compiled, facelab, models]
    # First a memory that notes which Python functions are called, then one without the others.
    noting = made.by("snapshot/python.mjs", [*sources, NOTHING], "noting", libraries)
    (called,) = made.by("observe/called_functions.mjs", [wasm, *_named(noting, "python.json"), models, THAW], "called", photos)
    snapshot = made.by("snapshot/python.mjs", [*sources, called], "python", libraries)
    split = made.by("defer/split_pyodide.mjs", [wasm, *_named(snapshot, "python.json"), models, THAW], "pyodide-split", photos)
    shutil.copyfile(stdlib, app / "python" / "python_rest.zip")
    shutil.copyfile(facelab, app / "python" / "facelab.whl")
    _write_rest(numpy, {file.stem for file in snapshot}, app / "python" / "numpy_rest.zip")
    for file in (*snapshot, *split):
        folder = app / ("pyodide" if file.name.startswith("pyodide") and file.suffix == ".wasm" else "python")
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / file.name)
    _seal_python(app / "python")


def own_networks(folder: Path) -> dict[str, Path]:
    """The networks of the page's own, by name. models.json decides on their order."""
    graphs = json.loads((folder / "models.json").read_text())["graphs"]
    return {name: folder / graph.get("compact", graph)["file"] for name, graph in graphs.items()}


def _outlined(sources: list[Path], photos: Sequence[Path], made: _Made) -> tuple[Path, Path]:
    """Pyodide's wasm and NumPy's wheel, in which seldom used parts of large functions have become functions."""
    numpy = sources[2]
    (library,) = (path for path in _libraries(numpy, made.work / "whole") if path.name.startswith("_multiarray_umath"))
    shorter, wasm = made.by("reshape/outline_cold.mjs", [*sources, library], "outlined", photos)
    wheel = made.work / "numpy" / numpy.name
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(numpy) as old, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, shorter.read_bytes() if entry.filename.endswith(f"/{shorter.name}") else old.read(entry))
    return wasm, wheel


def _write_rest(numpy: Path, linked: set[str], archive: Path) -> None:
    """NumPy for code that imports more of it than the memory holds: all but the libraries that are linked there."""
    with zipfile.ZipFile(numpy) as wheel, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for entry in sorted(wheel.infolist(), key=lambda entry: entry.filename):
            is_linked = entry.filename.endswith(".so") and Path(entry.filename).name.split(".")[0] in linked
            if not (is_linked or NOT_IMPORTED.search(entry.filename)):
                new.writestr(entry, wheel.read(entry))


def _libraries(numpy: Path, folder: Path) -> list[Path]:
    """NumPy's libraries that can be linked, unpacked into the folder."""
    with zipfile.ZipFile(numpy) as wheel:
        names = sorted(name for name in wheel.namelist() if name.endswith(".so") and "/tests/" not in name)
        wheel.extractall(folder, names)
    return [folder / name for name in names]


def _readable(photos: Sequence[Path], folder: Path) -> list[Path]:
    """The photos as files that Node can read."""
    folder.mkdir(exist_ok=True)
    for photo in photos:
        Image.open(photo).convert("RGB").save(folder / f"{photo.stem}.ppm")
    return [folder / f"{photo.stem}.ppm" for photo in photos]


def _seal_python(python: Path) -> None:
    """Compresses Python's memory in that folder, and what was set aside, and puts the memory's mark into python.json."""
    memory, told = python / "python.memory", python / "python.json"
    mark = seal(memory.read_bytes(), python / "python.memory.gz")
    memory.unlink()
    aside = python / "python_rest.marshal"
    aside.with_name(f"{aside.name}.gz").write_bytes(deflate.gzip_compress(aside.read_bytes(), 12))
    aside.unlink()
    for_page = json.loads(told.read_text())
    del for_page["further"]  # defer/split_pyodide.mjs had to know them
    told.write_text(json.dumps({"mark": mark, **for_page}, separators=(",", ":"), allow_nan=False))


def _named(files: Sequence[Path], *names: str) -> list[Path]:
    return [next(file for file in files if file.name == name) for name in names]


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@dataclass
class _Made:
    """What the passes make, in folders of `work`. without: the passes that are left out, with commas between them."""

    work: Path
    without: str

    def by(self, script: str, sources: Sequence[Path], name: str, further: Sequence[Path] = ()) -> list[Path]:
        """The files that a script beside this one makes from others, under Node. It runs again only if one of those has changed."""
        folder = self.work / name
        everything = (*sources, *further, HERE / script, *sorted(HERE.rglob("*.mjs")), HERE / "defer" / "set_aside.py")
        hashes = (sha256(source) for source in everything if source != NOTHING)
        stamp = folder / hashlib.sha256("".join([self.without, *hashes]).encode()).hexdigest()
        if not stamp.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            command = ["node", str(HERE / script), *map(str, sources), str(folder), *map(str, further)]
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "WITHOUT": self.without})
            if done.returncode:
                error = next((line for line in done.stderr.splitlines() if "Error: " in line), done.stderr[-2000:])
                raise AssembleError(f"{script} stopped: {error} ({ADVICE})")
            stamp.touch()
        return sorted(file for file in folder.iterdir() if file.suffix)
