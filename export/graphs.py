"""The four graphs: each network loaded, converted, joined to its front end, checked and written."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from tqdm import tqdm

from .check import check_conversion
from .compact import Stored, compacted
from .convert import Network, Outputs, convert_network, describe, merge_front_end, parameter_count
from .dlib_resnet import build_dlib_resnet, read_dlib_network
from .front_ends import OPSET, chip_front_end, crop_front_end, pnet_front_end
from .mtcnn_networks import load_mtcnn_networks
from .sources import DLIB_WEIGHTS, read_source, sample_photo

MTCNN_SOURCE = {
    "source": f"PyPI mtcnn {version('mtcnn')}",
    "licence": "MIT",
    "paper": "Zhang et al., 2016, arXiv:1604.02878",
}
DLIB_SOURCE = {
    "source": "PyPI face_recognition_models 0.3.0, dlib_face_recognition_resnet_model_v1.dat",
    "licence": "CC0-1.0",
    "paper": "King, High Quality Face Recognition with Deep Metric Learning, dlib.net, 2017",
}


# Chip to photo: two places on the sample photo, one of them turned.
SOME_TRANSFORMS = np.array([[[1.5, 0.2, 150], [-0.2, 1.5, 90]], [[0.8, 0, 200], [0, 0.8, 130]]], np.float32)


@dataclass(frozen=True)
class Recipe:
    """All that makes one graph.

    load: the network to convert, and what it is checked against. shape: its input in Keras's order, [N, h, w, 3].
    compact: how the page's file stores its weights; in_page: another form of the network, faster there; neither: the page takes
    the same file. metadata: written into the file.
    """

    load: Callable[[], tuple[Network, Network]]
    shape: tuple[int | None, ...]
    outputs: Outputs
    front: onnx.ModelProto
    probe: Mapping[str, NDArray[Any]]
    origin: Mapping[str, str]
    compact: Stored | None = None
    in_page: Network | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def export_graphs(folder: Path, exact: bool) -> dict[str, dict[str, Any]]:
    """Writes pnet, rnet, onet and embedder as ONNX files into `folder`; the manifest's entry of each.

    Raises ExportError where a source is missing or a conversion is not exact.
    """
    entries = {}
    recipes = _recipes(exact)
    with tqdm(recipes.items(), desc="export", unit="graph") as progress:
        for name, recipe in progress:
            progress.set_postfix_str(name)
            entries[name], told = write_graph(name, recipe, folder)
            progress.write(told)
    return entries


def write_graph(name: str, recipe: Recipe, folder: Path) -> tuple[dict[str, Any], str]:
    """Makes one graph, checks it and writes it; the manifest's entry, and a line about it for a person to read."""
    network, original = recipe.load()
    merged, difference = _checked(name, network, original, recipe)
    entry = {
        **_written(merged, folder / f"{name}.onnx"),
        "opset": OPSET,
        "inputs": describe(merged.graph.input),
        "outputs": describe(merged.graph.output),
        **recipe.origin,
    }
    if recipe.compact:
        smaller = _written(compacted(merged, recipe.compact), folder / f"{name}-{recipe.compact}.onnx")
        entry["compact"] = {**smaller, "stored": recipe.compact}
    elif recipe.in_page:
        reordered, _ = _checked(name, recipe.in_page, original, recipe)
        entry["compact"] = {**_written(reordered, folder / f"{name}-page.onnx"), "stored": "float32"}
    return entry, f"{name:8}  {parameter_count(merged):>10,} numbers   Keras and ONNX differ by {difference:.1e} at most"


def _checked(name: str, network: Network, original: Network, recipe: Recipe) -> tuple[onnx.ModelProto, float]:
    """A network behind its front end, and how far it is from the original: see check_conversion."""
    converted = convert_network(network, recipe.shape, recipe.outputs)
    merged = merge_front_end(recipe.front, converted, name)
    onnx.helper.set_model_props(merged, dict(recipe.metadata))
    return merged, check_conversion(name, original, recipe.front, merged, recipe.probe)


def _written(model: onnx.ModelProto, file: Path) -> dict[str, Any]:
    data = model.SerializeToString(deterministic=True)
    file.write_bytes(data)
    return {"file": file.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _recipes(exact: bool) -> dict[str, Recipe]:
    photo = sample_photo()
    height, width = photo.shape[:2]
    recipes = {}
    for name, network in load_mtcnn_networks().items():
        recipes[name] = Recipe(
            load=lambda n=network: (n.call, n.original),  # type: ignore[misc]
            shape=(1 if network.size is None else None, network.size, network.size, 3),
            outputs=network.outputs,
            front=pnet_front_end(exact) if network.size is None else crop_front_end(network.size, exact),
            probe={"image": photo, "size": np.array([height // 3, width // 3])}
            if network.size is None
            else {"image": photo, "boxes": _boxes_all_over(height, width)},
            origin=MTCNN_SOURCE,
            compact=None if network.size is None else "float16",
            in_page=network.call_in_page,
        )
    recipes["embedder"] = Recipe(
        load=_load_dlib_resnet,
        shape=(None, 150, 150, 3),
        outputs={"embeddings": ("N", 128)},
        front=chip_front_end(150),
        probe={"image": photo, "transforms": SOME_TRANSFORMS},
        origin=DLIB_SOURCE,
        compact="int8",
    )
    return recipes


def _boxes_all_over(height: int, width: int) -> NDArray[np.float32]:
    """Squares of every size a detector meets, some over the edge: [N, 4] float32, pixels."""
    sides = np.array([20, 60, 150, 400], np.float32)
    x, y, side = (a.ravel() for a in np.meshgrid(np.linspace(0, width, 5), np.linspace(0, height, 5), sides))
    return np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1).astype(np.float32)


def _load_dlib_resnet() -> tuple[Network, Network]:
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(read_source(*DLIB_WEIGHTS))
        file.flush()
        model = build_dlib_resnet(read_dlib_network(Path(file.name)))

    def embed(chips: Any) -> Sequence[Any]:
        return [model(chips)]

    return embed, embed
