"""Faces behind a mask or dark glasses, noticed by their embeddings.

The network sees the same cloth or the same lenses on different people, so covered faces lie closer together than bare ones. A
weighted sum of the embedding's numbers measures that shift: about -1 for bare faces, about 1 for covered ones. The weights are
a least-squares fit to masks and glasses drawn on photos (`python -m tests.experiments coverings` writes `covering_weights.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .covering_weights import WEIGHTS
from .models import Embedder

BARE = -1.0
LEAST_COVERED = 0.45  # docs/results/coverings.json says how many drawn coverings this notices, and how many bare faces it suspects

_WEIGHTS = {name: np.array(weights) for name, weights in WEIGHTS.items()}


def covering(embedding: NDArray[np.floating], embedder: Embedder) -> float:
    """How much an embedding [D] looks like that of a covered face: about -1 for a bare face, about 1 for a covered one.

    The larger of two sums, one for masks and one for dark glasses. BARE where no weights were fitted to this embedder.
    """
    weights = _WEIGHTS.get(embedder.name)
    if weights is None or weights.shape[1] != len(embedding) + 1:
        return BARE
    return float((weights[:, :-1] @ embedding + weights[:, -1]).max())


def is_covered(embedding: NDArray[np.floating], embedder: Embedder) -> bool:
    """Whether a face seems to be behind a mask or dark glasses, so that its comparisons need stricter limits."""
    return covering(embedding, embedder) > LEAST_COVERED
