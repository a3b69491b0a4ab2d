"""MTCNN's three networks as the `mtcnn` package ships them, each a function that Keras and tf2onnx can trace.

Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016 (arXiv:1604.02878).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from mtcnn.stages import StageONet, StagePNet, StageRNet


@dataclass(frozen=True)
class MtcnnNetwork:
    """One stage.

    call: float32 [N, h, w, 3], normalised -> its outputs, in the order of `outputs`.
    size: side of its input in pixels (None: any, for P-Net slides over the photo).
    outputs: names and shapes.
    """

    call: Callable[[Any], Sequence[Any]]
    size: int | None
    outputs: Mapping[str, tuple[int | str, ...]]


def load_mtcnn_networks() -> dict[str, MtcnnNetwork]:
    """pnet, rnet and onet, with the package's weights.

    Boxes are refined by four offsets, in units of the box's side. Of the two class probabilities only that
    of "face" is kept; O-Net's ten numbers (five x, then five y) become five points, in units of the box's side.
    """
    pnet, rnet, onet = (stage()._model for stage in (StagePNet, StageRNet, StageONet))

    def propose(x: Any) -> Sequence[Any]:
        offsets, probabilities = pnet(x)
        return probabilities[0, :, :, 1], offsets[0]

    def refine(x: Any) -> Sequence[Any]:
        offsets, probabilities = rnet(x)
        return probabilities[:, 1], offsets

    def output(x: Any) -> Sequence[Any]:
        offsets, landmarks, probabilities = onet(x)
        points = tf.transpose(tf.reshape(landmarks, (-1, 2, 5)), (0, 2, 1))
        return probabilities[:, 1], offsets, points

    return {
        "pnet": MtcnnNetwork(propose, None, {"scores": ("h", "w"), "offsets": ("h", "w", 4)}),
        "rnet": MtcnnNetwork(refine, 24, {"scores": ("N",), "offsets": ("N", 4)}),
        "onet": MtcnnNetwork(output, 48, {"scores": ("N",), "offsets": ("N", 4), "landmarks": ("N", 5, 2)}),
    }
