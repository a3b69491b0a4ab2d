"""The batches of a training.

Each depends only on the seed, the epoch and its number, so a training that is resumed sees the same batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from .chips import Chips

Pixels = NDArray[np.float32]

SHIFT = 3 / 96  # a chip is moved by at most this share of its side
LIGHT, CONTRAST = (
    0.2,
    0.15,
)  # standard deviations of the logarithms of two factors: on all values, and on their spread about the mean
BLURRED = 0.2  # this share of the chips is blurred
BINOMIAL = np.array([0.25, 0.5, 0.25], np.float32)


@dataclass(frozen=True)
class Order:
    """Which epoch of which training the batches belong to. steps: batches in the epoch."""

    seed: int
    epoch: int
    steps: int

    def random(self, index: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.epoch, index])


class PersonBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of P people with K photos each: (chips [P K, S, S, 3], the people that they show [P K]).

    people: [N] whole numbers, the person of each photo. A random view of each photo is taken. Of a person with fewer than K photos,
    some photos are taken twice, in random views.
    """

    def __init__(self, chips: Chips, people: NDArray[np.integer], at_once: int, photos: int, order: Order) -> None:
        super().__init__()
        self.chips = chips
        self.photos_of = [np.flatnonzero(people == person) for person in np.unique(people)]
        self.at_once = min(at_once, len(self.photos_of))
        self.photos = photos
        self.order = order

    def __len__(self) -> int:
        return self.order.steps

    def __getitem__(self, index: int) -> tuple[Pixels, NDArray[np.int32]]:
        random = self.order.random(index)
        chosen = random.choice(len(self.photos_of), self.at_once, replace=False)
        photos = np.concatenate([_draw(self.photos_of[person], self.photos, random) for person in chosen])
        views = random.integers(0, self.chips.pixels.shape[1], len(photos))
        return augment(self.chips.pixels[photos, views], random), np.repeat(chosen, self.photos).astype(np.int32)


class PhotoBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that show each photo once in an epoch: (chips [B, S, S, 3], the teacher's answers to them [B, D]).

    Chips are not mirrored here. Every second view is mirrored already, and the teacher has answered it as it is.
    """

    def __init__(self, chips: Chips, size: int, order: Order) -> None:
        super().__init__()
        self.chips = chips
        self.size = min(size, len(chips.photos))
        self.order = order

    def __len__(self) -> int:
        return self.order.steps

    def __getitem__(self, index: int) -> tuple[Pixels, NDArray[np.float32]]:
        shuffled = np.random.default_rng([self.order.seed, self.order.epoch]).permutation(len(self.chips.photos))
        photos = np.take(shuffled, np.arange(index * self.size, (index + 1) * self.size), mode="wrap")
        random = self.order.random(index)
        views = random.integers(0, self.chips.pixels.shape[1], len(photos))
        return augment(self.chips.pixels[photos, views], random, mirror=False), self.chips.answers[photos, views]


def augment(chips: NDArray[np.uint8], random: np.random.Generator, mirror: bool = True) -> Pixels:
    """Chips [B, S, S, 3], 0 to 255, changed at random: moved a little, in other light, some blurred, and half of them mirrored."""
    count, side = len(chips), chips.shape[1]
    reach = round(SHIFT * side)
    down, right = random.integers(-reach, reach + 1, (2, count, 1))
    rows = (np.arange(side) + down).clip(0, side - 1)
    columns = (np.arange(side) + right).clip(0, side - 1)
    if mirror:
        columns = np.where(random.random((count, 1)) < 0.5, columns[:, ::-1], columns)
    moved = chips[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]].astype(np.float32)
    gain, contrast = np.exp(random.normal(0, [[LIGHT], [CONTRAST]], (2, count))).astype(np.float32)[:, :, None, None, None]
    mean = moved.mean(axis=(1, 2, 3), keepdims=True)
    lit: Pixels = ((moved - mean) * contrast + mean) * gain
    blurred = random.random(count) < BLURRED
    lit[blurred] = _smoothed(lit[blurred])
    return lit.clip(0, 255)


def _smoothed(chips: Pixels) -> Pixels:
    """Chips blurred by the weights 1 : 2 : 1, down and across. Beyond the rim, its pixels are repeated."""
    for axis in (1, 2):
        padded = np.pad(chips, [(0, 0), *((1, 1) if i == axis else (0, 0) for i in (1, 2)), (0, 0)], mode="edge")
        length = chips.shape[axis]
        chips = sum(w * padded.take(range(i, i + length), axis) for i, w in enumerate(BINOMIAL))
    return chips


def _draw(photos: NDArray[np.intp], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """`count` of a person's photos, at random. None is taken twice before all have been taken once."""
    rounds = [random.permutation(photos) for _ in range(-(-count // len(photos)))]
    return np.concatenate(rounds)[:count]
