"""A class register as the page keeps it: who is enrolled, what that makes of the thresholds, and who is who in a photo.

People go by a key, as two pupils may bear one name. Answers are plain: numbers, text, lists, dictionaries.
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
RAREST = 1e-4  # a chance below this is not told: no class has photos enough to show it


class Register:
    """One class. keys: whose each photo is, [N]. embeddings: [N, D]."""

    def __init__(self, keys: Sequence[str], embeddings: NDArray[np.float32], cohort: Cohort | None, shipped: Thresholds) -> None:
        self._rows: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            self._rows.setdefault(key, []).append(row)
        self.gallery = Gallery({key: embeddings[rows] for key, rows in self._rows.items()}, cohort, shipped)
        self._limits = self.gallery.limits()

    def told(self) -> dict[str, Any]:
        """What the class tells of itself.

        sure_below, unknown_from: its thresholds. rate: false matches of one comparison that the first stands for.
        genuine, impostor: histograms, counts in bins of `step`. alike: pairs of keys with their distance, the nearest first.
        twice: such pairs that look like one person, enrolled under two names.
        odd: rows of photos that are not like the others of their person.
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
        """Who is who among the faces [F, D] of one photo, a dictionary each.

        key: None for nobody. answer: sure, unsure or unknown. distance: to the one named, or the nearest.
        runner_up: the key of somebody who is as near, or None.
        chance: that a stranger comes as near to anybody of the class. likely: every key with its distance, the nearest first.
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
        """By the normal tail that sets the thresholds, through both of them."""
        same, different = self._limits.same_below, self._limits.different_from
        low, high = NormalDist().inv_cdf(RATE), NormalDist().inv_cdf(10 * RATE)
        deviations = low + (distance - same) / max(different - same, 1e-6) * (high - low)
        one = NormalDist().cdf(deviations)
        return float(max(RAREST, 1 - (1 - one) ** len(self.gallery.names)))


RULES: tuple[str, ...] = (*get_args(Way), "original")
