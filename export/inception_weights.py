"""Loads trained weights into Inception-ResNet-v1, from any of the file formats they come in. Errors name the layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ExportError
from .inception_resnet import build_inception_resnet
from .weight_files import Tensors, UnreadableError, read_tensors
from .weight_names import Layout, layouts

Weights = NDArray[np.float32]

FIRST = "Conv2d_1a_3x3"


def load_inception_resnet(path: Path, dimensions: int | None = None) -> Any:
    """The network with the weights of a file (see weight_files), as a Keras model. Its `output_shape` gives the dimensions.

    dimensions: the number expected; None accepts the file's. Raises ExportError.
    """
    try:
        tensors = read_tensors(path)
    except UnreadableError as error:
        raise ExportError(
            f"{path.name} is damaged or cut short: not even its first layer, {FIRST}, can be read; get it again ({_line(error)})"
        ) from error
    model = build_inception_resnet(dimensions or 128)
    layout = _recognised(model, tensors, path)
    if dimensions is None and (found := _dimensions(tensors, layout)) not in (None, 128):
        model = build_inception_resnet(found)
    for layer, weights in _all_weights(model, tensors, layout, path):
        layer.set_weights(weights)
    return model


def _recognised(model: Any, tensors: Tensors, path: Path) -> Layout:
    """The layout that knows most of the file's names."""
    layers = [layer.name for layer in model.layers if layer.weights]
    known = {
        layout: sum(layout.address(layer.name, weight.name) in tensors for layer in model.layers for weight in layer.weights)
        for layout in layouts(layers)
    }
    best = max(known, key=lambda layout: known[layout])
    if not known[best]:
        addresses = ", ".join(layout.address(FIRST, "kernel") for layout in known)
        raise ExportError(f"{path.name} is not Inception-ResNet-v1: its first layer, {FIRST}, is missing (looked for {addresses})")
    return best


def _dimensions(tensors: Tensors, layout: Layout) -> int | None:
    try:
        return int(layout.to_keras(tensors[layout.address("Bottleneck", "kernel")]()).shape[-1])
    except (KeyError, IndexError, UnreadableError):
        return None  # told in its turn, should it be the first that is wrong


def _all_weights(model: Any, tensors: Tensors, layout: Layout, path: Path) -> Iterator[tuple[Any, list[Weights]]]:
    """Each layer with its weights, from the input to the output. Raises ExportError at the first that does not fit."""
    depths = {layer.name: layer.output.shape[-1:] for layer in model.layers if layer.name.endswith("_BatchNorm")}
    for layer in model.layers:
        norm = f"{layer.name.removesuffix('_BatchNorm')}_BatchNorm"
        gains = _gains(norm, depths[norm], tensors, layout, path) if norm in depths else 1
        weights = []
        for variable in layer.weights:
            value = _read(layer.name, variable.name, tuple(variable.shape), tensors, layout, path)
            weights.append(np.asarray(value * gains, np.float32) if variable.name in ("kernel", "moving_mean") else value)
        if weights:
            yield layer, weights


def _gains(norm: str, shape: tuple[int, ...], tensors: Tensors, layout: Layout, path: Path) -> Weights | int:
    """The factor for a normalisation and the layer before it: its learnt scale (gamma), which our layers do not have.

    gamma (k x - mean) / s + beta equals (gamma k x - gamma mean) / s + beta, so gamma goes into kernel and mean.
    """
    return _read(norm, "gamma", shape, tensors, layout, path) if layout.address(norm, "gamma") in tensors else 1


def _read(layer: str, kind: str, shape: tuple[int, ...], tensors: Tensors, layout: Layout, path: Path) -> Weights:
    address = layout.address(layer, kind)
    what = f"{path.name} ({layout.name} layout): the layer {layer}"
    if address not in tensors:
        raise ExportError(f"{what} is missing, or its {kind} is ({address})")
    try:
        value = layout.to_keras(np.asarray(tensors[address]()))
    except UnreadableError as error:
        raise ExportError(f"{what} is damaged or cut short in its {kind} ({address}): download the file again") from error
    if value.dtype.kind in "OSUMmc":
        raise ExportError(f"{what} has a {kind} that holds no numbers ({address})")
    if value.shape != shape:
        raise ExportError(f"{what} has a {kind} of {_sides(value.shape)}; {_sides(shape)} were expected ({address})")
    if not np.isfinite(value).all():
        raise ExportError(f"{what} has a {kind} with numbers that are not finite ({address})")
    return value.astype(np.float32)


def _sides(shape: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, shape)) or 1} numbers"


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:120]
