"""Face verification: do two embeddings show the same person? One distance, two thresholds, three answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort, crowdedness, normalised
from .models import Embedder

Verdict = Literal["same", "different", "unsure"]


@dataclass(frozen=True)
class Comparison:
    """The distance of two faces, and the answer that follows from it.

    distance: the one that decides; with a cohort, it is corrected for the crowdedness of both faces. plain_distance: uncorrected.
    same_below, threshold: "same" below the first, "different" from the second on, "unsure" between them.
    probability: that both show one person, if one and two people were equally likely beforehand.
    An embedder without thresholds gives neither verdict nor probability: these fields are None.
    """

    verdict: Verdict | None
    distance: float
    plain_distance: float
    crowdedness: tuple[float, float] | None
    same_below: float | None
    threshold: float | None
    probability: float | None

    def as_json(self) -> dict[str, object]:
        """{"verdict", "distance", "threshold", "plain_distance", ...}."""
        return {
            "verdict": self.verdict,
            "distance": self.distance,
            "threshold": self.threshold,
            "sure_below": self.same_below,
            "plain_distance": self.plain_distance,
            "crowdedness": self.crowdedness,
            "probability": self.probability,
        }


@dataclass(frozen=True)
class Decision(Comparison):
    """A comparison by an embedder that has thresholds: verdict and thresholds are never None."""

    verdict: Verdict
    same_below: float
    threshold: float


def distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Euclidean distance of embeddings [..., D], broadcast: 0 for the same photo, 2 at most on the unit sphere."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    length: NDArray[np.float64] = np.sqrt((difference**2).sum(axis=-1))
    return length


def distances_between(
    a: NDArray[np.floating], b: NDArray[np.floating], b_squares: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Euclidean distances of all a [N, D] to all b [M, D]: [N, M]. b_squares: the squared lengths of b [M], if already computed."""
    points, others = np.asarray(a, np.float64), np.asarray(b, np.float64)
    others_squares = (others**2).sum(axis=1) if b_squares is None else b_squares
    squares = (points**2).sum(axis=1)[:, None] + others_squares - 2 * points @ others.T
    root: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0))
    return root


def compare(
    a: NDArray[np.floating], b: NDArray[np.floating], embedder: Embedder, cohort: Cohort | None, poor: bool = False
) -> Comparison:
    """The comparison of two embeddings [D]: a Decision if the embedder has thresholds (see decide)."""
    if embedder.measured:
        return decide(a, b, embedder, cohort, poor)
    return Comparison(None, *_distances(a, b, cohort), None, None, None)


def decide(
    a: NDArray[np.floating], b: NDArray[np.floating], embedder: Embedder, cohort: Cohort | None, poor: bool = False
) -> Decision:
    """Whether two embeddings [D] show the same person. Raises ModelError if the embedder has no thresholds.

    cohort: corrects the distance for crowdedness; None decides by the plain distance. poor: one of the faces is not seen well (see
    quality), so the thresholds for poor photos apply, and more answers are "unsure".
    """
    calibration = embedder.calibration
    used, plain, around = _distances(a, b, cohort)
    limits = calibration.poor if poor else calibration.good
    verdict: Verdict = "same" if used < limits.same_below else "unsure" if used < limits.different_from else "different"
    return Decision(verdict, used, plain, around, limits.same_below, limits.different_from, probability(used, calibration.log_odds))


def _distances(
    a: NDArray[np.floating], b: NDArray[np.floating], cohort: Cohort | None
) -> tuple[float, float, tuple[float, float] | None]:
    """The distance that decides, the plain distance, and the crowdedness around both faces."""
    plain = float(distance(a, b))
    if cohort is None:
        return plain, plain, None
    first, second = crowdedness(np.stack([a, b]), cohort)
    return float(normalised(plain, first, second, cohort)), plain, (float(first), float(second))


def probability(used: float, log_odds: tuple[float, float] | None) -> float | None:
    """The probability of one person, if one and two people were equally likely beforehand; None without a calibration.

    It comes from the calibrated log-likelihood ratio, slope * distance + intercept. It stays between 0.001 and 0.999, because the
    pairs that were measured cannot show rarer errors.
    """
    if log_odds is None:
        return None
    slope, intercept = log_odds
    most = math.log(999)
    return 1 / (1 + math.exp(-max(-most, min(most, slope * used + intercept))))


def in_words(decision: Comparison) -> str:
    """The answer as a sentence for the reader, which promises no more than was measured."""
    if decision.verdict is None:
        return "This embedder has no thresholds yet: what its distances mean was not measured, so there is no verdict."
    if decision.verdict == "same":
        return (
            "Of 1,000 pairs of different people, about one at most looks this alike, in the worst of the groups large enough to "
            "measure. Twins and close relatives are another matter."
        )
    if decision.verdict == "unsure":
        return (
            "Photos of one person and of two people who look alike are both found at this distance. Clearer photos may settle it."
        )
    return "Photos of one person are seldom this far apart. They can be, where age, light or pose differ much."
