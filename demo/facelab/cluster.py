"""Face clustering: who is who in a heap of photos, when nobody has been named and nobody knows how many people there are.

Agglomerative clustering with average linkage: every face begins as a group of its own, and the two groups whose faces are nearest
on average become one, until no two groups are near enough. Found by the nearest-neighbour chain: Murtagh, The Computer Journal
26(4), 1983, doi:10.1093/comjnl/26.4.354; the update of the averages: Lance and Williams, The Computer Journal 9(4), 1967,
doi:10.1093/comjnl/9.4.373.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort, crowdedness, normalised
from .models import Embedder
from .verify import distances_between

Distances = NDArray[np.floating]
LENIENCE = 1.01


def usual_limit(embedder: Embedder) -> float:
    """Where groups stay apart: a hair beyond the distance from which two faces are called different.

    A mean over pairs strays less than one pair does; how much beyond was tried on lfw100 and orl39, and it is flat around it.
    """
    return LENIENCE * embedder.calibration.good.different_from


def cluster(embeddings: NDArray[np.floating], cohort: Cohort | None, limit: float) -> list[list[int]]:
    """Groups of faces [N, D] by indices, the largest first: one group a person, as far as distances tell.

    limit: on the mean distance between two groups (normalised where there is a cohort), beyond which they stay apart.
    """
    return groups_below(merges(all_distances(embeddings, cohort)), len(embeddings), limit)


def all_distances(embeddings: NDArray[np.floating], cohort: Cohort | None) -> NDArray[np.float64]:
    """The distance of every face to every other: [N, N]; normalised where there is a cohort."""
    plain = distances_between(embeddings, embeddings)
    if cohort is None or not len(embeddings):
        return plain
    around = crowdedness(embeddings, cohort)
    return normalised(plain, around[:, None], around[None, :], cohort)


def merges(distances: Distances) -> list[tuple[int, int, float]]:
    """All N - 1 unions of average linkage, as (a face of one group, a face of the other, mean distance), nearest first.

    distances: [N, N], symmetric. The chain steps from a group to its nearest neighbour until two are each other's nearest: they
    may be joined at once, as under average linkage no later union brings anything nearer to either. O(N^2).
    """
    between = np.array(distances, np.float64)
    np.fill_diagonal(between, np.inf)
    size = np.ones(len(between))
    chain: list[int] = []
    found: list[tuple[int, int, float]] = []
    while len(found) < len(between) - 1:
        if not chain:
            chain = [int(np.flatnonzero(size)[0])]
        last = chain[-1]
        nearest = int(between[last].argmin())
        if len(chain) > 1 and between[last, chain[-2]] <= between[last, nearest]:
            nearest = chain[-2]  # of equals the one we came from, or the chain would not end
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        del chain[-2:]
        found.append((last, nearest, float(between[last, nearest])))
        mean = (size[last] * between[last] + size[nearest] * between[nearest]) / (size[last] + size[nearest])
        between[last] = between[:, last] = mean
        between[nearest] = between[:, nearest] = np.inf
        between[last, last] = np.inf
        size[last] += size[nearest]
        size[nearest] = 0
    return sorted(found, key=lambda union: union[2])


def groups_below(unions: list[tuple[int, int, float]], count: int, limit: float) -> list[list[int]]:
    """The groups that the unions nearer than a limit make of so many faces, the largest first."""
    leader = list(range(count))

    def find(face: int) -> int:
        while leader[face] != face:
            leader[face] = face = leader[leader[face]]
        return face

    for a, b, at in unions:
        if at < limit:
            leader[find(b)] = find(a)
    groups: dict[int, list[int]] = {}
    for face in range(count):
        groups.setdefault(find(face), []).append(face)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))
