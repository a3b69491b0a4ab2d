"""The triplet loss: its gradient against differences, its mining against the definition, and that it teaches."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from facelab.triplet import mine, squared_distances, triplet_gradient, triplet_loss

RANDOM = np.random.default_rng(3)
POINTS, PEOPLE = RANDOM.normal(size=(9, 4)), np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])


def test_loss_by_hand() -> None:
    """|a - p|^2 = 1, |a - n|^2 = 4: with margin 2 nothing is left, with margin 4 one."""
    points = np.array([[0.0, 0], [1, 0], [0, 2]])
    triplet = np.array([[0, 1, 2]])
    assert triplet_loss(points, triplet, 2) == 0
    assert triplet_loss(points, triplet, 4) == 1


def test_gradient_is_that_of_the_loss() -> None:
    triplets = mine(POINTS, PEOPLE, 1.0, "all")
    gradient = triplet_gradient(POINTS, triplets, 1.0)
    for i, j in np.ndindex(POINTS.shape):
        step = np.zeros(POINTS.shape)
        step[i, j] = 1e-6
        slope = (triplet_loss(POINTS + step, triplets, 1.0) - triplet_loss(POINTS - step, triplets, 1.0)) / 2e-6
        assert gradient[i, j] == pytest.approx(slope, abs=1e-6)


def test_mining_is_the_definition() -> None:
    squares = squared_distances(POINTS)
    valid = [(a, p, n) for a, p, n in permutations(range(9), 3) if PEOPLE[a] == PEOPLE[p] != PEOPLE[n]]
    assert sorted(map(tuple, mine(POINTS, PEOPLE, 1.0, "all").tolist())) == sorted(valid)
    for a, p, n in mine(POINTS, PEOPLE, 1.0, "hard").tolist():
        assert squares[a, n] == min(squares[a, other] for b, q, other in valid if (b, q) == (a, p))
    semi = mine(POINTS, PEOPLE, 1.0, "semi-hard").tolist()
    for a, p, n in semi:
        assert squares[a, p] < squares[a, n] < squares[a, p] + 1.0
    pairs = {(a, p) for a, p, n in valid if squares[a, p] < squares[a, n] < squares[a, p] + 1.0}
    assert {(a, p) for a, p, _ in semi} == pairs


@pytest.mark.parametrize("mining", ["all", "hard"])
def test_following_the_gradient_parts_the_people(mining: str) -> None:
    """Semi-hard triplets alone may run out in the plane, where points have nowhere to go around each other: see the lab."""
    points = RANDOM.normal(size=(12, 2))
    people = np.repeat([0, 1, 2], 4)
    first = triplet_loss(points, mine(points, people, 0.5, "all"), 0.5)
    for _ in range(300):
        triplets = mine(points, people, 0.5, mining)  # type: ignore[arg-type]
        points = points - 0.3 * triplet_gradient(points, triplets, 0.5)
    assert triplet_loss(points, mine(points, people, 0.5, "all"), 0.5) < first / 2


def test_no_triplet_no_loss() -> None:
    nobody = mine(POINTS[:1], PEOPLE[:1], 1.0, "all")
    assert len(nobody) == 0
    assert triplet_loss(POINTS, nobody, 1.0) == 0
    assert not triplet_gradient(POINTS, nobody, 1.0).any()
