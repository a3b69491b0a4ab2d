"""The default embedder: MobileFaceNet, written as its paper's table 1, with the weights of a pinned file.

Chen, Liu, Gao and Han, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices", CCBR 2018
(arXiv:1804.07573), trained with an additive angular margin (Deng et al., ArcFace, CVPR 2019, arXiv:1801.07698). 112 x 112 RGB chip
in, 128 numbers out.

The published files have 192 outputs, and two linear layers more than the table. Two linear layers in a row equal one, so a matrix
product removes each of the two (`_joined`). A rotation turns the 192 outputs into 128 (`_rotated`).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from .errors import ExportError

Weights = NDArray[np.float32]
Read = Callable[[str], Weights]
Prelu = Callable[[Any, Weights], Any]  # takes a map [N, rows, columns, channels] and one number for each channel

SIDE = 112
DIMENSIONS = 128

# The bottlenecks of table 1: expansion factor, output channels, repetitions, stride of the first repetition.
BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))

SCOPE = "MobileFaceNet/MobileFaceNet"  # the training code's names (sirius-ai/MobileFaceNet_TF) for all layers but the last three
LOGITS = "MobileFaceNet/Logits"


@dataclass(frozen=True)
class Layer:
    """A convolution with its batch normalisation folded in.

    kernel: [rows, columns, inputs, filters]; of a depthwise convolution [rows, columns, channels, 1]. bias: [filters or channels].
    slope: that of the PReLU behind it, one for each channel; None means the layer is linear.
    """

    kernel: Weights
    bias: Weights
    slope: Weights | None = None


Layers = Mapping[str, Layer]


def read_tflite(data: bytes) -> Layers:
    """The layers in the bytes of MobileFaceNet.tflite, by name (see `_named`). Raises ExportError for any other network."""
    import tensorflow as tf

    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        # imported without its warning, which recommends another package
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            interpreter = tf.lite.Interpreter(model_content=data, experimental_op_resolver_type=plain)
        interpreter.allocate_tensors()
        places = {detail["name"]: detail["index"] for detail in interpreter.get_tensor_details()}
    except ValueError as error:
        raise ExportError(f"this is no TensorFlow Lite file ({' '.join(str(error).split())})") from error

    def tensor(name: str) -> Weights:
        return np.asarray(interpreter.get_tensor(places[name]), np.float32)

    pointwise, depthwise = _counted("Conv"), _counted("SeparableConv2d")

    def kernel(scope: str, is_depthwise: bool) -> Weights:
        """Finds a kernel.

        TensorFlow numbers the kernels of unnamed layers in the order of their making, and puts the filters first.
        """
        own = scope.rpartition("/")[2]
        if own.startswith(("Conv2d_0", "Conv2d_7", "LinearConv1x1")) or scope.startswith(LOGITS):
            name = scope.replace(SCOPE, "MobileFaceNet")
        else:
            name = f"MobileFaceNet/{next(depthwise if is_depthwise else pointwise)}"
        return tensor(f"{name}/{'depthwise_' if is_depthwise else ''}weights/read").transpose(1, 2, 3, 0)

    def bias(scope: str, is_depthwise: bool) -> Weights:
        return tensor(f"{scope}/{'depthwise' if is_depthwise else 'Conv2D'}_bias")

    return _named(kernel, bias, lambda scope: tensor(f"{scope}/mul"))


def read_tfjs(topology: bytes, data: bytes) -> Layers:
    """The same layers from a TensorFlow.js graph model: its model.json and its one file of weights. Raises ExportError."""
    tensors: dict[str, Weights] = {}
    try:
        at = 0
        for entry in json.loads(topology)["weightsManifest"][0]["weights"]:
            count = int(np.prod(entry["shape"]))
            if entry["dtype"] == "float32":
                tensors[entry["name"]] = np.frombuffer(data, "<f4", count, at).reshape(entry["shape"])
            at += 4 * count
    except Exception as error:  # damaged JSON can have nearly any shape
        raise ExportError(f"this is no TensorFlow.js model with its weights ({error})") from error

    def part(scope: str, is_depthwise: bool, what: str) -> Weights:
        return tensors[f"{scope}/{'depthwise' if is_depthwise else 'Conv2D'}_{what}"]

    return _named(
        lambda scope, is_depthwise: part(scope, is_depthwise, "weights"),
        lambda scope, is_depthwise: part(scope, is_depthwise, "bn_offset"),
        lambda scope: -tensors[f"{scope}/mul"],  # this graph multiplies by |x| - x
    )


def _counted(name: str) -> Iterator[str]:
    """TensorFlow's own numbering: name, name_1, name_2 ..."""
    yield name
    number = 0
    while True:
        number += 1
        yield f"{name}_{number}"


def _named(kernel: Callable[[str, bool], Weights], bias: Callable[[str, bool], Weights], factor: Read) -> Layers:
    """All layers from input to output, read by the scopes of the training code. Raises ExportError where one is missing.

    factor: what that code multiplies x - |x| by in place of a PReLU. As x - |x| is twice min(x, 0), the slope is twice as large.
    """

    def layer(scope: str, is_depthwise: bool = False, linear: bool = False) -> Layer:
        return Layer(kernel(scope, is_depthwise), bias(scope, is_depthwise), None if linear else 2 * factor(scope))

    def all_layers() -> Iterator[tuple[str, Layer]]:
        yield "stem", layer(f"{SCOPE}/Conv2d_0")
        yield "stem depthwise", layer(f"{SCOPE}/SeparableConv2d", is_depthwise=True)
        yield "stem pointwise", layer(f"{SCOPE}/Conv", linear=True)
        for row, (_, _, repetitions, _) in enumerate(BOTTLENECKS):
            for block in range(repetitions):
                scope = f"{SCOPE}/Conv2d_{row + 2}_InvResBlock_{block}"
                yield f"{row}.{block} expand", layer(f"{scope}/Conv")
                yield f"{row}.{block} depthwise", layer(f"{scope}/SeparableConv2d", is_depthwise=True)
                yield f"{row}.{block} project", layer(f"{scope}/Conv_1", linear=True)
        yield "widen", layer(f"{SCOPE}/Conv2d_7")
        yield "global depthwise", layer(f"{LOGITS}/SeparableConv2d", is_depthwise=True, linear=True)
        yield "mix", layer(f"{LOGITS}/Conv", linear=True)
        yield "embedding", layer(f"{LOGITS}/LinearConv1x1", linear=True)

    try:
        return dict(all_layers())
    except KeyError as error:
        raise ExportError(f"the file is another network than the MobileFaceNet known here: it has no tensor {error}") from None


def as_in_the_paper(layers: Layers, dimensions: int | None = DIMENSIONS) -> Layers:
    """The layers of table 1 with 128 outputs: the same function, in 985,792 numbers where the file has 1,285,440.

    dimensions: None keeps the file's outputs, without a rotation.
    """
    first, last = _joined(layers["stem pointwise"], layers["0.0 expand"]), _joined(layers["mix"], layers["embedding"])
    fewer = {name: layer for name, layer in layers.items() if name not in ("stem pointwise", "mix")}
    return {**fewer, "0.0 expand": first, "embedding": _rotated(last, dimensions) if dimensions else last}


def _joined(first: Layer, second: Layer) -> Layer:
    """Joins two 1 x 1 convolutions, the first of them linear: B (A x + a) + b = (B A) x + (B a + b)."""
    a, b = (layer.kernel[0, 0].astype(np.float64) for layer in (first, second))
    bias = first.bias.astype(np.float64) @ b + second.bias
    return replace(second, kernel=(a @ b)[None, None].astype(np.float32), bias=bias.astype(np.float32))


def _rotated(last: Layer, dimensions: int) -> Layer:
    """The last layer rotated so that nearly everything lies in its first numbers, and the others can be cut off.

    A rotation changes no distance. This one is made of the left singular vectors of kernel and bias together. The first 61 of their
    singular values are above 0.02, and all from the 129th on are below 0.0006.
    """
    kernel, bias = last.kernel[0, 0].astype(np.float64), last.bias.astype(np.float64)
    frame = np.linalg.svd(np.concatenate([kernel, bias[None]]).T, full_matrices=False)[0][:, :dimensions]
    return Layer((kernel @ frame)[None, None].astype(np.float32), (bias @ frame).astype(np.float32))


def with_cheaper_slopes(layers: Layers) -> Layers:
    """The same network for ONNX Runtime outside the page: each PReLU becomes relu(z) + factor * z, with the factor in `slope`.

    For a slope a below 1, z = (1 - a) x gives a x + (1 - a) relu(x) = a / (1 - a) z + relu(z), which saves a product over the map.
    For a slope above 1, the same z gives z / (1 - a) - relu(z). Its sign is flipped, and the next layer's kernel, which is linear
    in each channel, flips it back.
    """
    cheaper: dict[str, Layer] = {}
    sign: Weights | None = None
    for name, layer in layers.items():
        kernel = layer.kernel if sign is None else layer.kernel * sign[:, None]
        if layer.slope is None:
            cheaper[name], sign = replace(layer, kernel=kernel), None
            continue
        rise = 1 - layer.slope
        by_filter = rise[:, None] if "depthwise" in name else rise
        factor = (np.where(rise > 0, layer.slope, -1) / rise).astype(np.float32)
        cheaper[name], sign = Layer(kernel * by_filter, layer.bias * rise, factor), np.sign(rise)
    return cheaper


def build_mobilefacenet(layers: Layers, prelu: Prelu | None = None) -> Any:
    """The network as a Keras model: chips [N, 112, 112, 3] float32 RGB, 0 to 255 -> [N, D], before scaling to length 1.

    layers: those of the file, or those of `as_in_the_paper`, which are the same function. Layers of `with_cheaper_slopes` need
    prelu=cheaper_prelu.
    """

    def convolution(x: Any, name: str, stride: int = 1, padding: str = "same") -> Any:
        layer = layers[name]
        rows, columns, _, filters = layer.kernel.shape
        label = name.replace(" ", "_").replace(".", "_")
        if "depthwise" in name:
            step = keras.layers.DepthwiseConv2D((rows, columns), stride, padding, name=f"block{label}")
        else:
            step = keras.layers.Conv2D(filters, (rows, columns), stride, padding, name=f"block{label}")
        y = step(x)
        step.set_weights([layer.kernel, layer.bias])
        return y if layer.slope is None else (prelu or plain_prelu)(y, layer.slope)

    def bottleneck(x: Any, name: str, stride: int) -> Any:
        """An inverted residual block: wide in the middle, narrow at both ends. Where the shape stays, the input is added."""
        y = convolution(x, f"{name} expand")
        y = convolution(y, f"{name} depthwise", stride)
        y = convolution(y, f"{name} project")
        return x + y if stride == 1 else y

    chips = keras.Input((SIDE, SIDE, 3), name="chips")
    x = (chips - 127.5) / 128.0
    x = convolution(x, "stem", stride=2)
    x = convolution(x, "stem depthwise")
    if "stem pointwise" in layers:
        x = convolution(x, "stem pointwise")
    for row, (_, _, repetitions, stride) in enumerate(BOTTLENECKS):
        for block in range(repetitions):
            x = bottleneck(x, f"{row}.{block}", stride if block == 0 else 1)
    x = convolution(x, "widen")
    x = convolution(x, "global depthwise", padding="valid")  # 7 x 7: each place has its weight, where other networks take the mean
    if "mix" in layers:
        x = convolution(x, "mix")
    x = keras.layers.Flatten()(convolution(x, "embedding"))
    return keras.Model(chips, x, name="mobilefacenet")


def plain_prelu(x: Any, slope: Weights) -> Any:
    """x where it is positive, slope * x elsewhere (He et al., 2015, arXiv:1502.01852). `with_prelu_nodes` looks for this form."""
    return keras.ops.relu(x) * (1 - slope) + x * slope


def cheaper_prelu(z: Any, factor: Weights) -> Any:
    """See `with_cheaper_slopes`."""
    return keras.ops.relu(z) + z * factor
