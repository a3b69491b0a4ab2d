"""`python -m export`: converts the pinned weights to ONNX graphs, and writes the manifest that describes them.

`--embedder inception-resnet-v1 --weights FILE` adds another embedder, from FaceNet weights that you have. `--embedder trained
--weights FILE.keras` adds one that `python -m export.train` has trained.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .errors import ExportError
from .manifest import is_current, write_manifest
from .sources import ROOT


def main() -> int:
    arguments = _arguments()
    try:
        if arguments.embedder:
            _export_embedder(arguments)
        else:
            _export_all(arguments)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "build" / "models", help="folder for the graphs (build/models)")
    parser.add_argument("--force", action="store_true", help="export again although nothing has changed")
    parser.add_argument(
        "--exact", action="store_true", help="the mtcnn package's own resizing and cropping, slower (for the parity tests)"
    )
    parser.add_argument(
        "--no-cohorts", dest="cohorts", action="store_false", help="leave out the cohorts, which were made from UTKFace"
    )
    own = parser.add_argument_group("an embedder of your own")
    own.add_argument("--embedder", choices=["inception-resnet-v1", "trained"], help="its network")
    own.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="facenet_keras.h5, a TensorFlow 1 checkpoint or .pb, an .npz or .safetensors; trained: a .keras",
    )
    own.add_argument("--name", help="what to call it (after the file)")
    own.add_argument("--dims", type=_dimensions, metavar="auto|128|512", help="numbers a face (auto: what the weights have)")
    own.add_argument(
        "--standardise", choices=["fixed", "per-image"], help="what its training did to pixels (128 numbers: per-image; else fixed)"
    )
    arguments = parser.parse_args()
    if arguments.embedder and not arguments.weights:
        parser.error("--embedder needs --weights FILE")
    if not arguments.embedder and any((arguments.weights, arguments.name, arguments.dims, arguments.standardise)):
        parser.error("--weights, --name, --dims and --standardise go with --embedder")
    if arguments.embedder == "trained" and any((arguments.dims, arguments.standardise)):
        parser.error("--dims and --standardise go with --embedder inception-resnet-v1: a trained network says its own")
    return arguments


def _dimensions(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdigit() or not 2 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"{text} is neither auto nor a number from 2 to 4096")
    return int(text)


def _export_all(arguments: argparse.Namespace) -> None:
    if is_current(arguments.out, arguments.exact, arguments.cohorts) and not arguments.force:
        print(f"{arguments.out}: up to date")
        return
    _quiet_tensorflow()
    from .graphs import export_graphs  # imported late: TensorFlow takes seconds to load, and an unchanged run does not need it

    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out.parent) as made:
        entries = export_graphs(Path(made), arguments.exact)
        arguments.out.mkdir(exist_ok=True)
        for file in Path(made).iterdir():
            file.replace(arguments.out / file.name)
    write_manifest(arguments.out, entries, arguments.exact, arguments.cohorts)


def _export_embedder(arguments: argparse.Namespace) -> None:
    _quiet_tensorflow()
    from .embedders import export_embedder, export_trained

    if arguments.embedder == "trained":
        print(export_trained(arguments.out, arguments.weights, arguments.name))
        return
    print(export_embedder(arguments.out, arguments.weights, arguments.name, arguments.dims, arguments.standardise))


def _quiet_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # whatever backend a network was trained with, the conversion goes through TensorFlow
    os.environ["KERAS_BACKEND"] = "tensorflow"


if __name__ == "__main__":
    sys.exit(main())
