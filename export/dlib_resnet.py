"""The second embedder: dlib's 29-layer ResNet, read from dlib's own file into Keras.

King, "High Quality Face Recognition with Deep Metric Learning", dlib.net, 2017: He et al.'s ResNet-34
(arXiv:1512.03385) with fewer layers and half the filters, trained with a metric loss on about 3 million
faces. 150 x 150 RGB chip in, 128 numbers out; they are not of unit length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from facelab.files import read_plain, why

from .errors import ExportError

Weights = NDArray[np.float32]

INPUT_LAYER = b"input_rgb_image_sized"


@dataclass(frozen=True)
class Layer:
    """A layer of the file: dlib's name for it, its integers, and its tensor (flat; empty if it has no weights)."""

    kind: str
    numbers: tuple[int, ...]
    weights: Weights


@dataclass(frozen=True)
class DlibNetwork:
    """The layers from input to output, and the mean that dlib first subtracts from each channel (R, G, B)."""

    mean: tuple[float, float, float]
    size: int
    layers: tuple[Layer, ...]


class DlibReader:
    """dlib's serialisation, little endian: integers and floats of variable length, strings, tensors."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, length: int) -> bytes:
        if not 0 <= length <= len(self.data) - self.at:
            raise ExportError(f"the dlib file ends in the middle of a layer, at byte {self.at}: download it again")
        self.at += length
        return self.data[self.at - length : self.at]

    def integer(self) -> int:
        head = self.take(1)[0]  # low nibble: number of bytes that follow; top bit: sign
        magnitude = int.from_bytes(self.take(head & 0x0F), "little")
        return -magnitude if head & 0x80 else magnitude

    def integers(self, how_many: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(how_many))

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return math.ldexp(mantissa, exponent)

    def string(self) -> str:
        return self.take(self.integer()).decode("ascii", "replace")

    def tensor(self) -> Weights:
        _version, *shape = self.integers(5)
        return np.frombuffer(self.take(4 * math.prod(shape)), "<f4").copy()

    def alias(self) -> None:
        """A view of a tensor: version and four dimensions, which the layer's own numbers repeat."""
        self.integers(5)


def read_dlib_network(path: Path) -> DlibNetwork:
    """The network in a dlib `.dat` file.

    Raises ExportError where the file is not one, ends early, or holds a layer that this reader does not know.
    """
    try:
        return _parsed(DlibReader(read_plain(path, ExportError)), path)
    except (ValueError, OverflowError, MemoryError) as error:
        raise ExportError(f"{path.name} is damaged ({why(error)}): download it again") from error


def _parsed(reader: DlibReader, path: Path) -> DlibNetwork:
    # Only version numbers and the loss's settings come before the input layer; inference needs neither.
    reader.at = reader.data.find(INPUT_LAYER) + len(INPUT_LAYER)
    if reader.at < len(INPUT_LAYER):
        raise ExportError(f"{path.name} is not a dlib face recognition network: it has no layer {INPUT_LAYER.decode()}")
    mean = (reader.real(), reader.real(), reader.real())
    height, width = reader.integers(2)
    if height != width:
        raise ExportError(f"{path.name} takes {height} x {width} pixels; a square chip was expected")
    return DlibNetwork(mean, width, tuple(_layers(reader)))


def _layers(reader: DlibReader) -> Iterator[Layer]:
    for index in count():
        kind = reader.string()
        weights = np.empty(0, np.float32)
        numbers: tuple[int, ...] = ()
        if kind == "con_4":
            weights = reader.tensor()
            numbers = reader.integers(7)  # filters, nr, nc, stride y, stride x, padding y, padding x
            reader.alias()
            reader.alias()
            for _ in range(4):  # learning rate and weight decay multipliers
                reader.real()
        elif kind == "affine_":
            weights = reader.tensor()
            reader.alias()
            reader.alias()
            reader.integer()
        elif kind in ("max_pool_2", "avg_pool_2"):
            numbers = reader.integers(6)  # nr, nc, stride y, stride x, padding y, padding x
        elif kind == "fc_2":
            numbers = reader.integers(2)  # outputs, inputs
            weights = reader.tensor()
        elif kind not in ("relu_", "add_prev_"):
            raise ExportError(f"the dlib file holds a layer {kind!r} at byte {reader.at}, which this reader does not know")
        yield Layer(kind, numbers, weights)
        if kind == "fc_2":
            return  # the embedding: what follows belongs to the loss
        reader.take(3)  # three flags, as the characters 0 or 1
        for _ in range(3):  # gradients and cached output, empty in a trained file
            reader.tensor()
        if index == 0:
            reader.integer()  # inputs per sample: only the layer on top of the input keeps it


def build_dlib_resnet(network: DlibNetwork, natively: bool = False) -> Any:
    """The network as a Keras model: chips [N, 150, 150, 3] float32 RGB, 0 to 255 -> embeddings [N, 128].

    dlib's affine layers (frozen batch normalisation) are folded into the convolutions before them. natively: whether zeros are
    added by convolutions (see _ZerosByConvolution), which is faster in ONNX Runtime outside the page.
    """
    zeros = _ZerosByConvolution() if natively else _Zeros()
    layers = list(reversed(network.layers))

    def peek() -> str:
        return layers[-1].kind

    def take(kind: str) -> Layer:
        if peek() != kind:
            raise ExportError(f"the dlib file has {peek()} where {kind} was expected: another network than the one known")
        return layers.pop()

    def convolution(x: Any, name: str) -> Any:
        con, affine = take("con_4"), take("affine_")
        filters, rows, columns, stride, _, padding, _ = con.numbers
        channels = x.shape[-1]
        split = filters * channels * rows * columns
        kernel = con.weights[:split].reshape(filters, channels, rows, columns)
        gamma, beta = affine.weights.reshape(2, filters)
        if x.shape[1:3] == (1, 1):  # on a map of one pixel, all weights of a kernel but one only ever meet padding
            kernel = kernel[:, :, padding : padding + 1, padding : padding + 1]
        elif padding:
            x = zeros.around(x, padding)
        layer = keras.layers.Conv2D(filters, kernel.shape[2:], stride, name=name)
        y = layer(x)
        layer.set_weights([(kernel * gamma[:, None, None, None]).transpose(2, 3, 1, 0), con.weights[split:] * gamma + beta])
        return y

    def relu(x: Any) -> Any:
        take("relu_")
        return keras.ops.relu(x)

    def add(a: Any, b: Any) -> Any:
        """dlib's add_prev: where shapes differ, the smaller tensor is filled with zeros below, at the right and in depth."""
        shape = [max(m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True)]
        return zeros.behind(a, shape) + zeros.behind(b, shape)

    def block(x: Any, name: str) -> Any:
        """A residual block: two 3 x 3 convolutions beside a shortcut. A block that halves the map has a pooled shortcut."""
        y = convolution(relu(convolution(x, f"{name}_conv1")), f"{name}_conv2")
        if peek() == "avg_pool_2":
            rows, columns, stride, *_ = take("avg_pool_2").numbers
            x = keras.layers.AveragePooling2D((rows, columns), stride, name=f"{name}_shortcut")(x)
        take("add_prev_")
        return relu(add(x, y))

    chips = keras.Input((network.size, network.size, 3), name="chips")
    x = (chips - np.array(network.mean, np.float32)) / 256.0
    x = relu(convolution(x, "stem"))
    rows, columns, stride, *_ = take("max_pool_2").numbers
    x = keras.layers.MaxPooling2D((rows, columns), stride, name="stem_pool")(x)
    number = 0
    while peek() == "con_4":
        number += 1
        x = block(x, f"block{number}")
    take("avg_pool_2")  # a window of 0 x 0 means the whole map
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    head = take("fc_2")
    dense = keras.layers.Dense(head.numbers[0], use_bias=False, name="embedding")
    embeddings = dense(x)
    dense.set_weights([head.weights.reshape(head.numbers[1], head.numbers[0])])
    return keras.Model(chips, embeddings, name="dlib_resnet")


class _Zeros:
    """How zeros are added to maps [N, rows, columns, channels]."""

    def around(self, x: Any, padding: int) -> Any:
        """Adds zeros on all four sides."""
        return keras.layers.ZeroPadding2D(padding)(x)

    def behind(self, x: Any, shape: Sequence[int]) -> Any:
        """Adds zeros at the bottom, at the right and in depth, up to `shape`: rows, columns, channels."""
        missing = [(0, to - have) for have, to in zip(x.shape[1:], shape, strict=True)]
        return keras.ops.pad(x, [(0, 0), *missing]) if any(after for _, after in missing) else x


class _ZerosByConvolution(_Zeros):
    """Adds zeros by convolutions that change nothing else.

    ONNX Runtime keeps a map's channels in blocks of sixteen from one convolution to the next, and only a convolution can add zeros
    in that layout. A convolution whose kernel reaches over the edge also computes the first and last place of each row separately,
    and fetches all weights for each. With short rows, that takes most of the time.
    """

    SHORT = 8  # pixels; the next longer rows, of 17, gain nothing

    def around(self, x: Any, padding: int) -> Any:
        x, short = super().around(x, padding), x.shape[2] <= self.SHORT
        return self._unchanged(x) if short else x

    def behind(self, x: Any, shape: Sequence[int]) -> Any:
        rows, columns, channels = (to - have for have, to in zip(x.shape[1:], shape, strict=True))
        if rows or columns:
            x = self._unchanged(keras.layers.ZeroPadding2D(((0, rows), (0, columns)))(x))
        if channels:
            layer = keras.layers.Conv2D(shape[2], 1, use_bias=False)
            x, have = layer(x), x.shape[3]
            layer.set_weights([np.eye(have, shape[2], dtype=np.float32)[None, None]])
        return x

    @staticmethod
    def _unchanged(x: Any) -> Any:
        """Puts a convolution behind the padding before it, so that the two become one step of ONNX."""
        return keras.layers.DepthwiseConv2D(1, use_bias=False, depthwise_initializer="ones")(x)
