"""Face verification: do two embeddings show the same person? A distance, two thresholds, three answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .models import Embedder

Verdict = Literal["same", "different", "unsure"]


@dataclass(frozen=True)
class Decision:
    """An answer and what it rests on: the distance, and the threshold that it was held against."""

    verdict: Verdict
    distance: float
    threshold: float

    def as_json(self) -> dict[str, object]:
        """{"verdict", "distance", "threshold"}."""
        return {"verdict": self.verdict, "distance": round(self.distance, 6), "threshold": self.threshold}


def distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Euclidean distance of embeddings [..., 128], broadcast: 0 for the same photo, about 1.3 to 1.4 at most in practice."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    length: NDArray[np.float64] = np.sqrt((difference**2).sum(axis=-1))
    return length


def decide(a: NDArray[np.floating], b: NDArray[np.floating], embedder: Embedder) -> Decision:
    """Whether two embeddings [128] show the same person.

    "same" below `sure_below`, "different" from `threshold` on; "unsure" between, where this network errs too often for either.
    """
    d = float(distance(a, b))
    verdict: Verdict = "same" if d < embedder.sure_below else "unsure" if d < embedder.threshold else "different"
    return Decision(verdict, d, embedder.threshold)


def in_words(decision: Decision) -> str:
    """The answer as a sentence that promises no more than was measured."""
    d = f"The distance is {decision.distance:.2f}"
    if decision.verdict == "same":
        return f"{d}: photos of one person are usually this close. So are, more rarely, photos of two people who look alike."
    if decision.verdict == "unsure":
        return f"{d}: photos of one person and photos of people who look alike are both found here. A clearer photo may help."
    return f"{d}: photos of different people are usually this far apart. So are, more rarely, two very unlike photos of one person."
