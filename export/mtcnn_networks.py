"""MTCNN's three networks with the weights of the `mtcnn` package, written out as the paper draws them.

Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016 (arXiv:1604.02878), figure 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from mtcnn.stages import StageONet, StagePNet, StageRNet


@dataclass(frozen=True)
class MtcnnNetwork:
    """One stage.

    call: float32 [N, h, w, 3], normalised -> its outputs, in the order of `outputs`.
    original: the package's own network, with the outputs of `call`: what the conversion is checked against.
    size: side of its input in pixels (None: any, for P-Net slides over the photo). outputs: names and shapes.
    """

    call: Callable[[Any], Sequence[Any]]
    original: Callable[[Any], Sequence[Any]]
    size: int | None
    outputs: Mapping[str, tuple[int | str, ...]]


def load_mtcnn_networks() -> dict[str, MtcnnNetwork]:
    """pnet, rnet and onet.

    Boxes are refined by four offsets, in units of the box's side. Of the two class probabilities only that
    of "face" is kept; O-Net's ten numbers (five x, then five y) become five points, in units of the box's side.
    """
    pnet, rnet, onet = (stage()._model for stage in (StagePNet, StageRNet, StageONet))

    def pnet_answer(offsets: Any, probabilities: Any) -> Sequence[Any]:
        return probabilities[0, :, :, -1], offsets[0]

    def rnet_answer(offsets: Any, probabilities: Any) -> Sequence[Any]:
        return probabilities[:, 1], offsets

    def onet_answer(offsets: Any, landmarks: Any, probabilities: Any) -> Sequence[Any]:
        points = tf.transpose(tf.reshape(landmarks, (-1, 2, 5)), (0, 2, 1))
        return probabilities[:, 1], offsets, points

    return {
        "pnet": MtcnnNetwork(
            call=lambda x: pnet_answer(*_pnet(pnet, x)),
            original=lambda x: pnet_answer(*pnet(x)),
            size=None,
            outputs={"scores": ("h", "w"), "offsets": ("h", "w", 4)},
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


def _pnet(net: Any, x: Any) -> tuple[Any, Any]:
    x = net.maxpool1(_prelu(net.prelu1, net.conv1(x)))
    x = _prelu(net.prelu2, net.conv2(x))
    x = _prelu(net.prelu3, net.conv3(x))
    return net.conv4_1(x), _softmax_of_two(net.conv4_2, x)


def _rnet(net: Any, x: Any) -> tuple[Any, Any]:
    x = net.maxpool1(_prelu(net.prelu1, net.conv1(x)))
    x = net.maxpool2(_prelu(net.prelu2, net.conv2(x)))
    x = _prelu(net.prelu3, net.conv3(x))
    x = net.flatten(net.permute(x))
    x = _prelu(net.prelu4, net.fc4(x))
    return net.fc5_1(x), net.fc5_2(x)


def _onet(net: Any, x: Any) -> tuple[Any, Any, Any]:
    x = net.maxpool1(_prelu(net.prelu1, net.conv1(x)))
    x = net.maxpool2(_prelu(net.prelu2, net.conv2(x)))
    x = net.maxpool3(_prelu(net.prelu3, net.conv3(x)))
    x = _prelu(net.prelu4, net.conv4(x))
    x = net.flatten(net.permute(x))
    x = _prelu(net.prelu5, net.fc5(x))
    return net.fc6_1(x), net.fc6_2(x), net.fc6_3(x)


def _softmax_of_two(layer: Any, x: Any) -> Any:
    """The last of two class probabilities, [..., 2] -> [..., 1]: a sigmoid of the difference of the two scores.

    P-Net asks at every place of the photo, where a softmax over an axis of two costs as much as a convolution.
    """
    kernel, bias = layer.kernel, layer.bias
    return keras.ops.sigmoid(keras.ops.conv(x, kernel[..., 1:] - kernel[..., :1]) + (bias[1:] - bias[:1]))


def _prelu(layer: Any, x: Any) -> Any:
    """x where positive, slope * x where not; slopes may be negative.

    Written as slope * x + (1 - slope) * relu(x): four operations in ONNX, where Keras's own form makes five and the
    single PRelu is slower still (P-Net at 319 x 396 in onnxruntime: 11.3, 13.5 and 15.1 ms).
    """
    slope = layer.alpha
    return slope * x + (1.0 - slope) * keras.ops.relu(x)
