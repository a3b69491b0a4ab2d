"""models.json: what each graph is, where it comes from, and what the pipeline needs to know to use it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .sources import ROOT

FORMAT = 1

DETECTOR = {
    "cell": 12,
    "stride": 2,
    "pyramid_factor": 0.709,
    "thresholds": [0.6, 0.7, 0.8],
    # Set on lfw100 and utk9k: at the second look nearly all faces score higher, hands and cloth mostly lower.
    "second_look": 0.85,
    "min_face": 40,
}

# Where the two eyes, the nose and the two corners of the mouth lie in dlib's own chips: medians over lfw100 of
# MTCNN's landmarks, carried into the chip that dlib cuts. Pixels of the chip, centre of the first pixel at 0.
TEMPLATE = [[47.69, 45.28], [101.44, 45.01], [73.78, 78.08], [50.70, 105.71], [99.15, 105.57]]

EMBEDDER = {
    "name": "dlib-resnet-v1",
    "chip_size": 150,
    "dimensions": 128,
    "template": TEMPLATE,
    "landmark_weights": [3, 3, 2, 1, 1],
    "metric": "euclidean",
    "threshold": 0.6,
    "sure_below": 0.5,
    "threshold_source": "0.6 is the author's own (99.38 % on LFW). Of pairs of different adults of UTKFace it takes 0.80 % for one "
    "person, but 42 % of pairs of Asian women; 0.5 takes 0.06 %, and 9.5 %. Between the two the answer is: unsure.",
}


def write_manifest(folder: Path, graphs: Mapping[str, Mapping[str, Any]], exact: bool) -> None:
    """Writes models.json, last of all files: a folder that has it is complete."""
    manifest = {
        "format": FORMAT,
        "photo": {"max_side": 2048},
        "graphs": graphs,
        "detector": {**DETECTOR, "padding": 0 if exact else 6},
        "embedder": EMBEDDER,
        "made_from": fingerprint(exact),
    }
    partial = folder / "models.json.part"
    partial.write_text(json.dumps(manifest, indent=1) + "\n")
    partial.replace(folder / "models.json")


def is_current(folder: Path, exact: bool) -> bool:
    """Whether the folder holds just what an export would write: same sources, files with the recorded hashes."""
    try:
        manifest = json.loads((folder / "models.json").read_text())
        return bool(manifest["made_from"] == fingerprint(exact)) and all(
            hashlib.sha256((folder / graph["file"]).read_bytes()).hexdigest() == graph["sha256"]
            for graph in manifest["graphs"].values()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def fingerprint(exact: bool) -> str:
    """A hash of all that decides the bytes of the graphs: this package's source and the pinned versions."""
    digest = hashlib.sha256(b"exact" if exact else b"shipped")
    locks = [ROOT / "requirements.lock", ROOT / "requirements-data.lock"]
    for path in (*sorted(Path(__file__).parent.glob("*.py")), *locks):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
