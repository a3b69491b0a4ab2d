"""The networks that can be trained: they take chips [N, S, S, 3], 0 to 255, and give embeddings of length 1.

`small` suits CPUs and web pages. It is a residual network (He and others, 2015, arXiv:1512.03385) for chips of 96 pixels that ends
like MobileFaceNet (Chen, Liu, Gao and Han, 2018, arXiv:1804.07573). All networks use only Keras's own layers, so that a saved file
can be read without this project's code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from ..errors import ExportError

# Of batch normalisation's running averages: low, so that a short training is not examined with the averages of its beginning.
MOMENTUM = 0.95


@dataclass(frozen=True)
class Architecture:
    """body: from standardised chips to numbers [N, dimensions] of any length. chip_size: the side in pixels that it is made for."""

    body: Callable[[Any, int], Any]
    chip_size: int


def build(name: str, chip_size: int, dimensions: int = 128) -> Any:
    """An untrained network by its name: chips [N, S, S, 3] float32 RGB, 0 to 255, to embeddings [N, dimensions] of length 1.

    Pixels are standardised as (x - 127.5) / 128. The last step runs in float32 even in mixed precision.
    """
    chips = keras.Input((chip_size, chip_size, 3), name="chips")
    x = layers.Rescaling(1 / 128, -127.5 / 128, name="standardise")(chips)
    x = NETWORKS[name].body(x, dimensions)
    return keras.Model(chips, layers.UnitNormalization(dtype="float32", name="embedding")(x), name=name.replace("-", "_"))


def small(x: Any, dimensions: int) -> Any:
    """A body of residual blocks of plain convolutions: 55 million multiply-adds for a chip of 96 pixels.

    Depthwise convolutions (MobileNets) would need fewer multiplications, but not less time on a CPU: with as many layers as here,
    a step of training took three times as long.
    """
    x = convolution(x, 24, 3, 2, "stem")
    for filters, blocks in ((32, 1), (64, 1), (128, 2)):
        x = convolution(x, filters, 3, 2, f"half{filters}")
        for number in range(1, blocks + 1):
            x = residual(x, f"block{filters}_{number}")
    x = convolution(x, 384, 1, 1, "wide")
    return head(x, dimensions)


def tiny(x: Any, dimensions: int) -> Any:
    """A body of three convolutions, for tests."""
    for number, filters in enumerate((8, 16, 32)):
        x = convolution(x, filters, 3, 2, f"conv{number}")
    return head(x, dimensions)


def inception_resnet(x: Any, dimensions: int) -> Any:
    """The body of Inception-ResNet-v1, the network of davidsandberg/facenet; it needs a GPU."""
    from ..inception_resnet import build_inception_resnet

    return build_inception_resnet(dimensions)(x)


NETWORKS: Mapping[str, Architecture] = {
    "small": Architecture(small, 96),
    "tiny": Architecture(tiny, 32),
    "inception-resnet-v1": Architecture(inception_resnet, 160),
}


def convolution(x: Any, filters: int, size: int, stride: int, name: str, activation: str | None = "relu") -> Any:
    """A convolution with batch normalisation, and with ReLU unless activation says otherwise."""
    x = layers.Conv2D(filters, size, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.Activation(activation, name=f"{name}_relu")(x) if activation else x


def residual(x: Any, name: str) -> Any:
    """A residual block: two 3 x 3 convolutions beside a shortcut."""
    y = convolution(x, x.shape[-1], 3, 1, f"{name}_1")
    y = convolution(y, x.shape[-1], 3, 1, f"{name}_2", activation=None)
    return layers.Activation("relu", name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def head(x: Any, dimensions: int) -> Any:
    """The numbers of a whole map [h, w, C], by a kernel for each channel that is as large as the map.

    This is MobileFaceNet's global depthwise convolution (section 3.2). Unlike a mean, it can weight the places of an aligned face.
    """
    x = layers.DepthwiseConv2D(x.shape[1], use_bias=False, name="places")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="places_norm")(x)
    return layers.Dense(dimensions, name="numbers")(layers.Flatten(name="flat")(x))


def multiply_adds(model: Any) -> int:
    """How many multiplications, each with its addition, a model's convolutions and dense layers need for one face.

    Batch normalisation is not counted, because the exported graph merges it into the convolution before it. Raises ExportError for
    a layer with weights of any other kind.
    """
    return sum(_layer_multiply_adds(layer) for layer in model.layers)


def _layer_multiply_adds(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        rows, columns = layer.output.shape[1:3]
        return int(rows * columns * math.prod(layer.kernel.shape))
    if isinstance(layer, layers.Dense):
        return int(math.prod(layer.kernel.shape))
    if layer.weights and not isinstance(layer, layers.BatchNormalization):
        raise ExportError(f"the multiplications of {layer.name}, a {type(layer).__name__}, cannot be counted")
    return 0
