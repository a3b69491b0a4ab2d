"""Thresholds for stated false-match rates on the worst group, and what a distance says about the odds.

A false-match rate (FMR) is the share of pairs of different people that are closer than a threshold. It is measured within groups of
people of like age, sex and ancestry, as strangers of one group are the hardest to tell apart, and the worst group decides.
Intervals are 95 %, by bootstrap over people, not pairs: each person is in many pairs. What a threshold keeps of its promise is
reported on people who were not used to set it (`held_out`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort, crowdedness, normalised
from .models import Embedder
from .verify import distance

Scores = NDArray[np.float64]

RATES = (1e-4, 1e-3, 1e-2, 1e-1)
DUPLICATE = 0.25  # a plain distance below which two photos are taken to show the same person
LEAST_PEOPLE = 100  # a smaller group has too few pairs to show a rate of 1e-3
RESAMPLES = 200
SEED = 1
SPLITS = 5
PROMISE = 1e-3  # the one of RATES whose threshold ends the answer "same"


@dataclass(frozen=True)
class Strangers:
    """Pairs of different people within one group.

    scores: [pairs]. first, second: [pairs], the two people of each pair, as indices below `people`.
    """

    people: int
    scores: Scores
    first: NDArray[np.intp]
    second: NDArray[np.intp]

    def of(self, chosen: NDArray[np.bool_]) -> Strangers:
        """The pairs in which both people are chosen, renumbered. chosen: bool [people]."""
        kept, places = chosen[self.first] & chosen[self.second], np.cumsum(chosen) - 1
        return Strangers(int(chosen.sum()), self.scores[kept], places[self.first[kept]], places[self.second[kept]])

    def without(self, pairs: Collection[tuple[int, int]]) -> Strangers:
        """All pairs except these, which are given with the lower index first."""
        left_out = {first * self.people + second for first, second in pairs}
        kept = ~np.isin(self.first * self.people + self.second, list(left_out))
        return Strangers(self.people, self.scores[kept], self.first[kept], self.second[kept])


def duplicate_limit(embedder: Embedder) -> float:
    """DUPLICATE converted to an embedder's own scale, by the ratio of its plain threshold to 0.6, the default embedder's."""
    return DUPLICATE * (embedder.plain_threshold / 0.6)


def without_duplicates(embeddings: NDArray[np.floating], closer: float = DUPLICATE) -> NDArray[np.intp]:
    """Indices of photos such that no two of them are closer than the limit."""
    kept: list[int] = []
    for index, embedding in enumerate(embeddings):
        if not kept or float(distance(embeddings[kept], embedding).min()) >= closer:
            kept.append(index)
    return np.array(kept, np.intp)


def pairs_of_strangers(embeddings: NDArray[np.floating], cohort: Cohort | None) -> Strangers:
    """All pairs of a group's faces [N, D], each face of a different person. Without a cohort, the distances are plain."""
    first, second = np.triu_indices(len(embeddings), 1)
    scores = _pair_distances(embeddings, first, second)
    if cohort:
        around = crowdedness(embeddings, cohort)
        scores = normalised(scores, around[first], around[second], cohort)
    return Strangers(len(embeddings), scores, first, second)


def _pair_distances(embeddings: NDArray[np.floating], first: NDArray[np.intp], second: NDArray[np.intp]) -> Scores:
    blocks = [distance(embeddings[first[i : i + 65536]], embeddings[second[i : i + 65536]]) for i in range(0, len(first), 65536)]
    return np.concatenate(blocks) if blocks else np.empty(0)


def worst_threshold(groups: Mapping[str, Strangers], rate: float) -> float:
    """The largest threshold at which no group of LEAST_PEOPLE or more exceeds a false-match rate."""
    return min(float(np.quantile(g.scores, rate, method="lower")) for g in groups.values() if g.people >= LEAST_PEOPLE)


def false_match_rate(group: Strangers, threshold: float) -> tuple[float, tuple[float, float]]:
    """The FMR of a group at a threshold, with its interval."""
    close = np.flatnonzero(group.scores < threshold)
    random = np.random.default_rng(SEED)
    rates = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        times = np.bincount(random.integers(0, group.people, group.people), minlength=group.people).astype(np.float64)
        pairs = (times.sum() ** 2 - (times**2).sum()) / 2  # a person who is drawn twice does not form a pair with themselves
        rates[i] = (times[group.first[close]] * times[group.second[close]]).sum() / pairs
    low, high = np.quantile(rates, [0.025, 0.975])
    return len(close) / max(len(group.scores), 1), (float(low), float(high))


def held_out(
    groups: Mapping[str, Strangers],
    genuine: Mapping[str, Scores],
    rate: float = PROMISE,
    seeds: Sequence[int] = range(1, SPLITS + 1),
) -> dict[str, Any]:
    """What the threshold of a rate achieves on people who were not used to set it: means and standard deviations over splits.

    groups: the groups that decide. genuine: the scores of pairs of one person, by set of photos. Each split halves the people of
    every group. The first halves set the threshold, by the worst of those with LEAST_PEOPLE or more; the second halves of that size
    give the rates.
    """
    thresholds, worst = [], []
    costs: dict[str, list[float]] = {name: [] for name in genuine}
    for seed in seeds:
        random = np.random.default_rng(seed)
        fitted, told = {}, {}
        for name, group in groups.items():
            half = np.zeros(group.people, bool)
            half[random.permutation(group.people)[: group.people // 2]] = True
            fitted[name], told[name] = group.of(half), group.of(~half)
        threshold = worst_threshold(fitted, rate)
        thresholds.append(threshold)
        worst.append(max(float((g.scores < threshold).mean()) for g in told.values() if g.people >= LEAST_PEOPLE))
        for name, scores in genuine.items():
            costs[name].append(float((scores >= threshold).mean()))

    def spread(values: Sequence[float]) -> list[float]:
        return [round(float(np.mean(values)), 6), round(float(np.std(values)), 6)]

    return {
        "splits": len(seeds),
        "threshold": spread(thresholds),
        "worst": spread(worst),
        "fnmr": {name: spread(values) for name, values in costs.items()},
    }


def fit_log_odds(genuine: Scores, impostor: Scores) -> tuple[float, float]:
    """Slope and intercept of log(likelihood of one person / likelihood of two) as a linear function of the score.

    This is logistic regression in which both kinds of pairs have the same total weight: Brümmer and du Preez,
    "Application-independent evaluation of speaker detection", Computer Speech and Language 20, 2006, doi:10.1016/j.csl.2005.08.001.
    The problem is convex, so Newton's method finds the minimum.
    """
    x = np.concatenate([genuine, impostor])
    y = np.concatenate([np.ones(len(genuine)), np.zeros(len(impostor))])
    weight = np.concatenate([np.full(len(genuine), 1 / len(genuine)), np.full(len(impostor), 1 / len(impostor))])
    design = np.stack([x, np.ones(len(x))], axis=1)
    line = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ line))
        gradient = design.T @ (weight * (chance - y))
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + 1e-9 * np.eye(2)
        line -= np.linalg.solve(curvature, gradient)
    return float(line[0]), float(line[1])


def calibrate(groups: Mapping[str, Strangers], deciding: Mapping[str, Strangers], genuine: Mapping[str, Scores]) -> dict[str, Any]:
    """The manifest's calibration: the thresholds for RATES, the price of each, and the log-odds line.

    groups: every group that is reported. deciding: the groups whose worst rate sets the thresholds. genuine: the scores of pairs of
    one person, by set of photos, because the price of a threshold depends on the photos.
    """
    rates: dict[str, dict[str, Any]] = {}
    for rate in RATES:
        threshold = math.floor(worst_threshold(deciding, rate) * 1e4) / 1e4  # rounded down, so that the promise still holds
        measured = {name: false_match_rate(group, threshold) for name, group in groups.items()}
        rates[f"{rate:.0e}"] = {
            "threshold": threshold,
            "fmr": {name: [round(value, 7), *(round(end, 7) for end in interval)] for name, (value, interval) in measured.items()},
            "fnmr": {name: round(float((scores >= threshold).mean()), 5) for name, scores in genuine.items()},
        }
    at = [rates[f"{rate:.0e}"]["threshold"] for rate in RATES]
    worst = min(deciding.values(), key=lambda group: float(np.quantile(group.scores, 1e-3)))
    return {
        "good": {"same_below": at[1], "different_from": at[2]},
        "poor": {"same_below": at[0], "different_from": at[3]},
        "log_odds": [round(value, 4) for value in fit_log_odds(np.concatenate(list(genuine.values())), worst.scores)],
        "rates": rates,
        "held_out": held_out(deciding, genuine),
    }


def fit_normal_tail(impostor: Scores, rate: float) -> float:
    """The threshold with a stated FMR, estimated from few scores by a normal distribution fitted to their lower half.

    Distances between strangers are nearly normal (Daugman, "How iris recognition works", IEEE TCSVT 14(1), 2004,
    doi:10.1109/TCSVT.2003.818350, for another biometric). Only the lower half sets the spread, because only the lower tail matters.
    """
    middle = float(np.median(impostor))
    # 5 % of a normal distribution lie more than this many deviations below its mean
    spread = (middle - float(np.quantile(impostor, 0.05))) / 1.6449
    return middle + NormalDist().inv_cdf(rate) * spread
