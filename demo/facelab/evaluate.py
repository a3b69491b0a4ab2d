"""How often the answers are right: distances over labelled pairs, and the figures that sum them up.

Terms: a genuine pair shows one person, an impostor pair two. FAR: share of impostor pairs accepted (closer than the
threshold). TAR: share of genuine pairs accepted. Intervals are 95 %, by bootstrap over pairs; pairs of the same
photos depend on each other, so the true intervals are wider.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Distances = NDArray[np.float64]
Interval = tuple[float, float]
Figure = Callable[[Distances, Distances], float]

RESAMPLES = 500
SEED = 1


@dataclass(frozen=True)
class Pair:
    """Two photos, named as in the file of pairs, and whether they show the same person."""

    a: str
    b: str
    same: bool


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


@dataclass(frozen=True)
class Evaluation:
    """pairs, failed: counted pairs, and photos in which no face was found or that cannot be read."""

    pairs: int
    genuine: int
    threshold: float
    accuracy: Measured
    best_threshold: float
    best_accuracy: float
    auc: Measured
    tar_at_far: dict[str, Measured]
    failed: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """{"pairs", "accuracy", "threshold", "auc", "tar_at_far", "failed", ...}; intervals under "intervals"."""
        intervals = {"accuracy": self.accuracy.interval, "auc": self.auc.interval}
        return {
            "pairs": self.pairs,
            "genuine": self.genuine,
            "accuracy": self.accuracy.value,
            "threshold": self.threshold,
            "best": {"accuracy": self.best_accuracy, "threshold": self.best_threshold},
            "auc": self.auc.value,
            "tar_at_far": {far: tar.value for far, tar in self.tar_at_far.items()},
            "intervals": {**intervals, "tar_at_far": {far: tar.interval for far, tar in self.tar_at_far.items()}},
            "failed": list(self.failed),
        }


def read_pairs(path: Path) -> list[Pair]:
    """The pairs in a CSV file with the columns a, b, same; photos are named relative to the file.

    `same` is 1, true or yes, or 0, false or no. Raises InputError, which names the line.
    """
    truth = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {"a", "b", "same"} <= set(rows.fieldnames or ()):
                raise InputError(f"{path} needs a first line with the columns a,b,same")
            pairs = []
            for row in rows:
                same = truth.get((row["same"] or "").strip().lower())
                if same is None or not row["a"] or not row["b"]:
                    raise InputError(
                        f"{path}, line {rows.line_num}: expected two photos and 1 or 0, found {row['a']},{row['b']},{row['same']}"
                    )
                pairs.append(Pair(row["a"], row["b"], same))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {getattr(error, 'strerror', None) or error}") from None
    if not pairs:
        raise InputError(f"{path} holds no pairs")
    return pairs


def summarise(distances: Distances, same: NDArray[np.bool_], threshold: float, failed: Sequence[str] = ()) -> Evaluation:
    """All figures of labelled distances [N]. Raises InputError where genuine or impostor pairs are missing."""
    genuine, impostor = np.sort(distances[same]), np.sort(distances[~same])
    if not len(genuine) or not len(impostor):
        raise InputError("the pairs must hold both: some of one person, some of two")
    best_threshold, best = best_accuracy(genuine, impostor)
    return Evaluation(
        pairs=len(distances),
        genuine=len(genuine),
        threshold=threshold,
        accuracy=_measure(lambda g, i: accuracy(g, i, threshold), genuine, impostor),
        best_threshold=best_threshold,
        best_accuracy=best,
        auc=_measure(area_under_curve, genuine, impostor),
        tar_at_far={
            "1e-2": _measure(lambda g, i: tar_at_far(g, i, 1e-2), genuine, impostor),
            "1e-3": _measure(lambda g, i: tar_at_far(g, i, 1e-3), genuine, impostor),
        },
        failed=tuple(failed),
    )


def accuracy(genuine: Distances, impostor: Distances, threshold: float) -> float:
    """Share of pairs on the right side of a threshold. Both sorted."""
    right = np.searchsorted(genuine, threshold) + len(impostor) - np.searchsorted(impostor, threshold)
    return float(right) / (len(genuine) + len(impostor))


def best_accuracy(genuine: Distances, impostor: Distances) -> tuple[float, float]:
    """The threshold with the most pairs on the right side, and that share. Both sorted. It is chosen on what it is measured on."""
    values = np.unique(np.concatenate([genuine, impostor]))
    cuts = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2, values[-1:] + 1e-6])
    right = np.searchsorted(genuine, cuts) + len(impostor) - np.searchsorted(impostor, cuts)
    best = int(right.argmax())
    return float(cuts[best]), float(right[best]) / (len(genuine) + len(impostor))


def area_under_curve(genuine: Distances, impostor: Distances) -> float:
    """Chance that a genuine pair is closer than an impostor pair (the area under the ROC curve). Both sorted."""
    below, upto = np.searchsorted(impostor, genuine, "left"), np.searchsorted(impostor, genuine, "right")
    return float(1 - (below + upto).mean() / 2 / len(impostor))


def tar_at_far(genuine: Distances, impostor: Distances, far: float) -> float:
    """TAR at the largest threshold that accepts at most a share `far` of the impostor pairs. Both sorted."""
    accepted = int(far * len(impostor))
    threshold = impostor[accepted] if accepted < len(impostor) else np.inf
    return float(np.searchsorted(genuine, threshold)) / len(genuine)


def _measure(figure: Figure, genuine: Distances, impostor: Distances) -> Measured:
    """The figure, and the middle 95 % of it over resampled pairs (the same resamples every time)."""
    random = np.random.default_rng(SEED)
    draws = [
        figure(genuine[_sorted_draw(random, len(genuine))], impostor[_sorted_draw(random, len(impostor))]) for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Measured(figure(genuine, impostor), (float(low), float(high)))


def _sorted_draw(random: np.random.Generator, count: int) -> NDArray[np.intp]:
    return np.sort(random.integers(0, count, count))
