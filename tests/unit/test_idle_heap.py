"""What of ONNX Runtime's heap nobody reads: found by a file that notes its reads; most of it, for the networks are few."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("touching.mjs"))


def test_most_of_what_is_no_weight_is_idle() -> None:
    told = json.loads((ROOT / "docs" / "app" / "ort" / "ort.json").read_text())
    pages = {kind: sum(end - first for first, end in told[kind]) for kind in ("runs", "idle")}
    assert pages["idle"] * told["page"] > 3e6
    assert pages["runs"] * told["page"] < 5e6
