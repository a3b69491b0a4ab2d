"""Face identification: which of the enrolled people is this, if any?

A gallery holds people by name, each with a few photos. A probe is compared with everyone. Within one photo, each name is given to
one face at most, and a face that is near nobody gets no name. So "unknown" is a possible answer, and so is "unsure".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .calibrate import fit_normal_tail
from .cohort import Cohort, correction, crowdedness, normalised
from .errors import InputError
from .models import Thresholds
from .neighbours import blocks, near_pairs, pair_distances
from .verify import distance, distances_between

Scores = NDArray[np.float64]
Way = Literal["template", "nearest", "mean"]

RATE = 3e-4  # FMR of one comparison: with thirty people enrolled, about one stranger in a hundred is named
PRIOR_PEOPLE = 10  # a class with so many other people counts as much as the shipped thresholds
AS_NEAR = 0.3  # share of the limit for "sure"; `python -m tests.experiments rollcall` measures the effect of this and of TWICE
TWICE = 0.85  # share of the shipped limit for "same"
SAMPLE = 500_000  # most comparisons from which thresholds are found; up to 280 people with six photos each, all are used
SEED = 1
FARTHER_THAN_ALL = 1e3


@dataclass(frozen=True)
class Photos:
    """The photos of a gallery, one person's after another's.

    embeddings: [F, D]. around: their crowdedness, [F]. whose: the person of each photo, [F]. starts: each person's first, [P].
    """

    embeddings: NDArray[np.float32]
    around: NDArray[np.float64]
    whose: NDArray[np.intp]
    starts: NDArray[np.intp]


@dataclass(frozen=True)
class Gallery:
    """People by name, each with the embeddings of their photos. Raises InputError if somebody has no photo.

    embeddings: name -> [K, D], K at least 1. cohort: corrects distances for crowdedness; None keeps plain distances.
    shipped: the embedder's thresholds for two single photos.
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    cohort: Cohort | None
    shipped: Thresholds
    _limits: dict[Way, Thresholds] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if empty := [name for name, known in self.embeddings.items() if not len(known)]:
            raise InputError(f"no photo of {empty[0]} is enrolled: add one, or leave the name out")

    @cached_property
    def names(self) -> list[str]:
        """The people, in the order of the columns of `scores`."""
        return list(self.embeddings)

    @cached_property
    def photos(self) -> Photos:
        """All photos, one person's after another's."""
        known = list(self.embeddings.values())
        counts = np.array([len(some) for some in known], np.intp)
        embeddings = np.concatenate(known) if known else np.empty((0, 0), np.float32)
        return Photos(embeddings, self.around(embeddings), np.repeat(np.arange(len(known)), counts), np.cumsum(counts) - counts)

    @cached_property
    def templates(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The template of each person [P, D], and its crowdedness [P]."""
        if not self.embeddings:
            return np.empty((0, 0), np.float32), np.empty(0)
        around = np.split(self.photos.around, self.photos.starts[1:])
        made = [template(known, theirs) for known, theirs in zip(self.embeddings.values(), around, strict=True)]
        return np.stack([mean for mean, _ in made]), np.array([crowded for _, crowded in made])

    @cached_property
    def template_points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The templates in float64 [P, D] and their squared lengths [P], computed once for all probes."""
        points = np.asarray(self.templates[0], np.float64)
        return points, (points**2).sum(axis=1)

    def limits(self, way: Way = "template") -> Thresholds:
        """The gallery's own thresholds (see class_thresholds), computed once."""
        if way not in self._limits:
            self._limits[way] = class_thresholds(self, way=way)
        return self._limits[way]

    def around(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """The crowdedness of embeddings [N, D]: [N]; zeros without a cohort."""
        return crowdedness(embeddings, self.cohort) if self.cohort else np.zeros(len(embeddings))

    def judged(self, plain: Scores, a: NDArray[np.floating] | float, b: NDArray[np.floating] | float) -> Scores:
        """The distances, corrected for crowdedness if there is a cohort."""
        return normalised(plain, a, b, self.cohort) if self.cohort else plain


@dataclass(frozen=True)
class Named:
    """The answer for one face.

    name: None for nobody enrolled. answer: how sure the name is. distance: to the person named, or to the nearest if nobody is.
    nearest: the person at that distance. runner_up: somebody else who is nearly as near, or None.
    """

    name: str | None
    answer: Literal["sure", "unsure", "unknown"]
    distance: float
    nearest: str | None
    runner_up: str | None = None


def template(embeddings: NDArray[np.floating], around: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
    """A person's template [D] and its crowdedness, from the embeddings of their photos [N, D] and the crowdedness of these [N].

    The template is the mean: what pose, light and expression did to each photo partly cancels. Its crowdedness is the mean of the
    photos' crowdedness. The mean itself lies inside the sphere, nearer to everybody, and would always seem crowded.
    """
    mean: NDArray[np.float32] = np.asarray(embeddings, np.float32).mean(axis=0)
    return mean, float(np.mean(around))


def scores(gallery: Gallery, probes: NDArray[np.floating], way: Way = "template") -> Scores:
    """The distance of every probe [N, D] to every person: [N, P].

    way: the distance to the person's template (as in the demo), to the nearest of their photos, or the mean over their photos.
    """
    if not gallery.names:
        return np.empty((len(probes), 0))
    asked = gallery.around(probes)[:, None]
    if way == "template":
        points, squares = gallery.template_points
        return gallery.judged(distances_between(probes, points, squares), asked, gallery.templates[1])
    photos = gallery.photos
    each = gallery.judged(distances_between(probes, photos.embeddings), asked, photos.around)
    if way == "nearest":
        return np.minimum.reduceat(each, photos.starts, axis=1)
    return np.add.reduceat(each, photos.starts, axis=1) / np.bincount(photos.whose)


def identify(
    gallery: Gallery, probes: NDArray[np.floating], limits: Thresholds | None = None, way: Way = "template"
) -> list[Named]:
    """A name, or none, for each face [N, D] of one photo; no name is given twice. limits: None takes the gallery's own.

    A name is "unsure" if a second person is nearly as near: also below the limit for "sure", and farther away by less than AS_NEAR
    of that limit. This happens with twins, and with people who were enrolled under two names.
    """
    limits = limits or gallery.limits(way)
    table = scores(gallery, probes, way)
    people = assign(table, limits.different_from)
    return [_named(gallery, row, person, limits) for row, person in zip(table, people, strict=True)]


def _named(gallery: Gallery, row: Scores, person: int | None, limits: Thresholds) -> Named:
    """The answer for one face, from its distances to everyone [P] and the person assigned to it (None: nobody)."""
    if person is None:
        if not len(row):
            return Named(None, "unknown", float("inf"), None)
        nearest = int(row.argmin())
        return Named(None, "unknown", float(row[nearest]), gallery.names[nearest])
    at, name = float(row[person]), gallery.names[person]
    if at >= limits.same_below:
        return Named(name, "unsure", at, name)
    others = row.copy()
    others[person] = np.inf
    second = int(others.argmin())
    if others[second] < limits.same_below and others[second] - at < AS_NEAR * limits.same_below:
        return Named(name, "unsure", at, name, gallery.names[second])
    return Named(name, "sure", at, name)


def identify_as_the_original(gallery: Gallery, probes: NDArray[np.floating]) -> list[Named]:
    """The answers of the rule that this book grew out of, for comparison: the nearest photo, if below a fixed distance.

    If most faces of a photo are far from everyone enrolled, the photo is taken for another class's, and the stricter of the two
    shipped thresholds applies. There is no "unsure", and a name may be given twice.
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
    """For each face (row) a person (column) or None, so that the sum of distances is least. None costs `limit`.

    table: distances [N, P]. Each face has a column for "nobody" as well, so there are always enough columns. People who are
    farther than the limit from every face are left out.
    """
    faces = len(table)
    if not faces:
        return []
    possible = np.flatnonzero((table <= limit).any(axis=0))
    nobody = np.where(np.eye(faces, dtype=bool), limit, np.inf)
    chosen = cheapest(np.concatenate([np.minimum(table[:, possible], 1e6), np.minimum(nobody, 1e6)], axis=1))
    return [int(possible[column]) if column < len(possible) else None for column in chosen]


def cheapest(cost: Scores) -> NDArray[np.intp]:
    """For each row a different column, so that the sum of costs is least. cost: [N, M], finite, N at most M.

    The Hungarian method, by shortest augmenting paths: Jonker and Volgenant, Computing 38, 1987, doi:10.1007/BF02278710. O(N^2 M).
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
        while column >= 0:  # move each column on the path to the row before it
            before = came_from[column]
            owner[column] = owner[before] if before >= 0 else row
            column = before
    chosen = np.empty(rows, np.intp)
    chosen[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return chosen


def genuine_scores(gallery: Gallery) -> Scores:
    """The distance of each photo to the template of the same person's other photos: [photos of people with more than one]."""
    return np.array([at for _, _, at in _each_to_the_others(gallery)])


def _each_to_the_others(gallery: Gallery) -> Iterator[tuple[str, int, float]]:
    """(name, which photo, distance to the template of the person's other photos), of people with more than one photo."""
    for name, known in gallery.embeddings.items():
        around = gallery.around(known)
        for one in range(len(known) if len(known) > 1 else 0):
            mean, of_mean = template(np.delete(known, one, axis=0), np.delete(around, one))
            yield name, one, float(gallery.judged(distance(known[one], mean), around[one], of_mean))


def impostor_scores(gallery: Gallery, way: Way = "template") -> Scores:
    """The distances of each photo to every other person: [photos * (people - 1)].

    If there are more than SAMPLE of them, a random sample of that many is taken, the same one every time.
    """
    photos, people = gallery.photos, len(gallery.names)
    count = len(photos.whose)
    if count * (people - 1) <= SAMPLE:
        apart: Scores = scores(gallery, photos.embeddings, way)[photos.whose[:, None] != np.arange(people)]
        return apart
    random = np.random.default_rng(SEED)
    photo = random.integers(0, count, SAMPLE)
    person = random.integers(0, people - 1, SAMPLE)
    person += person >= photos.whose[photo]  # skips the photo's own person
    return _scores_of_pairs(gallery, photo, person, way)


def _scores_of_pairs(gallery: Gallery, photo: NDArray[np.intp], person: NDArray[np.intp], way: Way) -> Scores:
    """The distance of one photo to one person for each pair [N]: see `scores`."""
    photos = gallery.photos
    if way == "template":
        points, around = gallery.templates
        return gallery.judged(pair_distances(photos.embeddings, photo, points, person), photos.around[photo], around[person])
    counts = np.bincount(photos.whose)[person]
    starts = np.cumsum(counts) - counts
    theirs = np.arange(counts.sum()) + np.repeat(photos.starts[person] - starts, counts)
    asked = np.repeat(photo, counts)
    plain = pair_distances(photos.embeddings, asked, photos.embeddings, theirs)
    each = gallery.judged(plain, photos.around[asked], photos.around[theirs])
    return np.minimum.reduceat(each, starts) if way == "nearest" else np.add.reduceat(each, starts) / counts


def class_thresholds(gallery: Gallery, rate: float = RATE, way: Way = "template") -> Thresholds:
    """Thresholds for just these people: an FMR of `rate` for "sure", and ten times that for "unsure".

    The comparisons of a small class cannot show so rare an error. So the thresholds are a weighted mean of the class's own and the
    shipped ones, which count as much as PRIOR_PEOPLE people do. A single person gets the shipped thresholds.
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
    """Photos that are as far from the other photos of their person as a stranger's: (name, number of the photo), for a check."""
    return [(name, which) for name, which, at in _each_to_the_others(gallery) if at >= gallery.shipped.different_from]


def most_alike(gallery: Gallery, count: int = 3) -> list[tuple[str, str, float]]:
    """The pairs of people whose templates are nearest, and their distance: those most easily confused."""
    return _nearest_people(gallery, count, FARTHER_THAN_ALL)


def enrolled_twice(gallery: Gallery, most: int = 10) -> list[tuple[str, str, float]]:
    """Pairs of names that seem to be one person's, with the distance of their templates, the nearest first."""
    return _nearest_people(gallery, most, TWICE * gallery.shipped.same_below)


def _nearest_people(gallery: Gallery, count: int, limit: float) -> list[tuple[str, str, float]]:
    """At most `count` pairs of people whose templates are nearer than a limit: names and distance, the nearest first."""
    points, (_, around) = gallery.template_points[0], gallery.templates
    added = correction(around, gallery.cohort)
    first, second, between = np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    for rows, columns in blocks(len(points)):
        one, other, plain = near_pairs(points, limit / 2 - added, rows, columns)
        first, second = np.append(first, one), np.append(second, other)
        between = np.append(between, plain + added[one] + added[other])
        if len(between) > count:
            limit = float(np.nextafter(np.partition(between, count - 1)[count - 1], np.inf))
        near = between < limit
        first, second, between = first[near], second[near], between[near]
    order = np.lexsort((second, first, between))[:count]
    return [(gallery.names[first[i]], gallery.names[second[i]], float(between[i])) for i in order]
