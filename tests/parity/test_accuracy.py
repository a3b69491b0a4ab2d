"""The whole pipeline on people that it has never seen: `facelab evaluate` on every pair of lfw100, by both embedders."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from facelab.cli import main
from facelab.native import EMBEDDER_VARIABLE, NORMALISE_VARIABLE, NativeRuntime, models_folder

from ..pairs import write_pairs


@pytest.fixture(scope="module")
def pairs(lfw100: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "lfw100.csv"
    assert write_pairs([lfw100], path) == 4950
    return path


@pytest.fixture(autouse=True)
def _own_choice_of_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` sets these variables for worker processes: they are put back after each test."""
    for variable in (EMBEDDER_VARIABLE, NORMALISE_VARIABLE):
        monkeypatch.setenv(variable, "")


def evaluated(pairs: Path, capsys: pytest.CaptureFixture[str], embedder: str, normalise: str, *options: object) -> dict[str, Any]:
    arguments = ["--embedder", embedder, "evaluate", "--json", "--normalise", normalise, *map(str, options), str(pairs)]
    assert main(arguments) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["failed"] == [], "no photo without a face"
    assert (answer["pairs"], answer["genuine"]) == (4950, 450)
    return answer


@pytest.mark.parametrize(("embedder", "threshold", "least"), [("mobilefacenet-v1", 1.0, 0.998), ("dlib-resnet-v1", 0.6, 0.996)])
def test_plain_distance_at_its_authors_threshold(
    embedder: str, threshold: float, least: float, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert NativeRuntime(models_folder(), embedder=embedder).manifest.embedder.plain_threshold == threshold
    answer = evaluated(pairs, capsys, embedder, "none", "--save", tmp_path / "distances.csv")
    with (tmp_path / "distances.csv").open(newline="") as file:
        right = [(float(row["distance"]) < threshold) == (row["same"] == "1") for row in csv.DictReader(file)]
    assert sum(right) >= least * len(right) == least * 4950
    assert answer["tar_at_far"]["1e-2"] >= 0.98


def test_three_answers_of_the_default_embedder(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At the shipped thresholds, which a hard promise to the worst group sets."""
    answer = evaluated(pairs, capsys, "mobilefacenet-v1", "none")
    assert answer["threshold"] == NativeRuntime(models_folder()).manifest.embedder.calibration.good.different_from
    assert answer["accuracy"] >= 0.998
    assert answer["tar_at_far"]["1e-3"] >= 0.98
    assert answer["one_person"]["same"] >= 0.95
    assert answer["one_person"]["different"] <= 0.015
    assert answer["two_people"]["same"] <= 0.0005
    assert answer["two_people"]["different"] >= 0.995


@pytest.mark.parametrize(("embedder", "best", "least"), [("mobilefacenet-v1", 0.998, 0.996), ("dlib-resnet-v1", 0.9955, 0.99)])
def test_normalised_distance_costs_little_accuracy(
    embedder: str, best: float, least: float, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = evaluated(pairs, capsys, embedder, "cohort")
    assert answer["best"]["accuracy"] >= best
    assert answer["accuracy"] >= least
