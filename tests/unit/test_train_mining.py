"""The losses of training: mining and values against loops over the definition, gradients against differences."""

from __future__ import annotations

from itertools import permutations
from typing import Any, get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from export.train.losses import Mining, TeacherLoss, TripletLoss, squared_distances, triplet_loss
from facelab.triplet import mine
from facelab.triplet import triplet_loss as listed_triplet_loss

MININGS: tuple[Mining, ...] = get_args(Mining)
MARGIN = 0.2


def sphere(count: int, dimensions: int, seed: int = 1) -> NDArray[np.float64]:
    points = np.random.default_rng(seed).normal(size=(count, dimensions))
    on_it: NDArray[np.float64] = points / np.linalg.norm(points, axis=1, keepdims=True)
    return on_it


PEOPLE = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3])  # the last has one photo: an anchor to nobody, a negative to all
POINTS = sphere(len(PEOPLE), 3)


def value(people: NDArray[Any], points: NDArray[Any], margin: float, mining: Mining) -> float:
    return float(triplet_loss(keras.ops.convert_to_tensor(people), tf.constant(points), margin, mining))


def by_definition(people: NDArray[Any], points: NDArray[Any], margin: float, mining: Mining) -> float:
    """Equation 3 and section 3.2 of the paper, one triplet after the other."""

    def apart(i: int, j: int) -> float:
        return float(((points[i] - points[j]) ** 2).sum())

    losses = []
    for a, p in permutations(range(len(people)), 2):
        if people[a] != people[p]:
            continue
        near = apart(a, p)
        negatives = [apart(a, n) for n in range(len(people)) if people[n] != people[a]]
        if mining == "hard":
            negatives = sorted(negatives)[:1]
        elif mining == "semi-hard":
            negatives = sorted(far for far in negatives if near < far < near + margin)[:1]
        losses += [max(0.0, near - far + margin) for far in negatives]
    return sum(losses) / len(losses) if losses else 0.0


def test_squared_distances_of_unit_vectors_are_those_of_their_cosines() -> None:
    np.testing.assert_allclose(squared_distances(tf.constant(POINTS)), 2 - 2 * POINTS @ POINTS.T, atol=1e-12)


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("seed", range(4))
def test_loss_is_the_definition(mining: Mining, seed: int) -> None:
    points = sphere(len(PEOPLE), 3, seed)
    for margin in (MARGIN, 1.0):
        expected = by_definition(PEOPLE, points, margin, mining)
        assert value(PEOPLE, points, margin, mining) == pytest.approx(expected, abs=1e-12)
        assert listed_triplet_loss(points, mine(points, PEOPLE, margin, mining), margin) == pytest.approx(expected, abs=1e-12)
    assert by_definition(PEOPLE, points, 1.0, mining) > 0, "or nothing was compared"


@pytest.mark.parametrize("mining", MININGS)
def test_gradient_is_the_slope_of_the_loss(mining: Mining) -> None:
    points = tf.Variable(POINTS)
    with tf.GradientTape() as tape:
        loss = triplet_loss(tf.constant(PEOPLE), points, 1.0, mining)
    gradient = tape.gradient(loss, points).numpy()
    for i, j in np.ndindex(POINTS.shape):
        step = np.zeros(POINTS.shape)
        step[i, j] = 1e-6
        slope = (value(PEOPLE, POINTS + step, 1.0, mining) - value(PEOPLE, POINTS - step, 1.0, mining)) / 2e-6
        assert gradient[i, j] == pytest.approx(slope, abs=1e-7)
    assert np.abs(gradient).max() > 0.01


@pytest.mark.parametrize("mining", MININGS)
def test_no_triplet_no_loss_and_no_nan(mining: Mining) -> None:
    """One person, or nobody twice; and all points in one place, where hard triplets lose by the margin and semi-hard run out."""
    for people in (np.zeros(4, int), np.arange(4)):
        assert value(people, sphere(4, 3), MARGIN, mining) == 0
    points = tf.Variable(np.tile(sphere(1, 3), (6, 1)))
    with tf.GradientTape() as tape:
        loss = triplet_loss(tf.constant([0, 0, 1, 1, 2, 2]), points, MARGIN, mining)
    assert float(loss) == pytest.approx(0 if mining == "semi-hard" else MARGIN)
    assert np.isfinite(tape.gradient(loss, points).numpy()).all()


@pytest.mark.parametrize("mining", MININGS)
def test_keras_sees_the_same_loss(mining: Mining) -> None:
    """Labels as `fit` hands them on, [N, 1], and in float32."""
    loss = TripletLoss(MARGIN, mining)(PEOPLE[:, None], POINTS.astype(np.float32))
    assert float(loss) == pytest.approx(value(PEOPLE, POINTS, MARGIN, mining), abs=1e-6)


def test_teacher_loss_is_one_for_the_mean_and_none_for_the_teacher() -> None:
    answers = sphere(50, 8).astype(np.float32)
    mean = answers.mean(axis=0)
    spread = float(((answers - mean) ** 2).sum(axis=1).mean())
    loss = TeacherLoss(spread)
    assert float(loss(answers, answers)) == 0
    assert float(loss(answers, np.tile(mean, (50, 1)))) == pytest.approx(1, abs=1e-6)
    others = sphere(50, 8, seed=2).astype(np.float32)
    cosines = (answers * others).sum(axis=1)
    assert float(loss(answers, others)) * spread == pytest.approx(float((2 - 2 * cosines).mean()), abs=1e-5)
