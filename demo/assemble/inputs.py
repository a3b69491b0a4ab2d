"""What comes from elsewhere and has to be found or made first: NumPy's wheel for Pyodide, and facelab's own wheel."""

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
    """Something that the page needs is missing or damaged. The message says what to do."""


def numpy_wheel(build: Path, modules: Path) -> Path:
    """NumPy's wheel for Pyodide: exactly the file that Pyodide's lock file names by hash.

    No package index offers it, but a package on PyPI carries a copy of Pyodide with the wheel inside. Whatever the source, the hash
    decides.
    """
    locked = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text())["packages"]["numpy"]
    wheel = build / "python" / str(locked["file_name"])
    if not (wheel.exists() and sha256(wheel) == locked["sha256"]):
        wheel.parent.mkdir(parents=True, exist_ok=True)
        (carrier,) = (build / "downloads").glob("open_webui-*.whl")
        with zipfile.ZipFile(carrier) as archive:
            wheel.write_bytes(archive.read(f"open_webui/frontend/pyodide/{wheel.name}"))
        if sha256(wheel) != locked["sha256"]:
            wheel.unlink()
            raise AssembleError(
                f"{wheel.name} in {carrier.name} is not the file that pyodide-lock.json names: their versions differ"
            )
    return wheel


def facelab_wheel(build: Path) -> Path:
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


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
