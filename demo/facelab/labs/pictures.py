"""Photos small enough for a lab to work on while a slider moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def shrunk(pixels: Pixels, longest: int) -> Pixels:
    """A photo [H, W, 3] with no side over `longest` pixels: each pixel the mean of those that it stands for."""
    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return pixels
    share = longest / max(height, width)
    rows, columns = (_means(length, max(1, round(length * share))) for length in (height, width))
    small = np.einsum("ih,hwc->iwc", rows, pixels.astype(np.float32), optimize=True)
    result: Pixels = np.einsum("jw,iwc->ijc", columns, small, optimize=True).round().astype(np.uint8)
    return result


def _means(length: int, wanted: int) -> NDArray[np.float32]:
    """[wanted, length]: the share of each old pixel in each new one (an area filter along one side)."""
    edges = np.linspace(0, length, wanted + 1)
    start, end = edges[:-1, None], edges[1:, None]
    pixel = np.arange(length)
    cover = np.clip(np.minimum(end, pixel + 1) - np.maximum(start, pixel), 0, 1)
    result: NDArray[np.float32] = (cover / cover.sum(axis=1, keepdims=True)).astype(np.float32)
    return result
