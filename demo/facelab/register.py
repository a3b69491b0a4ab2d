"""A class register as the page keeps it: the enrolled people, their thresholds, and the names of the faces in a photo.

People are identified by a key, because two pupils may have the same name. Answers are plain: numbers, text, lists, dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort
from .identify import (
    RATE,
    Gallery,
    Way,
    enrolled_twice,
    genuine_scores,
    identify,
    identify_as_the_original,
    impostor_scores,
    most_alike,
    scores,
    unlike_the_rest,
)
from .models import Thresholds

Rule = Way | Literal["original"]

BINS = np.linspace(0, 1.6, 81)
RAREST = 1e-4  # a smaller chance is not stated: no class has enough photos to show it


class Register:
    """One class. keys: the person on each photo, [N]. embeddings: [N, D]."""

    def __init__(self, keys: Sequence[str], embeddings: NDArray[np.float32], cohort: Cohort | None, shipped: Thresholds) -> None:
        self._rows: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            self._rows.setdefault(key, []).append(row)
        self.gallery = Gallery({key: embeddings[rows] for key, rows in self._rows.items()}, cohort, shipped)
        self._limits = self.gallery.limits()

    def told(self) -> dict[str, Any]:
        """A description of the class.

        sure_below, unknown_from: its thresholds. rate: the FMR of one comparison at the first of them. genuine, impostor:
        histograms, as counts in bins of `step`. alike: pairs of keys with their distance, the nearest first. twice: pairs among
        them that look like one person enrolled under two names. odd: the rows of photos unlike the others of their person.
        """
        genuine, impostor = genuine_scores(self.gallery), impostor_scores(self.gallery)
        return {
            "people": len(self.gallery.names),
            "photos": sum(map(len, self._rows.values())),
            "sure_below": self._limits.same_below,
            "unknown_from": self._limits.different_from,
            "rate": RATE,
            "step": float(BINS[1]),
            "genuine": np.histogram(genuine.clip(0, BINS[-1]), BINS)[0].tolist(),
            "impostor": np.histogram(impostor.clip(0, BINS[-1]), BINS)[0].tolist(),
            "alike": [list(pair) for pair in most_alike(self.gallery)],
            "twice": [list(pair) for pair in enrolled_twice(self.gallery)],
            "odd": [self._rows[key][which] for key, which in unlike_the_rest(self.gallery)],
        }

    def who(self, faces: NDArray[np.float32], rule: Rule = "template") -> list[dict[str, Any]]:
        """A dictionary for each of the faces [F, D] of one photo.

        key: the person named, or None. answer: sure, unsure or unknown. distance: to the person named, or else to the nearest.
        runner_up: the key of a person who is about as near, or None. chance: how likely a stranger comes this near to anybody in
        the class. likely: every key with its distance, the nearest first.
        """
        way: Way = "template" if rule == "original" else rule
        named = identify_as_the_original(self.gallery, faces) if rule == "original" else identify(self.gallery, faces, way=way)
        table = scores(self.gallery, faces, way)
        return [
            {
                "key": one.name,
                "answer": one.answer,
                "runner_up": one.runner_up,
                "distance": one.distance if np.isfinite(one.distance) else None,
                "chance": self._chance(one.distance) if np.isfinite(one.distance) and rule == "template" else None,
                "likely": [[self.gallery.names[i], float(row[i])] for i in np.argsort(row, kind="stable")],
            }
            for one, row in zip(named, table, strict=True)
        ]

    def _chance(self, distance: float) -> float:
        """The chance by the normal tail that passes through both thresholds."""
        same, different = self._limits.same_below, self._limits.different_from
        low, high = NormalDist().inv_cdf(RATE), NormalDist().inv_cdf(10 * RATE)
        deviations = low + (distance - same) / max(different - same, 1e-6) * (high - low)
        one = NormalDist().cdf(deviations)
        return float(max(RAREST, 1 - (1 - one) ** len(self.gallery.names)))


RULES: tuple[str, ...] = (*get_args(Way), "original")
