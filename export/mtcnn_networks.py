"""MTCNN's three networks with the weights of the `mtcnn` package, written out as the paper draws them.

Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016 (arXiv:1604.02878), figure 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mtcnn.stages import StageONet, StagePNet, StageRNet


@dataclass(frozen=True)
class MtcnnNetwork:
    """One of the three stages.

    call: takes float32 [N, h, w, 3], normalised, and gives its outputs in the order of `outputs`. original: the package's network,
    whose outputs are the first of those of `call`; the conversion is checked against it. size: the side of its input in pixels;
    None means any, because P-Net slides over the photo. outputs: names and shapes. call_in_page: `call` with its steps in another
    order, where that is faster in WebAssembly.
    """

    call: Callable[[Any], Sequence[Any]]
    original: Callable[[Any], Sequence[Any]]
    size: int | None
    outputs: Mapping[str, tuple[int | str, ...]]
    call_in_page: Callable[[Any], Sequence[Any]] | None = None


def load_mtcnn_networks() -> dict[str, MtcnnNetwork]:
    """The networks pnet, rnet and onet.

    Four offsets correct a box, in units of its side. Of the two class probabilities only that of "face" is kept; P-Net gives it as
    log-odds, too. O-Net's ten numbers (five x, then five y) become five points, in units of the box's side.
    """
    pnet, rnet, onet = (stage()._model for stage in (StagePNet, StageRNet, StageONet))

    def pnet_answer(offsets: Any, probabilities: Any, *log_odds: Any) -> Sequence[Any]:
        return probabilities[0, :, :, -1], offsets[0], *(x[0, :, :, -1] for x in log_odds)

    def rnet_answer(offsets: Any, probabilities: Any) -> Sequence[Any]:
        return probabilities[:, 1], offsets

    def onet_answer(offsets: Any, landmarks: Any, probabilities: Any) -> Sequence[Any]:
        points = tf.transpose(tf.reshape(landmarks, (-1, 2, 5)), (0, 2, 1))
        return probabilities[:, 1], offsets, points

    native, page = _pooled_first(pnet), _pooled_last(pnet)

    return {
        "pnet": MtcnnNetwork(
            call=lambda x: pnet_answer(*_pnet(pnet, *native, x)),
            call_in_page=lambda x: pnet_answer(*_pnet(pnet, *page, x)),
            original=lambda x: pnet_answer(*pnet(x)),
            size=None,
            outputs={"scores": ("h", "w"), "offsets": ("h", "w", 4), "log_odds": ("h", "w")},
        ),
        "rnet": MtcnnNetwork(
            call=lambda x: rnet_answer(*_rnet(rnet, x)),
            original=lambda x: rnet_answer(*rnet(x)),
            size=24,
            outputs={"scores": ("N",), "offsets": ("N", 4)},
        ),
        "onet": MtcnnNetwork(
            call=lambda x: onet_answer(*_onet(onet, x)),
            original=lambda x: onet_answer(*onet(x)),
            size=48,
            outputs={"scores": ("N",), "offsets": ("N", 4), "landmarks": ("N", 5, 2)},
        ),
    }


def _pnet(net: Any, first: Callable[[Any], Any], channels: Sequence[int], x: Any) -> tuple[Any, Any, Any]:
    """P-Net. first: everything up to the first pooling; it leaves the map's channels in the order `channels`."""
    second = keras.ops.take(net.conv2.kernel, channels, axis=2)
    x = _with_prelu(second, net.conv2.bias, net.prelu2.alpha, first(x))
    x = _with_prelu(net.conv3.kernel, net.conv3.bias, net.prelu3.alpha, x)
    return _pnet_heads(net, x)


def _rnet(net: Any, x: Any) -> tuple[Any, Any]:
    x = net.maxpool1(_prelu(net.prelu1.alpha, net.conv1(x)))
    x = net.maxpool2(_prelu(net.prelu2.alpha, net.conv2(x)))
    x = _prelu(net.prelu3.alpha, net.conv3(x))
    x = net.flatten(net.permute(x))
    x = _prelu(net.prelu4.alpha, net.fc4(x))
    return net.fc5_1(x), net.fc5_2(x)


def _onet(net: Any, x: Any) -> tuple[Any, Any, Any]:
    x = net.maxpool1(_prelu(net.prelu1.alpha, net.conv1(x)))
    x = net.maxpool2(_prelu(net.prelu2.alpha, net.conv2(x)))
    x = net.maxpool3(_prelu(net.prelu3.alpha, net.conv3(x)))
    x = _prelu(net.prelu4.alpha, net.conv4(x))
    x = net.flatten(net.permute(x))
    x = _prelu(net.prelu5.alpha, net.fc5(x))
    return net.fc6_1(x), net.fc6_2(x), net.fc6_3(x)


def _pnet_heads(net: Any, x: Any) -> tuple[Any, Any, Any]:
    """A single convolution for four offsets, the probability of "face", and its log-odds.

    The log-odds are the difference of the two classes' scores, and the probability is their sigmoid. A softmax over an axis of two,
    at every place of the photo, would cost as much as a convolution.
    """
    offsets, classes = net.conv4_1, net.conv4_2
    kernel = keras.ops.concatenate([offsets.kernel, classes.kernel[..., 1:] - classes.kernel[..., :1]], axis=-1)
    bias = keras.ops.concatenate([offsets.bias, classes.bias[1:] - classes.bias[:1]], axis=-1)
    answer = keras.ops.conv(x, kernel) + bias
    log_odds = answer[..., 4:]
    return answer[..., :4], keras.ops.sigmoid(log_odds), log_odds


def _prelu(slope: Any, x: Any) -> Any:
    """x where it is positive, slope * x elsewhere. Slopes may be negative, or above 1.

    It is written as slope * x + (1 - slope) * relu(x), which makes four operations in ONNX. Keras's form makes five, and the single
    PRelu is slower still (P-Net at 319 x 396 in onnxruntime: 11.3, 13.5 and 15.1 ms).
    """
    return slope * x + (1.0 - slope) * keras.ops.relu(x)


def _with_prelu(kernel: Any, bias: Any, slope: Any, x: Any) -> Any:
    """The PReLU of a convolution, for slopes below 1: multiplying its kernel by 1 - slope saves a pass over the map."""
    slope = keras.ops.reshape(slope, (-1,))
    rise = 1.0 - slope
    x = keras.ops.conv(x, kernel * rise) + bias * rise
    return slope / rise * x + keras.ops.relu(x)


def _pooled_first(net: Any) -> tuple[Callable[[Any], Any], list[int]]:
    """P-Net up to its first pooling, with the PReLU after the pooling, on a quarter of the pixels; and the channels' order.

    With a positive slope, PReLU keeps the order of numbers, so the maximum may be taken first. With a negative slope, PReLU is the
    larger of x and slope * x. Filters of slope * x are added, and the larger of the two maxima is the maximum of both. ONNX Runtime
    computes 16 filters natively in the time of 10. In WebAssembly each filter costs time, and this form is slower.
    """
    (kernel, bias), slope = net.conv1.get_weights(), net.prelu1.get_weights()[0].ravel()
    positive, negative = np.flatnonzero(slope >= 0), np.flatnonzero(slope < 0)
    channels = np.concatenate([positive, negative])
    kernel = np.concatenate([kernel[..., channels], kernel[..., negative] * slope[negative]], axis=-1)
    bias = np.concatenate([bias[channels], bias[negative] * slope[negative]])

    def first(x: Any) -> Any:
        x = net.maxpool1(keras.ops.conv(x, kernel) + bias)
        rising, falling, mirrored = keras.ops.split(x, [len(positive), len(channels)], axis=-1)
        return keras.ops.concatenate([_prelu(slope[positive], rising), keras.ops.maximum(falling, mirrored)], axis=-1)

    return first, channels.tolist()


def _pooled_last(net: Any) -> tuple[Callable[[Any], Any], list[int]]:
    """P-Net up to its first pooling, as the paper draws it."""
    return lambda x: net.maxpool1(_prelu(net.prelu1.alpha, net.conv1(x))), list(range(net.conv1.filters))
