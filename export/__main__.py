"""`python -m export`: the pinned weights as ONNX graphs, and the manifest that everything else reads."""

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
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "build" / "models", help="folder for the graphs (build/models)")
    parser.add_argument("--force", action="store_true", help="export again although nothing has changed")
    parser.add_argument(
        "--exact", action="store_true", help="the mtcnn package's own resizing and cropping, slower (for the parity tests)"
    )
    arguments = parser.parse_args()
    try:
        if is_current(arguments.out, arguments.exact) and not arguments.force:
            print(f"{arguments.out}: up to date")
            return 0
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
        from .graphs import export_graphs  # imports TensorFlow: seconds, which an unchanged run must not pay

        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=arguments.out.parent) as made:
            entries = export_graphs(Path(made), arguments.exact)
            arguments.out.mkdir(exist_ok=True)
            for file in Path(made).iterdir():
                file.replace(arguments.out / file.name)
        write_manifest(arguments.out, entries, arguments.exact)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
