"""Softmax with margins: worked numbers, its gradient by differences, and Keras's own cross-entropy."""

from __future__ import annotations

import os

import numpy as np
import pytest

from facelab.margins import Kind, margin_gradient, margin_loss, with_margin

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

KINDS: tuple[Kind, ...] = ("softmax", "cosface", "arcface")
RANDOM = np.random.default_rng(4)
COSINES = RANDOM.uniform(-0.95, 0.95, (7, 4))
OWN = RANDOM.integers(0, 4, 7)


def test_margin_changes_each_photos_own_cosine_alone() -> None:
    for kind in KINDS:
        changed = with_margin(COSINES, OWN, kind, 0.3) != COSINES
        assert changed.sum() == (0 if kind == "softmax" else len(OWN))
        assert changed[np.arange(len(OWN)), OWN].all() == (kind != "softmax")


def test_worked_numbers_of_the_chapter() -> None:
    """A photo at 40 degrees from its own centre, 60 from the other."""
    cosines, own = np.cos(np.radians([[40.0, 60.0]])), np.array([0])
    assert with_margin(cosines, own, "cosface", 0.35)[0, 0] == pytest.approx(0.416, abs=1e-3)
    assert with_margin(cosines, own, "arcface", np.radians(30))[0, 0] == pytest.approx(np.cos(np.radians(70)), abs=1e-6)
    assert margin_loss(cosines, own, "softmax", 0.5, 64) == pytest.approx(0, abs=1e-6)
    assert margin_loss(cosines, own, "arcface", 0.5, 64) == pytest.approx(8.70, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_loss_is_kerass_cross_entropy_of_the_scaled_cosines(kind: Kind) -> None:
    import keras

    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(OWN, 16 * with_margin(COSINES, OWN, kind, 0.4))
    assert margin_loss(COSINES, OWN, kind, 0.4, 16) == pytest.approx(float(theirs), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_what_differences_say(kind: Kind) -> None:
    gradient, step = margin_gradient(COSINES, OWN, kind, 0.4, 8), 1e-6
    for place in np.ndindex(COSINES.shape):
        nudge = np.zeros(COSINES.shape)
        nudge[place] = step
        up, down = (margin_loss(COSINES + side * nudge, OWN, kind, 0.4, 8) for side in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / (2 * step), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_photos_on_and_opposite_their_centres_have_finite_numbers(kind: Kind) -> None:
    ends, own = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0, 0])
    assert np.isfinite(margin_loss(ends, own, kind, 0.5, 64))
    assert np.isfinite(margin_gradient(ends, own, kind, 0.5, 64)).all()
