"""What training makes smaller: the triplet loss with its mining, and the distance to a teacher.

Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015
(arXiv:1503.03832), section 3. `facelab.triplet` does the same in NumPy, one triplet a row, for reading; here a batch's triplets are
masks over (anchor, positive) or (anchor, positive, negative), so that shapes never change and every backend can compile it.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops

Mining = Literal["all", "semi-hard", "hard"]
MININGS: tuple[Mining, ...] = get_args(Mining)

FAR = 1e9  # farther than any two points: stands where there is no negative


def squared_distances(points: Any) -> Any:
    """Of every point [N, D] to every other: [N, N]."""
    return ops.sum(ops.square(points[:, None] - points[None]), axis=2)


def triplet_loss(people: Any, points: Any, margin: float, mining: Mining) -> Any:
    """The mean over a batch's triplets of max(0, |a - p|^2 - |a - n|^2 + margin): equation 3; 0 where there is none.

    people: [N] whole numbers. points: [N, D], of length 1. mining: which triplets (section 3.2).
    all: every valid one. hard: for each anchor and positive the nearest negative. semi-hard: the nearest negative that is farther
    than the positive, but by less than the margin; a pair without one gives no triplet. All but "hard" take memory for N^3 numbers.
    """
    squares = squared_distances(points)
    same = ops.equal(people[:, None], people[None])
    pairs = ops.logical_and(same, ops.logical_not(ops.eye(ops.shape(people)[0], dtype="bool")))
    strangers = ops.logical_not(same)
    if mining == "hard":
        nearest = ops.min(ops.where(strangers, squares, FAR), axis=1, keepdims=True)
        return _mean(squares - nearest + margin, ops.logical_and(pairs, ops.any(strangers, axis=1, keepdims=True)))
    positive, negative = squares[:, :, None], squares[:, None, :]
    triplets = ops.logical_and(pairs[:, :, None], strangers[:, None, :])
    if mining == "all":
        return _mean(positive - negative + margin, triplets)
    beyond = ops.logical_and(negative > positive, negative < positive + margin)
    triplets = ops.logical_and(triplets, beyond)
    nearest = ops.min(ops.where(triplets, negative, FAR), axis=2)
    return _mean(squares - nearest + margin, ops.any(triplets, axis=2))


def _mean(excess: Any, chosen: Any) -> Any:
    """The mean of max(0, excess) over the chosen places; 0 where none is."""
    losses = ops.where(chosen, ops.relu(excess), 0.0)
    return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(chosen, losses.dtype)), 1.0)


class TripletLoss(keras.losses.Loss):  # type: ignore[misc]
    """triplet_loss as `model.fit` wants it: labels [N] or [N, 1] are people, predictions [N, D] points of length 1."""

    def __init__(self, margin: float = 0.2, mining: Mining = "semi-hard") -> None:
        super().__init__(name="triplet")
        self.margin = margin
        self.mining = mining

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return triplet_loss(ops.reshape(y_true, (-1,)), y_pred, self.margin, self.mining)


class TeacherLoss(keras.losses.Loss):  # type: ignore[misc]
    """The mean squared distance of points [N, D] to a teacher's [N, D], both of length 1, as a share of the teacher's own spread.

    Between unit vectors |s - t|^2 = 2 - 2 cos: the squared error is the cosine. spread: the mean of |t - mean|^2 over the teacher's
    points. 1 is as good as always answering their mean, 0 is the teacher.
    """

    def __init__(self, spread: float) -> None:
        super().__init__(name="teacher")
        self.spread = spread

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.sum(ops.square(y_true - y_pred), axis=1)) / self.spread
