"""Face clustering: photos sorted by person, without any names and without knowing how many people there are.

Agglomerative clustering with average linkage: at first, each face forms a group alone. Then the two groups with the smallest mean
distance become one, again and again, until no two groups are nearer than a limit.

Two groups that are each other's nearest can be joined at once, because with average linkage no other union brings anything nearer
to either of them (Murtagh, The Computer Journal 26(4), 1983, doi:10.1093/comjnl/26.4.354). So each round joins all such pairs,
and the groups are the same as if one pair were joined at a time: reciprocal agglomerative clustering (Sumengen et al., 2021,
arXiv:2105.11653).

The mean distance of two groups can only be below the limit if some face of one is that near to a face of the other. So only pairs
below the limit are kept, and no table of all distances is made. The centres of two groups are never farther apart than their faces
are on average (the norm is convex), so one distance rules out most pairs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort, correction, crowdedness
from .models import Embedder
from .neighbours import Indices, blocks, near_pairs, pair_distances
from .verify import distances_between

LENIENCE = 1.01
KEPT = 10_000_000  # most pairs of groups in memory: 240 MB, and as much again while they change
BLOCK = 1_000_000  # most distances computed at a time


def usual_limit(embedder: Embedder) -> float:
    """The mean distance from which two groups stay apart: just above the distance from which two faces are called different.

    A mean over many pairs strays less than one pair does. On lfw100 and orl39 the result hardly depends on the exact factor.
    """
    return LENIENCE * embedder.calibration.good.different_from


def cluster(
    embeddings: NDArray[np.floating], cohort: Cohort | None, limit: float, photos: Sequence[Hashable] | None = None
) -> list[list[int]]:
    """Groups of faces [N, D] as lists of indices, the largest first: one group for each person, as far as distances can say.

    limit: the mean distance from which two groups stay apart (corrected for crowdedness if there is a cohort).
    photos: the photo of each face, [N]. Two faces of one photo are two people, so their groups stay apart. None: each face has its
    own photo.
    """
    groups = Groups(embeddings, cohort, photos)
    pairs, below = pairs_nearer_than(limit, groups)
    while len(pairs):
        join_nearest(groups, pairs, below)
        pairs, below = pairs_nearer_than(limit, groups) if below < limit else (Pairs.none(), limit)
    return groups.largest_first()


@dataclass(frozen=True)
class Pairs:
    """Pairs of groups and the mean distance between their faces. first < second: [P]. mean: [P]."""

    first: Indices
    second: Indices
    mean: NDArray[np.float64]

    @staticmethod
    def none() -> Pairs:
        return Pairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, chosen: Indices | NDArray[np.bool_]) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.mean[chosen])

    @staticmethod
    def joined(parts: Sequence[Pairs]) -> Pairs:
        """All pairs of some lists."""
        columns = zip(*((part.first, part.second, part.mean) for part in parts), strict=True)
        return Pairs(*map(np.concatenate, columns)) if parts else Pairs.none()


class Groups:
    """The groups while they grow. The number of a group is that of its first face; arrays are [N], one place for each face.

    label: the group of each face. size: the number of faces of each group, 0 for a number without a group. centre: the mean
    embedding of each group, [N, D]. correction: what its faces add to corrected distances, on average (see cohort.correction).
    """

    def __init__(self, embeddings: NDArray[np.floating], cohort: Cohort | None, photos: Sequence[Hashable] | None) -> None:
        count = len(embeddings)
        self._points = np.asarray(embeddings, np.float64)
        self._corrections = correction(crowdedness(embeddings, cohort), cohort) if cohort else np.zeros(count)
        numbers: dict[Hashable, int] = {}
        named = range(count) if photos is None else photos
        self._photo = np.array([numbers.setdefault(photo, len(numbers)) for photo in named], np.intp)
        self.label = np.arange(count)
        self.size = np.ones(count, np.intp)
        self.centre = self._points.copy()
        self.correction = self._corrections.copy()
        self._order, self._start = self.label, self.label

    def join(self, first: Indices, second: Indices) -> None:
        """Join each pair [P] of groups into one; no group may be in two pairs."""
        share = self.size[second] / (self.size[first] + self.size[second])
        self.centre[first] += share[:, None] * (self.centre[second] - self.centre[first])
        self.correction[first] += share * (self.correction[second] - self.correction[first])
        self.size[first] += self.size[second]
        self.size[second] = 0
        goes_to = np.arange(len(self.label))
        goes_to[second] = first
        self.label = goes_to[self.label]
        self._order = np.argsort(self.label, kind="stable")
        self._start = np.cumsum(self.size) - self.size

    def faces_of(self, groups: Indices) -> Indices:
        """The faces of some groups, one group's after another's."""
        sizes = self.size[groups]
        ends = np.cumsum(sizes)
        faces: Indices = self._order[np.arange(ends[-1]) + np.repeat(self._start[groups] - ends + sizes, sizes)]
        return faces

    def share_a_photo(self, first: Indices, second: Indices) -> NDArray[np.bool_]:
        """Whether the first faces of two groups are of one photo: [P]."""
        same: NDArray[np.bool_] = self._photo[first] == self._photo[second]
        return same

    def mean_distances_below(self, limit: float, first: Indices, second: Indices) -> NDArray[np.float64]:
        """The mean distance between the faces of each pair of groups: [P].

        Infinite if the centres alone are a limit apart, or if both groups have a face of one photo.
        """
        mean = np.full(len(first), np.inf)
        least = pair_distances(self.centre, first, self.centre, second) + self.correction[first] + self.correction[second]
        possible = np.flatnonzero(least < limit)
        possible = possible[np.argsort(first[possible], kind="stable")]
        for with_one in np.split(possible, np.flatnonzero(np.diff(first[possible])) + 1) if len(possible) else []:
            mean[with_one] = self._mean_distances(first[with_one[0]], second[with_one])
        return mean

    def _mean_distances(self, one: np.intp, others: Indices) -> NDArray[np.float64]:
        """The mean distance of a group to each of some others [P]; infinite if both have a face of one photo."""
        here, there, sizes = self.faces_of(np.array([one])), self.faces_of(others), self.size[others]
        total = np.zeros(len(others))
        for at in range(0, len(here), step := max(1, BLOCK // len(there))):
            some = here[at : at + step]
            between = distances_between(self._points[some], self._points[there])
            between += self._corrections[some][:, None] + self._corrections[there]
            between[self._photo[some][:, None] == self._photo[there]] = np.inf
            total += np.add.reduceat(between.sum(axis=0), np.cumsum(sizes) - sizes)
        return total / (len(here) * sizes)

    def largest_first(self) -> list[list[int]]:
        """The faces of each group; among groups of equal size, the one with the earliest face comes first."""
        there = np.flatnonzero(self.size)
        members = np.split(self._order, self._start[there[1:]]) if len(there) else []
        return [group.tolist() for group in sorted(members, key=lambda group: (-len(group), group[0]))]


def pairs_nearer_than(limit: float, groups: Groups) -> tuple[Pairs, float]:
    """The pairs of groups whose mean distance is below a limit, and that limit.

    If there are more than KEPT such pairs, the nearest are returned with a lower limit, below which none is missing.
    """
    there = np.flatnonzero(groups.size)
    centres, correction = groups.centre[there], groups.correction[there]
    found: list[Pairs] = []
    for rows, columns in blocks(len(there)):
        first, second, mean = near_pairs(centres, limit / 2 - correction, rows, columns)
        mean += correction[first] + correction[second]
        first, second = there[first], there[second]
        single = (groups.size[first] == 1) & (groups.size[second] == 1)
        mean[single & groups.share_a_photo(first, second)] = np.inf
        mean[~single] = groups.mean_distances_below(limit, first[~single], second[~single])
        found.append(Pairs(first, second, mean)[mean < limit])
        if sum(map(len, found)) > 2 * KEPT:
            pairs = Pairs.joined(found)
            found = [pairs[np.argpartition(pairs.mean, KEPT)[:KEPT]]]
            limit = float(np.nextafter(found[0].mean.max(), np.inf))
    return Pairs.joined(found), limit


def join_nearest(groups: Groups, pairs: Pairs, limit: float) -> None:
    """Join groups until no mean distance is below a limit. pairs: all pairs below it at the beginning."""
    while len(pairs):
        nearest = mutually_nearest(pairs, len(groups.label))
        sizes_before = groups.size.copy()
        groups.join(pairs.first[nearest], pairs.second[nearest])
        pairs = pairs_after(groups, pairs, sizes_before, limit)


def mutually_nearest(pairs: Pairs, count: int) -> Indices:
    """Which pairs join two groups that are each other's nearest; among ties, those that come first."""
    least = np.full(count, np.inf)
    np.minimum.at(least, pairs.first, pairs.mean)
    np.minimum.at(least, pairs.second, pairs.mean)
    mutual = np.flatnonzero((pairs.mean == least[pairs.first]) & (pairs.mean == least[pairs.second]))
    earliest = np.full(count, len(pairs))
    np.minimum.at(earliest, pairs.first[mutual], mutual)
    np.minimum.at(earliest, pairs.second[mutual], mutual)
    chosen: Indices = mutual[(earliest[pairs.first[mutual]] == mutual) & (earliest[pairs.second[mutual]] == mutual)]
    return chosen


def pairs_after(groups: Groups, pairs: Pairs, sizes_before: Indices, limit: float) -> Pairs:
    """The pairs of groups below a limit after some groups were joined. pairs, sizes_before [N]: those before.

    The mean distance of a union to another group is the mean of its parts' distances, weighted by their sizes (Lance and Williams,
    The Computer Journal 9(4), 1967, doi:10.1093/comjnl/9.4.373). If one part was beyond the limit, and so not among the pairs, the
    mean distance is computed from the faces.
    """
    count = len(groups.label)
    joined = groups.size != sizes_before
    touched = joined[pairs.first] | joined[pairs.second]
    old = pairs[touched & (groups.label[pairs.first] != groups.label[pairs.second])]
    first, second = groups.label[old.first], groups.label[old.second]
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second)  # an index has 32 bits in the page
    keys, which = np.unique(low * count + high, return_inverse=True)
    weight = sizes_before[old.first].astype(np.float64) * sizes_before[old.second]
    known = np.bincount(which, weight, len(keys))
    mean = np.bincount(which, weight * old.mean, len(keys)) / known
    first, second = keys // count, keys % count
    partly = np.flatnonzero(known < groups.size[first].astype(np.float64) * groups.size[second])
    mean[partly] = groups.mean_distances_below(limit, first[partly], second[partly])
    return Pairs.joined([pairs[~touched], Pairs(first, second, mean)[mean < limit]])
