"""MobileFaceNet: its weights read and misread, layers folded, and its two other forms the same function.

What it answers to faces is compared with the file's own interpreter in tests/parity/test_mobilefacenet.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.convert import with_prelu_nodes
from export.errors import ExportError
from export.mobilefacenet import (
    BOTTLENECKS,
    LOGITS,
    SCOPE,
    Layer,
    Layers,
    Prelu,
    Weights,
    _joined,
    _rotated,
    as_in_the_paper,
    build_mobilefacenet,
    cheaper_prelu,
    plain_prelu,
    read_tfjs,
    read_tflite,
    with_cheaper_slopes,
)
from export.sources import MOBILEFACENET, read_first
from facelab.native import models_folder

Tensors = Sequence[tuple[str, NDArray[Any]]]


@pytest.fixture(scope="module")
def file() -> bytes:
    _, (data,) = read_first(MOBILEFACENET)
    return data


@pytest.fixture(scope="module")
def layers(file: bytes) -> Layers:
    return read_tflite(file)


# The first source: a TensorFlow Lite file


def test_layers_are_those_of_the_papers_table(layers: Layers) -> None:
    """Input 112 x 112 x 3, the widths of table 1, and two linear layers more, which `as_in_the_paper` folds away."""
    assert layers["stem"].kernel.shape == (3, 3, 3, 64)
    assert layers["stem depthwise"].kernel.shape == (3, 3, 64, 1)
    inputs = 64
    for row, (expansion, outputs, repetitions, _) in enumerate(BOTTLENECKS):
        for block in range(repetitions):
            expand, depthwise, project = (layers[f"{row}.{block} {part}"] for part in ("expand", "depthwise", "project"))
            wide = expand.kernel.shape[3]
            assert expand.kernel.shape[:3] == (1, 1, inputs)
            assert wide == expansion * inputs
            assert depthwise.kernel.shape == (3, 3, wide, 1)
            assert project.kernel.shape == (1, 1, wide, outputs)
            assert expand.slope is not None
            assert depthwise.slope is not None
            assert expand.slope.shape == depthwise.slope.shape == (wide,)
            assert project.slope is None, "a linear bottleneck"
            inputs = outputs
    assert layers["widen"].kernel.shape == (1, 1, 128, 512)
    assert layers["global depthwise"].kernel.shape == (7, 7, 512, 1)
    folded = as_in_the_paper(layers)
    assert layers.keys() - folded.keys() == {"stem pointwise", "mix"}
    assert folded["0.0 expand"].kernel.shape == (1, 1, 64, 128)
    assert folded["embedding"].kernel.shape == (1, 1, 512, 128)
    assert as_in_the_paper(layers, None)["embedding"].kernel.shape == (1, 1, 512, 192)
    assert all(np.isfinite(layer.kernel).all() and np.isfinite(layer.bias).all() for layer in folded.values())


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.5, 0.999])
def test_file_cut_short_is_refused_in_one_sentence(share: float, file: bytes) -> None:
    with pytest.raises(ExportError, match="this is no TensorFlow Lite file") as refusal:
        read_tflite(file[: int(share * len(file))])
    assert "\n" not in str(refusal.value)


def test_random_bytes_are_refused_in_one_sentence() -> None:
    for data in (np.random.default_rng(1).bytes(100_000), b"\x1c\0\0\0TFL3" + bytes(1000)):
        with pytest.raises(ExportError, match="this is no TensorFlow Lite file") as refusal:
            read_tflite(data)
        assert "\n" not in str(refusal.value)


def test_another_network_is_refused_by_the_first_tensor_that_it_lacks() -> None:
    import tensorflow as tf

    inputs = keras.Input((8, 8, 3))
    other = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    data = tf.lite.TFLiteConverter.from_keras_model(other).convert()
    with pytest.raises(ExportError, match=r"another network than the MobileFaceNet known here: .*MobileFaceNet/Conv2d_0/weights"):
        read_tflite(data)


# The second source: a TensorFlow.js graph model


def scopes() -> Iterator[tuple[str, str, bool]]:
    """Each layer by its name here, by that of the training code, and whether it is depthwise; from input to output."""
    yield "stem", f"{SCOPE}/Conv2d_0", False
    yield "stem depthwise", f"{SCOPE}/SeparableConv2d", True
    yield "stem pointwise", f"{SCOPE}/Conv", False
    for row, (_, _, repetitions, _) in enumerate(BOTTLENECKS):
        for block in range(repetitions):
            scope = f"{SCOPE}/Conv2d_{row + 2}_InvResBlock_{block}"
            yield f"{row}.{block} expand", f"{scope}/Conv", False
            yield f"{row}.{block} depthwise", f"{scope}/SeparableConv2d", True
            yield f"{row}.{block} project", f"{scope}/Conv_1", False
    yield "widen", f"{SCOPE}/Conv2d_7", False
    yield "global depthwise", f"{LOGITS}/SeparableConv2d", True
    yield "mix", f"{LOGITS}/Conv", False
    yield "embedding", f"{LOGITS}/LinearConv1x1", False


def as_tfjs(layers: Layers) -> Tensors:
    """The tensors of the second source's graph: named like this there, and with each PReLU as factor * (|x| - x)."""
    tensors: list[tuple[str, NDArray[Any]]] = [("a/shape/of/something", np.array([1, -1, 128], np.int32))]
    for name, scope, is_depthwise in scopes():
        layer, kind = layers[name], "depthwise" if is_depthwise else "Conv2D"
        tensors += [(f"{scope}/{kind}_weights", layer.kernel), (f"{scope}/{kind}_bn_offset", layer.bias)]
        if layer.slope is not None:
            tensors.append((f"{scope}/mul", -layer.slope / 2))
    return tensors


def written(tensors: Tensors) -> tuple[bytes, bytes]:
    """model.json and the file of weights that belongs to it."""
    entries = [{"name": name, "shape": list(array.shape), "dtype": array.dtype.name} for name, array in tensors]
    topology = {"format": "graph-model", "weightsManifest": [{"paths": ["mobilefacenet.bin"], "weights": entries}]}
    return json.dumps(topology).encode(), b"".join(array.tobytes() for _, array in tensors)


def test_second_source_gives_the_same_layers(layers: Layers) -> None:
    """Written from the first one's layers by the second one's names, as the download is too large for every build."""
    again = read_tfjs(*written(as_tfjs(layers)))
    assert list(again) == list(layers)
    for name, layer in layers.items():
        np.testing.assert_array_equal(again[name].kernel, layer.kernel, name)
        np.testing.assert_array_equal(again[name].bias, layer.bias, name)
        assert (again[name].slope is None) == (layer.slope is None)
        if layer.slope is not None:
            np.testing.assert_array_equal(again[name].slope, layer.slope, name)


def test_damaged_second_source_is_refused_in_one_sentence(layers: Layers) -> None:
    topology, data = written(as_tfjs(layers))
    wrong = [(b"", data), (b"{}", data), (b"[1]", data), (topology[:-40], data), (topology, data[:-4]), (topology, b"")]
    for one, other in wrong:
        with pytest.raises(ExportError, match=r"this is no TensorFlow\.js model with its weights") as refusal:
            read_tfjs(one, other)
        assert "\n" not in str(refusal.value)


def test_second_source_of_another_network_names_what_it_lacks(layers: Layers) -> None:
    gone = f"{SCOPE}/Conv2d_4_InvResBlock_3/SeparableConv2d/depthwise_bn_offset"
    with pytest.raises(ExportError, match=f"another network than the MobileFaceNet known here: .*{gone}"):
        read_tfjs(*written([(name, array) for name, array in as_tfjs(layers) if name != gone]))


# Folding


def random_layer(random: np.random.Generator, inputs: int, filters: int, slope: Weights | None = None) -> Layer:
    kernel = random.normal(0, 1, (1, 1, inputs, filters)).astype(np.float32)
    return Layer(kernel, random.normal(0, 1, filters).astype(np.float32), slope)


def test_two_linear_layers_are_one() -> None:
    """B (A x + a) + b, by hand: A doubles and adds 1, B adds both channels and takes 3 off."""
    first = Layer(np.array([[[[2.0, 0], [0, 2]]]], np.float32), np.array([1.0, 1], np.float32))
    second = Layer(np.array([[[[1.0], [1]]]], np.float32), np.array([-3.0], np.float32), np.array([0.25], np.float32))
    joined = _joined(first, second)
    np.testing.assert_array_equal(joined.kernel, [[[[2], [2]]]])
    np.testing.assert_array_equal(joined.bias, [-1])
    assert joined.slope is second.slope, "the bend behind the second stays"


def test_joined_layers_answer_as_both_did() -> None:
    random = np.random.default_rng(1)
    first, second = random_layer(random, 5, 7), random_layer(random, 7, 4)
    x = random.normal(0, 1, (100, 5))
    both = (x @ first.kernel[0, 0] + first.bias) @ second.kernel[0, 0] + second.bias
    joined = _joined(first, second)
    np.testing.assert_allclose(x @ joined.kernel[0, 0] + joined.bias, both, atol=1e-5)
    assert joined.kernel.dtype == joined.bias.dtype == np.float32


def test_a_rotation_leaves_out_only_what_no_output_uses() -> None:
    """Eight outputs that lie in a plane of three dimensions: three numbers tell the same distances, and lengths."""
    random = np.random.default_rng(2)
    plane = np.linalg.qr(random.normal(0, 1, (8, 3)))[0].T
    kernel = (random.normal(0, 1, (20, 3)) @ plane).astype(np.float32)
    last = Layer(kernel[None, None], (random.normal(0, 1, 3) @ plane).astype(np.float32))
    turned = _rotated(last, 3)
    assert turned.kernel.shape == (1, 1, 20, 3)
    x = random.normal(0, 1, (30, 20))
    before, after = (x @ layer.kernel[0, 0] + layer.bias for layer in (last, turned))
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-4)
    assert np.abs(_rotated(last, 5).kernel[..., 3:]).max() < 1e-5, "there is nothing in further ones"


def test_what_the_files_rotation_leaves_out_is_next_to_nothing(layers: Layers) -> None:
    """Of the 192 outputs, with their bias: some sixty directions matter, and from the 129th on there is hardly anything."""
    last = as_in_the_paper(layers, None)["embedding"]
    strengths = np.linalg.svd(np.concatenate([last.kernel[0, 0], last.bias[None]]), compute_uv=False)
    assert len(strengths) == 192
    assert (strengths > 0.1).sum() == 59
    assert strengths[128] < 0.0006
    assert (strengths[128:] ** 2).sum() < 1e-6 * (strengths**2).sum()


# Other forms of its PReLUs


SLOPES = np.array([-2.5, -0.3, 0.0, 0.25, 0.999, 1.001, 1.7, 8.0], np.float32)


def run(some: Layers, x: NDArray[np.float32], prelu: Prelu) -> NDArray[np.float32]:
    """A chain of layers of 1 x 1, in NumPy and Keras's relu."""
    for name, layer in some.items():
        kernel = layer.kernel[0, 0]
        x = x * kernel[:, 0] + layer.bias if "depthwise" in name else x @ kernel + layer.bias
        x = x if layer.slope is None else np.asarray(prelu(x, layer.slope))
    return x


def test_cheaper_slopes_are_the_same_function_for_slopes_of_every_kind() -> None:
    """Below 0, between 0 and 1, close to 1, and above 1, where the sign turns and the next layer turns it back."""
    random = np.random.default_rng(3)
    wide = len(SLOPES)
    depthwise = Layer(random.normal(0, 1, (1, 1, wide, 1)).astype(np.float32), np.ones(wide, np.float32), SLOPES[::-1].copy())
    chain = {
        "expand": random_layer(random, 5, wide, SLOPES),
        "depthwise": depthwise,
        "project": random_layer(random, wide, 4),
        "expand again": random_layer(random, 4, wide, SLOPES),
        "embedding": random_layer(random, wide, 6),
    }
    x = random.normal(0, 1, (500, 5)).astype(np.float32)
    cheaper = with_cheaper_slopes(chain)
    assert list(cheaper) == list(chain)
    for name in ("expand", "depthwise", "expand again"):
        assert np.isfinite(cheaper[name].kernel).all()
    before, after = run(chain, x, plain_prelu), run(cheaper, x, cheaper_prelu)
    np.testing.assert_allclose(after, before, atol=1e-4 * np.abs(before).max())
    assert np.abs(before - run(chain, x, lambda y, slope: np.maximum(y, 0))).max() > 1, "or the slopes would not matter"


def test_cheaper_slopes_multiply_once_by_hand() -> None:
    """0.2 for x below 0: z = 0.8 x, relu(z) + z / 4. 3 for x below 0: z = -2 x, relu(z) + z / 2, and the sign of it turned."""
    chain = {
        "bend": Layer(np.ones((1, 1, 1, 2), np.float32), np.zeros(2, np.float32), np.array([0.2, 3], np.float32)),
        "next": Layer(np.ones((1, 1, 2, 1), np.float32), np.zeros(1, np.float32)),
    }
    cheaper = with_cheaper_slopes(chain)
    assert cheaper["bend"].slope is not None
    np.testing.assert_allclose(cheaper["bend"].kernel, [[[[0.8, -2]]]], rtol=1e-6)
    np.testing.assert_allclose(cheaper["bend"].slope, [0.25, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(cheaper["next"].kernel, [[[[1], [-1]]]])


def test_the_file_has_slopes_of_every_kind(layers: Layers) -> None:
    slopes = np.concatenate([layer.slope for layer in layers.values() if layer.slope is not None])
    assert (slopes > 1).sum() > 100
    assert (slopes < 0).sum() > 100
    assert np.abs(slopes - 1).min() > 1e-6, "at exactly 1 the cheaper form would divide by zero"


def test_both_forms_of_the_network_answer_alike(layers: Layers) -> None:
    chips = np.random.default_rng(4).integers(0, 256, (2, 112, 112, 3)).astype(np.float32)
    folded = as_in_the_paper(layers)
    plain = np.asarray(build_mobilefacenet(folded)(chips))
    cheaper = np.asarray(build_mobilefacenet(with_cheaper_slopes(folded), cheaper_prelu)(chips))
    assert plain.shape == (2, 128)
    assert np.linalg.norm(plain, axis=1).min() > 1
    np.testing.assert_allclose(cheaper, plain, atol=1e-5 * np.abs(plain).max())


def bent(order: str) -> onnx.ModelProto:
    """Two PReLUs as Keras writes them, with a Conv between; the terms of each sum and product in either order.

    Behind them a sum that only looks like a third: relu of one map, and another map times a table.
    """
    random = np.random.default_rng(5)
    tables: dict[str, NDArray[np.floating]] = {
        "kernel": random.normal(0, 1, (3, 3, 1, 1)),
        "slope_0": SLOPES[:3].reshape(1, 3, 1, 1),
        "slope_1": SLOPES[5:].reshape(1, 3, 1, 1),
        "half": np.full((1, 3, 1, 1), 0.5),
    }
    tables |= {f"rise_{i}": 1 - tables[f"slope_{i}"] for i in (0, 1)}

    def product(x: str, table: str, y: str) -> onnx.NodeProto:
        return helper.make_node("Mul", [x, table] if order == "map first" else [table, x], [y])

    def prelu(i: int, x: str, y: str) -> list[onnx.NodeProto]:
        terms = [f"{y}_rising", f"{y}_sloped"]
        return [
            helper.make_node("Relu", [x], [f"{y}_relu"]),
            product(f"{y}_relu", f"rise_{i}", terms[0]),
            product(x, f"slope_{i}", terms[1]),
            helper.make_node("Add", terms if order == "map first" else terms[::-1], [y]),
        ]

    nodes = [
        *prelu(0, "x", "a"),
        helper.make_node("Conv", ["a", "kernel"], ["b"]),
        *prelu(1, "b", "c"),
        helper.make_node("Relu", ["c"], ["d"]),
        product("d", "half", "e"),
        product("b", "half", "f"),
        helper.make_node("Add", ["e", "f"], ["y"]),
    ]
    shape: list[int | str] = ["N", 3, 4, 4]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y"))
    initialisers = [numpy_helper.from_array(table.astype(np.float32), name) for name, table in tables.items()]
    graph = helper.make_graph(nodes, "bent", [x], [y], initialisers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize("order", ["map first", "table first"])
def test_prelu_nodes_answer_as_the_sums_that_they_replace(order: str) -> None:
    before, after = bent(order), bent(order)
    with_prelu_nodes(after)
    onnx.checker.check_model(after, full_check=True)
    assert Counter(node.op_type for node in before.graph.node) == {"Relu": 3, "Mul": 6, "Add": 3, "Conv": 1}
    assert Counter(node.op_type for node in after.graph.node) == {"PRelu": 2, "Conv": 1, "Relu": 1, "Mul": 2, "Add": 1}
    x = np.random.default_rng(6).normal(0, 1, (2, 3, 4, 4)).astype(np.float32)
    old, new = (onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0] for model in (before, after))
    np.testing.assert_allclose(new, old, atol=1e-5)


def test_exported_graphs_have_the_form_that_is_faster_where_they_run(layers: Layers) -> None:
    """PRelu nodes for the page, none natively."""
    slopes = sum(layer.slope is not None for layer in layers.values())
    entry = json.loads((models_folder() / "models.json").read_text())["graphs"]["embedder"]
    natively, in_page = (
        Counter(node.op_type for node in onnx.load(models_folder() / file).graph.node)
        for file in (entry["file"], entry["compact"]["file"])
    )
    assert (natively["PRelu"], natively["Relu"]) == (0, slopes)
    assert (in_page["PRelu"], in_page["Relu"]) == (slopes, 0)
    assert natively["Conv"] == in_page["Conv"] == 50
