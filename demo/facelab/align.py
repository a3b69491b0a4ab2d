"""Face alignment: the similarity transform that lays a face's landmarks on the reference landmarks of the chip.

Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE TPAMI 13(4), 1991,
doi:10.1109/34.88573. In the plane and without mirroring, complex numbers make the solution one line.

Frames: photo and chip, pixels, x right, y down, the centre of the first pixel at 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .models import Embedder

Points = NDArray[np.floating]


def fit_similarity(source: Points, target: Points, weights: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
    """The similarity [2, 3] with the least weighted sum of |target - T source|^2.

    source, target: [K, 2], K at least 2, not all source points the same.
    weights: [K], positive; None: all alike.

    With points as complex numbers, the transform is z -> a z + b. Where z and t are
    seen from their weighted means, a = sum w conj(z) t / sum w |z|^2.
    """
    z, t = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    w = np.ones(len(z)) if weights is None else np.asarray(weights, np.float64)
    z_mean, t_mean = np.average(z, weights=w), np.average(t, weights=w)
    z, t = z - z_mean, t - t_mean
    a = (w * z.conj() * t).sum() / (w * np.abs(z) ** 2).sum()
    b = t_mean - a * z_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def fit_affine(source: Points, target: Points, weights: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
    """The affine transform [2, 3] with the least weighted sum of squares. Unlike a similarity it may stretch and shear.

    source, target: [K, 2], K at least 3, not all on a line; weights: [K], positive; None: all alike.
    """
    root = np.sqrt(np.ones(len(source)) if weights is None else np.asarray(weights, np.float64))[:, None]
    ones = np.ones((len(source), 1))
    fitted, *_ = np.linalg.lstsq(root * np.concatenate([source, ones], axis=1), root * target, rcond=None)
    transform: NDArray[np.float64] = fitted.T
    return transform


def apply_transform(transform: NDArray[np.floating], points: Points) -> Points:
    """Points [K, 2], moved by an affine transform [2, 3]."""
    moved: Points = points @ transform[:, :2].T + transform[:, 2]
    return moved


def invert_transform(transform: NDArray[np.floating]) -> NDArray[np.float64]:
    """The affine transform [2, 3] that undoes another."""
    turn = np.linalg.inv(transform[:, :2])
    return np.concatenate([turn, -turn @ transform[:, 2:]], axis=1)


def chip_to_photo(landmarks: Points, embedder: Embedder) -> NDArray[np.float64]:
    """The transform from chip to photo, [2, 3]: where each pixel of the chip is taken from.

    landmarks: [5, 2], photo. The fit goes from photo to chip, so that its errors count in pixels of the chip, and is inverted.
    """
    return invert_transform(fit_similarity(landmarks, embedder.template, embedder.landmark_weights))


def chip_to_chip(embedder: Embedder, kept: Embedder) -> NDArray[np.float64]:
    """The transform from an embedder's chip to a kept chip that was cut for another embedder: [2, 3].

    Both have known reference landmarks, so the transform is the same for every face. Pixels outside the kept chip stay black.
    """
    return invert_transform(fit_similarity(kept.template, embedder.template, embedder.landmark_weights))


def warp(pixels: NDArray[np.uint8], to_source: NDArray[np.floating], height: int, width: int) -> NDArray[np.uint8]:
    """A picture [height, width, 3], filled from `pixels` [H, W, 3]; black outside it.

    to_source: [2, 3], from a pixel of the result to its place in `pixels`. Each pixel
    is a mean of the four around that place, weighted by nearness (bilinear
    interpolation). The embedder's graph does the same for its chips.
    """
    rows, columns = np.mgrid[:height, :width]
    x, y = apply_transform(to_source, np.stack([columns.ravel(), rows.ravel()], axis=1)).T
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    result = np.zeros((height * width, 3))
    for down in (0, 1):
        for across in (0, 1):
            i, j = top + down, left + across
            inside = (i >= 0) & (i < pixels.shape[0]) & (j >= 0) & (j < pixels.shape[1])
            nearness = (1 - np.abs(x - j)) * (1 - np.abs(y - i)) * inside
            result += nearness[:, None] * pixels[i.clip(0, pixels.shape[0] - 1), j.clip(0, pixels.shape[1] - 1)]
    return result.round().astype(np.uint8).reshape(height, width, 3)
