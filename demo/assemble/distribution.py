"""The hook by which hatchling adds the networks to the wheel that `make wheel` builds.

pyproject.toml leaves the hook off, so the page's wheel and a checkout's own installation carry no networks. `make wheel` turns
it on.

The wheel leaves out dlib's network (20 MB), the embedders that somebody added to the checkout (they may be private), and the
cohorts (made from UTKFace, whose terms are non-commercial). facelab.models tells users how to get the first and the last.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEIGHTS = "facelab/weights"  # the folder that facelab.native.models_folder looks for


class WeightsHook(BuildHookInterface[BuilderConfig]):
    """Adds the files of build/models that a wheel may carry."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling. Stops the build with a sentence where build/models is not what its manifest names."""
        models = Path(self.root) / "build" / "models"
        try:
            manifest = wheel_manifest(json.loads((models / "models.json").read_text(encoding="utf-8")))
        except OSError:
            sys.exit(f"{models} has no models.json: run `make models`")
        files = {models / graph["file"]: graph["sha256"] for graph in manifest["graphs"].values()}
        for file, expected in files.items():
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
                sys.exit(f"{file} is not the file that models.json names: run `make models`")
        self._written = TemporaryDirectory()
        texts = {
            Path(self._written.name, "models.json"): json.dumps(manifest, indent=1, allow_nan=False) + "\n",
            Path(self._written.name, "ORIGIN.md"): origin(manifest),
        }
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8", newline="\n")
        build_data["force_include"].update({str(file): f"{WEIGHTS}/{file.name}" for file in (*files, *texts)})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """See hatchling."""
        self._written.cleanup()


def wheel_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """models.json for the wheel: the default embedder only, without its cohort and without compact files."""
    return {
        **manifest,
        "graphs": {name: {k: v for k, v in graph.items() if k != "compact"} for name, graph in manifest["graphs"].items()},
        "embedder": {**manifest["embedder"], "cohort": None},
        "embedders": {},
    }


def origin(manifest: dict[str, Any]) -> str:
    """Where each of the manifest's graphs comes from, in Markdown."""
    columns = {"File": "file", "Source": "source", "Licence": "licence", "Trained on": "trained_on", "Paper": "paper"}
    rows = [
        list(columns),
        ["---"] * len(columns),
        *([graph.get(key, "see the paper") for key in columns.values()] for graph in manifest["graphs"].values()),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        "# Where the networks come from\n\n"
        "Facelab converted each network to ONNX, and added the steps before it (cropping, resizing, normalising) to the graph.\n\n"
        f"{table}\n"
    )
