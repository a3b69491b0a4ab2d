"""The networks that can be trained: chips [N, S, S, 3], 0 to 255, in; embeddings of length 1 out.

`small` is for CPUs and for pages: a residual network (He and others, 2015, arXiv:1512.03385) for chips of 96 pixels, that ends as
MobileFaceNet does (Chen, Liu, Gao and Han, 2018, arXiv:1804.07573). Only Keras's own layers are used, so that a saved file needs no
code of ours to be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from ..errors import ExportError

# Of what passes from layer to layer: a short training must not answer with the averages of its beginning.
MOMENTUM = 0.95


@dataclass(frozen=True)
class Architecture:
    """body: standardised chips -> numbers [N, dimensions], of any length. chip_size: side of the chips it is made for, pixels."""

    body: Callable[[Any, int], Any]
    chip_size: int


def build(name: str, chip_size: int, dimensions: int = 128) -> Any:
    """A network by its name, untrained: chips [N, S, S, 3] float32 RGB, 0 to 255 -> embeddings [N, dimensions] of length 1.

    Standardised as FaceNet's later networks are, (x - 127.5) / 128. The last steps are in float32 whatever the rest is in.
    """
    chips = keras.Input((chip_size, chip_size, 3), name="chips")
    x = layers.Rescaling(1 / 128, -127.5 / 128, name="standardise")(chips)
    x = NETWORKS[name].body(x, dimensions)
    return keras.Model(chips, layers.UnitNormalization(dtype="float32", name="embedding")(x), name=name.replace("-", "_"))


def small(x: Any, dimensions: int) -> Any:
    """Residual blocks of plain convolutions, with at most half dlib's filters: 55 million multiply-adds at 96 px.

    Depthwise convolutions (MobileNets) need fewer multiplications for as much, but on a CPU not less time: with as many of them as
    here, a step of training took three times as long.
    """
    x = convolution(x, 24, 3, 2, "stem")
    for filters, blocks in ((32, 1), (64, 1), (128, 2)):
        x = convolution(x, filters, 3, 2, f"half{filters}")
        for number in range(1, blocks + 1):
            x = residual(x, f"block{filters}_{number}")
    x = convolution(x, 384, 1, 1, "wide")
    return head(x, dimensions)


def tiny(x: Any, dimensions: int) -> Any:
    """For tests: three convolutions."""
    for number, filters in enumerate((8, 16, 32)):
        x = convolution(x, filters, 3, 2, f"conv{number}")
    return head(x, dimensions)


def inception_resnet(x: Any, dimensions: int) -> Any:
    """FaceNet's own, for a GPU."""
    from ..inception_resnet import build_inception_resnet

    return build_inception_resnet(dimensions)(x)


NETWORKS: Mapping[str, Architecture] = {
    "small": Architecture(small, 96),
    "tiny": Architecture(tiny, 32),
    "inception-resnet-v1": Architecture(inception_resnet, 160),
}


def convolution(x: Any, filters: int, size: int, stride: int, name: str, activation: str | None = "relu") -> Any:
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(filters, size, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.Activation(activation, name=f"{name}_relu")(x) if activation else x


def residual(x: Any, name: str) -> Any:
    """Two 3 x 3 convolutions beside a shortcut."""
    y = convolution(x, x.shape[-1], 3, 1, f"{name}_1")
    y = convolution(y, x.shape[-1], 3, 1, f"{name}_2", activation=None)
    return layers.Activation("relu", name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def head(x: Any, dimensions: int) -> Any:
    """The whole map [h, w, C] -> numbers: each channel by a kernel as large as the map, for on an aligned face places differ.

    MobileFaceNet's global depthwise convolution (section 3.2).
    """
    x = layers.DepthwiseConv2D(x.shape[1], use_bias=False, name="places")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="places_norm")(x)
    return layers.Dense(dimensions, name="numbers")(layers.Flatten(name="flat")(x))


def multiply_adds(model: Any) -> int:
    """Multiplications (each with its addition) of one face through a model; of convolutions and dense layers, as is customary.

    Normalisation is not counted: in the exported graph it is part of the convolution before it. Raises ExportError where a layer
    with weights is of a kind that is not known here.
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
