"""Adds an embedder of the reader's choice: FaceNet's network with weights they have, or a network trained here.

Chip in, unit vector out: everything FaceNet does to pixels before the network and to numbers after it is part of the graph.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import keras

from facelab.embedder_file import KEY

from .compact import Stored
from .convert import Network
from .errors import ExportError
from .front_ends import chip_front_end
from .graphs import SOME_TRANSFORMS, Forms, Recipe, write_graph
from .inception_resnet import SIDE
from .inception_weights import load_inception_resnet
from .manifest import DLIB_RESNET, MOBILEFACENET, add_embedder, read_manifest
from .sources import sample_photo

# FaceNet was trained on crops of MTCNN's boxes, not on aligned faces: box and a margin, 32 of 160 pixels in all, squashed into a
# square. Our chips are laid by five landmarks, turned upright. The template makes both alike on average: medians over lfw100 of
# MTCNN's landmarks in a square about the box's centre, with 1.25 times its sides and, for a similarity cannot squash, its area
# (boxes are 1.38 times as high as wide). Pixels of the chip, centre of the first pixel at 0.
TEMPLATE = [[54.92, 63.95], [104.85, 63.86], [78.73, 94.04], [60.34, 119.23], [103.92, 118.55]]

# The FaceNet paper's network on LFW (section 5.6): 1.242 for the squared distance. Given for comparison only.
PLAIN_THRESHOLD = 1.114

PAPERS = "Schroff et al., 2015, arXiv:1503.03832; Szegedy et al., 2016, arXiv:1602.07261"


def fixed(chips: Any) -> Any:
    """Maps 0 to 255 to about -1 to 1, for all chips alike. davidsandberg/facenet's networks of 2018 (512-D) were trained so."""
    return (chips - 127.5) / 128.0


def per_image(chips: Any) -> Any:
    """Scales each chip [h, w, 3] to mean 0 and standard deviation 1.

    Networks of 2017 (128-D) and facenet_keras.h5, which was made from one, were trained so. The deviation counts as at least 1 /
    sqrt(n), for n numbers, so that a chip of one colour does not divide by zero.
    """
    axes = (1, 2, 3)
    centred = chips - keras.ops.mean(chips, axes, keepdims=True)
    deviation = keras.ops.sqrt(keras.ops.mean(keras.ops.square(centred), axes, keepdims=True))
    return centred / keras.ops.maximum(deviation, (SIDE * SIDE * 3) ** -0.5)


STANDARDISE: Mapping[str, Callable[[Any], Any]] = {"fixed": fixed, "per-image": per_image}


def embedding_network(model: Any, standardise: str) -> Network:
    """Chips [N, 160, 160, 3], 0 to 255 -> embeddings [N, D] of length 1."""

    def embed(chips: Any) -> Sequence[Any]:
        vectors = model(STANDARDISE[standardise](chips), training=False)
        squares = keras.ops.sum(keras.ops.square(vectors), axis=1, keepdims=True)
        return [vectors / keras.ops.sqrt(keras.ops.maximum(squares, 1e-10))]

    return embed


def export_embedder(folder: Path, weights: Path, name: str | None, dimensions: int | None, standardise: str | None) -> str:
    """Writes embedder-NAME.onnx and its entry in the manifest of `folder`, and returns a line about it for the reader.

    name: None means after the file. dimensions: None means as many as the file has. standardise: None lets the dimensions decide.
    Raises ExportError.
    """
    name = _checked(name or _name_after(weights))
    read_manifest(folder)  # checked before the work, not after it
    model = load_inception_resnet(weights, dimensions)
    dimensions = int(model.output_shape[-1])
    standardise = standardise or ("per-image" if dimensions == 128 else "fixed")
    network = embedding_network(model, standardise)
    recipe = Recipe(
        load=lambda: Forms(network, network),
        shape=(None, SIDE, SIDE, 3),
        outputs={"embeddings": ("N", dimensions)},
        front=chip_front_end(SIDE),
        probe={"image": sample_photo(), "transforms": SOME_TRANSFORMS},
        origin={"source": weights.name, "licence": "that of the weights", "paper": PAPERS},
        compact="float16",
    )
    entry = {
        "name": name,
        "architecture": "inception-resnet-v1",
        "chip_size": SIDE,
        "dimensions": dimensions,
        "pre_processing": {"standardise": standardise, "normalise": "l2"},
        "template": TEMPLATE,
        "landmark_weights": DLIB_RESNET["landmark_weights"],
        "metric": "euclidean",
        "plain_threshold": PLAIN_THRESHOLD,
    }
    return _write(folder, recipe, entry)


def export_trained(folder: Path, weights: Path, name: str | None) -> str:
    """Does the same for FILE.keras of `python -m export.train`; FILE.json beside it holds the settings. Raises ExportError."""
    from .train.results import load_result

    name = _checked(name or _name_after(weights))
    read_manifest(folder)
    model, told = load_result(weights)
    side, dimensions = told["chip_size"], told["dimensions"]

    def embed(chips: Any) -> Sequence[Any]:
        return [model(chips, training=False)]

    recipe = Recipe(
        load=lambda: Forms(embed, embed),
        shape=(None, side, side, 3),
        outputs={"embeddings": ("N", dimensions)},
        front=chip_front_end(side),
        probe={"image": sample_photo(), "transforms": SOME_TRANSFORMS},
        origin={"source": weights.name, "licence": "that of the photos it was trained on", "paper": "trained by its user"},
        compact="float16",
    )
    kept = ("chip_size", "dimensions", "pre_processing", "template", "landmark_weights", "metric", "plain_threshold")
    return _write(folder, recipe, {"name": name, "architecture": told["network"], **{key: told[key] for key in kept}})


def _write(folder: Path, recipe: Recipe, entry: dict[str, Any]) -> str:
    """Writes the graph, and its entry in the manifest."""
    name = entry["name"]
    recipe = replace(recipe, metadata={KEY: json.dumps(entry, allow_nan=False)})  # the page can then take the file on its own
    with tempfile.TemporaryDirectory(dir=folder) as made:
        graph, told = write_graph(f"embedder-{name}", recipe, Path(made))
        for file in Path(made).iterdir():
            file.replace(folder / file.name)
    add_embedder(folder, graph, entry)
    standardised = entry["pre_processing"]["standardise"]
    return (
        f"{told}\n{name}: {entry['dimensions']} numbers a face, standardised {standardised}; "
        f"use it with `facelab --embedder {name} ...`"
    )


def _name_after(weights: Path) -> str:
    """A name made of the file's: facenet_keras.h5 -> facenet-keras."""
    stem = weights.name.partition(".data-")[0]
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.(index|h5|hdf5|keras|pb|npz|safetensors)$", "", stem).lower()).strip("-")


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
        raise ExportError(f"{name!r} is no name for an embedder: give --name one of letters a to z, digits and hyphens")
    if name.endswith(get_args(Stored)):
        raise ExportError(f"{name} ends like the name of a compact file: give --name another")
    if name in (MOBILEFACENET["name"], DLIB_RESNET["name"]):
        raise ExportError(f"{name} is the name of an embedder that comes with the project: give --name another")
    return name
