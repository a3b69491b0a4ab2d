"""The manifest: what the exported graphs are and how to use them, as data. Another embedder is another entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

FORMAT = 1


@dataclass(frozen=True)
class GraphFile:
    """One ONNX file: its name beside the manifest, its hash, its length. compact: the page's file, with weights in fewer bits."""

    file: str
    sha256: str
    bytes: int
    compact: GraphFile | None = None


@dataclass(frozen=True)
class Detector:
    """MTCNN's constants.

    cell, stride: side of P-Net's window and its step, in pixels of a pyramid level.
    pyramid_factor: each level's scale over that of the one before.
    thresholds: least probability of "face" after P-, R- and O-Net. second_look: after O-Net's second look.
    min_face: side of the smallest face looked for, pixels of the photo.
    padding: grey rows and columns that the graph adds around each level, pixels of the level.
    """

    cell: int
    stride: int
    pyramid_factor: float
    thresholds: tuple[float, float, float]
    second_look: float
    min_face: float
    padding: int


@dataclass(frozen=True)
class CohortFile:
    """A cohort beside the manifest: .npy, int8 [K, D]; times `step` it is embeddings. The rest: see cohort.Cohort."""

    file: str
    sha256: str
    bytes: int
    step: float
    neighbours: int
    weight: float
    centre: float


@dataclass(frozen=True)
class Thresholds:
    """same_below: the answer is "same" below it. different_from: the answer is "different" from there on."""

    same_below: float
    different_from: float


@dataclass(frozen=True)
class Calibration:
    """What distances mean; of normalised distances where there is a cohort.

    good, poor: thresholds for faces seen well, and where one is not. log_odds: slope and intercept of the natural logarithm of
    the likelihood ratio, same person against two of the worst group measured.
    """

    good: Thresholds
    poor: Thresholds
    log_odds: tuple[float, float] | None


@dataclass(frozen=True)
class Embedder:
    """How faces are cut and compared.

    template: [5, 2] float64, where the landmarks go, pixels of the chip. landmark_weights: [5], their say in the fit.
    plain_threshold: its author's, on plain distances; for comparison only where there is a calibration.
    """

    name: str
    chip_size: int
    dimensions: int
    template: NDArray[np.float64]
    landmark_weights: NDArray[np.float64]
    metric: str
    plain_threshold: float
    cohort: CohortFile | None
    calibration: Calibration


@dataclass(frozen=True)
class Manifest:
    """models.json. max_side: photos with a longer side are shrunk to it as they are read, pixels."""

    graphs: Mapping[str, GraphFile]
    detector: Detector
    embedder: Embedder
    max_side: int


def parse_manifest(text: str) -> Manifest:
    """The manifest in the text of a models.json. Raises ModelError where it is none, or of another format."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ModelError(f"models.json has format {data['format']}, this facelab reads format {FORMAT}: run `make models`")
        detector, embedder = data["detector"], data["embedder"]
        return Manifest(
            graphs={name: _graph(entry) for name, entry in data["graphs"].items()},
            detector=Detector(**{**detector, "thresholds": tuple(detector["thresholds"])}),
            embedder=Embedder(
                name=embedder["name"],
                chip_size=embedder["chip_size"],
                dimensions=embedder["dimensions"],
                template=np.array(embedder["template"], np.float64),
                landmark_weights=np.array(embedder["landmark_weights"], np.float64),
                metric=embedder["metric"],
                plain_threshold=embedder["plain_threshold"],
                cohort=_cohort(embedder["cohort"]) if embedder.get("cohort") else None,
                calibration=_calibration(embedder["calibration"]),
            ),
            max_side=data["photo"]["max_side"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"models.json cannot be read ({error}): run `make models`") from error


def _graph(entry: dict[str, Any]) -> GraphFile:
    compact = entry.get("compact")
    return GraphFile(entry["file"], entry["sha256"], entry["bytes"], _graph(compact) if compact else None)


def _cohort(entry: dict[str, Any]) -> CohortFile:
    return CohortFile(**{field.name: entry[field.name] for field in fields(CohortFile)})


def _calibration(entry: dict[str, Any]) -> Calibration:
    good, poor = (Thresholds(entry[kind]["same_below"], entry[kind]["different_from"]) for kind in ("good", "poor"))
    slope_and_intercept = entry.get("log_odds")
    return Calibration(good, poor, (slope_and_intercept[0], slope_and_intercept[1]) if slope_and_intercept else None)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of models. Raises ModelError where there is none."""
    try:
        text = (folder / "models.json").read_text(encoding="utf-8")
    except OSError:
        raise ModelError(f"no models.json in {folder}: run `make models`, or name the folder in FACELAB_MODELS") from None
    return parse_manifest(text)
