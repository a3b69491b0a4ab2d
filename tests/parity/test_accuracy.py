"""The whole pipeline on people that it has never seen: `facelab evaluate` on every pair of lfw100."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facelab.cli import main

from ..pairs import write_pairs


def test_lfw100_at_the_shipped_threshold(lfw100: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_pairs(lfw100, tmp_path / "pairs.csv") == 4950
    assert main(["evaluate", "--json", str(tmp_path / "pairs.csv")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["failed"] == [], "no photo without a face"
    assert answer["pairs"] == 4950
    assert answer["accuracy"] >= 0.996
    assert answer["tar_at_far"]["1e-2"] >= 0.98
