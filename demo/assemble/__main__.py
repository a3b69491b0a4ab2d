"""`python -m assemble`: rebuilds the parts of docs/app whose sources have changed."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .build_folder import write_list
from .python import (
    AssembleError,
    called_functions,
    faster_onnx_runtime,
    idle_heap,
    numpy_archive,
    onnx_runtime_memory,
    outlined,
    python_snapshot,
    seal_memory,
    split_archives,
    split_pyodide,
    trimmed_onnx_runtime,
    wheel_archive,
)
from .runtime import pack_memory, show_module
from .samples import write_samples
from .stills import draw_stills

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MODULES = ROOT / "demo" / "web" / "node_modules"

ORT_SCRIPT, ORT_WASM = "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m assemble", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "app", help="the folder to fill (docs/app)")
    out: Path = parser.parse_args().out
    try:
        fresh = out.with_name(out.name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        _fill(fresh)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    except (AssembleError, OSError) as error:
        print(f"assemble: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {sum(file.stat().st_size for file in _files(out)) / 1e6:.1f} MB in {len(list(_files(out)))} files")
    return 0


def _fill(app: Path) -> None:
    _copy(BUILD / "models", app / "models", _model_files(BUILD / "models"))
    distributed = MODULES / "onnxruntime-web" / "dist"
    _copy(distributed, app / "ort", [ORT_SCRIPT])
    script = app / "ort" / ORT_SCRIPT
    show_module(script)
    runtime = Path(shutil.copy(faster_onnx_runtime(distributed / ORT_WASM, BUILD), app / "ort"))
    own = _own_models(app / "models")
    made = onnx_runtime_memory(runtime, script, own, BUILD)
    trimmed = trimmed_onnx_runtime(runtime, script, made, BUILD)
    pack_memory(made, idle_heap(trimmed, script, made, BUILD), own, app / "ort")
    shutil.copy(trimmed, app / "ort")
    shutil.copytree(BUILD / "web", app / "web")
    facelab = wheel_archive(BUILD)
    stdlib = MODULES / "pyodide" / "python_stdlib.zip"
    models = BUILD / "models" / "models.json"
    pyodide, numpy = outlined(MODULES / "pyodide", numpy_archive(BUILD, MODULES), facelab, models, BUILD)
    archives = split_archives(stdlib, numpy, facelab, BUILD)
    write_samples(BUILD / "downloads", app / "samples")
    photos = sorted((app / "samples").glob("*.jpg"))
    sources = [pyodide, archives.pop("python_core"), archives.pop("numpy_core"), facelab, models]
    watched = python_snapshot(sources, numpy, BUILD / "python" / "watched")
    called = called_functions(pyodide, watched, models, photos, BUILD)
    snapshot = python_snapshot(sources, numpy, BUILD / "python" / "snapshot", called)
    _copy_as({**archives, "facelab": facelab}, app / "python")
    for file in (*snapshot, *split_pyodide(pyodide, snapshot, models, photos, BUILD)):
        folder = app / ("pyodide" if file.name.startswith("pyodide") and file.suffix == ".wasm" else "python")
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / file.name)
    seal_memory(app / "python")
    draw_stills(BUILD / "models", app / "samples", app / "stills")
    write_list(app)


def _model_files(folder: Path) -> list[str]:
    """The model files for the page: the smaller file of each graph. Further embedders and cohorts lie there to be chosen."""
    manifest = json.loads((folder / "models.json").read_text())
    further = list(manifest["embedders"].values())
    graphs = [*manifest["graphs"].values(), *(entry["graph"] for entry in further)]
    cohorts = [embedder["cohort"] for embedder in (manifest["embedder"], *(entry["embedder"] for entry in further))]
    files = [graph.get("compact", graph)["file"] for graph in graphs]
    return ["models.json", *files, *(cohort["file"] for cohort in cohorts if cohort)]


def _own_models(folder: Path) -> list[Path]:
    """The four networks, in the order in which the page makes their sessions (demo/web/src/engine/graphs.ts)."""
    graphs = json.loads((folder / "models.json").read_text())["graphs"]
    return [folder / graphs[name].get("compact", graphs[name])["file"] for name in ("pnet", "rnet", "onet", "embedder")]


def _copy(source: Path, target: Path, names: list[str] | tuple[str, ...]) -> None:
    target.mkdir(parents=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def _copy_as(archives: dict[str, Path], target: Path) -> None:
    target.mkdir(parents=True)
    packages = {}
    for package, archive in archives.items():
        shutil.copyfile(archive, target / archive.name)
        packages[package] = {"file": archive.name, "bytes": archive.stat().st_size}
    (target / "packages.json").write_text(json.dumps(packages, indent=1, allow_nan=False) + "\n")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
