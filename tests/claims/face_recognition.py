"""Claims of the chapter on face recognition."""

from __future__ import annotations

import asyncio
from typing import cast

import numpy as np

from book.results import read_report
from facelab.labs.panels import Facts, Settings
from facelab.labs.recognition import MARGINS
from facelab.triplet import Mining, mine, squared_distances, triplet_gradient
from facelab.workspace import Workspace

from . import Claim, by_row, first_number, value


def _places() -> list[list[float]]:
    return [[float(cell) for cell in row] for row in read_report("network")["tables"]["places"]["rows"]]


def _corners() -> list[float]:
    rows = _places()
    return [rows[row][column] for row in (0, -1) for column in (0, -1)]


def _singular_values() -> list[float]:
    (curve,) = read_report("network")["charts"]["singular values"]["curves"]
    values: list[float] = curve["y"]
    return values


def _millions(name: str) -> float:
    """A value of the report on the networks, in millions: 985,792 is about 1, and so is “1.0 million”."""
    text = read_report("network")["values"][name]
    return first_number(text) if "million" in text else first_number(text) / 1e6


def _share(name: str, other: str) -> float:
    return _millions(name) / _millions(other)


_INTERVALS = [(86.8 - 1.7, 86.8 + 1.7), (87.9 - 1.9, 87.9 + 1.9), (87.7 - 1.9, 87.7 + 1.9), (85.6 - 2.0, 85.6 + 2.0)]


def _separated(mining: Mining) -> float:
    """In how many of 20 runs of the lab, 100 steps each, every pair of one person ends closer than every pair of two."""
    people = np.repeat(np.arange(3), 6)
    same, others = people[:, None] == people, ~np.eye(len(people), dtype=bool)
    apart = 0
    for again in range(20):
        points = np.random.default_rng(again + 1).normal(0, 0.7, (len(people), 2))
        for _ in range(100):
            points = points - 0.3 * triplet_gradient(points, mine(points, people, 0.5, mining), 0.5)
        squares = squared_distances(points)
        apart += int(squares[same & others].max() < squares[~same].min())
    return apart / 20


def _on_the_circle(loss: str) -> list[tuple[str, bool]]:
    """From ten runs of the lab on margins: the share of photos with the right nearest centre, whether one threshold exists."""
    found = []
    for again in range(10):
        settings: Settings = {"kind": loss, "margin": 0.5, "scale": 32, "steps": 60, "again": again}
        *_, facts = asyncio.run(MARGINS.answer(cast(Workspace, None), settings))
        assert isinstance(facts, Facts)
        right, _, _, threshold = facts.facts
        found.append((right.value, threshold.value == "exists"))
    return found


CLAIMS = [
    Claim(
        "In the corners, they are at most {{ value network/corner share }} times as large as at the strongest place.",
        lambda: (
            max(_corners()) == value("network/corner share") and max(map(max, _places())) == 1 and _places()[3][3] > max(_corners())
        ),
    ),
    Claim(
        "MobileFaceNet has about a fifth of the weights of dlib’s network ({{ value network/weights }} against"
        " {{ value network/dlib weights }}).",
        lambda: 0.17 < _share("weights", "dlib weights") < 0.23,
    ),
    Claim(
        "But it needs about four fifths of the multiplications ({{ value network/multiplications }} against"
        " {{ value network/dlib multiplications }}).",
        lambda: 0.77 < _share("multiplications", "dlib multiplications") < 0.85,
    ),
    Claim(
        "After about sixty, they fall steeply.",
        lambda: _singular_values()[55] > 0.9 and _singular_values()[64] < 0.02,
    ),
    Claim(
        "Training had room for more directions than it used.",
        lambda: value("network/singular values above") < value("network/outputs") / 2,
    ),
    Claim(
        "Over all pairs of {{ value network/photos }} photos, no distance changes by more than {{ value network/largest change }}.",
        lambda: 0 < value("network/largest change") < 1e-5,
    ),
    Claim(
        "the three ways of mining end within one percentage point of each other",
        lambda: max(found := by_row("training/minings", "AUC at its best").values()) - min(found) <= 1,
    ),
    Claim(
        "All four intervals overlap",  # of the table from the paper
        lambda: max(low for low, _ in _INTERVALS) <= min(high for _, high in _INTERVALS),
    ),
    Claim(
        "With *all* and with *hardest*, the people nearly always end up apart.",
        lambda: min(_separated("all"), _separated("hard")) > 0.85,
    ),
    Claim(
        "With *semi-hard*, some points get stuck.",
        lambda: _separated("semi-hard") < 0.75,
    ),
    Claim(
        "After 60 steps the nearest centre is right for every photo.",
        lambda: all(right == "100 %" for right, _ in _on_the_circle("softmax")),
    ),
    Claim(
        "So no threshold on the angle separates all pairs.",
        lambda: not any(exists for _, exists in _on_the_circle("softmax")),
    ),
]
