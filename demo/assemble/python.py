"""Prepares what the page runs on: Python's memory after importing NumPy and facelab, and a trimmed ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import deflate
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOTHING = Path("-")  # in place of a script's file


class AssembleError(Exception):
    """Something that the page needs is missing or damaged. The message says what to do."""


def numpy_archive(build: Path, modules: Path) -> Path:
    """NumPy's wheel for Pyodide: exactly the file that Pyodide's lock file names by hash.

    No package index offers it, but a package on PyPI carries a copy of Pyodide with the wheel inside. Whatever the source, the hash
    decides.
    """
    locked = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text())["packages"]["numpy"]
    wheel = build / "python" / str(locked["file_name"])
    if not (wheel.exists() and _sha256(wheel) == locked["sha256"]):
        wheel.parent.mkdir(parents=True, exist_ok=True)
        (carrier,) = (build / "downloads").glob("open_webui-*.whl")
        with zipfile.ZipFile(carrier) as archive:
            wheel.write_bytes(archive.read(f"open_webui/frontend/pyodide/{wheel.name}"))
        if _sha256(wheel) != locked["sha256"]:
            wheel.unlink()
            raise AssembleError(
                f"{wheel.name} in {carrier.name} is not the file that pyodide-lock.json names: their versions differ"
            )
    return wheel


def wheel_archive(build: Path) -> Path:
    """facelab's wheel, byte-compiled for Pyodide's Python, so that the page need not compile it.

    pyodide-build does it where a Python of Pyodide's version is available (make puts it into .venv-wheel). Elsewhere,
    compile_wheel.mjs does the same inside Pyodide, under Node.
    """
    made = build / "python" / "wheel"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)], cwd=ROOT, check=True, capture_output=True
    )
    (plain,) = made.glob("facelab-*.whl")
    pyodide = ROOT / ".venv-wheel" / "bin" / "pyodide"
    command = (
        [str(pyodide), "py-compile", str(plain)]
        if pyodide.exists()
        else ["node", str(Path(__file__).with_name("compile_wheel.mjs")), str(plain)]
    )
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssembleError(f"byte-compiling {plain.name} failed: {done.stderr.strip() or done.stdout.strip()}")
    wheels = sorted(made.glob("facelab-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    return wheels[-1]


def split_archives(stdlib: Path, numpy: Path, facelab: Path, build: Path) -> dict[str, Path]:
    """The standard library and NumPy, each in two parts: what facelab uses when it starts, byte-compiled, and the rest.

    Keys: python_core, numpy_core, python_rest, numpy_rest. The rest serves labs and readers' code.
    """
    made = _made_by("split_python.mjs", [stdlib, numpy, facelab], build / "python" / "split")
    return {path.stem: path for path in made}


def outlined(pyodide: Path, numpy: Path, facelab: Path, manifest: Path, build: Path) -> tuple[Path, Path]:
    """Pyodide's wasm and NumPy's wheel, in which seldom used parts of large functions have become functions of their own."""
    (library,) = (path for path in _libraries(numpy, build / "python" / "whole") if path.name.startswith("_multiarray_umath"))
    sources = [pyodide / "pyodide.asm.wasm", pyodide / "python_stdlib.zip", numpy, facelab, manifest, library]
    shorter, file = _made_by("outline_cold.mjs", sources, build / "pyodide")
    wheel = build / "python" / "outlined" / numpy.name
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(numpy) as old, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, shorter.read_bytes() if entry.filename.endswith(f"/{shorter.name}") else old.read(entry))
    return file, wheel


def python_snapshot(sources: Sequence[Path], numpy: Path, folder: Path, called: Path = NOTHING) -> list[Path]:
    """Python's memory after facelab's session was made, what the page needs to start from it, and the linked libraries.

    called: the Python functions that must be included; without it, all are, and Python notes which it calls.
    """
    return _made_by("snapshot_python.mjs", [*sources, called], folder, _libraries(numpy, folder.with_name("libraries")))


def _libraries(numpy: Path, folder: Path) -> list[Path]:
    """NumPy's libraries that can be linked, unpacked into the folder."""
    with zipfile.ZipFile(numpy) as wheel:
        names = sorted(name for name in wheel.namelist() if name.endswith(".so") and "/tests/" not in name)
        wheel.extractall(folder, names)
    return [folder / name for name in names]


def seal_memory(python: Path) -> None:
    """Compresses Python's memory in that folder, and what was set aside, and puts the memory's mark into python.json."""
    memory, told = python / "python.memory", python / "python.json"
    mark = seal(memory.read_bytes(), python / "python.memory.gz")
    memory.unlink()
    aside = python / "python_rest.marshal"
    aside.with_name(f"{aside.name}.gz").write_bytes(deflate.gzip_compress(aside.read_bytes(), 12))
    aside.unlink()
    for_page = json.loads(told.read_text())
    del for_page["further"]  # split_pyodide.mjs had to know them
    told.write_text(json.dumps({"mark": mark, **for_page}, separators=(",", ":"), allow_nan=False))


def seal(content: bytes, file: Path) -> str:
    """Writes the content, compressed as far as gzip goes, with a mark behind it. The page tells versions apart by the mark."""
    mark = hashlib.sha256(content).digest()[:16]
    file.write_bytes(deflate.gzip_compress(content + mark, 12))
    return mark.hex()


def called_functions(whole: Path, watched: Sequence[Path], models: Path, photos: Sequence[Path], build: Path) -> Path:
    """The Python functions that the demo calls before its verdicts. watched: a snapshot that notes them."""
    (called,) = _made_by_visits("called_functions.mjs", whole, watched, models, photos, build / "python" / "called")
    return called


def split_pyodide(whole: Path, snapshot: Sequence[Path], models: Path, photos: Sequence[Path], build: Path) -> list[Path]:
    """The wasm of Pyodide and of its libraries, each in two files: what the demo calls before its verdicts, and the rest."""
    return _made_by_visits("split_pyodide.mjs", whole, snapshot, models, photos, build / "python" / "pyodide")


def _made_by_visits(
    script: str, whole: Path, snapshot: Sequence[Path], models: Path, photos: Sequence[Path], folder: Path
) -> list[Path]:
    (told,) = (file for file in snapshot if file.name == "python.json")
    page = ROOT / "demo" / "web" / "src" / "engine" / "snapshot.ts"
    plain = folder.with_name("photos")  # which Node can read
    plain.mkdir(exist_ok=True)
    for photo in photos:
        Image.open(photo).convert("RGB").save(plain / f"{photo.stem}.ppm")
    return _made_by(script, [whole, told, models, page], folder, [plain / f"{photo.stem}.ppm" for photo in photos])


def faster_onnx_runtime(runtime: Path, build: Path) -> Path:
    """ONNX Runtime's wasm with a kernel for matrix products that browsers compile to faster code."""
    (file,) = _made_by("fast_products.mjs", [runtime], build / "ort-fast")
    return file


def onnx_runtime_memory(runtime: Path, script: Path, models: Sequence[Path], build: Path) -> Path:
    """The folder with ONNX Runtime's memory after it made a session of each model (see assemble.runtime)."""
    folder = build / "ort-memory"
    _made_by("snapshot_ort.mjs", [runtime, script], folder, models)
    return folder


def trimmed_onnx_runtime(runtime: Path, script: Path, made: Path, build: Path) -> Path:
    """ONNX Runtime's wasm without the functions that running those sessions never calls."""
    (file,) = _made_by("trim_ort.mjs", [runtime, script, made / "ort.memory", made / "ort.handles.json"], build / "ort")
    return file


def idle_heap(trimmed: Path, script: Path, made: Path, build: Path) -> Path:
    """The parts of that memory that running the sessions never reads."""
    (idle,) = _made_by("idle_heap.mjs", [trimmed, script, made / "ort.memory", made / "ort.handles.json"], build / "ort-idle")
    return idle


def _made_by(script: str, sources: list[Path], folder: Path, further: Sequence[Path] = ()) -> list[Path]:
    """The files that a script beside this one makes from others, under Node. They are made again only if one of those changed."""
    scripts = Path(__file__).parent
    everything = (*sources, *further, *sorted(scripts.glob("*.mjs")), scripts / "set_aside.py")
    hashes = (_sha256(source) for source in everything if source != NOTHING)
    stamp = folder / hashlib.sha256("".join(hashes).encode()).hexdigest()
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        done = subprocess.run(
            ["node", str(scripts / script), *map(str, sources), str(folder), *map(str, further)], capture_output=True, text=True
        )
        if done.returncode:
            raise AssembleError(f"{script} failed: {(done.stderr.strip() or done.stdout.strip())[-2000:]}")
        stamp.touch()
    return sorted(file for file in folder.iterdir() if file.suffix)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
