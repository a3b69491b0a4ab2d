"""Identification: nobody is named twice, strangers stay nobody, and a class sets its own thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from facelab.errors import InputError
from facelab.identify import Gallery, assign, cheapest, class_thresholds, identify, most_alike, scores, template
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


def test_person_without_a_photo_is_refused() -> None:
    with pytest.raises(InputError, match="no photo of Ada is enrolled"):
        Gallery({"Ada": np.empty((0, 128), np.float32)}, None, SHIPPED)


def test_empty_gallery_names_nobody() -> None:
    (named,) = identify(Gallery({}, None, SHIPPED), np.zeros((1, 128)))
    assert (named.name, named.answer, named.nearest) == (None, "unknown", None)
