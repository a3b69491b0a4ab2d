"""The page that says how well it works says what was measured: its figures are those of the calibration that ships."""

from __future__ import annotations

import json

from export.cohort import COHORTS

from ..conftest import ROOT


def test_page_tells_the_shipped_thresholds_and_rates() -> None:
    """The report from which the page is drawn was made with the calibration that ships."""
    report = json.loads((ROOT / "docs" / "results" / "whom.json").read_text())
    calibration = json.loads((COHORTS / "dlib-resnet-v1.calibration.json").read_text())
    promised = [
        [f"{100 * float(rate):g}\N{NO-BREAK SPACE}%", f"{found['threshold']:.3f}", f"{100 * found['fnmr']:.2f}\N{NO-BREAK SPACE}%"]
        for rate, found in calibration["rates"].items()
    ]
    assert report["tables"]["promise"]["rows"] == promised
    assert report["values"]["good same_below"] == f"{calibration['good']['same_below']:.3f}"
    assert "{{ table whom/promise }}" in (ROOT / "docs" / "how-well-it-works.md").read_text()


def test_promise_holds_in_every_group_that_decides() -> None:
    calibration = json.loads((COHORTS / "dlib-resnet-v1.calibration.json").read_text())
    people = calibration["conditions"]["people"]
    rates = {
        g: value for g, (value, *_) in calibration["rates"]["1e-03"]["fmr"].items() if people[g] >= 100 and not g.startswith("aged")
    }
    assert max(rates.values()) <= 1e-3
    assert max(rates.values()) <= 10 * min(rates.values())
    assert calibration["rates"]["1e-03"]["fnmr"] <= 0.045
