"""Clustering: the same groups as SciPy's average linkage, photos that keep people apart, and memory in proportion to the faces."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from facelab import cluster as module
from facelab.cluster import cluster
from facelab.cohort import Cohort, crowdedness, normalised


def partition(groups: list[list[int]]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


def scipy_groups(distances: NDArray[np.float64], limit: float) -> set[frozenset[int]]:
    """distances: condensed, as SciPy has them."""
    labels = fcluster(linkage(distances, "average"), limit, "distance")
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)}


def faces(people: int, photos: int, seed: int = 1) -> NDArray[np.float32]:
    """On the unit sphere, one person's after another; some people look alike."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, 8)).repeat(photos, axis=0)
    points = centres / np.linalg.norm(centres, axis=1, keepdims=True) + random.normal(0, 0.12, centres.shape)
    unit: NDArray[np.float32] = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("count", [2, 3, 10, 200])
@pytest.mark.parametrize("limit", [0.1, 0.3, 0.6, 2.0])
def test_same_groups_as_scipy(count: int, limit: float) -> None:
    points = np.random.default_rng(count).normal(size=(count, 3)) * 0.4
    assert partition(cluster(points, None, limit)) == scipy_groups(pdist(points), limit)


@pytest.mark.parametrize("limit", [0.3, 0.6, 0.9])
def test_same_groups_as_scipy_across_blocks(limit: float) -> None:
    """More faces than one block has, with and without a cohort."""
    points = faces(150, 5)
    assert partition(cluster(points, None, limit)) == scipy_groups(pdist(points.astype(np.float64)), limit)
    cohort = Cohort(faces(40, 1, seed=2), 5, 1.0, centre=1.0)  # distances below 0 would be nothing for SciPy
    around = crowdedness(points, cohort)
    corrected = normalised(squareform(pdist(points.astype(np.float64))), around[:, None], around, cohort)
    np.fill_diagonal(corrected, 0)
    assert partition(cluster(points, cohort, limit + 0.3)) == scipy_groups(squareform(corrected, checks=False), limit + 0.3)


@pytest.mark.parametrize("kept", [40, 500])
def test_same_groups_when_not_all_pairs_fit_into_memory(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the nearest pairs come first, and the rest is looked for again among what they made."""
    monkeypatch.setattr(module, "KEPT", kept)
    points = faces(60, 5)
    assert partition(cluster(points, None, 0.8)) == scipy_groups(pdist(points.astype(np.float64)), 0.8)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_join(count: int) -> None:
    assert cluster(np.zeros((count, 128)), None, 0.5) == [[0]][:count]


@pytest.mark.parametrize("kept", [10, 10_000])
def test_equal_faces_are_one_group(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ties: rounds of equals must end."""
    monkeypatch.setattr(module, "KEPT", kept)
    assert cluster(np.ones((50, 8)), None, 0.5) == [list(range(50))]


def test_large_groups_first_then_by_their_first_face() -> None:
    points = np.array([[0.0], [9], [9.01], [5], [0.01], [9.02]])
    assert cluster(points, None, 0.5) == [[1, 2, 5], [0, 4], [3]]


def test_faces_of_one_photo_stay_apart() -> None:
    """Also when a third photo is near to both, and whichever face comes first."""
    points = np.array([[0.0], [0.1], [0.04], [0.03]])
    assert cluster(points, None, 0.5) == [[0, 1, 2, 3]]
    assert cluster(points, None, 0.5, ["a", "a", "b", "c"]) == [[0, 2, 3], [1]]
    assert cluster(points[::-1], None, 0.5, ["c", "b", "a", "a"]) == [[0, 1, 3], [2]]
    assert cluster(points, None, 0.5, ["a"] * 4) == [[0], [1], [2], [3]]


@pytest.mark.parametrize("kept", [100, 10_000])
def test_groups_that_share_a_photo_are_the_plain_methods(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Average linkage one pair at a time, where no union may hold a photo twice."""
    monkeypatch.setattr(module, "KEPT", kept)
    points, photos = faces(8, 5), np.random.default_rng(3).integers(0, 16, 40)
    between = squareform(pdist(points.astype(np.float64)))
    between[photos[:, None] == photos] = np.inf
    groups = [[i] for i in range(len(points))]
    while True:
        means = {(i, j): between[np.ix_(groups[i], groups[j])].mean() for i in range(len(groups)) for j in range(i)}
        (i, j), at = min(means.items(), key=lambda pair: pair[1])
        if at >= 0.8:
            break
        groups[j] += groups.pop(i)
    assert partition(cluster(points, None, 0.8, photos.tolist())) == partition(groups)
    assert partition(groups) != partition(cluster(points, None, 0.8)), "the photos make a difference"


def test_memory_grows_with_the_faces_not_with_their_square() -> None:
    def most(people: int) -> int:
        points = faces(people, 5).repeat(8, axis=1) / np.float32(8**0.5)
        tracemalloc.start()
        cluster(points, None, 0.3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    small, large = most(200), most(1000)
    assert large < 1.5 * 5 * small
    assert large < 5000**2 * 8 / 4, "a table of all distances would take four times as much"
