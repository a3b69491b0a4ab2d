"""The passes in their order, and what they have made before: nothing is made again whose sources have not changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import deflate
from PIL import Image

from assemble.inputs import ROOT, AssembleError, sha256
from assemble.plain import ORT_SCRIPT, ORT_WASM, copy_files

from .snapshot.pack_ort import pack_memory, show_module
from .snapshot.seal import seal

HERE = Path(__file__).parent
THAW = ROOT / "demo" / "web" / "src" / "engine" / "start" / "thaw-python.ts"  # how the page takes up Python's memory
NOTHING = Path("-")  # in place of a script's file


def optimise(app: Path, work: Path) -> None:
    """Changes a folder that assemble.plain has filled. work: a folder for what the passes make."""
    shutil.rmtree(work / "plain", ignore_errors=True)  # of a build before
    work.mkdir(parents=True, exist_ok=True)
    _onnx_runtime(app, work)
    _python(app, work)


def _onnx_runtime(app: Path, work: Path) -> None:
    wasm, script = app / "ort" / ORT_WASM, app / "ort" / ORT_SCRIPT
    show_module(script)
    (faster,) = _made_by("kernels/f32.mjs", [wasm], work / "ort-fast")
    shutil.copyfile(faster, wasm)
    own = own_models(app / "models")
    _made_by("snapshot/ort.mjs", [wasm, script], made := work / "ort-memory", own)
    watched = [script, made / "ort.memory", made / "ort.handles.json"]
    (trimmed,) = _made_by("drop/trim_ort.mjs", [wasm, *watched], work / "ort-trimmed")
    (idle,) = _made_by("drop/idle_heap.mjs", [trimmed, *watched], work / "ort-idle")
    pack_memory(made, idle, own, app / "ort")
    shutil.copy(trimmed, app / "ort")


def _python(app: Path, work: Path) -> None:
    models = app / "models" / "models.json"
    plain = (app / "pyodide").rename(work / "plain")
    facelab = Path(shutil.move(_only(app / "python", "facelab-*.whl"), plain))
    stdlib = plain / "python_stdlib.zip"
    pyodide, numpy = _outlined([plain / "pyodide.asm.wasm", stdlib, _only(plain, "numpy-*.whl"), facelab, models], work)
    # In two parts each: what facelab uses when it starts, byte-compiled, and the rest, for labs and readers' code.
    archives = {path.stem: path for path in _made_by("defer/split_archives.mjs", [stdlib, numpy, facelab], work / "archives")}
    sources = [pyodide, archives.pop("python_core"), archives.pop("numpy_core"), facelab, models]
    photos = _readable(sorted((app / "samples").glob("*.jpg")), work / "photos")
    libraries = _libraries(numpy, work / "libraries")
    # First a memory that notes which Python functions are called, then one without the others.
    noting = _Visits(pyodide, _made_by("snapshot/python.mjs", [*sources, NOTHING], work / "noting", libraries), models, photos)
    (called,) = noting.watched_by("observe/called_functions.mjs", work / "called")
    snapshot = _made_by("snapshot/python.mjs", [*sources, called], work / "python", libraries)
    split = _Visits(pyodide, snapshot, models, photos).watched_by("defer/split_pyodide.mjs", work / "pyodide-split")
    _write_packages(app / "python", {**archives, "facelab": facelab})
    for file in (*snapshot, *split):
        folder = app / ("pyodide" if file.name.startswith("pyodide") and file.suffix == ".wasm" else "python")
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / file.name)
    _seal_python(app / "python")


def own_models(folder: Path) -> list[Path]:
    """The networks of the page's own, in the order in which it makes their sessions (demo/web/src/engine/compute/graphs.ts)."""
    graphs = json.loads((folder / "models.json").read_text())["graphs"]
    return [folder / graphs[name].get("compact", graphs[name])["file"] for name in ("pnet", "rnet", "onet", "embedder")]


def _outlined(sources: list[Path], work: Path) -> tuple[Path, Path]:
    """Pyodide's wasm and NumPy's wheel, in which seldom used parts of large functions have become functions of their own."""
    numpy = sources[2]
    (library,) = (path for path in _libraries(numpy, work / "whole") if path.name.startswith("_multiarray_umath"))
    shorter, wasm = _made_by("reshape/outline_cold.mjs", [*sources, library], work / "outlined")
    wheel = work / "numpy" / numpy.name
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(numpy) as old, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, shorter.read_bytes() if entry.filename.endswith(f"/{shorter.name}") else old.read(entry))
    return wasm, wheel


def _libraries(numpy: Path, folder: Path) -> list[Path]:
    """NumPy's libraries that can be linked, unpacked into the folder."""
    with zipfile.ZipFile(numpy) as wheel:
        names = sorted(name for name in wheel.namelist() if name.endswith(".so") and "/tests/" not in name)
        wheel.extractall(folder, names)
    return [folder / name for name in names]


@dataclass
class _Visits:
    """The page's Python at a few visits of the demo, under Node (observe/page_in_node.mjs). snapshot: its memory."""

    pyodide: Path
    snapshot: Sequence[Path]
    models: Path
    photos: Sequence[Path]

    def watched_by(self, script: str, folder: Path) -> list[Path]:
        (told,) = (file for file in self.snapshot if file.name == "python.json")
        return _made_by(script, [self.pyodide, told, self.models, THAW], folder, self.photos)


def _readable(photos: Sequence[Path], folder: Path) -> list[Path]:
    """The photos as files that Node can read."""
    folder.mkdir(exist_ok=True)
    for photo in photos:
        Image.open(photo).convert("RGB").save(folder / f"{photo.stem}.ppm")
    return [folder / f"{photo.stem}.ppm" for photo in photos]


def _write_packages(folder: Path, archives: dict[str, Path]) -> None:
    """Copies Python archives into the folder. packages.json there tells the page each one's file and size."""
    copy_files(archives.values(), folder)
    packages = {name: {"file": archive.name, "bytes": archive.stat().st_size} for name, archive in archives.items()}
    (folder / "packages.json").write_text(json.dumps(packages, indent=1, allow_nan=False) + "\n")


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


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def _made_by(script: str, sources: Sequence[Path], folder: Path, further: Sequence[Path] = ()) -> list[Path]:
    """The files that a script beside this one makes from others, under Node. They are made again only if one of those changed."""
    everything = (*sources, *further, *sorted(HERE.rglob("*.mjs")), *sorted(HERE.rglob("*.py")))
    hashes = (sha256(source) for source in everything if source != NOTHING)
    stamp = folder / hashlib.sha256("".join(hashes).encode()).hexdigest()
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        done = subprocess.run(
            ["node", str(HERE / script), *map(str, sources), str(folder), *map(str, further)], capture_output=True, text=True
        )
        if done.returncode:
            raise AssembleError(f"{script} failed: {(done.stderr.strip() or done.stdout.strip())[-2000:]}")
        stamp.touch()
    return sorted(file for file in folder.iterdir() if file.suffix)
