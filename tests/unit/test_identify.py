"""Identification: nobody is named twice, strangers stay nobody, and a class sets its own thresholds."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist

from facelab import identify as module
from facelab.errors import InputError
from facelab.identify import (
    Gallery,
    Way,
    assign,
    cheapest,
    class_thresholds,
    enrolled_twice,
    genuine_scores,
    identify,
    impostor_scores,
    most_alike,
    scores,
    template,
)
from facelab.models import Thresholds

SHIPPED = Thresholds(0.42, 0.47)


def people(count: int, photos: int, spread: float = 0.02, seed: int = 1) -> dict[str, NDArray[np.float32]]:
    """As the embedder has them: far apart, each with photos close together."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 0.085, (count, 128))
    return {f"pupil {i}": (c + random.normal(0, spread, (photos, 128))).astype(np.float32) for i, c in enumerate(centres)}


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (5, 9), (30, 60), (60, 60)])
def test_cheapest_is_scipys(rows: int, columns: int) -> None:
    for seed in range(5):
        cost = np.random.default_rng(seed).random((rows, columns))
        chosen = cheapest(cost)
        assert len(set(chosen)) == rows
        best = linear_sum_assignment(cost)
        assert cost[np.arange(rows), chosen].sum() == pytest.approx(cost[best].sum())


def test_one_name_goes_to_one_face_and_the_other_gets_the_next() -> None:
    table = np.array([[0.10, 0.40], [0.12, 0.20]])
    assert assign(table, 0.5) == [0, 1]
    assert assign(np.array([[0.10], [0.12]]), 0.5) == [0, None], "two faces like one person: the nearer has the name"


def test_nobody_is_named_beyond_the_limit() -> None:
    assert assign(np.array([[0.51, 0.6], [0.7, 0.49]]), 0.5) == [None, 1]
    assert assign(np.empty((2, 0)), 0.5) == [None, None]
    assert assign(np.empty((0, 3)), 0.5) == []


def test_pupils_are_named_and_strangers_are_not() -> None:
    everyone = people(30, 7)
    enrolled = dict(list(everyone.items())[:25])
    gallery = Gallery({name: known[:6] for name, known in enrolled.items()}, None, SHIPPED)
    found = identify(gallery, np.stack([known[6] for known in everyone.values()]))
    assert [one.name for one in found] == [*enrolled, *[None] * 5]
    assert {one.answer for one in found[:25]} == {"sure"}
    assert {one.answer for one in found[25:]} == {"unknown"}


@pytest.mark.parametrize("way", ["template", "nearest", "mean"])
def test_each_way_finds_the_person(way: str) -> None:
    known = people(5, 4)
    gallery = Gallery({name: photos[:3] for name, photos in known.items()}, None, SHIPPED)
    table = scores(gallery, np.stack([photos[3] for photos in known.values()]), way)  # type: ignore[arg-type]
    assert (table.argmin(axis=1) == np.arange(5)).all()


def test_template_of_one_photo_is_the_photo() -> None:
    (photo,) = people(1, 1).values()
    mean, around = template(photo, np.array([0.4]))
    np.testing.assert_array_equal(mean, photo[0])
    assert around == 0.4


def test_a_class_of_look_alikes_is_stricter() -> None:
    """Distances in it are shorter, so that the same rate of errors needs a lower threshold."""
    apart = class_thresholds(Gallery(people(30, 6), None, SHIPPED))
    alike = class_thresholds(Gallery({name: known * np.float32(0.7) for name, known in people(30, 6).items()}, None, SHIPPED))
    assert alike.same_below < apart.same_below
    assert alike.same_below <= alike.different_from


def test_a_small_class_leans_on_the_shipped_calibration() -> None:
    assert class_thresholds(Gallery(people(1, 6), None, SHIPPED)) == SHIPPED
    two, thirty = (class_thresholds(Gallery(people(n, 6), None, SHIPPED)).same_below for n in (2, 30))
    assert abs(two - SHIPPED.same_below) < abs(thirty - SHIPPED.same_below)


def test_twins_are_named_as_most_alike() -> None:
    known = people(10, 4)
    known["pupil 7"] = known["pupil 2"] + np.float32(0.001)
    ((a, b, between), *_) = most_alike(Gallery(known, None, SHIPPED))
    assert {a, b} == {"pupil 2", "pupil 7"}
    assert between < 0.1


def test_of_two_names_that_are_as_near_neither_is_sure() -> None:
    """As when one child was enrolled under two names; the others are as sure as before."""
    known = people(30, 6)
    known["pupil 0 again"] = known["pupil 0"][3:]
    enrolled = {name: photos[:3] for name, photos in known.items()}
    named = identify(Gallery(enrolled, None, SHIPPED), np.stack([photos[5] for photos in list(known.values())[:30]]))
    assert (named[0].answer, {named[0].name, named[0].runner_up}) == ("unsure", {"pupil 0", "pupil 0 again"})
    assert {(one.answer, one.runner_up) for one in named[1:]} == {("sure", None)}


@pytest.mark.parametrize(
    ("second", "answer"), [(0.15, "unsure"), (0.19, "sure"), (0.6, "sure")], ids=["as near", "farther", "far from both limits"]
)
def test_how_near_a_second_person_must_be(second: float, answer: str) -> None:
    """Farther by three tenths of the limit for "sure" of 0.5 is not as near any more."""
    points = np.eye(2, 128, dtype=np.float32) * np.array([[0.02], [second]], np.float32)
    (named,) = identify(Gallery({"a": points[:1], "b": points[1:]}, None, SHIPPED), np.zeros((1, 128)), Thresholds(0.5, 0.7))
    assert (named.name, named.answer, named.runner_up) == ("a", answer, "b" if answer == "unsure" else None)


def test_who_looks_enrolled_twice_is_found_among_many() -> None:
    """Of more people than a block has, the nearest pair first; look-alikes that are no nearer than other pairs are not told."""
    known = people(1200, 2)
    known["again 5"] = known["pupil 5"] + np.float32(0.01)
    known["again 900"] = known["pupil 900"] + np.float32(0.005)
    found = enrolled_twice(Gallery(known, None, SHIPPED))
    assert [{a, b} for a, b, _ in found] == [{"pupil 900", "again 900"}, {"pupil 5", "again 5"}]
    assert enrolled_twice(Gallery(people(1200, 2), None, SHIPPED)) == []


@pytest.mark.parametrize("count", [2, 40, 1200])
def test_most_alike_are_those_of_all_pairs(count: int) -> None:
    gallery = Gallery(people(count, 2), None, SHIPPED)
    i, j = np.triu_indices(count, 1)
    apart = pdist(gallery.templates[0].astype(np.float64))
    order = np.argsort(apart, kind="stable")[:3]
    found = most_alike(gallery)
    assert [(a, b) for a, b, _ in found] == [(f"pupil {i[k]}", f"pupil {j[k]}") for k in order]
    assert [at for _, _, at in found] == pytest.approx(apart[order].tolist())


@pytest.mark.parametrize("way", ["template", "nearest", "mean"])
def test_limits_from_a_sample_are_those_of_all_pairs(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same every time."""
    known = people(60, 3)
    every = class_thresholds(Gallery(known, None, SHIPPED), way=way)
    monkeypatch.setattr(module, "SAMPLE", 5000)
    first, second = (class_thresholds(Gallery(known, None, SHIPPED), way=way) for _ in range(2))
    assert len(impostor_scores(Gallery(known, None, SHIPPED), way)) == 5000
    assert first == second != every
    assert first.same_below == pytest.approx(every.same_below, abs=0.03)
    assert first.different_from == pytest.approx(every.different_from, abs=0.03)


def test_nobody_is_compared_with_himself_for_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 200)
    gallery = Gallery(people(20, 4), None, SHIPPED)
    assert len(impostor_scores(gallery)) == 200
    assert impostor_scores(gallery).min() > 0.5 > genuine_scores(gallery).max()


def test_people_beyond_the_limit_have_no_part_in_the_assignment() -> None:
    table = np.random.default_rng(1).random((6, 300))
    everyone = cheapest(np.concatenate([table, np.where(np.eye(6, dtype=bool), 0.1, 1e6)], axis=1))
    assert assign(table, 0.1) == [int(one) if one < 300 else None for one in everyone]


def test_memory_grows_with_the_gallery_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 20_000)

    def most(count: int) -> int:
        gallery = Gallery(people(count, 1), None, SHIPPED)
        tracemalloc.start()
        identify(gallery, gallery.embeddings["pupil 7"])
        most_alike(gallery)
        enrolled_twice(gallery)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    small, large = most(1000), most(5000)
    assert large < 5 * small
    assert large < 5000**2 * 8 / 2, "a table of all distances would take twice as much"


def test_person_without_a_photo_is_refused() -> None:
    with pytest.raises(InputError, match="no photo of Ada is enrolled"):
        Gallery({"Ada": np.empty((0, 128), np.float32)}, None, SHIPPED)


def test_empty_gallery_names_nobody() -> None:
    (named,) = identify(Gallery({}, None, SHIPPED), np.zeros((1, 128)))
    assert (named.name, named.answer, named.nearest) == (None, "unknown", None)
