"""The four graphs: each network loaded, converted, joined to its front end, checked and written."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
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
class Forms:
    """One network: to be converted, to check that against, and for the page, where other steps are faster."""

    network: Network
    original: Network
    in_page: Network | None = None


@dataclass(frozen=True)
class Recipe:
    """All that makes one graph.

    load: its network. shape: the network's input in Keras's order, [N, h, w, 3]. compact: how the page's file stores its
    weights; None, and no form of its own: the page takes the same file. metadata: written into the file.
    """

    load: Callable[[], Forms]
    shape: tuple[int | None, ...]
    outputs: Outputs
    front: onnx.ModelProto
    probe: Mapping[str, NDArray[Any]]
    origin: Mapping[str, str]
    compact: Stored | None = None
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
    forms = recipe.load()
    merged, difference = _checked(name, forms.network, forms.original, recipe)
    entry = {
        **_written(merged, folder / f"{name}.onnx"),
        "opset": OPSET,
        "inputs": describe(merged.graph.input),
        "outputs": describe(merged.graph.output),
        **recipe.origin,
    }
    in_page, _ = _checked(name, forms.in_page, forms.original, recipe) if forms.in_page else (merged, difference)
    if recipe.compact:
        smaller = _written(compacted(in_page, recipe.compact), folder / f"{name}-{recipe.compact}.onnx")
        entry["compact"] = {**smaller, "stored": recipe.compact}
    elif forms.in_page:
        entry["compact"] = {**_written(in_page, folder / f"{name}-page.onnx"), "stored": "float32"}
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
            load=lambda n=network: Forms(n.call, n.original, n.call_in_page),  # type: ignore[misc]
            shape=(1 if network.size is None else None, network.size, network.size, 3),
            outputs=network.outputs,
            front=pnet_front_end(exact) if network.size is None else crop_front_end(network.size, exact),
            probe={"image": photo, "size": np.array([height // 3, width // 3])}
            if network.size is None
            else {"image": photo, "boxes": _boxes_all_over(height, width)},
            origin=MTCNN_SOURCE,
            compact=None if network.size is None else "float16",
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


def _load_dlib_resnet() -> Forms:
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(read_source(*DLIB_WEIGHTS))
        file.flush()
        read = read_dlib_network(Path(file.name))
    models = {natively: build_dlib_resnet(read, natively) for natively in (True, False)}
    native, plain = (lambda chips, model=model: [model(chips)] for model in models.values())
    return Forms(native, plain, plain)
