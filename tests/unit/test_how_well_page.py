"""The page "How well it works" shows the calibrations that ship."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from export.cohort import COHORTS
from facelab.calibrate import LEAST_PEOPLE, PROMISE
from facelab.quality import BRIGHTEST, DARKEST, LARGEST_TURN, LEAST_SHARPNESS, SMALLEST_EYES

from ..conftest import ROOT

PAGE = ROOT / "docs" / "how-well-it-works.md"
SPACE = "\N{NO-BREAK SPACE}"


def calibration(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((COHORTS / f"{name}.calibration.json").read_text())
    return read


def report() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "docs" / "results" / "whom.json").read_text())
    return read


def deciding(told: dict[str, Any], rate: str) -> dict[str, float]:
    """The false match rates of the groups that decide: of LEAST_PEOPLE or more, all but the children."""
    people = told["conditions"]["people"]
    found = {g: value for g, (value, *_) in told["rates"][rate]["fmr"].items()}
    return {g: value for g, value in found.items() if people[g] >= LEAST_PEOPLE and not g.startswith("aged")}


def test_page_shows_the_shipped_thresholds_and_rates() -> None:
    """The page is drawn from a report, and the report was made with the calibration that ships."""
    told, shipped = report(), calibration("mobilefacenet-v1")
    table = told["tables"]["promise"]
    rates = {f"{100 * float(rate):g}{SPACE}%": found for rate, found in shipped["rates"].items()}
    assert [row[:2] for row in table["rows"]] == [[rate, f"{found['threshold']:.3f}"] for rate, found in rates.items()]
    for photos in shipped["conditions"]["genuine_pairs"]:
        (column,) = (i for i, name in enumerate(table["columns"]) if name.endswith(photos))
        assert [row[column] for row in table["rows"]] == [f"{100 * found['fnmr'][photos]:.1f}{SPACE}%" for found in rates.values()]
    for kind in ("good", "poor"):
        for limit, value in shipped[kind].items():
            assert told["values"][f"{kind} {limit}"] == f"{value:.3f}"
    text = PAGE.read_text()
    assert "{{ table whom/promise }}" in text
    for kind in ("good", "poor"):
        for limit in ("same_below", "different_from"):
            assert f"{{{{ value whom/{kind} {limit} }}}}" in text


def test_page_shows_the_shipped_rates_of_each_group() -> None:
    told, shipped = report(), calibration("mobilefacenet-v1")
    for group, people, *cells in (row[:4] for row in told["tables"]["groups"]["rows"]):
        name = group.removesuffix(" *")
        count = shipped["conditions"]["people"][name]
        assert people == f"{count:,}"
        assert group.endswith(" *") == (count < LEAST_PEOPLE)
        for cell, rate in zip(cells, ("1e-03", "1e-02"), strict=True):
            value, low, high = (100 * share for share in shipped["rates"][rate]["fmr"][name])
            assert cell == f"{value:.3f}{SPACE}% ({low:.3f} to {high:.3f})"


def test_page_shows_the_rates_of_held_out_people() -> None:
    told, shipped = report()["values"], calibration("mobilefacenet-v1")["held_out"]
    mean, deviation = shipped["threshold"]
    assert float(told["held-out threshold"].split()[0]) == pytest.approx(mean, abs=deviation)
    assert "{{ value whom/held-out worst }}" in PAGE.read_text()


def test_page_shows_the_limits_of_a_poor_photo() -> None:
    rows = dict(re.findall(r"^\| (small|blurred|dark|overexposed|turned) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    limits = {
        "small": SMALLEST_EYES,
        "blurred": LEAST_SHARPNESS,
        "dark": DARKEST,
        "overexposed": BRIGHTEST,
        "turned": LARGEST_TURN,
    }
    assert {word: [float(number) for number in re.findall(r"\d+(?:\.\d+)?", row)] for word, row in rows.items()} == {
        word: [limit] for word, limit in limits.items()
    }


@pytest.mark.parametrize(
    "name",
    ["mobilefacenet-v1", "mobilefacenet-v1.cohort", "dlib-resnet-v1", "dlib-resnet-v1.cohort"],
)
def test_promise_holds_in_every_group_that_decides(name: str) -> None:
    told = calibration(name)
    assert told["conditions"]["normalised"] == name.endswith(".cohort")
    assert told["good"]["same_below"] == told["rates"]["1e-03"]["threshold"]
    for rate in told["rates"]:
        assert max(deciding(told, rate).values()) <= float(rate)
    for rate in ("1e-03", "1e-02", "1e-01"):  # at 1e-04 small groups have no pair to spare
        assert max(deciding(told, rate).values()) > 0.75 * float(rate), "the threshold is stricter than it needs to be"


@pytest.mark.parametrize("name", ["mobilefacenet-v1", "mobilefacenet-v1.cohort"])
def test_promise_holds_about_as_well_for_people_who_had_no_part_in_it(name: str) -> None:
    mean, deviation = calibration(name)["held_out"]["worst"]
    assert mean - deviation <= PROMISE
    assert mean <= 1.25 * PROMISE


@pytest.mark.parametrize(
    ("name", "ratio", "missed"),
    [
        ("mobilefacenet-v1", 30, {"lfw100": 0.045, "orl39": 0.01}),
        ("mobilefacenet-v1.cohort", 11, {"lfw100": 0.02, "orl39": 0.005}),
    ],
)
def test_what_the_promise_costs(name: str, ratio: float, missed: dict[str, float]) -> None:
    """Bounds on the misses of each set of photos, and on how far the rates of the groups lie apart."""
    told = calibration(name)
    rates = deciding(told, "1e-03")
    assert max(rates.values()) <= ratio * min(rates.values())
    found = told["rates"]["1e-03"]["fnmr"]
    assert found.keys() == missed.keys()
    assert all(found[photos] <= most for photos, most in missed.items())
