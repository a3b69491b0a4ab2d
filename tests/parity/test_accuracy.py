"""The whole pipeline on people that it has never seen: `facelab evaluate` on every pair of lfw100, plain and normalised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facelab.cli import main

from ..pairs import write_pairs


@pytest.fixture(scope="module")
def pairs(lfw100: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "lfw100.csv"
    assert write_pairs([lfw100], path) == 4950
    return path


def test_plain_distance_at_its_authors_threshold(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--json", "--normalise", "none", str(pairs)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["failed"] == [], "no photo without a face"
    assert (answer["pairs"], answer["threshold"]) == (4950, 0.6)
    assert answer["accuracy"] >= 0.996
    assert answer["tar_at_far"]["1e-2"] >= 0.98


def test_normalised_distance_costs_little_accuracy(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--json", str(pairs)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["best"]["accuracy"] >= 0.9955
    assert answer["accuracy"] >= 0.99
