"""The manifest: what the exported graphs are and how to use them, as data. Another embedder is another entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

FORMAT = 1


@dataclass(frozen=True)
class GraphFile:
    """One ONNX file: its name beside the manifest, its hash, its length. compact: the page's file, smaller or faster there."""

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
class Thresholds:
    """same_below: the answer is "same" below it. different_from: the answer is "different" from there on."""

    same_below: float
    different_from: float


@dataclass(frozen=True)
class Calibration:
    """What distances mean.

    good, poor: thresholds for faces seen well, and where one is not. log_odds: slope and intercept of the natural logarithm of
    the likelihood ratio, same person against two of the worst group measured.
    """

    good: Thresholds
    poor: Thresholds
    log_odds: tuple[float, float] | None


@dataclass(frozen=True)
class CohortFile:
    """A cohort beside the manifest: .npy, int8 [K, D]; times `step` it is embeddings.

    calibration: what distances normalised by it mean; None where nobody has measured that yet. The rest: see cohort.Cohort.
    """

    file: str
    sha256: str
    bytes: int
    step: float
    neighbours: int
    weight: float
    centre: float
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Embedder:
    """How faces are cut and compared.

    template: [5, 2] float64, the reference landmarks, pixels of the chip. landmark_weights: [5], their say in the fit.
    plain_threshold: where accuracy on LFW is best, on plain distances: their scale, for an embedder without a calibration.
    measured: what the distances that decide mean, plain ones unless it is `normalised`; None where nobody has measured that yet.
    cohort: by which distances can be normalised, where there is one.
    """

    name: str
    chip_size: int
    dimensions: int
    template: NDArray[np.float64]
    landmark_weights: NDArray[np.float64]
    metric: str
    plain_threshold: float
    cohort: CohortFile | None
    measured: Calibration | None

    @property
    def calibration(self) -> Calibration:
        """What distances mean. Raises ModelError where nobody has measured that yet."""
        if self.measured is None:
            raise ModelError(
                f"the embedder {self.name} has no thresholds yet: `facelab --embedder {self.name} calibrate` finds them"
            )
        return self.measured

    def normalised(self) -> Embedder:
        """The same where distances normalised by its cohort decide. Raises ModelError without a cohort, or thresholds for it."""
        if self.cohort is None:
            raise ModelError(f"the embedder {self.name} has no cohort here: a checkout's `make models` makes one")
        if self.cohort.calibration is None:
            raise ModelError(f"the embedder {self.name} has no thresholds for normalised distances: `facelab calibrate` finds them")
        return replace(self, measured=self.cohort.calibration)


@dataclass(frozen=True)
class Manifest:
    """models.json.

    max_side: photos with a longer side are shrunk to it as they are read, pixels. others: embedders to choose instead, each with
    its graph.
    """

    graphs: Mapping[str, GraphFile]
    detector: Detector
    embedder: Embedder
    max_side: int
    others: Mapping[str, tuple[GraphFile, Embedder]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of all embedders, the one in use first."""
        return [self.embedder.name, *sorted(self.others)]

    def choosing(self, name: str) -> Manifest:
        """The same with another embedder in the default one's place. Raises ModelError where there is none of that name."""
        if name == self.embedder.name:
            return self
        if name not in self.others:
            raise ModelError(f"there is no embedder {name} here, only {', '.join(self.names)}: {_how_to_get(name)}")
        graph, embedder = self.others[name]
        others = {other: entry for other, entry in self.others.items() if other != name}
        others[self.embedder.name] = self.graphs["embedder"], self.embedder
        return replace(self, graphs={**self.graphs, "embedder": graph}, embedder=embedder, others=others)


def _how_to_get(name: str) -> str:
    if name == "dlib-resnet-v1":  # in every checkout, but too large for the wheel
        return "`make models` in a checkout of the project makes it; name its folder build/models in FACELAB_MODELS"
    return "`python -m export --embedder` adds one"


def parse_manifest(text: str) -> Manifest:
    """The manifest in the text of a models.json. Raises ModelError where it is none, or of another format."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ModelError(f"models.json has format {data['format']}, this facelab reads format {FORMAT}: run `make models`")
        detector, others = data["detector"], data.get("embedders", {})
        return Manifest(
            graphs={name: _graph(entry) for name, entry in data["graphs"].items()},
            detector=Detector(**{**detector, "thresholds": tuple(detector["thresholds"])}),
            embedder=_embedder(data["embedder"]),
            max_side=data["photo"]["max_side"],
            others={name: (_graph(entry["graph"]), _embedder(entry["embedder"])) for name, entry in others.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"models.json cannot be read ({error}): run `make models`") from error


def parse_embedder(text: str) -> Embedder:
    """An embedder's entry alone, as JSON. Raises ModelError where it is none, or not of a kind that can be used here."""
    try:
        embedder = _embedder(json.loads(text))
        right = embedder.template.shape == (5, 2) and embedder.landmark_weights.shape == (5,) and embedder.chip_size > 0
    except (ValueError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise ModelError("this is no entry of an embedder")
    return embedder


def _graph(entry: dict[str, Any]) -> GraphFile:
    compact = entry.get("compact")
    return GraphFile(entry["file"], entry["sha256"], entry["bytes"], _graph(compact) if compact else None)


def _embedder(entry: dict[str, Any]) -> Embedder:
    return Embedder(
        name=entry["name"],
        chip_size=entry["chip_size"],
        dimensions=entry["dimensions"],
        template=np.array(entry["template"], np.float64),
        landmark_weights=np.array(entry["landmark_weights"], np.float64),
        metric=entry["metric"],
        plain_threshold=entry["plain_threshold"],
        cohort=_cohort(entry["cohort"]) if entry.get("cohort") else None,
        measured=_calibration(entry["calibration"]) if entry.get("calibration") else None,
    )


def _cohort(entry: dict[str, Any]) -> CohortFile:
    told = {field.name: entry[field.name] for field in fields(CohortFile) if field.name != "calibration"}
    return CohortFile(**told, calibration=_calibration(entry["calibration"]) if entry.get("calibration") else None)


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
