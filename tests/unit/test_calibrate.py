"""Thresholds and odds, on scores whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facelab.calibrate import (
    LEAST_PEOPLE,
    calibrate,
    false_match_rate,
    fit_log_odds,
    pairs_of_strangers,
    without_duplicates,
    worst_threshold,
)
from facelab.cli import main
from facelab.verify import probability


def group(people: int, spread: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (people, 128)).astype(np.float32)


def test_the_worst_group_decides_and_small_groups_do_not() -> None:
    groups = {
        "wide": pairs_of_strangers(group(150, 0.1, 1), None),
        "crowded": pairs_of_strangers(group(150, 0.06, 2), None),
        "few": pairs_of_strangers(group(LEAST_PEOPLE - 1, 0.01, 3), None),
    }
    threshold = worst_threshold(groups, 1e-2)
    assert (groups["crowded"].scores < threshold).mean() == pytest.approx(1e-2, rel=0.05)
    assert (groups["wide"].scores < threshold).mean() == 0
    assert (groups["few"].scores < threshold).mean() == 1


def test_interval_over_people_is_wider_than_over_pairs() -> None:
    """One person who looks like everybody makes many false matches that are not independent."""
    people = group(200, 0.1, 4)
    people[0] *= 0.2
    strangers = pairs_of_strangers(people, None)
    rate, (low, high) = false_match_rate(strangers, float(np.quantile(strangers.scores, 0.01)))
    pairs = len(strangers.scores)
    assert low <= rate <= high
    assert high - low > 4 * 1.96 * np.sqrt(rate * (1 - rate) / pairs)


def test_duplicates_are_left_out_but_for_one() -> None:
    people = group(20, 0.1, 5)
    assert without_duplicates(np.concatenate([people, people[:7] + 0.001])).tolist() == list(range(20))


def test_log_odds_of_two_bells_are_the_line_that_theory_gives() -> None:
    """Two normal distributions of like width: the log-likelihood ratio is a line, slope (m1 - m2) / s^2."""
    random = np.random.default_rng(6)
    genuine, impostor = random.normal(0.4, 0.1, 20000), random.normal(0.8, 0.1, 20000)
    slope, intercept = fit_log_odds(genuine, impostor)
    assert slope == pytest.approx(-40, rel=0.06)
    assert -intercept / slope == pytest.approx(0.6, abs=0.01)
    assert probability(0.6, (slope, intercept)) == pytest.approx(0.5, abs=0.05)
    assert probability(0.2, None) is None


def test_calibration_orders_its_thresholds_and_says_what_they_cost() -> None:
    random = np.random.default_rng(7)
    groups = {"a": pairs_of_strangers(group(300, 0.1, 8), None)}
    found = calibrate(groups, groups, random.normal(0.6, 0.2, 1000))
    at = [found["rates"][rate]["threshold"] for rate in ("1e-04", "1e-03", "1e-02", "1e-01")]
    assert at == sorted(at)
    assert (found["good"]["same_below"], found["good"]["different_from"]) == (at[1], at[2])
    assert (found["poor"]["same_below"], found["poor"]["different_from"]) == (at[0], at[3])
    for rate in found["rates"].values():
        value, low, high = rate["fmr"]["a"]
        assert low <= value <= high


def test_too_few_people_are_refused(tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "faces.csv").write_text(f"photo,group\n{samples / 'obama.jpg'},x\n{samples / 'biden.jpg'},x\n")
    (tmp_path / "pairs.csv").write_text(f"a,b,same\n{samples / 'obama.jpg'},{samples / 'obama2.jpg'},1\n")
    assert main(["calibrate", str(tmp_path / "faces.csv"), str(tmp_path / "pairs.csv")]) == 2
    assert "too few" in capsys.readouterr().err


def test_evaluation_by_group_and_drawing(tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {n: samples / f"{n}.jpg" for n in ("obama", "obama2", "obama3", "biden")}
    rows = [("obama", "obama2", 1), ("obama", "obama3", 1), ("obama", "biden", 0), ("obama3", "biden", 0)]
    lines = [f"{names[a]},{names[b]},{same},presidents" for a, b, same in rows]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,same,group", *lines]))
    answers = {}
    for how in ("cohort", "none"):
        arguments = ["evaluate", "--json", "--normalise", how, "--det", str(tmp_path / "det.svg"), str(tmp_path / "pairs.csv")]
        assert main(arguments) == 0
        answers[how] = json.loads(capsys.readouterr().out)
    assert answers["cohort"]["groups"]["presidents"]["fmr"][0] == 0
    assert answers["cohort"]["groups"]["presidents"]["fnmr"][0] == 0
    assert answers["cohort"]["threshold"] != answers["none"]["threshold"] == 0.6
    assert "presidents" in (tmp_path / "det.svg").read_text()
