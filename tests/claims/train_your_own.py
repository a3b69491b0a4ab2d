"""Claims of the page on training a network."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from book.results import read_report

from . import Claim, by_row, value

AUC, RIGHT = "AUC at its best", "Pairs right then"
BEST, FOUND = "Pairs right", "Found at 1 % false matches"


def _curves(report: str) -> list[Any]:
    curves: list[Any] = read_report(report)["charts"]["course"]["curves"]
    return curves


def _students_and_teachers(column: str) -> dict[str, dict[str, float]]:
    """Collection -> network -> number."""
    table = read_report("distillation")["tables"]["verification"]
    place = table["columns"].index(column)
    found: dict[str, dict[str, float]] = {}
    for row in table["rows"]:
        found.setdefault(row[0], {})[row[1]] = float(row[place].split()[0].rstrip("%"))
    return found


def _gaps(column: str) -> dict[str, float]:
    return {name: networks["teacher"] - networks["student"] for name, networks in _students_and_teachers(column).items()}


def _raised() -> bool:
    bests = by_row("training/minings", AUC)
    untrained = set(by_row("training/minings", "AUC untrained").values())
    ends = (value("training/lowest best"), value("training/highest best"))
    slowest = max(by_row("training/minings", "Seconds").values())
    return (
        untrained == {value("training/untrained")}
        and ends == (min(bests.values()), max(bests.values()))
        and ends[0] > value("training/untrained")
        and round(slowest / 60) == value("training/minutes")
    )


def _closer_than_neighbours() -> bool:
    """Every curve has neighbouring epochs, late in the training, that differ by more than the best AUCs do."""
    curves = [curve["y"] for curve in _curves("training")]
    bests = [max(y[1:]) for y in curves]
    return all(max(abs(a - b) for a, b in pairwise(y[10:])) > max(bests) - min(bests) for y in curves)


def _more_photos_would_help() -> bool:
    """The last ten epochs brought hardly anything, while faces learned from and faces held out are far apart."""
    missed, explained = (curve["y"] for curve in _curves("distillation"))
    return bool(missed[-10] - missed[-1] < 0.01 and explained[-1] - explained[-10] < 0.01 and 1 - explained[-1] - missed[-1] > 0.05)


CLAIMS = [
    Claim(
        "Within {{ value training/minutes }} minutes on two CPU cores, each training raises it "
        "to between {{ value training/lowest best }} and {{ value training/highest best }}.",
        _raised,
    ),
    Claim("The table does not settle which mining is best.", _closer_than_neighbours),
    Claim(
        "By AUC, semi-hard mining comes first; by pairs decided correctly, training on all triplets does.",
        lambda: (
            max(by_row("training/minings", AUC).items(), key=lambda row: row[1])[0] == "semi-hard"
            and max(by_row("training/minings", RIGHT).items(), key=lambda row: row[1])[0] == "all"
        ),
    ),
    Claim(
        "The best AUCs differ by less than the AUCs of neighbouring epochs sometimes do.",
        _closer_than_neighbours,
    ),
    Claim(
        "In the small experiment, all three ways of mining come out about equal.",
        lambda: value("training/highest best") - value("training/lowest best") < 1,
    ),
    Claim(
        "so it misses {{ value distillation/missed of those held out }}",
        lambda: value("distillation/explained") + value("distillation/missed of those held out") == 100,
    ),
    Claim("more photos would help more than more epochs", _more_photos_would_help),
    Claim("the student decides fewer pairs correctly than its teacher", lambda: min(_gaps(BEST).values()) > 0),
    Claim(
        "The gap is wider in the last column, where few false matches are allowed",
        lambda: all(_gaps(FOUND)[name] > _gaps(BEST)[name] for name in _gaps(BEST)),
    ),
    Claim(
        "the student needs only {{ value distillation/share of the time }} of the teacher’s time",
        lambda: abs(value("distillation/share of the time") - 100 / value("distillation/times as fast")) < 2,
    ),
    Claim(
        "A lazy student that answers the mean for every face therefore gets a high cosine",
        lambda: value("distillation/common direction") > 0.9,
    ),
]
