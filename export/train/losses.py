"""The losses of the two lessons: the triplet loss with its mining, and the distance to a teacher.

Source: Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015
(arXiv:1503.03832), section 3. `facelab.triplet` computes the same in NumPy, one triplet in each row, and is easier to read. Here
the triplets of a batch are masks over (anchor, positive) or (anchor, positive, negative), so that shapes never change and every
backend can compile them.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops

Mining = Literal["all", "semi-hard", "hard"]
MININGS: tuple[Mining, ...] = get_args(Mining)

FAR = 1e9  # farther than any two points can be; stands in the place of a negative where there is none


def squared_distances(points: Any) -> Any:
    """The squared distance [N, N] of every point [N, D] to every other."""
    return ops.sum(ops.square(points[:, None] - points[None]), axis=2)


def triplet_loss(people: Any, points: Any, margin: float, mining: Mining) -> Any:
    """The mean of max(0, |a - p|^2 - |a - n|^2 + margin) over a batch's triplets (equation 3), or 0 if there are none.

    people: [N] whole numbers. points: [N, D], of length 1. mining: which triplets are used (section 3.2).
    all: every valid one. hard: for each anchor and positive, the nearest negative. semi-hard: for each anchor and positive, the
    nearest negative that is farther than the positive, but by less than the margin; pairs without such a negative give no triplet.
    "all" and "semi-hard" need memory for N^3 numbers.
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
    """The mean of max(0, excess) over the chosen places, or 0 if none is chosen."""
    losses = ops.where(chosen, ops.relu(excess), 0.0)
    return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(chosen, losses.dtype)), 1.0)


class TripletLoss(keras.losses.Loss):  # type: ignore[misc]
    """triplet_loss in the form that `model.fit` takes: labels [N] or [N, 1] are people, predictions [N, D] points of length 1."""

    def __init__(self, margin: float = 0.2, mining: Mining = "semi-hard") -> None:
        super().__init__(name="triplet")
        self.margin = margin
        self.mining = mining

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return triplet_loss(ops.reshape(y_true, (-1,)), y_pred, self.margin, self.mining)


class TeacherLoss(keras.losses.Loss):  # type: ignore[misc]
    """The mean squared distance of points [N, D] to a teacher's [N, D], both of length 1, as a share of the teacher's spread.

    spread: the mean of |t - mean|^2 over the teacher's points. The loss is 0 for the teacher itself, and 1 for a student that
    always answers their mean. For vectors of length 1, |s - t|^2 = 2 - 2 cos, so the loss also raises the cosine.
    """

    def __init__(self, spread: float) -> None:
        super().__init__(name="teacher")
        self.spread = spread

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.sum(ops.square(y_true - y_pred), axis=1)) / self.spread
