"""The manifest: a description of the exported graphs and how to use them, as data. A further embedder is a further entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

FORMAT = 1


@dataclass(frozen=True)
class GraphFile:
    """One ONNX file: its name beside the manifest, its hash and its length.

    compact: the page's version, smaller or faster there. known: an embedder's answer to the known picture (see known_answer).
    """

    file: str
    sha256: str
    bytes: int
    compact: GraphFile | None = None
    known: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Detector:
    """MTCNN's constants.

    cell, stride: the side and the step of P-Net's window, in pixels of a pyramid level. pyramid_factor: the scale of each level
    relative to the one before. thresholds: the least probability of "face" after P-, R- and O-Net. second_look: the same after
    O-Net's second look. min_face: the side of the smallest face to look for, in pixels of the photo. padding: the grey rows and
    columns that the graph adds around each level, in pixels of the level.
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
    """Two limits on the distance: "same" below `same_below`, "different" from `different_from` on, "unsure" between them."""

    same_below: float
    different_from: float


@dataclass(frozen=True)
class Calibration:
    """What distances mean.

    good, poor: the thresholds for faces that are seen well, and for pairs in which one is not. log_odds: slope and intercept of the
    natural logarithm of the likelihood ratio, one person against two of the worst group measured.
    """

    good: Thresholds
    poor: Thresholds
    log_odds: tuple[float, float] | None


@dataclass(frozen=True)
class CohortFile:
    """A cohort's file beside the manifest: .npy, int8 [K, D]. Multiplied by `step`, its rows are embeddings.

    calibration: what distances corrected by it mean; None where nobody has measured that yet. For the other fields see
    cohort.Cohort.
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
    """An embedder: how faces are cut for it, and how its embeddings are compared.

    template: [5, 2] float64, the reference landmarks, in pixels of the chip. landmark_weights: [5], their weights in the fit.
    plain_threshold: the plain distance with the best accuracy on LFW; it gives the scale of an embedder without a calibration.
    measured: what the distances that decide mean: plain ones, unless it is `normalised`; None where nobody has measured that yet.
    cohort: for correcting distances, where there is one.
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
        """The same embedder, deciding by corrected distances. Raises ModelError without a cohort or without thresholds for it."""
        if self.cohort is None:
            raise ModelError(f"the embedder {self.name} has no cohort here: a checkout's `make models` makes one")
        if self.cohort.calibration is None:
            raise ModelError(f"the embedder {self.name} has no thresholds for normalised distances: `facelab calibrate` finds them")
        return replace(self, measured=self.cohort.calibration)


@dataclass(frozen=True)
class Manifest:
    """The content of models.json.

    max_side: photos with a longer side are shrunk to it on reading, in pixels. others: further embedders to choose from, each with
    its graph.
    """

    graphs: Mapping[str, GraphFile]
    detector: Detector
    embedder: Embedder
    max_side: int
    others: Mapping[str, tuple[GraphFile, Embedder]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of all embedders, the one in use first."""
        return [self.embedder.name, *sorted(self.others)]

    def choosing(self, name: str) -> Manifest:
        """The same manifest with another embedder in use. Raises ModelError for an unknown name."""
        if name == self.embedder.name:
            return self
        if name not in self.others:
            raise ModelError(f"there is no embedder {name} here, only {', '.join(self.names)}: {_how_to_get(name)}")
        graph, embedder = self.others[name]
        others = {other: entry for other, entry in self.others.items() if other != name}
        others[self.embedder.name] = self.graphs["embedder"], self.embedder
        return replace(self, graphs={**self.graphs, "embedder": graph}, embedder=embedder, others=others)


def _how_to_get(name: str) -> str:
    if name == "dlib-resnet-v1":  # every checkout has it, but it is too large for the wheel
        return "`make models` in a checkout of the project makes it; name its folder build/models in FACELAB_MODELS"
    return "`python -m export --embedder` adds one"


def parse_manifest(text: str) -> Manifest:
    """Reads the text of a models.json. Raises ModelError for anything else, and for another format."""
    try:
        data: dict[str, Any] = json.loads(text, parse_constant=_refuse)
        if data["format"] != FORMAT:
            raise ModelError(f"models.json has format {data['format']}, this facelab reads format {FORMAT}: run `make models`")
        return Manifest(
            graphs={name: _graph(entry) for name, entry in data["graphs"].items()},
            detector=_detector(data["detector"]),
            embedder=_embedder(data["embedder"]),
            max_side=_whole(data["photo"]["max_side"], 12, 100_000),
            others={name: (_graph(e["graph"]), _embedder(e["embedder"])) for name, e in data.get("embedders", {}).items()},
        )
    except ModelError:
        raise
    except Exception as error:  # a value of the wrong kind can raise nearly anything
        raise ModelError(f"models.json cannot be read ({error}): run `make models`") from error


def parse_embedder(text: str) -> Embedder:
    """Reads an embedder's entry on its own, as JSON. Raises ModelError for anything that cannot be used here."""
    try:
        return _embedder(json.loads(text, parse_constant=_refuse))
    except Exception as error:
        raise ModelError(f"this is no entry of an embedder ({error})") from error


def _graph(entry: dict[str, Any]) -> GraphFile:
    compact = entry.get("compact")
    known = tuple(_number(value) for value in entry["known"]) if "known" in entry else None
    file, sha256, length = _file(entry["file"]), _text(entry["sha256"]), _whole(entry["bytes"])
    return GraphFile(file, sha256, length, _graph(compact) if compact else None, known)


def _detector(entry: dict[str, Any]) -> Detector:
    pnet, rnet, onet = (_number(value, 0, 1) for value in entry["thresholds"])
    return Detector(
        cell=_whole(entry["cell"], 1, 1000),
        stride=_whole(entry["stride"], 1, 1000),
        pyramid_factor=_number(entry["pyramid_factor"], 0.01, 0.99),
        thresholds=(pnet, rnet, onet),
        second_look=_number(entry["second_look"], 0, 1),
        min_face=_number(entry["min_face"], 1, 100_000),
        padding=_whole(entry["padding"], 0, 1000),
    )


def _embedder(entry: dict[str, Any]) -> Embedder:
    return Embedder(
        name=_text(entry["name"]),
        chip_size=_whole(entry["chip_size"], 1, 4096),
        dimensions=_whole(entry["dimensions"], 1, 100_000),
        template=_numbers(entry["template"], (5, 2)),
        landmark_weights=_numbers(entry["landmark_weights"], (5,)),
        metric=_text(entry["metric"]),
        plain_threshold=_number(entry["plain_threshold"]),
        cohort=_cohort(entry["cohort"]) if entry.get("cohort") else None,
        measured=_calibration(entry["calibration"]) if entry.get("calibration") else None,
    )


def _cohort(entry: dict[str, Any]) -> CohortFile:
    return CohortFile(
        file=_file(entry["file"]),
        sha256=_text(entry["sha256"]),
        bytes=_whole(entry["bytes"]),
        step=_number(entry["step"]),
        neighbours=_whole(entry["neighbours"], 1),
        weight=_number(entry["weight"]),
        centre=_number(entry["centre"]),
        calibration=_calibration(entry["calibration"]) if entry.get("calibration") else None,
    )


def _calibration(entry: dict[str, Any]) -> Calibration:
    good, poor = (
        Thresholds(_number(entry[kind]["same_below"]), _number(entry[kind]["different_from"])) for kind in ("good", "poor")
    )
    slope_and_intercept = entry.get("log_odds")
    return Calibration(
        good, poor, (_number(slope_and_intercept[0]), _number(slope_and_intercept[1])) if slope_and_intercept else None
    )


# Each of these reads one value of the manifest, and raises ValueError for a wrong kind or range.


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")
    return value


def _file(value: object) -> str:
    name = _text(value)
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not the name of a file beside it")
    return name


def _number(value: object, least: float = -1e9, most: float = 1e9) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{value!r} is no number from {least} to {most}")
    return value


def _whole(value: object, least: int = 0, most: int = 10**12) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is no whole number from {least} to {most}")
    return value


def _numbers(value: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    numbers = np.array(value, np.float64)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ValueError(f"{list(shape)} numbers were expected, not {value!r}")
    return numbers


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of models. Raises ModelError where there is none."""
    try:
        text = (folder / "models.json").read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{folder / 'models.json'} is no text: run `make models`") from None
    except (OSError, ValueError):
        raise ModelError(f"no models.json in {folder}: run `make models`, or name the folder in FACELAB_MODELS") from None
    return parse_manifest(text)
