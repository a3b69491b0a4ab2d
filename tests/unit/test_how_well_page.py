"""The page that says how well it works says what was measured: its figures are those of the calibration that ships."""

from __future__ import annotations

import json

from export.cohort import COHORTS

from ..conftest import ROOT


def test_page_tells_the_shipped_thresholds_and_rates() -> None:
    page = (ROOT / "docs" / "how-well-it-works.md").read_text()
    calibration = json.loads((COHORTS / "dlib-resnet-v1.calibration.json").read_text())
    for rate, found in calibration["rates"].items():
        assert f"| {100 * float(rate):g} % | {found['threshold']:.3f} | {100 * found['fnmr']:.2f} % |" in page
    for group, (value, low, high) in calibration["rates"]["1e-03"]["fmr"].items():
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {group} ") and "% (" in line)
        assert f"{100 * value:.3f} % ({100 * low:.3f} to {100 * high:.3f})" in line


def test_promise_holds_in_every_group_that_decides() -> None:
    calibration = json.loads((COHORTS / "dlib-resnet-v1.calibration.json").read_text())
    people = calibration["conditions"]["people"]
    rates = {
        g: value for g, (value, *_) in calibration["rates"]["1e-03"]["fmr"].items() if people[g] >= 100 and not g.startswith("aged")
    }
    assert max(rates.values()) <= 1e-3
    assert max(rates.values()) <= 10 * min(rates.values())
    assert calibration["rates"]["1e-03"]["fnmr"] <= 0.04
