"""models.json: what each graph is, where it comes from, and what the pipeline needs to use it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facelab.files import write_whole

from .errors import ExportError
from .sources import ROOT

FORMAT = 1

DETECTOR = {
    "cell": 12,
    "stride": 2,
    "pyramid_factor": 0.709,
    "thresholds": [0.6, 0.7, 0.8],
    # Set on lfw100 and utk9k: at the second look, nearly all faces score higher, and hands and cloth mostly lower.
    "second_look": 0.85,
    "min_face": 40,
}

# Reference landmarks: where the two eyes, the nose and the corners of the mouth go. Pixels of the chip, centre of the first at 0.
#
# MobileFaceNet's are ArcFace's, (38.2946, 51.6963) (73.5318, 51.5014) (56.0252, 71.7366) (41.5493, 92.3655) (70.7299, 92.2041), 3 %
# larger and one pixel higher. For our detector's landmarks that fits better on every set (`python -m tests.experiments chips`).
MOBILEFACENET: dict[str, Any] = {
    "name": "mobilefacenet-v1",
    "chip_size": 112,
    "dimensions": 128,
    "template": [[37.76, 50.09], [74.06, 49.89], [56.03, 70.73], [41.11, 91.98], [71.17, 91.81]],
    "landmark_weights": [1, 1, 1, 1, 1],
    "metric": "euclidean",
    "plain_threshold": 1.0,  # the plain distance with the best accuracy on lfw100
}

# dlib's are the medians over lfw100 of our detector's landmarks, carried into the chip that dlib itself cuts.
DLIB_RESNET: dict[str, Any] = {
    "name": "dlib-resnet-v1",
    "chip_size": 150,
    "dimensions": 128,
    "template": [[47.69, 45.28], [101.44, 45.01], [73.78, 78.08], [50.70, 105.71], [99.15, 105.57]],
    "landmark_weights": [3, 3, 2, 1, 1],
    "metric": "euclidean",
    "plain_threshold": 0.6,  # its author's threshold for pairs, with 99.38 % accuracy on LFW
}

# Without a calibration of its own an embedder is judged by its author's threshold, with room for doubt below it.
UNCALIBRATED = {
    "good": {"same_below": 0.9, "different_from": 1.0},
    "poor": {"same_below": 0.8, "different_from": 1.1},
    "log_odds": None,
}

COHORTS = Path(__file__).parent / "cohorts"


def write_manifest(folder: Path, graphs: Mapping[str, Mapping[str, Any]], exact: bool, cohorts: bool) -> None:
    """Writes models.json after all other files, so that a folder that has it is complete. Embedders added to it earlier stay.

    cohorts: whether to add the embedders' cohorts. Without them, only plain distances can decide.
    """
    second = f"embedder-{DLIB_RESNET['name']}"
    entry = {"graph": graphs[second], "embedder": {**DLIB_RESNET, **_cohort_and_calibration(folder, DLIB_RESNET["name"], cohorts)}}
    own = {**MOBILEFACENET, **_cohort_and_calibration(folder, MOBILEFACENET["name"], cohorts)}
    manifest = {
        "format": FORMAT,
        "photo": {"max_side": 2048},
        "graphs": {name: graph for name, graph in graphs.items() if name != second},
        "detector": {**DETECTOR, "padding": 0 if exact else 6},
        "embedder": {**own, "calibration": own["calibration"] or UNCALIBRATED},
        "embedders": {**_added_before(folder), DLIB_RESNET["name"]: entry},
        "made_from": fingerprint(exact, cohorts),
    }
    _write(folder, manifest)


def add_embedder(folder: Path, graph: Mapping[str, Any], embedder: Mapping[str, Any]) -> None:
    """Adds an embedder to models.json, or replaces the one of the same name. Everything else in the file stays.

    Without a calibration in `cohorts`, the embedder gives distances only. Raises ExportError without a manifest.
    """
    manifest = read_manifest(folder)
    name = str(embedder["name"])
    entry = {"graph": graph, "embedder": {**embedder, **_cohort_and_calibration(folder, name, cohorts=True)}}
    manifest["embedders"] = {**manifest.get("embedders", {}), name: entry}
    _write(folder, manifest)


def read_manifest(folder: Path) -> dict[str, Any]:
    """models.json as it is. Raises ExportError where there is none."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "models.json").read_text())
        return manifest
    except (OSError, ValueError):
        raise ExportError(
            f"{folder} has no models.json to add an embedder to: `make models` first, or name another folder"
        ) from None


def _added_before(folder: Path) -> dict[str, Any]:
    try:
        embedders = read_manifest(folder).get("embedders", {})
    except ExportError:
        return {}
    return {name: entry for name, entry in embedders.items() if (folder / entry["graph"]["file"]).exists()}


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_whole(folder / "models.json", json.dumps(manifest, indent=1, allow_nan=False) + "\n", ExportError)


def _cohort_and_calibration(folder: Path, name: str, cohorts: bool) -> dict[str, Any]:
    """The manifest's entries for both, None where `cohorts` holds none. The cohort's table is copied beside the manifest.

    The embedder's calibration says what plain distances mean; the cohort's says what distances corrected by it mean.
    """
    table, settings, calibration, normalised = (
        COHORTS / f"{name}{suffix}" for suffix in (".npy", ".json", ".calibration.json", ".cohort.calibration.json")
    )
    entries: dict[str, Any] = {"cohort": None, "calibration": None}
    if cohorts and table.exists():
        data = table.read_bytes()
        file = f"cohort-{name}.npy"
        write_whole(folder / file, data)
        about = {"file": file, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        entries["cohort"] = {**about, **json.loads(settings.read_text()), "calibration": None}
        if normalised.exists():
            entries["cohort"]["calibration"] = json.loads(normalised.read_text())
    if calibration.exists():
        entries["calibration"] = json.loads(calibration.read_text())
    return entries


def is_current(folder: Path, exact: bool, cohorts: bool) -> bool:
    """Whether the folder holds exactly what an export would write: the same sources, and files with the recorded hashes."""
    try:
        manifest = json.loads((folder / "models.json").read_text())
        second = manifest["embedders"][DLIB_RESNET["name"]]
        graphs = [*manifest["graphs"].values(), second["graph"]]
        tables = [embedder["cohort"] for embedder in (manifest["embedder"], second["embedder"]) if embedder["cohort"]]
        files = [*graphs, *(graph["compact"] for graph in graphs if "compact" in graph), *tables]
        return bool(manifest["made_from"] == fingerprint(exact, cohorts)) and all(
            hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"] for entry in files
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def fingerprint(exact: bool, cohorts: bool) -> str:
    """A hash of everything that decides the bytes of the graphs: this package's source and the pinned versions."""
    digest = hashlib.sha256(f"{'exact' if exact else 'shipped'}{'' if cohorts else ' without cohorts'}".encode())
    locks = [ROOT / "requirements.lock", ROOT / "requirements-data.lock"]
    for path in (*sorted(Path(__file__).parent.glob("*.py")), *sorted(COHORTS.glob("*")), *locks):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
