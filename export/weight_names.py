"""What Inception-ResNet-v1's weights are called in the three layouts that people have.

Our layers have the Keras names. A weight is addressed by its layer and its kind: a convolution has a `kernel` and perhaps a
`bias`, the layer X_BatchNorm has `beta`, `moving_mean`, `moving_variance` and, in some files, `gamma`.

    Keras         Block35_1_Branch_1_Conv2d_0b_3x3/kernel                            nyoki-mtl/keras-facenet
    TensorFlow 1  InceptionResnetV1/Repeat/block35_1/Branch_1/Conv2d_0b_3x3/weights  davidsandberg/facenet
    PyTorch       repeat_1.0.branch1.1.conv.weight                                   timesler/facenet-pytorch
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray

Tensor = NDArray[Any]

# Our block -> TensorFlow's scope, PyTorch's module.
_BLOCKS = {
    **{f"Block35_{n}": (f"Repeat/block35_{n}", f"repeat_1.{n - 1}") for n in range(1, 6)},
    "Mixed_6a": ("Mixed_6a", "mixed_6a"),
    **{f"Block17_{n}": (f"Repeat_1/block17_{n}", f"repeat_2.{n - 1}") for n in range(1, 11)},
    "Mixed_7a": ("Mixed_7a", "mixed_7a"),
    **{f"Block8_{n}": (f"Repeat_2/block8_{n}", f"repeat_3.{n - 1}") for n in range(1, 6)},
    "Block8_6": ("Block8", "block8"),
}
_NAME = re.compile(r"(?:(?P<block>Block\d+_\d+|Mixed_\da)_)?(?:Branch_(?P<branch>\d)_)?(?P<own>\w+?)(?P<norm>_BatchNorm)?")


@dataclass(frozen=True)
class Layout:
    """How one layout names weights.

    address: (layer, kind) -> the name in the file. to_keras: reorders a weight's axes for Keras.
    """

    name: str
    address: Callable[[str, str], str]
    to_keras: Callable[[Tensor], Tensor]


def layouts(layers: Sequence[str]) -> tuple[Layout, ...]:
    """The three layouts. layers: our names of all layers that have weights."""
    return (
        Layout("Keras", lambda layer, kind: f"{layer}/{kind}", lambda tensor: tensor),
        Layout("TensorFlow 1", _tensorflow_name, lambda tensor: tensor),
        Layout("PyTorch", lambda layer, kind: _pytorch_name(layer, kind, layers), _from_pytorch),
    )


@cache
def _parts(layer: str) -> tuple[str | None, str | None, str, bool]:
    """The block, the branch, the layer's name, and whether it is the normalisation: ("Block35_1", "1", "Conv2d_0b_3x3", False)."""
    found = _NAME.fullmatch(layer)
    assert found, layer
    return found["block"], found["branch"], found["own"], bool(found["norm"])


def _tensorflow_name(layer: str, kind: str) -> str:
    block, branch, own, norm = _parts(layer)
    scopes = ["InceptionResnetV1", block and _BLOCKS[block][0], branch and f"Branch_{branch}", own, "BatchNorm" if norm else None]
    return "/".join(filter(None, [*scopes, {"kernel": "weights", "bias": "biases"}.get(kind, kind)]))


def _pytorch_name(layer: str, kind: str, layers: Sequence[str]) -> str:
    block, branch, own, norm = _parts(layer)
    if own == "Bottleneck":
        module = "last_bn" if norm else "last_linear"
    elif block and not branch:
        module = f"{_BLOCKS[block][1]}.conv2d"  # the convolution that merges the branches; it has no normalisation
    else:
        module = f"{_BLOCKS[block][1]}.branch{branch}" if block else own.rpartition("_")[0].lower()  # stem: conv2d_1a
        # A branch with several convolutions numbers them, in the alphabetical order of their names.
        chain = sorted(name for name in layers if block and _parts(name)[:2] == (block, branch) and not _parts(name)[3])
        module += f".{chain.index(layer.removesuffix('_BatchNorm'))}" if len(chain) > 1 else ""
        module += ".bn" if norm else ".conv"
    kinds = {"kernel": "weight", "beta": "bias", "gamma": "weight", "moving_mean": "running_mean", "moving_variance": "running_var"}
    return f"{module}.{kinds.get(kind, kind)}"


def _from_pytorch(tensor: Tensor) -> Tensor:
    """Convolutions [out, in, h, w] -> [h, w, in, out], linear layers [out, in] -> [in, out]."""
    return tensor.transpose(2, 3, 1, 0) if tensor.ndim == 4 else tensor.T
