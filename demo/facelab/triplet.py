"""The triplet loss: how an embedder learns that photos of one person belong together.

A triplet is an anchor, a positive (another photo of the same person) and a negative (a photo of somebody else). Schroff,
Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015 (arXiv:1503.03832),
section 3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]
Triplets = NDArray[np.intp]
Mining = Literal["all", "semi-hard", "hard"]


def squared_distances(points: Points) -> NDArray[np.float64]:
    """The squared distances [N, N] between all points [N, D]."""
    difference = points[:, None] - points[None]
    squares: NDArray[np.float64] = (difference**2).sum(axis=2)
    return squares


def triplet_loss(points: Points, triplets: Triplets, margin: float) -> float:
    """The mean of max(0, |a - p|^2 - |a - n|^2 + margin) over triplets [T, 3] of indices into points [N, D]: equation 3."""
    return float(np.maximum(_excess(points, triplets, margin), 0).mean()) if len(triplets) else 0.0


def triplet_gradient(points: Points, triplets: Triplets, margin: float) -> NDArray[np.float64]:
    """The gradient [N, D] of triplet_loss with respect to the points; triplets without a loss add nothing to it."""
    gradient = np.zeros(points.shape)
    active = triplets[_excess(points, triplets, margin) > 0] if len(triplets) else triplets
    a, p, n = (points[active[:, i]] for i in range(3))
    np.add.at(gradient, active[:, 0], 2 * (n - p))
    np.add.at(gradient, active[:, 1], 2 * (p - a))
    np.add.at(gradient, active[:, 2], 2 * (a - n))
    return gradient / max(len(triplets), 1)


def mine(points: Points, people: NDArray[np.integer], margin: float, mining: Mining) -> Triplets:
    """Triplets [T, 3] chosen from a batch, as indices of anchor, positive and negative.

    points: embeddings [N, D]. people: which person each of them shows [N]. mining: "all" takes every valid triplet. The other two
    take one negative for each pair of anchor and positive. "hard" takes the nearest one. "semi-hard" takes the nearest one that is
    farther away than the positive, but by less than the margin (section 3.2); a pair without such a negative gives no triplet.
    """
    squares = squared_distances(points)
    same = people[:, None] == people[None]
    anchors, positives = np.nonzero(same & ~np.eye(len(people), dtype=bool))
    if mining == "all":
        pair, negative = np.nonzero(~same[anchors])
        return np.stack([anchors[pair], positives[pair], negative], axis=1)
    to_positive = squares[anchors, positives][:, None]
    allowed = ~same[anchors]
    if mining == "semi-hard":
        allowed &= (squares[anchors] > to_positive) & (squares[anchors] < to_positive + margin)
    negatives = np.where(allowed, squares[anchors], np.inf).argmin(axis=1)
    found: Triplets = np.stack([anchors, positives, negatives], axis=1)[allowed.any(axis=1)]
    return found


def _excess(points: Points, triplets: Triplets, margin: float) -> NDArray[np.float64]:
    a, p, n = (points[triplets[:, i]] for i in range(3))
    excess: NDArray[np.float64] = ((a - p) ** 2).sum(axis=1) - ((a - n) ** 2).sum(axis=1) + margin
    return excess
