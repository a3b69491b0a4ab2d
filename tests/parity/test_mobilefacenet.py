"""MobileFaceNet beside the interpreter of the file that its weights come from, on real faces.

The file's 192 outputs are compared as they are, about 73 long on the mean, and as vectors of length 1, as the pipeline uses them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from export.sources import MOBILEFACENET, read_first
from facelab.detect import find_largest
from facelab.embed import Embedded, embed_faces
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import finish

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from export.mobilefacenet import (  # after the variables, for this imports TensorFlow
    Layers,
    as_in_the_paper,
    build_mobilefacenet,
    cheaper_prelu,
    read_tflite,
    with_cheaper_slopes,
)

Vectors = NDArray[np.floating]

BATCH = 2  # the file's own
FORMS = ("plain", "cheaper slopes")


@pytest.fixture(scope="module")
def faces(lfw100: Path, runtime: NativeRuntime) -> Sequence[Embedded]:
    """The largest face of each photo of lfw100, with the chip that our graph cuts and the embedding that it gives."""
    assert runtime.manifest.embedder.name == "mobilefacenet-v1"
    found = []
    for path in sorted(lfw100.glob("*/*.jpg")):
        photo = read_photo(path, runtime.manifest.max_side)
        largest, _ = finish(find_largest(runtime, photo))
        found += finish(embed_faces(runtime, photo, largest[:1]))
    assert len(found) == 100
    return found


@pytest.fixture(scope="module")
def chips(faces: Sequence[Embedded]) -> NDArray[np.float32]:
    stacked = np.stack([face.chip for face in faces])
    assert stacked.shape == (100, 112, 112, 3)
    return stacked.astype(np.float32)


@pytest.fixture(scope="module")
def file() -> bytes:
    package, (data,) = read_first(MOBILEFACENET)
    assert package.files == ("android/src/main/assets/MobileFaceNet.tflite",)
    return data


@pytest.fixture(scope="module")
def layers(file: bytes) -> Layers:
    return read_tflite(file)


@pytest.fixture(scope="module")
def theirs(file: bytes, chips: NDArray[np.float32]) -> Vectors:
    """What the interpreter answers: [100, 192], not of unit length. It takes pixels from about -1 to 1, as its training did."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=file)
    interpreter.allocate_tensors()
    (asked,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert asked["shape"].tolist() == [BATCH, 112, 112, 3]
    assert told["shape"].tolist() == [BATCH, 192]
    answers = []
    for at in range(0, len(chips), BATCH):
        interpreter.set_tensor(asked["index"], (chips[at : at + BATCH] - 127.5) / 128)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(told["index"]).copy())
    return np.concatenate(answers)


@pytest.fixture(scope="module")
def ours(layers: Layers, chips: NDArray[np.float32]) -> Mapping[tuple[str, int], Vectors]:
    """What the network answers in each form with 192 and with 128 outputs, not of unit length: (form, D) -> [100, D]."""
    answers = {}
    for count in (192, 128):
        folded = as_in_the_paper(layers, None if count == 192 else count)
        answers["plain", count] = answered(build_mobilefacenet(folded), chips)
        answers["cheaper slopes", count] = answered(build_mobilefacenet(with_cheaper_slopes(folded), cheaper_prelu), chips)
    return answers


def answered(network: Any, chips: NDArray[np.float32]) -> Vectors:
    return np.concatenate([np.asarray(network(chips[at : at + 20])) for at in range(0, len(chips), 20)])


def unit(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return vectors / lengths


def all_distances(vectors: Vectors) -> Vectors:
    """Of all 4,950 pairs."""
    first, second = np.triu_indices(len(vectors), 1)
    apart: Vectors = np.linalg.norm(vectors.astype(np.float64)[first] - vectors.astype(np.float64)[second], axis=1)
    return apart


@pytest.mark.parametrize("form", FORMS)
def test_all_192_numbers_are_the_interpreters(form: str, ours: Mapping[tuple[str, int], Vectors], theirs: Vectors) -> None:
    """With the layers folded into those of the paper's table; and in the form for ONNX Runtime, too."""
    answers = ours[form, 192]
    raw, of_length_one = np.abs(answers - theirs).max(), np.abs(unit(answers) - unit(theirs)).max()
    length = np.linalg.norm(theirs, axis=1).mean()
    print(f"{form}: differ by {raw:.1e} at most as they are (mean length {length:.0f}), by {of_length_one:.1e} at length 1")
    assert raw < 1e-4
    assert of_length_one < 1e-5


def test_the_layers_as_the_file_has_them_are_the_same_function(layers: Layers, theirs: Vectors, chips: NDArray[np.float32]) -> None:
    """With two linear layers more than the paper's table."""
    assert np.abs(answered(build_mobilefacenet(layers), chips) - theirs).max() < 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_128_numbers_tell_the_same_distances_as_192(form: str, ours: Mapping[tuple[str, int], Vectors], theirs: Vectors) -> None:
    fewer, all_of_them = unit(ours[form, 128]), unit(ours[form, 192])
    assert (fewer.shape, all_of_them.shape) == ((100, 128), (100, 192))
    assert np.abs(all_distances(fewer) - all_distances(all_of_them)).max() < 1e-5
    assert np.abs(all_distances(fewer) - all_distances(unit(theirs))).max() < 1e-5


def test_the_exported_graph_tells_the_interpreters_distances(faces: Sequence[Embedded], theirs: Vectors) -> None:
    embeddings = np.stack([face.embedding for face in faces])
    assert embeddings.shape == (100, 128)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    differ = np.abs(all_distances(embeddings) - all_distances(unit(theirs))).max()
    print(f"distances of 4,950 pairs differ by {differ:.1e} at most")
    assert differ < 1e-5


def test_the_folded_network_has_985_792_numbers(layers: Layers) -> None:
    """Kernels and biases. The slopes of its PReLUs, 7,552 numbers, are not counted."""

    def numbers(some: Layers) -> int:
        return sum(layer.kernel.size + layer.bias.size for layer in some.values())

    folded = as_in_the_paper(layers)
    assert (len(layers), numbers(layers)) == (52, 1_285_440)
    assert (len(folded), numbers(folded)) == (50, 985_792)
    assert build_mobilefacenet(folded).count_params() == 985_792
    assert sum(layer.slope.size for layer in folded.values() if layer.slope is not None) == 7_552
