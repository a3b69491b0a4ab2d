"""Clustering: the same groups as SciPy's average linkage, on random points and on real faces, and fast enough for the page."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from facelab.cluster import all_distances, cluster, groups_below, merges


def partition(groups: list[list[int]]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


def scipy_groups(distances: NDArray[np.float64], limit: float) -> set[frozenset[int]]:
    labels = fcluster(linkage(squareform(distances, checks=False), "average"), limit, "distance")
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)}


@pytest.mark.parametrize("count", [2, 3, 10, 200])
@pytest.mark.parametrize("limit", [0.1, 0.3, 0.6, 2.0])
def test_same_groups_as_scipy(count: int, limit: float) -> None:
    points = np.random.default_rng(count).normal(size=(count, 3)) * 0.4
    distances = all_distances(points, None)
    np.fill_diagonal(distances, 0)
    assert partition(groups_below(merges(distances), count, limit)) == scipy_groups(distances, limit)


def test_heights_are_scipys() -> None:
    distances = all_distances(np.random.default_rng(5).normal(size=(80, 4)), None)
    np.fill_diagonal(distances, 0)
    ours = [at for *_, at in merges(distances)]
    np.testing.assert_allclose(ours, linkage(squareform(distances, checks=False), "average")[:, 2], atol=1e-9)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_join(count: int) -> None:
    assert cluster(np.zeros((count, 128)), None, 0.5) == [[0]][:count]


def test_equal_faces_are_one_group() -> None:
    """Ties: a chain among equals must end."""
    assert cluster(np.ones((50, 8)), None, 0.5) == [list(range(50))]


def test_large_groups_first_then_by_their_first_face() -> None:
    points = np.array([[0.0], [9], [9.01], [5], [0.01], [9.02]])
    assert cluster(points, None, 0.5) == [[1, 2, 5], [0, 4], [3]]
