"""A person known from several photos: one embedding that stands for them.

The mean of several embeddings lies nearer to the next photo of the same person than single ones do, as what pose, light and age
did to each goes out. Its neighbourhood in the cohort does not tell how crowded it is around the person (means lie farther in, as
the cohort's composites do): the mean of the photos' own crowdedness does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def template(embeddings: NDArray[np.floating], crowdedness: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
    """A person's template and its crowdedness, from the embeddings [N, D] of their photos and theirs [N] (see cohort)."""
    mean: NDArray[np.float32] = np.asarray(embeddings, np.float32).mean(axis=0)
    return mean, float(np.mean(crowdedness))
