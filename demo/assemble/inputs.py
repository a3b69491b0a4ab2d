"""What comes from elsewhere and has to be found or made first: NumPy's wheel for Pyodide, and facelab's own wheel."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class AssembleError(Exception):
    """Something that the page needs is missing or damaged. The message says what to do."""


def numpy_wheel(build: Path, modules: Path, wheels: Path | None = None, fetch: Callable[[str], bytes] | None = None) -> Path:
    """NumPy's wheel for Pyodide: exactly the file that Pyodide's lock file names by hash.

    No package index offers it. It comes from the first of these that has it: an earlier build; `wheels`, a folder that the user
    names; the PyPI package open_webui among the downloads, which carries a copy of Pyodide; Pyodide's own distribution. Whatever
    the source, the hash decides. build: what other steps have made. modules: npm's packages. fetch: takes the place of the
    distribution, and raises AssembleError with the reason where it has no such file. Raises AssembleError where no source has it.
    """
    locked = _lock(modules)["packages"]["numpy"]
    wheel = build / "python" / str(locked["file_name"])
    if wheel.exists() and sha256(wheel) == locked["sha256"]:
        return wheel
    carriers = sorted((build / "downloads").glob("open_webui-*.whl"))
    sources: dict[str, Callable[[str], bytes]] = {
        **({str(wheels): partial(_from_folder, wheels)} if wheels else {}),
        **{carrier.name: partial(_from_open_webui, carrier) for carrier in carriers},
        "Pyodide's distribution": fetch or _from_distribution,
    }
    missed = []
    for source, read in sources.items():
        try:
            data = read(wheel.name)
        except AssembleError as reason:
            missed.append(f"{source} ({reason})")
            continue
        if hashlib.sha256(data).hexdigest() == locked["sha256"]:
            wheel.parent.mkdir(parents=True, exist_ok=True)
            wheel.write_bytes(data)
            return wheel
        missed.append(f"{source} (has another file of that name)")
    raise AssembleError(
        f"{wheel.name}, which pyodide-lock.json names, was found in none of these: {', '.join(missed)}. Let this machine reach "
        "Pyodide's distribution; or put the file into a folder and name it with make site PYODIDE_WHEELS=FOLDER; or choose "
        "versions of pyodide (demo/web/package.json) and open_webui (pyproject.toml) that have the same NumPy"
    )


def _lock(modules: Path) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text())
    return lock


def _from_folder(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise AssembleError(error.strerror) from None


def _from_open_webui(carrier: Path, name: str) -> bytes:
    folder = "open_webui/frontend/pyodide/"
    try:
        with zipfile.ZipFile(carrier) as archive:
            if folder + name in archive.namelist():
                return archive.read(folder + name)
            others = [entry.removeprefix(folder) for entry in archive.namelist() if entry.startswith(f"{folder}numpy-")]
    except (OSError, zipfile.BadZipFile) as error:
        raise AssembleError(f"is damaged: {error}") from None
    raise AssembleError(f"has {', '.join(others) or 'no NumPy'}")


def _from_distribution(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = ["node", str(Path(__file__).with_name("fetch_numpy.mjs")), folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise AssembleError(done.stderr.strip())
        return (Path(folder) / name).read_bytes()


def facelab_wheel(build: Path, modules: Path) -> Path:
    """facelab's wheel, byte-compiled for Pyodide's Python, so that the page need not compile it."""
    made = build / "python" / "wheel"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)], cwd=ROOT, check=True, capture_output=True
    )
    (plain,) = made.glob("facelab-*.whl")
    command = byte_compiler(ROOT / ".venv-wheel", _lock(modules)["info"]["python"])
    done = subprocess.run([*command, str(plain)], capture_output=True, text=True)
    if done.returncode:
        raise AssembleError(f"byte-compiling {plain.name} failed: {done.stderr.strip() or done.stdout.strip()}")
    wheels = sorted(made.glob("facelab-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    return wheels[-1]


def byte_compiler(environment: Path, python: str) -> list[str]:
    """The command that byte-compiles a wheel for that version of Python, such as 3.14.2.

    It is pyodide-build's, if `environment` is a virtual environment of that Python (make puts it into .venv-wheel): byte code of
    another minor version would not run. Elsewhere compile_archive.mjs does the same inside Pyodide, under Node.
    """
    pyodide = environment / "bin" / "pyodide"
    minor = ".".join(python.split(".")[:2])
    if pyodide.exists() and (environment / "bin" / f"python{minor}").exists():
        return [str(pyodide), "py-compile"]
    return ["node", str(Path(__file__).with_name("compile_archive.mjs"))]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
