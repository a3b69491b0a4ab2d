"""Face identification: which of the enrolled people is this, if any of them?

A gallery holds people by name, each known from a few photos. A probe is scored against everyone; within one photo each person is
given to one face at most, and a face to nobody where nobody is near enough. So "unknown" is an answer, and "unsure" is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .calibrate import fit_normal_tail
from .cohort import Cohort, crowdedness, normalised
from .errors import InputError
from .models import Thresholds
from .verify import distance, distances_between

Scores = NDArray[np.float64]
Way = Literal["template", "nearest", "mean"]

RATE = 3e-4  # false matches of one comparison: with thirty enrolled, a stranger is named once in a hundred times
PRIOR_PEOPLE = 10  # a class of so many counts as much as the shipped calibration


@dataclass(frozen=True)
class Gallery:
    """People by name. embeddings: name -> [K, D], K at least 1. cohort: by which distances are normalised, None: plain ones.

    shipped: the embedder's thresholds for two single photos.
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    cohort: Cohort | None
    shipped: Thresholds

    def __post_init__(self) -> None:
        if empty := [name for name, known in self.embeddings.items() if not len(known)]:
            raise InputError(f"no photo of {empty[0]} is enrolled: add one, or leave the name out")

    @property
    def names(self) -> list[str]:
        """Whom the columns of `scores` are about."""
        return list(self.embeddings)

    @cached_property
    def templates(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Everyone's template [P, D] and its crowdedness [P]."""
        made = [template(known, self.around(known)) for known in self.embeddings.values()]
        return np.stack([mean for mean, _ in made]), np.array([around for _, around in made])

    def around(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """The crowdedness of embeddings [N, D]: [N]; zeros without a cohort."""
        return crowdedness(embeddings, self.cohort) if self.cohort else np.zeros(len(embeddings))

    def judged(self, plain: Scores, a: NDArray[np.floating] | float, b: NDArray[np.floating] | float) -> Scores:
        """Distances, normalised where there is a cohort."""
        return normalised(plain, a, b, self.cohort) if self.cohort else plain


@dataclass(frozen=True)
class Named:
    """Who a face is. name: None for nobody enrolled. answer: how sure. distance: to the person named, or else to the nearest."""

    name: str | None
    answer: Literal["sure", "unsure", "unknown"]
    distance: float
    nearest: str | None


def template(embeddings: NDArray[np.floating], around: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
    """One embedding that stands for a person, and its crowdedness, from their photos' embeddings [N, D] and theirs [N].

    The mean lies nearer to the next photo of the same person than single ones do, as what pose, light and age did to each goes out.
    How crowded it is around the person the photos tell, not the mean: means lie farther in, as the cohort's composites do.
    """
    mean: NDArray[np.float32] = np.asarray(embeddings, np.float32).mean(axis=0)
    return mean, float(np.mean(around))


def scores(gallery: Gallery, probes: NDArray[np.floating], way: Way = "template") -> Scores:
    """The distance of every probe [N, D] to every person: [N, P].

    way: to the person's template (as the demo does), the nearest of their photos, or the mean over their photos.
    """
    if not gallery.names:
        return np.empty((len(probes), 0))
    asked = gallery.around(probes)[:, None]
    if way == "template":
        points, around = gallery.templates
        return gallery.judged(distances_between(probes, points), asked, around)
    columns = []
    for known in gallery.embeddings.values():
        each = gallery.judged(distances_between(probes, known), asked, gallery.around(known))
        columns.append(each.min(axis=1) if way == "nearest" else each.mean(axis=1))
    return np.stack(columns, axis=1)


def identify(
    gallery: Gallery, probes: NDArray[np.floating], limits: Thresholds | None = None, way: Way = "template"
) -> list[Named]:
    """Who is who among the faces [N, D] of one photo: no person is named twice. limits: None: the gallery's own."""
    limits = limits or class_thresholds(gallery, way=way)
    table = scores(gallery, probes, way)
    people = assign(table, limits.different_from)
    answers = []
    for row, person in zip(table, people, strict=True):
        nearest = int(row.argmin()) if len(row) else None
        if person is None:
            at = float(row[nearest]) if nearest is not None else float("inf")
            answers.append(Named(None, "unknown", at, gallery.names[nearest] if nearest is not None else None))
        else:
            sure = row[person] < limits.same_below
            answers.append(Named(gallery.names[person], "sure" if sure else "unsure", float(row[person]), gallery.names[person]))
    return answers


def identify_as_the_original(gallery: Gallery, probes: NDArray[np.floating]) -> list[Named]:
    """The rule of the system that this book grew out of, to be compared with: the nearest photo below a fixed plain distance.

    Where most faces of a group photo are far from everyone enrolled, the photo is taken for another class's, and a stricter
    distance holds: here the two shipped thresholds. There is no third answer, and a name may be given twice.
    """
    table, shipped = scores(gallery, probes, "nearest"), gallery.shipped
    if not table.size:
        return [Named(None, "unknown", float("inf"), None) for _ in probes]
    person, least = table.argmin(axis=1), table.min(axis=1)
    limit = shipped.different_from if np.median(least) < shipped.different_from else shipped.same_below
    return [
        Named(gallery.names[who] if at < limit else None, "sure" if at < limit else "unknown", float(at), gallery.names[who])
        for who, at in zip(person, least, strict=True)
    ]


def assign(table: Scores, limit: float) -> list[int | None]:
    """For each face (row) a person (column) or None, so that the sum of distances is least; nobody costs `limit`.

    table: [N, P]. Each face may also be nobody, in a column of its own, so there are always enough columns.
    """
    faces, people = table.shape
    if not faces:
        return []
    nobody = np.where(np.eye(faces, dtype=bool), limit, np.inf)
    chosen = cheapest(np.concatenate([np.minimum(table, 1e6), np.minimum(nobody, 1e6)], axis=1))
    return [int(column) if column < people else None for column in chosen]


def cheapest(cost: Scores) -> NDArray[np.intp]:
    """For each row a column of its own, so that the sum of costs is least. cost: [N, M], finite, N at most M.

    The Hungarian method by shortest augmenting paths: Jonker and Volgenant, Computing 38, 1987, doi:10.1007/BF02278710. O(N^2 M).
    """
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for row in range(rows):
        reached, came_from = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns, bool)
        here, column, at = row, -1, 0.0
        while True:
            step = at + cost[here] - row_price[here] - column_price
            nearer = ~done & (step < reached)
            reached[nearer], came_from[nearer] = step[nearer], column
            column = int(np.where(done, np.inf, reached).argmin())
            at = reached[column]
            done[column] = True
            if owner[column] < 0:
                break
            here = owner[column]
        passed = done & (reached < at)
        row_price[row] += at
        row_price[owner[passed]] += at - reached[passed]
        column_price[passed] -= at - reached[passed]
        while column >= 0:  # hand each column on the path to the row that came before
            before = came_from[column]
            owner[column] = owner[before] if before >= 0 else row
            column = before
    chosen = np.empty(rows, np.intp)
    chosen[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return chosen


def genuine_scores(gallery: Gallery) -> Scores:
    """The distance of each photo to the template of the same person's other photos: [photos of people with more than one]."""
    found = []
    for known in gallery.embeddings.values():
        around = gallery.around(known)
        for one in range(len(known) if len(known) > 1 else 0):
            mean, of_mean = template(np.delete(known, one, axis=0), np.delete(around, one))
            found.append(float(gallery.judged(distance(known[one], mean), around[one], of_mean)))
    return np.array(found)


def impostor_scores(gallery: Gallery, way: Way = "template") -> Scores:
    """The distances of each photo to everyone else: [photos * (people - 1)]."""
    people = list(gallery.embeddings.values())
    whose = np.repeat(np.arange(len(people)), [len(known) for known in people])
    everyone = np.concatenate(people) if people else np.empty((0, 0))
    apart: Scores = scores(gallery, everyone, way)[whose[:, None] != np.arange(len(people))]
    return apart


def class_thresholds(gallery: Gallery, rate: float = RATE, way: Way = "template") -> Thresholds:
    """Thresholds for just these people: a stated false-match rate of one comparison, and ten times that for "unsure".

    Where the class is small its own comparisons cannot show so rare an error: the shipped thresholds count as much as a class of
    PRIOR_PEOPLE, and are the answer for a single person.
    """
    people = len(gallery.names)
    if people < 2:
        return gallery.shipped
    impostor = impostor_scores(gallery, way)
    weight = (people - 1) / (people - 1 + PRIOR_PEOPLE)
    own = [fit_normal_tail(impostor, share) for share in (rate, 10 * rate)]
    shipped = (gallery.shipped.same_below, gallery.shipped.different_from)
    same, different = (weight * mine + (1 - weight) * theirs for mine, theirs in zip(own, shipped, strict=True))
    return Thresholds(same, max(different, same))


def unlike_the_rest(gallery: Gallery) -> list[tuple[str, int]]:
    """Photos that lie farther from the others of their person than strangers do: (name, which), to be looked at."""
    found = []
    for name, known in gallery.embeddings.items():
        around = gallery.around(known)
        for one in range(len(known) if len(known) > 1 else 0):
            mean, of_mean = template(np.delete(known, one, axis=0), np.delete(around, one))
            if float(gallery.judged(distance(known[one], mean), around[one], of_mean)) >= gallery.shipped.different_from:
                found.append((name, one))
    return found


def most_alike(gallery: Gallery, count: int = 3) -> list[tuple[str, str, float]]:
    """The pairs of people whose templates are nearest: whom to look at twice."""
    if len(gallery.names) < 2:
        return []
    points, around = gallery.templates
    first, second = np.triu_indices(len(points), 1)
    between = gallery.judged(distance(points[first], points[second]), around[first], around[second])
    order: Sequence[int] = np.argsort(between, kind="stable")[:count].tolist()
    return [(gallery.names[first[i]], gallery.names[second[i]], float(between[i])) for i in order]
