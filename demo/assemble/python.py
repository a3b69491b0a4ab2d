"""Python for the page: its library and NumPy as Pyodide builds them, each in two, and facelab as a byte-compiled wheel."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class AssembleError(Exception):
    """Something that the page needs is missing or damaged; the message says what to do."""


def numpy_archive(build: Path, modules: Path) -> Path:
    """NumPy's wheel for Pyodide: the very file that Pyodide's lock file names by hash.

    It is on no package index by itself; a package on PyPI that carries Pyodide along has it inside. Whatever the
    source, the hash decides.
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
    """facelab as a wheel, byte-compiled for Pyodide's own Python, so that the page need not compile it.

    pyodide-build does it where a Python of Pyodide's version runs it (make puts it into .venv-wheel); elsewhere
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
    """The standard library and NumPy, each in two: what facelab touches as it starts, byte-compiled, and the rest.

    Keys: python_core, numpy_core, python_rest, numpy_rest. The rest is for labs and for readers' own code.
    """
    made = build / "python" / "split"
    sources = b"".join(_sha256(path).encode() for path in (stdlib, numpy, facelab, Path(__file__).with_name("split_python.mjs")))
    stamp = made / hashlib.sha256(sources).hexdigest()
    if not stamp.exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        command = ["node", str(Path(__file__).with_name("split_python.mjs")), str(stdlib), str(numpy), str(facelab), str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise AssembleError(f"splitting Python's libraries failed: {done.stderr.strip() or done.stdout.strip()}")
        stamp.touch()
    return {path.stem: path for path in sorted(made.glob("*.zip"))}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
