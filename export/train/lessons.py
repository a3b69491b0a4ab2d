"""The two lessons that a network can take: to tell people apart, or to give a teacher's answers.

A lesson has batches, a loss, and an examination on photos that are held out of the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from facelab.evaluate import area_under_curve, best_accuracy

from ..errors import ExportError
from .batches import Order, PersonBatches, PhotoBatches
from .chips import Chips
from .losses import Mining, TeacherLoss, TripletLoss

Points = NDArray[np.float32]
Embed = Callable[[NDArray[np.uint8]], Points]


class Lesson(Protocol):
    """A task for a network. steps: batches in an epoch. score: the figure of the examination by which the best epoch is chosen.

    A higher score is better.
    """

    steps: int
    score: str
    loss: keras.losses.Loss

    def batches(self, seed: int, epoch: int) -> keras.utils.PyDataset: ...

    def examine(self, embed: Embed) -> dict[str, float]: ...

    def start(self, model: Any) -> None:
        """Set weights of the model that the lesson knows before the first step."""

    def plain_threshold(self, embed: Embed) -> float:
        """A first guess at the distance below which two faces are one person."""


@dataclass
class PeopleLesson:
    """Learn from triplets of people. The examination verifies all pairs of photos of other people."""

    chips: Chips
    people: NDArray[np.intp]
    other_chips: Chips
    other_people: NDArray[np.intp]
    at_once: int
    photos: int
    steps: int
    margin: float
    mining: Mining
    score: str = "auc"

    def __post_init__(self) -> None:
        self.loss = TripletLoss(self.margin, self.mining)

    def batches(self, seed: int, epoch: int) -> PersonBatches:
        return PersonBatches(self.chips, self.people, self.at_once, self.photos, Order(seed, epoch, self.steps))

    def examine(self, embed: Embed) -> dict[str, float]:
        """Two figures of the pairs of other people.

        auc: the chance that a pair of one person is closer than a pair of two. accuracy: at the best threshold for these pairs.
        """
        genuine, impostor = self._distances(embed)
        return {"auc": area_under_curve(genuine, impostor), "accuracy": best_accuracy(genuine, impostor)[1]}

    def start(self, model: Any) -> None:
        pass

    def plain_threshold(self, embed: Embed) -> float:
        return best_accuracy(*self._distances(embed))[0]

    def _distances(self, embed: Embed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return verification(embed(self.other_chips.pixels[:, 0]), self.other_people)


@dataclass
class TeacherLesson:
    """Learn a teacher's answers. The examination measures how close the student comes to them on other photos.

    teacher_threshold: the teacher's own threshold, on distances of its embeddings at their own length.
    """

    chips: Chips
    other_chips: Chips
    size: int
    steps: int
    teacher_threshold: float
    score: str = "explained"

    def __post_init__(self) -> None:
        self.length = float(np.linalg.norm(self.chips.answers, axis=2).mean())
        self.chips, self.other_chips = _of_length_one(self.chips), _of_length_one(self.other_chips)
        self.mean = self.chips.answers.mean(axis=(0, 1))
        self.spread = float(np.square(self.chips.answers - self.mean).sum(axis=2).mean())
        self.loss = TeacherLoss(self.spread)

    def batches(self, seed: int, epoch: int) -> PhotoBatches:
        return PhotoBatches(self.chips, self.size, Order(seed, epoch, self.steps))

    def examine(self, embed: Embed) -> dict[str, float]:
        """Two figures of the photos held out.

        explained: 1 for the teacher's own answers, 0 for their mean every time. cosine: the mean cosine to the teacher's answers.
        """
        expected = self.other_chips.answers[:, 0]
        answers = embed(self.other_chips.pixels[:, 0])
        missed = np.square(answers - expected).sum(axis=1).mean()
        spread = np.square(expected - expected.mean(axis=0)).sum(axis=1).mean()
        return {"explained": float(1 - missed / spread), "cosine": float((answers * expected).sum(axis=1).mean())}

    def start(self, model: Any) -> None:
        """Make the last layer begin with the mean answer, because a teacher's answers can have most of their length in common."""
        for layer in model.layers:
            if layer.name == "numbers":
                kernel, _ = layer.get_weights()
                layer.set_weights([kernel * np.sqrt(self.spread / len(self.mean)), self.mean])

    def plain_threshold(self, embed: Embed) -> float:
        return self.teacher_threshold / self.length


def split_people(folder: Path, chips: Chips, held_out: float, seed: int) -> tuple[Chips, NDArray[np.intp], Chips, NDArray[np.intp]]:
    """Chips to learn from and their people, then chips of other people to examine with and their people.

    Each folder in `folder` is a person. People with only one photo of a face are left out of both parts. Raises ExportError if too
    few people are left.
    """
    names = [_person(folder, photo) for photo in chips.photos]
    if "" in names:
        stray = chips.photos[names.index("")]
        raise ExportError(
            f"{stray} lies beside the folders: {folder} must hold a folder for each person (photos without names need --teacher)"
        )
    often = [name for name in sorted(set(names)) if names.count(name) > 1]
    others = max(2, round(held_out * len(often)))
    if len(often) - others < 2:
        raise ExportError(
            f"{folder} shows {len(often)} people in two photos or more: 4 are needed, 2 to learn from and 2 to examine with"
        )
    shuffled = np.random.default_rng(seed).permutation(often)
    return (*_of(shuffled[others:], names, chips), *_of(shuffled[:others], names, chips))


def split_photos(folder: Path, chips: Chips, held_out: float, seed: int) -> tuple[Chips, Chips]:
    """Chips to learn from, and others to examine with. Raises ExportError if there are too few."""
    count = len(chips.photos)
    others = max(2, round(held_out * count))
    if count - others < 2:
        raise ExportError(f"{folder} shows {count} faces: at least 4 are needed, 2 to learn from and 2 to examine with")
    shuffled = np.random.default_rng(seed).permutation(count)
    return chips.take(np.sort(shuffled[others:])), chips.take(np.sort(shuffled[:others]))


def verification(points: Points, people: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The distances of all pairs of points [N, D], sorted: those of one person, and those of two."""
    first, second = np.array(list(combinations(range(len(people)), 2))).T
    distances = np.linalg.norm(points[first].astype(np.float64) - points[second], axis=1)
    same = people[first] == people[second]
    return np.sort(distances[same]), np.sort(distances[~same])


def _person(folder: Path, photo: Path) -> str:
    inside = photo.relative_to(folder).parts
    return inside[0] if len(inside) > 1 else ""


def _of(people: Sequence[str] | NDArray[np.str_], names: list[str], chips: Chips) -> tuple[Chips, NDArray[np.intp]]:
    number = {name: index for index, name in enumerate(sorted(map(str, people)))}
    chosen = np.array([i for i, name in enumerate(names) if name in number], np.intp)
    return chips.take(chosen), np.array([number[names[i]] for i in chosen], np.intp)


def _of_length_one(chips: Chips) -> Chips:
    return Chips(chips.photos, chips.pixels, chips.answers / np.linalg.norm(chips.answers, axis=2, keepdims=True))
