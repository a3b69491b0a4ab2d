"""Faces behind a mask or dark glasses: the embedding itself tells.

Covered faces of different people lie nearer to each other than bare ones, as the network sees the same cloth or the same lenses.
That shift gives them away: a weighted sum of the embedding's numbers is about -1 for bare faces and about 1 for covered ones. The
weights are a least-squares fit to masks and glasses drawn on photos (`python -m tests.experiments coverings`, which writes
`covering_weights.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .covering_weights import WEIGHTS
from .models import Embedder

BARE = -1.0
LEAST_COVERED = 0.45  # found 97 in 100 drawn masks and glasses, and next to no bare faces

_WEIGHTS = {name: np.array(weights) for name, weights in WEIGHTS.items()}


def covering(embedding: NDArray[np.floating], embedder: Embedder) -> float:
    """How much the embedding [D] looks like a covered face's: about -1 for a bare one, about 1 for a covered one.

    The larger of two answers, for masks and for dark glasses. -1 where nobody has measured it for this embedder.
    """
    weights = _WEIGHTS.get(embedder.name)
    if weights is None or weights.shape[1] != len(embedding) + 1:
        return BARE
    return float((weights[:, :-1] @ embedding + weights[:, -1]).max())


def is_covered(embedding: NDArray[np.floating], embedder: Embedder) -> bool:
    """Whether a face is taken for one behind a mask or dark glasses, so that nobody should be sure who it is."""
    return covering(embedding, embedder) > LEAST_COVERED
