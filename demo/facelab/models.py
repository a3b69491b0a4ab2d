"""The manifest: what the exported graphs are and how to use them, as data. Another embedder is another entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

FORMAT = 1


@dataclass(frozen=True)
class GraphFile:
    """One ONNX file: its name beside the manifest, its hash and its length."""

    file: str
    sha256: str
    bytes: int


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
class Embedder:
    """How faces are cut and compared.

    template: [5, 2] float64, where the landmarks go, pixels of the chip. landmark_weights: [5], their say in the fit.
    threshold: distances below it are nearer to "same", above it "different". sure_below: the answer is "same" only below it.
    """

    name: str
    chip_size: int
    dimensions: int
    template: NDArray[np.float64]
    landmark_weights: NDArray[np.float64]
    metric: str
    threshold: float
    sure_below: float
    threshold_source: str


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
            graphs={name: GraphFile(g["file"], g["sha256"], g["bytes"]) for name, g in data["graphs"].items()},
            detector=Detector(**{**detector, "thresholds": tuple(detector["thresholds"])}),
            embedder=Embedder(
                **{
                    **embedder,
                    "template": np.array(embedder["template"], np.float64),
                    "landmark_weights": np.array(embedder["landmark_weights"], np.float64),
                }
            ),
            max_side=data["photo"]["max_side"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"models.json cannot be read ({error}): run `make models`") from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of models. Raises ModelError where there is none."""
    try:
        text = (folder / "models.json").read_text(encoding="utf-8")
    except OSError:
        raise ModelError(f"no models.json in {folder}: run `make models`, or name the folder in FACELAB_MODELS") from None
    return parse_manifest(text)
