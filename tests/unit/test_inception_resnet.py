"""Inception-ResNet-v1 against the paper: counts, sizes and names, and a block of each kind computed a second time in NumPy."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from export.inception_resnet import block8, block17, block35, build_inception_resnet, reduction_a, reduction_b, stem

Maps = NDArray[np.float64]


@pytest.fixture(scope="module")
def network() -> Any:
    return build_inception_resnet()


def test_it_has_as_many_parameters_as_the_well_known_file(network: Any) -> None:
    assert network.count_params() == 22_808_144
    assert build_inception_resnet(512).count_params() == 22_808_144 + (512 - 128) * (1792 + 3)


def test_it_takes_160_pixels_and_gives_128_numbers(network: Any) -> None:
    assert network.input_shape == (None, 160, 160, 3)
    assert network.output_shape == (None, 128)


def test_layers_have_the_names_of_the_well_known_file(network: Any) -> None:
    names = {layer.name for layer in network.layers}
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 6 + 5 * 7 + 4 + 10 * 5 + 7 + 6 * 5
    assert all(f"{layer.name}_BatchNorm" in names for layer in convolutions if not layer.use_bias)
    assert names >= {
        "Conv2d_1a_3x3",
        "Conv2d_4b_3x3_BatchNorm",
        "Block35_1_Branch_0_Conv2d_1x1",
        "Block35_5_Branch_2_Conv2d_0c_3x3_BatchNorm",
        "Mixed_6a_Branch_1_Conv2d_1a_3x3",
        "Block17_10_Branch_1_Conv2d_0c_7x1",
        "Mixed_7a_Branch_2_Conv2d_0b_3x3",
        "Block8_6_Branch_1_Conv2d_0b_1x3",
        "Block8_6_Conv2d_1x1",
        "Bottleneck",
        "Bottleneck_BatchNorm",
    }
    assert {f"Block35_{n}_Conv2d_1x1" for n in range(1, 6)} | {f"Block17_{n}_Conv2d_1x1" for n in range(1, 11)} <= names
    assert "Block8_6_Activation" not in names, "the last block has no ReLU"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [("Conv2d_4b_3x3", (17, 17, 256)), ("Mixed_6a", (8, 8, 896)), ("Mixed_7a", (3, 3, 1792)), ("AvgPool", (1792,))],
)
def test_maps_shrink_as_in_the_paper(layer: str, shape: tuple[int, ...], network: Any) -> None:
    assert network.get_layer(layer).output.shape == (None, *shape)


# --- the paper's figures, read a second time ----------------------------------------------------------------------------


class Reference:
    """Layers in NumPy, on maps [H, W, C], with the weights of a Keras model by layer name."""

    def __init__(self, model: Any) -> None:
        self.weights: dict[str, list[Maps]] = {
            layer.name: [np.asarray(w, np.float64) for w in layer.get_weights()] for layer in model.layers
        }

    def conv(self, x: Maps, name: str, stride: int = 1, same: bool = True) -> Maps:
        """Normalised and rectified."""
        beta, mean, variance = self.weights[f"{name}_BatchNorm"]
        summed = correlate(x, self.weights[name][0], stride, same)
        return np.asarray(np.maximum((summed - mean) / np.sqrt(variance + 0.001) + beta, 0))

    def linear(self, x: Maps, name: str) -> Maps:
        kernel, bias = self.weights[name]
        return np.asarray(x @ kernel[0, 0] + bias)


def correlate(x: Maps, kernel: Maps, stride: int, same: bool) -> Maps:
    rows, columns = kernel.shape[:2]
    if same:
        x = np.pad(x, [(rows // 2, rows // 2), (columns // 2, columns // 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(0, 1))[::stride, ::stride]
    result: Maps = np.einsum("xycij,ijco->xyo", windows, kernel, optimize=True)
    return result


def max_pool(x: Maps) -> Maps:
    """3 x 3, stride 2, no padding."""
    pooled: Maps = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2].max(axis=(3, 4))
    return pooled


def figure_10(r: Reference, x: Maps) -> Maps:
    left = r.conv(x, "B_Branch_0_Conv2d_1x1")
    middle = r.conv(r.conv(x, "B_Branch_1_Conv2d_0a_1x1"), "B_Branch_1_Conv2d_0b_3x3")
    right = r.conv(r.conv(r.conv(x, "B_Branch_2_Conv2d_0a_1x1"), "B_Branch_2_Conv2d_0b_3x3"), "B_Branch_2_Conv2d_0c_3x3")
    return np.maximum(x + 0.17 * r.linear(np.concatenate([left, middle, right], axis=2), "B_Conv2d_1x1"), 0)


def figure_11(r: Reference, x: Maps) -> Maps:
    left = r.conv(x, "B_Branch_0_Conv2d_1x1")
    right = r.conv(r.conv(r.conv(x, "B_Branch_1_Conv2d_0a_1x1"), "B_Branch_1_Conv2d_0b_1x7"), "B_Branch_1_Conv2d_0c_7x1")
    return np.maximum(x + 0.1 * r.linear(np.concatenate([left, right], axis=2), "B_Conv2d_1x1"), 0)


def figure_13(r: Reference, x: Maps) -> Maps:
    left = r.conv(x, "B_Branch_0_Conv2d_1x1")
    right = r.conv(r.conv(r.conv(x, "B_Branch_1_Conv2d_0a_1x1"), "B_Branch_1_Conv2d_0b_1x3"), "B_Branch_1_Conv2d_0c_3x1")
    return np.maximum(x + 0.2 * r.linear(np.concatenate([left, right], axis=2), "B_Conv2d_1x1"), 0)


def last_block(r: Reference, x: Maps) -> Maps:
    left = r.conv(x, "B_Branch_0_Conv2d_1x1")
    right = r.conv(r.conv(r.conv(x, "B_Branch_1_Conv2d_0a_1x1"), "B_Branch_1_Conv2d_0b_1x3"), "B_Branch_1_Conv2d_0c_3x1")
    return x + r.linear(np.concatenate([left, right], axis=2), "B_Conv2d_1x1")


def figure_7(r: Reference, x: Maps) -> Maps:
    strided = r.conv(x, "Mixed_6a_Branch_0_Conv2d_1a_3x3", 2, same=False)
    deep = r.conv(r.conv(x, "Mixed_6a_Branch_1_Conv2d_0a_1x1"), "Mixed_6a_Branch_1_Conv2d_0b_3x3")
    return np.concatenate([strided, r.conv(deep, "Mixed_6a_Branch_1_Conv2d_1a_3x3", 2, same=False), max_pool(x)], axis=2)


def figure_12(r: Reference, x: Maps) -> Maps:
    first = r.conv(r.conv(x, "Mixed_7a_Branch_0_Conv2d_0a_1x1"), "Mixed_7a_Branch_0_Conv2d_1a_3x3", 2, same=False)
    second = r.conv(r.conv(x, "Mixed_7a_Branch_1_Conv2d_0a_1x1"), "Mixed_7a_Branch_1_Conv2d_1a_3x3", 2, same=False)
    deep = r.conv(r.conv(x, "Mixed_7a_Branch_2_Conv2d_0a_1x1"), "Mixed_7a_Branch_2_Conv2d_0b_3x3")
    third = r.conv(deep, "Mixed_7a_Branch_2_Conv2d_1a_3x3", 2, same=False)
    return np.concatenate([first, second, third, max_pool(x)], axis=2)


def figure_14(r: Reference, x: Maps) -> Maps:
    x = r.conv(r.conv(x, "Conv2d_1a_3x3", 2, same=False), "Conv2d_2a_3x3", same=False)
    x = max_pool(r.conv(x, "Conv2d_2b_3x3"))
    x = r.conv(r.conv(x, "Conv2d_3b_1x1", same=False), "Conv2d_4a_3x3", same=False)
    return r.conv(x, "Conv2d_4b_3x3", 2, same=False)


@pytest.mark.parametrize(
    ("block", "reference", "shape", "result"),
    [
        (stem, figure_14, (41, 37, 3), (2, 2, 256)),
        (lambda x: block35(x, "B"), figure_10, (5, 6, 256), (5, 6, 256)),
        (reduction_a, figure_7, (7, 8, 256), (3, 3, 896)),
        (lambda x: block17(x, "B"), figure_11, (8, 7, 896), (8, 7, 896)),
        (reduction_b, figure_12, (8, 8, 896), (3, 3, 1792)),
        (lambda x: block8(x, "B"), figure_13, (3, 4, 1792), (3, 4, 1792)),
        (lambda x: block8(x, "B", scale=1.0, relu=False), last_block, (3, 3, 1792), (3, 3, 1792)),
    ],
    ids=["stem", "block35", "reduction A", "block17", "reduction B", "block8", "last block"],
)
def test_block_computes_what_its_figure_says(
    block: Callable[[Any], Any],
    reference: Callable[[Reference, Maps], Maps],
    shape: tuple[int, int, int],
    result: tuple[int, int, int],
) -> None:
    """With random weights and running statistics, in double precision beside Keras's single."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, block(inputs))
    random = np.random.default_rng(1)
    for layer in model.layers:
        layer.set_weights([_random(random, weight) for weight in layer.weights])
    x = random.normal(size=shape)
    expected = reference(Reference(model), x)
    assert expected.shape == result
    actual = np.asarray(model(x[None].astype(np.float32)))[0]
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


def _random(random: np.random.Generator, weight: Any) -> NDArray[np.float32]:
    if weight.name == "moving_variance":
        return np.asarray(random.uniform(0.5, 2, weight.shape), np.float32)
    spread = 1 / np.sqrt(np.prod(weight.shape[:-1])) if weight.name == "kernel" else 0.5
    return np.asarray(random.normal(size=weight.shape) * spread, np.float32)
