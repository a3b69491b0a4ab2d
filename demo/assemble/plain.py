"""The plain build: everything that the pages load, with Pyodide, NumPy and ONNX Runtime as their authors publish them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from .inputs import facelab_wheel, numpy_wheel
from .samples import write_samples

ORT_SCRIPT, ORT_WASM = "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
PYODIDE = ("pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")


def lay_plain(app: Path, web: Path, build: Path, modules: Path, wheels: Path | None = None) -> None:
    """Fills the folder `app`. web: the page's scripts. build: what other steps have made. modules: npm's packages. wheels: a
    folder that may have NumPy's wheel for Pyodide.

    pyodide/ holds Pyodide's files and NumPy's wheel, ort/ ONNX Runtime's; python/ has facelab's wheel; models/, samples/ and web/
    are the same in every build. Raises AssembleError where an input is missing or damaged.
    """
    copy(build / "models", app / "models", model_files(build / "models"))
    copy(modules / "onnxruntime-web" / "dist", app / "ort", (ORT_SCRIPT, ORT_WASM))
    copy(modules / "pyodide", app / "pyodide", PYODIDE)
    shutil.copy(numpy_wheel(build, modules, wheels), app / "pyodide")
    copy_files([facelab_wheel(build, modules)], app / "python")
    shutil.copytree(web, app / "web")
    write_samples(build / "downloads", app / "samples")


def model_files(folder: Path) -> list[str]:
    """The model files for the page: the smaller file of each graph. Further embedders and cohorts lie there to be chosen."""
    manifest = json.loads((folder / "models.json").read_text())
    further = list(manifest["embedders"].values())
    graphs = [*manifest["graphs"].values(), *(entry["graph"] for entry in further)]
    cohorts = [embedder["cohort"] for embedder in (manifest["embedder"], *(entry["embedder"] for entry in further))]
    files = [graph.get("compact", graph)["file"] for graph in graphs]
    return ["models.json", *files, *(cohort["file"] for cohort in cohorts if cohort)]


def copy(source: Path, target: Path, names: Iterable[str]) -> None:
    copy_files((source / name for name in names), target)


def copy_files(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
