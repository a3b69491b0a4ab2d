"""Claims of the overview."""

from __future__ import annotations

from book.results import read_report

from . import Claim, by_row, cell, value

ADULTS = ("Asian", "Black", "Indian", "White", "other")


def fmr_of_adults() -> dict[str, float]:
    """False match rates of the adult groups at the demo's threshold, in percent."""
    return {group: rate for group, rate in by_row("whom/groups", "at “same”").items() if group.startswith(ADULTS)}


CLAIMS = [
    Claim(
        "with it, $a$ and $b$ would count as one person, $a$ and $c$ as two",
        lambda: 0.28 < value("whom/good same_below") < 1.41,
    ),
    Claim(
        "its false match rate is {{ value whom/dlib best }} in the best group and {{ value whom/dlib worst }} in the worst",
        lambda: value("whom/dlib best") < value("whom/dlib worst"),
    ),
    Claim(
        "Their false match rate is {{ value whom/worst }}, about one in a thousand",
        lambda: max(fmr_of_adults().values()) == value("whom/worst") and 0.09 <= value("whom/worst") <= 0.11,
    ),
    Claim(
        "Its threshold was chosen for the worst group of adults, {{ value whom/worst group }}",
        lambda: max(fmr_of_adults(), key=fmr_of_adults().__getitem__) == read_report("whom")["values"]["worst group"],
    ),
    Claim(
        "Children are another matter",
        lambda: value("whom/fmr aged 4 to 12") > 10 * value("whom/worst"),
    ),
    Claim(
        "Below the age of four, {{ value whom/fmr aged 0 to 3 }} of the pairs of strangers pass as one person",
        lambda: abs(cell("whom/groups", "aged 0 to 3", "at “same”") - value("whom/fmr aged 0 to 3")) < 0.01,
    ),
]
