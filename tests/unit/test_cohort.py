"""Crowdedness and the cohort: against plain arithmetic, and that no row of the shipped table is anybody."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from export.cohort import COHORTS, build_cohort, group_of, make_composites, nearest_source, split
from facelab.calibrate import duplicate_limit
from facelab.cohort import Cohort, crowdedness, normalised, read_cohort
from facelab.errors import ModelError
from facelab.native import NativeRuntime, models_folder
from facelab.verify import decide, distance


@pytest.fixture(scope="module", params=["mobilefacenet-v1", "dlib-resnet-v1"])
def normalising(request: pytest.FixtureRequest) -> NativeRuntime:
    """Each of the two networks that come with the project, where its cohort decides."""
    return NativeRuntime(models_folder(), embedder=request.param, normalise=True)


@pytest.fixture(scope="module")
def cohort(normalising: NativeRuntime) -> Cohort:
    assert normalising.cohort is not None
    return normalising.cohort


def faces(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.12, (count, 128)).astype(np.float32)


def test_crowdedness_is_the_mean_distance_to_the_nearest_rows(cohort: Cohort) -> None:
    some = faces(7)
    expected = [np.sort(distance(cohort.composites, face))[: cohort.neighbours].mean() for face in some]
    np.testing.assert_allclose(crowdedness(some, cohort), expected, atol=1e-4)


def test_average_surroundings_change_nothing_and_crowded_ones_count_against_a_match(cohort: Cohort) -> None:
    assert normalised(0.5, cohort.centre, cohort.centre, cohort) == 0.5
    assert normalised(0.5, cohort.centre - 0.1, cohort.centre, cohort) > 0.5
    assert normalised(0.5, cohort.centre + 0.1, cohort.centre, cohort) < 0.5


def test_decision_tells_both_distances_and_is_more_careful_with_poor_faces(normalising: NativeRuntime, cohort: Cohort) -> None:
    face = cohort.composites[0]
    embedder = normalising.manifest.embedder
    good, poor = decide(face, face, embedder, cohort), decide(face, face, embedder, cohort, poor=True)
    assert good.plain_distance == 0
    assert good.verdict == "same"
    assert good.crowdedness is not None
    assert poor.same_below < good.same_below < good.threshold < poor.threshold
    assert good.probability is not None
    assert good.probability == pytest.approx(0.999), "the most that is ever said"


def test_composites_are_means_of_three_different_people_each() -> None:
    people = faces(90)
    rows = make_composites(people, 0.0, seed=2)
    assert len(rows) == 30
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.linalg.norm(people, axis=1).mean(), rtol=1e-5)
    gathered = np.concatenate([np.argsort(-(people @ row) / np.linalg.norm(people, axis=1))[:3] for row in rows])
    assert len(set(gathered.tolist())) > 80, "nearly every row's three nearest are its own three, and nobody is in two"


def test_crowded_people_make_larger_heaps_or_none() -> None:
    """Ten people almost alike among others: no mean of them keeps away from all of them."""
    crowded, others = faces(10) * 0.01, faces(60, seed=2)
    rows = make_composites(np.concatenate([crowded, others]), 0.25, seed=1)
    everyone = np.concatenate([crowded, others])
    assert min(distance(everyone, row).min() for row in rows) >= 0.25


def test_same_seed_same_bytes() -> None:
    first, again, other = (build_cohort(faces(60), faces(9), seed=seed) for seed in (3, 3, 4))
    assert first[0].tobytes() == again[0].tobytes()
    assert first[0].tobytes() != other[0].tobytes()
    inside, outside = split(100, 0.3, seed=1)
    assert sorted([*inside, *outside]) == list(range(100)), "nobody is in both"


def test_shipped_table_is_small_and_nobody_is_in_it(normalising: NativeRuntime) -> None:
    """The card's distance was measured when the table was made, when the source faces were at hand."""
    embedder = normalising.manifest.embedder
    manifest = json.loads((models_folder() / "models.json").read_text())
    own = manifest["embedder"]["name"] == embedder.name
    entry = (manifest["embedder"] if own else manifest["embedders"][embedder.name]["embedder"])["cohort"]
    assert entry["bytes"] <= 150_000
    card = entry["card"]
    assert card["embedder"] == embedder.name
    assert card["least_people_a_row"] >= 3
    assert card["rows"] * card["least_people_a_row"] <= card["people"]
    limit = duplicate_limit(embedder)
    assert limit == pytest.approx({"mobilefacenet-v1": 0.4167, "dlib-resnet-v1": 0.25}[embedder.name], abs=1e-4)
    assert card["nearest_source_face"] >= 0.96 * limit, "before rounding it is the limit: nearer photos are taken for one person's"
    table = np.load(COHORTS / f"{card['embedder']}.npy")
    assert table.dtype == np.int8
    assert table.shape == (card["rows"], 128)


def test_distance_to_the_nearest_source_face_is_measured() -> None:
    people = faces(30)
    table, settings = build_cohort(people, faces(9, seed=9))
    brute = min(np.linalg.norm(people - row.astype(np.float32) * settings["step"], axis=1).min() for row in table)
    assert nearest_source(table, settings["step"], people) == pytest.approx(brute, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("26_1_2_2017.jpg", "Asian women"),
        ("3_0_0_1.jpg", "aged 0 to 3"),
        ("4_0_0_1.jpg", "aged 4 to 12"),
        ("12_1_3_1.jpg", "aged 4 to 12"),
        ("13_0_1_1.jpg", "aged 13 to 17"),
        ("17_0_0_1.jpg", "aged 13 to 17"),
        ("18_0_0_1.jpg", "White men"),
        ("61_3_2017.jpg", ""),
        ("x.jpg", ""),
    ],
)
def test_groups_are_read_from_names(name: str, group: str) -> None:
    assert group_of(name) == group


def test_damaged_cohort_is_refused(normalising: NativeRuntime) -> None:
    entry = normalising.manifest.embedder.cohort
    assert entry is not None
    with pytest.raises(ModelError, match="make models"):
        read_cohort(b"not an array", entry)


def test_forty_faces_take_no_time_to_speak_of(cohort: Cohort) -> None:
    """A bound far above the goal of 5 ms (make bench has the figure): it is for the case that somebody writes a loop."""
    some = faces(40)
    started = time.perf_counter()
    crowdedness(some, cohort)
    assert time.perf_counter() - started < 0.5
