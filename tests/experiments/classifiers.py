"""Who is it? Five classifiers on the same embeddings, with one, three and six photos of each person enrolled.

A class: the 49 people of orl39 and lfw100, ten photos each; and apart from them the six of actors6, harder photos and more of them
(only those with exactly one face, none twice). Some photos of each person, drawn anew many times, are enrolled; the rest are
asked about. Distances are plain, and the two that learn, from scikit-learn, are as it sets them up: none is tuned.

With strangers: a third of the people, drawn with the photos, is not enrolled. A classifier then has to say "nobody" as well: below
a score (nearness, probability or margin) that one percent of the strangers' photos of all draws reach. That threshold is measured
on the strangers that it is for, which is kind to all alike. A known face counts as named rightly where its score reaches it and
the name is right.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from facelab.calibrate import without_duplicates
from facelab.verify import distance

from .photos import look, photos_of
from .report import Axis, Chart, Curve, Report, Table, spread, thinned

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


def measure(data: Path) -> Report:
    """The report on who it is."""
    report = Report("python -m tests.experiments classifiers")
    a_class, actors = _join(_faces(data / "orl39"), _faces(data / "lfw100")), _faces(data / "actors6")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of many people with few photos each
        for name, (embeddings, who) in {"class": a_class, "actors": actors}.items():
            report.values |= {f"{name} photos": str(len(embeddings)), f"{name} people": str(who.max() + 1)}
            report.values[f"{name} strangers"] = str(round(STRANGERS * (who.max() + 1)))
            report.tables[name] = _table([_named(embeddings, who, count) for count in ENROLLED])
            report.tables[f"{name} with strangers"] = _table([_named_but_strangers(embeddings, who, count) for count in ENROLLED])
        report.charts["actors"] = _by_enrolled(*actors)
    report.values |= {"draws": str(DRAWS), "neighbours": str(NEIGHBOURS)}
    return report


def nearest_neighbour(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person of the nearest enrolled photo."""
    apart = _all_distances(asked, enrolled)
    return who[apart.argmin(axis=1)], -apart.min(axis=1)


def vote(enrolled: Points, who: Labels, asked: Points) -> Answer:
    """The person with most of the nearest NEIGHBOURS photos; of equals the one with the nearest. As sure as that photo is near."""
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
    """The person whose hyperplane, each against all others, has the photo farthest on its side; how far."""
    margins = LinearSVC().fit(enrolled, who).decision_function(asked)
    return margins.argmax(axis=1), margins.max(axis=1)


CLASSIFIERS: dict[str, Classifier] = {
    "Nearest neighbour": nearest_neighbour,
    f"Vote of the {NEIGHBOURS} nearest": vote,
    "Nearest mean": nearest_mean,
    "Logistic regression": logistic_regression,
    "Linear SVM": linear_svm,
}


def _all_distances(a: Points, b: Points) -> NDArray[np.float64]:
    return distance(a[:, None], b[None])


def _faces(folder: Path) -> tuple[Points, Labels]:
    """Embeddings and who they are, as a number each."""
    seen = look(photos_of(folder), folder.name)
    seen = seen.take(seen.faces == 1 if folder.name == "actors6" else seen.faces > 0)
    if folder.name == "actors6":
        seen = seen.take(without_duplicates(seen.embeddings))
    return seen.embeddings, np.unique(seen.people, return_inverse=True)[1]


def _join(a: tuple[Points, Labels], b: tuple[Points, Labels]) -> tuple[Points, Labels]:
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1] + a[1].max() + 1])


def _draw(who: Labels, enrolled: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which photos are enrolled: so many of each person."""
    chosen = np.zeros(len(who), bool)
    for person in np.unique(who):
        chosen[random.permutation(np.flatnonzero(who == person))[:enrolled]] = True
    return chosen


def _named(embeddings: Points, who: Labels, enrolled: int) -> Shares:
    """The share named rightly."""
    random = np.random.default_rng(SEED)
    right: Shares = {name: [] for name in CLASSIFIERS}
    for _ in range(DRAWS):
        chosen = _draw(who, enrolled, random)
        for name, classify in CLASSIFIERS.items():
            named, _sure = classify(embeddings[chosen], who[chosen], embeddings[~chosen])
            right[name].append(float((named == who[~chosen]).mean()))
    return right


def _named_but_strangers(embeddings: Points, who: Labels, enrolled: int) -> Shares:
    """The share of known faces named rightly, where ACCEPTED of the strangers' are named."""
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
        "Share of faces named rightly against the number of photos enrolled. All five rise from 95 to 99 percent. The nearest "
        "neighbour and the vote stay lowest; the mean, logistic regression and the SVM lie close together.",
        Axis("photos enrolled of each person", log=True),
        Axis("named rightly", percent=True),
        [
            Curve(name, thinned(np.array(MORE)), thinned(np.array([np.mean(shares[name]) for shares in by_count])))
            for name in CLASSIFIERS
        ],
    )
