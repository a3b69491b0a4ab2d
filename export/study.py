"""`python -m export.study FACES GENUINE.csv`: whom the embedder confuses, before and after normalising, over several splits.

The people of a folder are split by seed: half make a cohort, the other half is the test, and nobody is in both. Each score gets
its own threshold for the same share of false non-matches on the genuine pairs; the table tells the false matches within each
group. A second table tells what the strictest promise costs: thresholds for 0.1 % false matches in the worst group.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.calibrate import LEAST_PEOPLE, Strangers, pairs_of_strangers, worst_threshold
from facelab.cohort import Cohort, crowdedness, normalised
from facelab.easy import largest_face
from facelab.errors import FacelabError
from facelab.evaluate import best_accuracy
from facelab.verify import distance

from .cohort import build_cohort, read_faces, split

Scores = NDArray[np.float64]

FNMR = 0.02
CHILDREN = ("aged 0 to 3", "aged 4 to 9", "aged 10 to 17")


class Pairs:
    """Labelled pairs of a set of photos, and their distances, plain or normalised."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = sorted({name for row in rows for name in (row["a"], row["b"])})
        number = {name: index for index, name in enumerate(names)}
        self.embeddings = np.stack([largest_face(path.parent / name).embedding for name in tqdm(names, desc="pairs", disable=None)])
        self.a = np.array([number[row["a"]] for row in rows])
        self.b = np.array([number[row["b"]] for row in rows])
        self.same = np.array([row["same"] == "1" for row in rows])
        self.plain = distance(self.embeddings[self.a], self.embeddings[self.b])

    def scores(self, cohort: Cohort | None) -> Scores:
        if cohort is None:
            return self.plain
        around = crowdedness(self.embeddings, cohort)
        return normalised(self.plain, around[self.a], around[self.b], cohort)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m export.study", description=__doc__)
    parser.add_argument("faces", type=Path, help="photos, each of another person, with UTKFace's names")
    parser.add_argument("genuine", type=Path, nargs="+", help="CSV files a,b,same; the first sets the thresholds")
    parser.add_argument("--same", type=Path, help="CSV a,b: pairs of FACES known to show one person")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    try:
        faces = read_faces(arguments.faces, arguments.same)
        sets = [Pairs(path) for path in arguments.genuine]
    except (FacelabError, OSError) as error:
        print(f"study: {error}", file=sys.stderr)
        return 2
    print(f"{len(faces.names)} people after duplicates were left out\n")

    fmr: dict[str, dict[str, list[float]]] = {"plain": {}, "normalised": {}}
    cost: dict[str, list[list[float]]] = {"plain": [], "normalised": []}
    for seed in range(1, arguments.seeds + 1):
        inside, outside = split(len(faces.names), 0.5, seed)
        table, settings = build_cohort(faces.embeddings[inside], faces.embeddings[outside], seed)
        shipped = table[: 150_000 // table.shape[1]]  # what fits into the size that ships
        step = np.float32(settings["step"])
        cohort = Cohort(shipped.astype(np.float32) * step, settings["neighbours"], settings["weight"], settings["centre"])
        test = faces.take(outside)
        for name, used in (("plain", None), ("normalised", cohort)):
            groups = _groups(test.embeddings, test.groups, used)
            scores = [pairs.scores(used) for pairs in sets]
            at = float(np.quantile(scores[0][sets[0].same], 1 - FNMR))
            for group, strangers in groups.items():
                fmr[name].setdefault(group, []).append(float((strangers.scores < at).mean()))
            strict = worst_threshold({g: s for g, s in groups.items() if g not in CHILDREN}, 1e-3)
            costs = [float((s[pairs.same] >= strict).mean()) for s, pairs in zip(scores, sets, strict=True)]
            best = best_accuracy(np.sort(scores[0][sets[0].same]), np.sort(scores[0][~sets[0].same]))[1]
            cost[name].append([*costs, best])
    _print_rates(fmr, {g: s.people for g, s in groups.items()})
    _print_costs(cost, [path.stem for path in arguments.genuine])
    return 0


def _groups(embeddings: NDArray[np.float32], groups: Sequence[str], cohort: Cohort | None) -> dict[str, Strangers]:
    named = np.array(groups)
    return {group: pairs_of_strangers(embeddings[named == group], cohort) for group in sorted(set(groups) - {""})}


def _print_rates(fmr: Mapping[str, Mapping[str, Sequence[float]]], people: Mapping[str, int]) -> None:
    print(f"False matches within a group at {FNMR:.0%} false non-matches, mean and spread over the splits\n")
    print("| group | people | plain | normalised |")
    print("|---|---|---|---|")
    for group in sorted(people, key=lambda g: (g in CHILDREN, g)):
        plain, after = (
            f"{100 * np.mean(fmr[kind][group]):.3f} ± {100 * np.std(fmr[kind][group]):.3f} %" for kind in ("plain", "normalised")
        )
        print(f"| {group}{'' if people[group] >= LEAST_PEOPLE else ' (few)'} | {people[group]} | {plain} | {after} |")


def _print_costs(cost: Mapping[str, Sequence[Sequence[float]]], names: Sequence[str]) -> None:
    print("\nFalse non-matches at 0.1 % false matches in the worst adult group of 100 people or more\n")
    print(f"| score | {' | '.join(names)} | best accuracy on {names[0]} |")
    print("|---|" + "---|" * (len(names) + 1))
    for kind, rows in cost.items():
        means, spreads = np.mean(rows, axis=0), np.std(rows, axis=0)
        print(f"| {kind} | " + " | ".join(f"{100 * m:.2f} ± {100 * s:.2f} %" for m, s in zip(means, spreads, strict=True)) + " |")


if __name__ == "__main__":
    sys.exit(main())
