"""Identification: five classifiers on the same embeddings, and how false names grow with the gallery.

A class has the 49 people of orl39 and lfw100, ten photos each. The six people of actors6 are measured apart: their photos are
harder, and there are more of them (only photos with exactly one face, no photo twice). Each draw enrols some photos of each
person and uses the others as probes. Distances are plain. Logistic regression and the SVM keep the settings of scikit-learn.

With strangers, on actors6 only: each draw leaves out a third of the people, whose photos become probes of strangers. Each
classifier gets the threshold on its score (nearness, probability or margin) that one percent of these probes reach over all draws.
The threshold is measured on the very strangers it is for, which favours all classifiers alike. A probe of an enrolled person
counts as named correctly if its score reaches the threshold and the name is right.

Growth: galleries of 50 to 4,000 people with one photo each, and the probes of people who are not among them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from export.cohort import group_of
from facelab.calibrate import without_duplicates
from facelab.verify import distance, distances_between

from .photos import look, photos_of, runtime_of
from .report import Axis, Chart, Curve, Report, Table, percent, spread, thinned
from .whom import CHILDREN, strangers_of

Points = NDArray[np.float32]
Labels = NDArray[np.intp]
Answer = tuple[Labels, NDArray[np.float64]]  # who, and how sure: higher is surer
Shares = dict[str, list[float]]  # by classifier, of each draw
Classifier = Callable[[Points, Labels, Points], Answer]  # enrolled [N, D], who they are 0, 1, 2 ... [N], asked about [M, D]

ENROLLED = (1, 3, 6)
MORE = (1, 2, 3, 6, 10, 15, 25, 40)
DRAWS = 20
NEIGHBOURS = 3
STRANGERS = 1 / 3
ACCEPTED = 0.01
SEED = 1
GALLERIES = (50, 100, 200, 500, 1000, 2000, 4000)


def measure(data: Path) -> Report:
    """The report on identification."""
    report = Report("python -m tests.experiments classifiers")
    a_class, actors = _join(_faces(data / "orl39"), _faces(data / "lfw100")), _faces(data / "actors6")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of many people with few photos each
        report.tables["actors with strangers"] = _table([_named_but_strangers(*actors, count) for count in ENROLLED])
        report.charts["actors"] = _by_enrolled(*actors)
        shares = [np.mean(share) for count in ENROLLED for share in _named(*a_class, count).values()]
        report.values["class least"] = percent(float(min(shares)), 1)
    _growth(report, data, *a_class)
    return report


def nearest_neighbour(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person of the nearest enrolled photo."""
    apart = _all_distances(asked, enrolled)
    return who[apart.argmin(axis=1)], -apart.min(axis=1)


def vote(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person with most of the nearest NEIGHBOURS photos, and how near their nearest one is. A tie goes to the nearest photo."""
    apart = _all_distances(asked, enrolled)
    nearest = np.argsort(apart, axis=1)[:, :NEIGHBOURS]
    votes = (who[nearest][:, :, None] == who[nearest][:, None, :]).sum(axis=2)
    winner = nearest[np.arange(len(asked)), votes.argmax(axis=1)]  # argmax takes the first, the nearest, of equals
    return who[winner], -apart[np.arange(len(asked)), winner]


def nearest_mean(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person whose mean embedding is nearest."""
    means = np.stack([enrolled[who == person].mean(axis=0) for person in range(who.max() + 1)])
    apart = _all_distances(asked, means)
    return apart.argmin(axis=1), -apart.min(axis=1)


def logistic_regression(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The most probable person, and the probability."""
    chances = LogisticRegression(max_iter=1000).fit(enrolled, who).predict_proba(asked)
    return chances.argmax(axis=1), chances.max(axis=1)


def linear_svm(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person on whose side of their own hyperplane (each against all others) the photo lies farthest, and how far."""
    margins = LinearSVC().fit(enrolled, who).decision_function(asked)
    return margins.argmax(axis=1), margins.max(axis=1)


CLASSIFIERS: dict[str, Classifier] = {
    "Nearest photo": nearest_neighbour,
    f"Vote of the {NEIGHBOURS} nearest": vote,
    "Nearest mean": nearest_mean,
    "Logistic regression": logistic_regression,
    "Linear SVM": linear_svm,
}


def _all_distances(a: Points, b: Points) -> NDArray[np.float64]:
    return distance(a[:, None], b[None])


def _faces(folder: Path) -> tuple[Points, Labels]:
    """The embeddings of a folder [N, D], and a number for each person [N]."""
    seen = look(photos_of(folder), folder.name)
    seen = seen.take(seen.faces == 1 if folder.name == "actors6" else seen.faces > 0)
    if folder.name == "actors6":
        seen = seen.take(without_duplicates(seen.embeddings))
    return seen.embeddings, np.unique(seen.people, return_inverse=True)[1]


def _join(a: tuple[Points, Labels], b: tuple[Points, Labels]) -> tuple[Points, Labels]:
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1] + a[1].max() + 1])


def _draw(who: Labels, enrolled: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which photos are enrolled, as a mask [N]: the same count for each person."""
    chosen = np.zeros(len(who), bool)
    for person in np.unique(who):
        chosen[random.permutation(np.flatnonzero(who == person))[:enrolled]] = True
    return chosen


def _named(embeddings: Points, who: Labels, enrolled: int) -> Shares:
    """The share named correctly in each draw."""
    random = np.random.default_rng(SEED)
    right: Shares = {name: [] for name in CLASSIFIERS}
    for _ in range(DRAWS):
        chosen = _draw(who, enrolled, random)
        for name, classify in CLASSIFIERS.items():
            named, _sure = classify(embeddings[chosen], who[chosen], embeddings[~chosen])
            right[name].append(float((named == who[~chosen]).mean()))
    return right


def _named_but_strangers(embeddings: Points, who: Labels, enrolled: int) -> Shares:
    """The share of enrolled people's probes named correctly in each draw, where ACCEPTED of the strangers' probes are named."""
    random = np.random.default_rng(SEED)
    known: dict[str, list[NDArray[np.float64]]] = {name: [] for name in CLASSIFIERS}  # how sure, where right
    strangers: dict[str, list[NDArray[np.float64]]] = {name: [] for name in CLASSIFIERS}
    for _ in range(DRAWS):
        people = random.permutation(who.max() + 1)
        strange = np.isin(who, people[: round(STRANGERS * len(people))])
        faces, names = embeddings[~strange], np.unique(who[~strange], return_inverse=True)[1]
        chosen = _draw(names, enrolled, random)
        for name, classify in CLASSIFIERS.items():
            named, sure = classify(faces[chosen], names[chosen], faces[~chosen])
            known[name].append(np.where(named == names[~chosen], sure, -np.inf))
            strangers[name].append(classify(faces[chosen], names[chosen], embeddings[strange])[1])
    least = {name: np.quantile(np.concatenate(strangers[name]), 1 - ACCEPTED) for name in CLASSIFIERS}
    return {name: [float((sure > least[name]).mean()) for sure in known[name]] for name in CLASSIFIERS}


def _table(by_count: Sequence[Shares]) -> Table:
    columns = ["Classifier", *(f"{count} enrolled" for count in ENROLLED)]
    return Table(columns, [[name, *(spread(shares[name], 1) for shares in by_count)] for name in CLASSIFIERS])


def _by_enrolled(embeddings: Points, who: Labels) -> Chart:
    by_count = [_named(embeddings, who, count) for count in MORE]
    return Chart(
        "Share of faces named correctly against the number of photos enrolled. All five rise from 95 to 99 percent. The nearest "
        "neighbour and the vote stay lowest; the mean, logistic regression and the SVM lie close together.",
        Axis("photos enrolled of each person", log=True),
        Axis("named correctly", percent=True),
        [
            Curve(name, thinned(np.array(MORE)), thinned(np.array([np.mean(shares[name]) for shares in by_count])))
            for name in CLASSIFIERS
        ],
    )


def _growth(report: Report, data: Path, known: Points, who: Labels) -> None:
    """False positive and false negative identifications at the threshold for "same", by the size of the gallery.

    A gallery holds one photo of each person: those of orl39 and lfw100, whose other photos are the probes of enrolled people, and
    adults of UTKFace. Other adults of UTKFace are the probes of people who are not enrolled.
    """
    seen = strangers_of(data / "utk9k")
    adults = seen.embeddings[[group_of(photo.name) not in CHILDREN for photo in seen.photos]]
    random = np.random.default_rng(SEED)
    same = runtime_of(None).manifest.embedder.calibration.good.same_below
    people = int(who.max()) + 1
    asked = len(adults) - (GALLERIES[-1] - people)
    found: dict[int, list[tuple[float, float, float]]] = {size: [] for size in GALLERIES}
    for _ in range(DRAWS):
        chosen = _draw(who, 1, random)
        enrolled, probes, names = known[chosen][np.argsort(who[chosen])], known[~chosen], who[~chosen]
        order = random.permutation(len(adults))
        gallery = np.concatenate([enrolled, adults[order[asked:]]])
        outside, inside = distances_between(adults[order[:asked]], gallery), distances_between(probes, gallery)
        for size in GALLERIES:
            matched = outside[:, :size] < same
            nearest = inside[:, :size].argmin(axis=1)
            right = (nearest == names) & (inside[np.arange(len(names)), nearest] < same)
            found[size].append((float(matched.any(axis=1).mean()), float(matched.mean()), float(1 - right.mean())))
    rows = []
    for size, draws in found.items():
        fpir, fmr, fnir = np.mean(draws, axis=0)
        rows.append([f"{size:,}", percent(fpir), percent(1 - (1 - fmr) ** size), percent(fnir)])
    report.values[f"growth {size:,}"] = percent(fpir, 1)  # of the last gallery, which is the largest
    report.values |= {"growth probes": str(asked), "growth fmr": percent(fmr, 4)}
    report.tables["growth"] = Table(["Enrolled people", "FPIR, measured", "FPIR, by the formula", "FNIR, measured"], rows)
