"""Claims of the chapter on face recognition."""

from __future__ import annotations

from book.results import read_report

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


CLAIMS = [
    Claim(
        "In the corners, the weights reach at most {{ value network/corner share }} of the largest ones.",
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
        "The differences are smaller than their uncertainty",
        lambda: max(86.8, 87.9, 87.7) - 86.8 < 1.7 + 1.9 and 87.9 - 85.6 < 1.9 + 2.0,  # of the table from the paper
    ),
]
