"""Correction of distances for crowdedness, an option: where many people look alike to the network, a distance means more.

An embedder spreads some groups of people wide and packs others closely, such as those it was seldom trained on. Two strangers of a
crowded group can be closer than two photos of one person are elsewhere. The crowdedness around a face is its mean distance to the
nearest faces of a fixed cohort of other people; nobody has to know a group. The corrected distance is the plain distance minus the
mean crowdedness of both faces.

Speaker verification normalises its scores in this way: Z- and T-norm (Auckenthaler, Carey and Lloyd-Thomas, Digital Signal
Processing 10, 2000, doi:10.1006/dspr.1999.0360); S-norm, which is symmetric (Kenny, Odyssey 2010); adaptive S-norm, with only the
nearest of the cohort (Matejka et al., Interspeech 2017, doi:10.21437/Interspeech.2017-803). Ours is adaptive S-norm for distances,
without the division by a standard deviation.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .models import CohortFile

BLOCK = 4096  # faces compared at a time: their distances to the whole cohort fill 16 MB


@dataclass(frozen=True)
class Cohort:
    """Composite faces of other people, among which crowdedness is measured.

    composites: [K, D] float32, each the mean of several people's embeddings, scaled to their usual length.
    neighbours: how many of the nearest composites count. weight: the share of the crowdedness that is subtracted.
    centre: the crowdedness of an average face, added back so that corrected distances keep the scale of plain ones.
    """

    composites: NDArray[np.float32]
    neighbours: int
    weight: float
    centre: float

    @cached_property
    def squares(self) -> NDArray[np.float32]:
        """The squared length of each composite, [K]."""
        squares: NDArray[np.float32] = (self.composites**2).sum(axis=1)
        return squares


def read_cohort(data: bytes, entry: CohortFile) -> Cohort:
    """The cohort from the bytes of its .npy file (int8 [K, D]). Raises ModelError if the file is damaged or too short."""
    try:
        quantised = _int8_table(data)
    except Exception as error:  # NumPy raises nearly anything on a damaged file
        raise ModelError(f"{entry.file} cannot be read ({error}): run `make models`") from error
    if not 1 <= entry.neighbours <= len(quantised):
        raise ModelError(f"{entry.file} has {len(quantised)} rows, models.json asks for {entry.neighbours}: run `make models`")
    return Cohort(quantised.astype(np.float32) * np.float32(entry.step), entry.neighbours, entry.weight, entry.centre)


def _int8_table(data: bytes) -> NDArray[np.int8]:
    """The table in a .npy file, [K, D]. Raises ValueError, or what NumPy raises, before it allocates a wrong size."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of .npy")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    numbers = np.frombuffer(data, np.int8, offset=file.tell())
    if dtype != np.int8 or len(shape) != 2 or by_columns or math.prod(shape) != len(numbers):
        raise ValueError(f"{dtype} {shape} in {len(numbers)} bytes, not rows of int8")
    return numbers.reshape(shape)


def crowdedness(embeddings: NDArray[np.floating], cohort: Cohort) -> NDArray[np.float64]:
    """The mean distance of each embedding [N, D] to its nearest neighbours in the cohort: [N]. Small in a crowd."""
    around = np.empty(len(embeddings))
    for at in range(0, len(embeddings), BLOCK):
        points = np.asarray(embeddings[at : at + BLOCK], np.float32)
        squares = (points**2).sum(axis=1)[:, None] + cohort.squares - 2 * points @ cohort.composites.T
        nearest = np.partition(squares, cohort.neighbours - 1, axis=1)[:, : cohort.neighbours]
        around[at : at + BLOCK] = np.sqrt(np.maximum(nearest, 0)).mean(axis=1, dtype=np.float64)
    return around


def normalised(
    distance: NDArray[np.floating] | float, a: NDArray[np.floating] | float, b: NDArray[np.floating] | float, cohort: Cohort
) -> NDArray[np.float64]:
    """Distances corrected by the crowdedness a and b of both faces, broadcast; unchanged for two average faces."""
    surroundings = (np.asarray(a, np.float64) + b) / 2 - cohort.centre
    result: NDArray[np.float64] = np.asarray(distance, np.float64) - cohort.weight * surroundings
    return result


def correction(around: NDArray[np.floating], cohort: Cohort | None) -> NDArray[np.float64]:
    """What each face adds to its corrected distances, from its crowdedness [N]: [N]; zeros without a cohort.

    normalised(distance, a, b) equals distance + correction(a) + correction(b).
    """
    if cohort is None:
        return np.zeros(len(around))
    return normalised(0, around, around, cohort) / 2
