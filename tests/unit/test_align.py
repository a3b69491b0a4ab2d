"""The similarity transform: against one that is known, against least squares solved in general, and its weights."""

from __future__ import annotations

import numpy as np

from facelab.align import apply_transform, chip_to_photo, fit_similarity, invert_transform
from facelab.native import NativeRuntime

FIVE = np.array([[30.0, 40], [70, 42], [50, 60], [35, 80], [66, 79]])


def test_known_turn_scale_and_shift_are_found() -> None:
    angle, scale = 0.3, 1.7
    known = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]]) * scale
    known[:, 2] = [12, -5]
    np.testing.assert_allclose(fit_similarity(FIVE, apply_transform(known, FIVE)), known, atol=1e-9)


def test_fit_is_the_weighted_least_squares_solution() -> None:
    """The same problem as linear equations in (a, b, tx, ty), solved by NumPy."""
    random = np.random.default_rng(1)
    target, weights = FIVE * 1.3 + random.normal(0, 4, FIVE.shape), np.array([3.0, 3, 2, 1, 1])
    rows, values = [], []
    for (x, y), (u, v), w in zip(FIVE, target, np.sqrt(weights), strict=True):
        rows += [[w * x, -w * y, w, 0], [w * y, w * x, 0, w]]
        values += [w * u, w * v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    np.testing.assert_allclose(fit_similarity(FIVE, target, weights), [[a, -b, tx], [b, a, ty]], atol=1e-9)


def test_inverse_undoes() -> None:
    transform = fit_similarity(FIVE, FIVE[::-1] * 0.5 + 3)
    np.testing.assert_allclose(apply_transform(invert_transform(transform), apply_transform(transform, FIVE)), FIVE, atol=1e-9)


def test_landmarks_on_the_template_need_no_change(runtime: NativeRuntime) -> None:
    embedder = runtime.manifest.embedder
    np.testing.assert_allclose(chip_to_photo(embedder.template, embedder), [[1, 0, 0], [0, 1, 0]], atol=1e-9)
