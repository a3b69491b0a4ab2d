"""Photos small enough for a lab to work on while a slider moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def shrunk(pixels: Pixels, longest: int) -> Pixels:
    """A photo [H, W, 3] shrunk so that no side exceeds `longest`. Each pixel is the mean of the pixels it stands for."""
    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return pixels
    share = longest / max(height, width)
    small = pixels.astype(np.float64)
    for axis, length in ((0, height), (1, width)):
        small = _means(small, max(1, round(length * share)), axis)
    result: Pixels = small.round().astype(np.uint8)
    return result


def _means(values: NDArray[np.float64], wanted: int, axis: int) -> NDArray[np.float64]:
    """Means of `wanted` equal stretches along one side: differences of running sums, interpolated between pixels."""
    length = values.shape[axis]
    sums = np.cumsum(values, axis=axis)
    sums = np.concatenate([np.zeros_like(np.take(sums, [0], axis)), sums], axis=axis)
    edges = np.linspace(0, length, wanted + 1)
    before = np.minimum(edges.astype(np.intp), length - 1)
    part = (edges - before).reshape([-1 if one == axis else 1 for one in range(values.ndim)])
    at = np.take(sums, before, axis) * (1 - part) + np.take(sums, before + 1, axis) * part
    means: NDArray[np.float64] = np.diff(at, axis=axis) * (wanted / length)
    return means
