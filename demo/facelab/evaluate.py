"""How often the answers are right: distances over labelled pairs, and the figures that sum them up.

Terms: a genuine pair shows one person, an impostor pair two. FAR: share of impostor pairs accepted (closer than the
threshold). TAR: share of genuine pairs accepted. Intervals are 95 %, by bootstrap over pairs; pairs of the same
photos depend on each other, so the true intervals are wider.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .files import read_plain
from .models import Thresholds
from .output import readable

Distances = NDArray[np.float64]
Interval = tuple[float, float]
Figure = Callable[[Distances, Distances], float]

SEPARATORS = ",;\t"
VERDICTS = ("a", "b", "verdict")
RESAMPLES = 500
SEED = 1


@dataclass(frozen=True)
class Pair:
    """Two photos, named as in the file of pairs; whether they show the same person; and their group ("" where none is given)."""

    a: str
    b: str
    same: bool
    group: str = ""


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


@dataclass(frozen=True)
class Separation:
    """How well distances separate genuine pairs from impostor pairs. It takes pairs of both kinds."""

    best_threshold: float
    best_accuracy: float
    auc: Measured
    tar_at_far: dict[str, Measured]


@dataclass(frozen=True)
class Evaluation:
    """The figures of a set of pairs.

    pairs: those that were counted. failed: photos without a face, or that cannot be read. separation: None where all pairs are of
    one kind.
    """

    pairs: int
    genuine: int
    threshold: float
    accuracy: Measured
    separation: Separation | None
    failed: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """{"pairs", "accuracy", "threshold", "auc", "tar_at_far", "failed", ...}, with intervals under "intervals".

        A figure that pairs of one kind cannot give is None.
        """
        told = self.separation
        tars = told.tar_at_far.items() if told else None
        return {
            "pairs": self.pairs,
            "genuine": self.genuine,
            "accuracy": self.accuracy.value,
            "threshold": self.threshold,
            "best": told and {"accuracy": told.best_accuracy, "threshold": told.best_threshold},
            "auc": told and told.auc.value,
            "tar_at_far": tars and {far: tar.value for far, tar in tars},
            "intervals": {
                "accuracy": self.accuracy.interval,
                "auc": told and told.auc.interval,
                "tar_at_far": tars and {far: tar.interval for far, tar in tars},
            },
            "failed": list(self.failed),
        }


def read_pairs(path: Path) -> list[Pair]:
    """The pairs in a CSV file with the columns a, b, same and, optionally, group. Photos are named relative to the file.

    `same` is 1, true or yes, or else 0, false or no. Raises InputError, which names the line.
    """
    truth = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    pairs = []
    for line, row in _table(path, ("a", "b", "same")):
        same = truth.get(row["same"].lower())
        if same is None or not row["a"] or not row["b"]:
            found = readable(",".join(row[column] for column in ("a", "b", "same")))
            raise InputError(f"{path}, line {line}: expected two photos and 1 or 0, found {found}")
        pairs.append(Pair(row["a"], row["b"], same, row.get("group", "")))
    if not pairs:
        raise InputError(f"{path} holds no pairs")
    return pairs


def read_groups(path: Path) -> dict[str, str]:
    """Photo -> group, from a CSV file with the columns photo, group. Raises InputError, which names the line."""
    groups = {}
    for line, row in _table(path, ("photo", "group")):
        if not row["photo"] or not row["group"]:
            raise InputError(f"{path}, line {line}: expected a photo and its group")
        groups[row["photo"]] = row["group"]
    if not groups:
        raise InputError(f"{path} names no photos")
    return groups


def read_doubtful(path: Path) -> set[frozenset[str]]:
    """Pairs of photos that even a close look left in doubt, from a CSV file with the columns a, b, verdict. Raises InputError."""
    return {frozenset((row["a"], row["b"])) for _, row in _table(path, VERDICTS) if row["verdict"] == "doubtful"}


def read_people_seen_twice(path: Path) -> set[str]:
    """All photos of people who appear in more than one photo, from the same file: those of the pairs with the verdict "same"."""
    return {name for _, row in _table(path, VERDICTS) if row["verdict"] == "same" for name in (row["a"], row["b"])}


def _table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, each with its line number, in any of the forms that people and spreadsheets write.

    Cells are separated by commas, semicolons or tabs, with or without spaces. The text is UTF-8, UTF-16 or Windows-1252. Raises
    InputError where a column is missing or a quotation mark is not closed.
    """
    rows, header = _below_header(path, columns)
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                padded = cells + [""] * (len(header) - len(cells))
                yield rows.line_num, dict(zip(header, (cell.strip() for cell in padded), strict=False))
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: this is no CSV ({error})") from None


def _below_header(path: Path, columns: Sequence[str]) -> tuple[Any, list[str]]:
    """The rows below the header, and the columns it names.

    Of the possible separators, the one that finds all needed columns is used.
    """
    text = _decoded(path)
    for separator in SEPARATORS:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
        with suppress(csv.Error):  # cut at the wrong separator, quotation marks seem misplaced
            header = [cell.strip().lower() for cell in next(rows, [])]
            if set(columns) <= set(header):
                return rows, header
    raise InputError(f"{path} needs a first line with the columns {','.join(columns)}")


def _decoded(path: Path) -> str:
    data = read_plain(path)
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf_16 else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise InputError(f"{path} is not text that can be read here: save it as CSV in UTF-8")


def summarise(distances: Distances, same: NDArray[np.bool_], threshold: float, failed: Sequence[str] = ()) -> Evaluation:
    """All figures of labelled distances [N], N at least 1."""
    genuine, impostor = np.sort(distances[same]), np.sort(distances[~same])
    return Evaluation(
        pairs=len(distances),
        genuine=len(genuine),
        threshold=threshold,
        accuracy=_measure(lambda g, i: accuracy(g, i, threshold), genuine, impostor),
        separation=separate(genuine, impostor) if len(genuine) and len(impostor) else None,
        failed=tuple(failed),
    )


def separate(genuine: Distances, impostor: Distances) -> Separation:
    """How well two sorted lists of distances can be separated. Neither list is empty."""
    best_threshold, best = best_accuracy(genuine, impostor)
    return Separation(
        best_threshold=best_threshold,
        best_accuracy=best,
        auc=_measure(area_under_curve, genuine, impostor),
        tar_at_far={
            "1e-2": _measure(lambda g, i: tar_at_far(g, i, 1e-2), genuine, impostor),
            "1e-3": _measure(lambda g, i: tar_at_far(g, i, 1e-3), genuine, impostor),
            "1e-4": _measure(lambda g, i: tar_at_far(g, i, 1e-4), genuine, impostor),
        },
    )


@dataclass(frozen=True)
class GroupRates:
    """The errors of one group at a threshold, and its shares of the three answers. None where it has no such pairs."""

    pairs: int
    fmr: Measured | None
    fnmr: Measured | None
    one_person: dict[str, float] | None
    two_people: dict[str, float] | None


def answer_shares(distances: Distances, limits: Thresholds) -> dict[str, float]:
    """{"same", "unsure", "different"}: the share of distances [N] that gets each answer. N is at least 1."""
    same, different = float((distances < limits.same_below).mean()), float((distances >= limits.different_from).mean())
    return {"same": same, "unsure": max(0.0, 1 - same - different), "different": different}


def answers_by_kind(distances: Distances, same: NDArray[np.bool_], limits: Thresholds) -> dict[str, dict[str, float] | None]:
    """{"one_person", "two_people"}: the shares of the three answers among such pairs; None where there are none."""
    kinds = {"one_person": distances[same], "two_people": distances[~same]}
    return {kind: answer_shares(some, limits) if len(some) else None for kind, some in kinds.items()}


def rates_by_group(
    distances: Distances, same: NDArray[np.bool_], groups: Sequence[str], limits: Thresholds
) -> dict[str, GroupRates]:
    """The false match and false non-match rates of each group, in alphabetical order, at the upper threshold."""
    named, threshold = np.array(groups), limits.different_from
    rates = {}
    for group in sorted(set(groups) - {""}):
        here = named == group
        impostor, genuine = distances[here & ~same] < threshold, distances[here & same] >= threshold
        answers = answers_by_kind(distances[here], same[here], limits)
        rates[group] = GroupRates(int(here.sum()), _share(impostor), _share(genuine), **answers)
    return rates


def worst_to_best(rates: Mapping[str, GroupRates]) -> float | None:
    """The highest FMR of a group over the lowest that is not zero; None with fewer than two such groups."""
    matches = [rate.fmr.value for rate in rates.values() if rate.fmr and rate.fmr.value > 0]
    return max(matches) / min(matches) if len(matches) > 1 else None


def _share(events: NDArray[np.bool_]) -> Measured | None:
    """A proportion with Wilson's interval (JASA 22, 1927, doi:10.1080/01621459.1927.10502953)."""
    if not len(events):
        return None
    n, p, z = len(events), float(events.mean()), 1.96
    middle, reach = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return Measured(p, (max(0.0, (middle - reach) / (1 + z * z / n)), (middle + reach) / (1 + z * z / n)))


def accuracy(genuine: Distances, impostor: Distances, threshold: float) -> float:
    """Share of pairs on the right side of a threshold. Both sorted."""
    right = np.searchsorted(genuine, threshold) + len(impostor) - np.searchsorted(impostor, threshold)
    return float(right) / (len(genuine) + len(impostor))


def best_accuracy(genuine: Distances, impostor: Distances) -> tuple[float, float]:
    """The threshold that puts the most pairs on the right side, and that share. Both lists are sorted.

    The threshold is chosen on the same pairs, so the share flatters.
    """
    values = np.unique(np.concatenate([genuine, impostor]))
    cuts = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2, values[-1:] + 1e-6])
    right = np.searchsorted(genuine, cuts) + len(impostor) - np.searchsorted(impostor, cuts)
    best = int(right.argmax())
    return float(cuts[best]), float(right[best]) / (len(genuine) + len(impostor))


def area_under_curve(genuine: Distances, impostor: Distances) -> float:
    """The chance that a genuine pair is closer than an impostor pair, which is the area under the ROC curve.

    Both lists are sorted.
    """
    below, upto = np.searchsorted(impostor, genuine, "left"), np.searchsorted(impostor, genuine, "right")
    return float(1 - (below + upto).mean() / 2 / len(impostor))


def tar_at_far(genuine: Distances, impostor: Distances, far: float) -> float:
    """TAR at the largest threshold that accepts at most a share `far` of the impostor pairs. Both sorted."""
    accepted = int(far * len(impostor))
    threshold = impostor[accepted] if accepted < len(impostor) else np.inf
    return float(np.searchsorted(genuine, threshold)) / len(genuine)


def _measure(figure: Figure, genuine: Distances, impostor: Distances) -> Measured:
    """The figure, and the middle 95 % of its values over resampled pairs. The resamples are the same every time."""
    random = np.random.default_rng(SEED)
    draws = [
        figure(genuine[_sorted_draw(random, len(genuine))], impostor[_sorted_draw(random, len(impostor))]) for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Measured(figure(genuine, impostor), (float(low), float(high)))


def _sorted_draw(random: np.random.Generator, count: int) -> NDArray[np.intp]:
    return np.sort(random.integers(0, count, count)) if count else np.empty(0, np.intp)
