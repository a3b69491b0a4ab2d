"""A known answer: the embedding of a picture that a formula draws. The engine checks it before its first real answer.

The export stores the answer in models.json, for each file of an embedder. The check reveals an engine whose parts do not belong
together, and a machine that computes wrongly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIDE = 240
TRANSFORM = np.array([[1.5, 0.2, 10], [-0.2, 1.5, 40]], np.float32)
"""From the chip to the picture: turned, shrunk, and partly over the edge."""
TOLERANCE = 1e-3
"""Of each number. Engines that sum in another order differ by less than a tenth of it."""


def known_picture() -> NDArray[np.uint8]:
    """[240, 240, 3] RGB: slopes and edges of all strengths. demo/web/src/engine/known-answer.ts draws the same."""
    y, x, channel = np.indices((SIDE, SIDE, 3))
    picture: NDArray[np.uint8] = ((x * (3 + channel) + y * (5 + channel) + x * y // 32) % 256).astype(np.uint8)
    return picture


def is_known(embedding: NDArray[np.float32], known: ArrayLike) -> bool:
    """Whether an embedding [D] is the known one. An embedding with a NaN in it never is."""
    expected = np.asarray(known)
    return embedding.shape == expected.shape and bool(np.all(np.abs(embedding - expected) <= TOLERANCE))
