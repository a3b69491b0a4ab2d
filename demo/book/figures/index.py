"""The front page’s figure: two photos, two rows of numbers, one distance."""

from __future__ import annotations

import numpy as np

from ..results import read_report
from . import Figure
from .drawing import Drawing

NUMBERS = 32  # of the 128, for a drawing of this size


def one_distance() -> Figure:
    """Two pairs: one of the same person, one of two people. The bars are made up, the limits are the demo's."""
    limits = read_report("whom")["values"]
    same, different = float(limits["good same_below"]), float(limits["good different_from"])
    random = np.random.default_rng(3)
    person = random.normal(0, 1, NUMBERS)
    again, stranger = person + random.normal(0, 0.35, NUMBERS), random.normal(0, 1, NUMBERS)
    return Figure(
        [
            _pair("Two photos of one person", person, again, same, different, "same person", "good", 8),
            _pair("Photos of two people", person, stranger, same, different, "different people", "bad", -12),
        ],
        "**The whole idea.** A network turns each face into 128 numbers. Photos of one person give similar numbers, so the "
        f"distance between them is small. Below {same:.2f} the demo answers “same person”, from {different:.2f} on “different "
        "people”, and in between “can’t tell”. The bars are drawn for illustration.",
    )


def _pair(
    title: str,
    a: np.ndarray[tuple[int], np.dtype[np.float64]],
    b: np.ndarray[tuple[int], np.dtype[np.float64]],
    same: float,
    different: float,
    answer: str,
    tone: str,
    tilt: float,
) -> Drawing:
    d = Drawing(f"{title}: the faces become numbers, and the distance of the numbers gives the answer “{answer}”.", 340, 226)
    d.text(8, 18, title, bold=True)
    for row, values, lean in ((0, a, 0.0), (1, b, tilt)):
        y = 60 + 70 * row
        d.rect(8, y - 30, 52, 60, "surface", "line", radius=4)
        d.face(34, y, 46, tilt=lean)
        if tone == "bad" and row == 1:
            _glasses(d, 34, y, 46, lean)
        d.arrow(66, y, 86, y, "muted")
        for i, value in enumerate(values):
            high = 9 * float(np.clip(value, -2.6, 2.6))
            d.rect(94 + 7.4 * i, y - max(high, 0), 5, abs(high), "accent", "none", opacity=0.85)
        d.line([(92, y), (332, y)], "line", thick=1)
    length_a, length_b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    distance = float(np.linalg.norm(length_a - length_b))
    left, right, line, most = 14.0, 326.0, 190, 1.6

    def at(value: float) -> float:
        return left + (right - left) * value / most

    d.line([(left, line), (at(same), line)], "good", thick=5)
    d.line([(at(same), line), (at(different), line)], "warn", thick=5)
    d.line([(at(different), line), (right, line)], "bad", thick=5)
    d.line(
        [(at(distance), line - 15), (at(distance) - 6, line - 25), (at(distance) + 6, line - 25)],
        "ink",
        fill="ink",
        closed=True,
        thick=1,
    )
    d.text(left, line + 22, "same", size=12, colour="good")
    d.text((at(same) + at(different)) / 2, line + 22, "can’t tell", size=12, colour="warn", anchor="middle")
    d.text(right, line + 22, "different", size=12, colour="bad", anchor="end")
    end = "end" if distance > 1 else "start"
    d.text(at(distance) + (-12 if distance > 1 else 12), line - 16, f"distance {distance:.2f}: {answer}", size=12, anchor=end)  # type: ignore[arg-type]
    return d


def _glasses(d: Drawing, x: float, y: float, height: float, tilt: float) -> None:
    """Round glasses on the face that stands there."""
    turn = np.exp(1j * np.radians(tilt)) * height / 100

    def at(across: float, down: float) -> tuple[float, float]:
        point = complex(x, y) + turn * complex(across, down)
        return point.real, point.imag

    for side in (-1, 1):
        d.circle(*at(15 * side, -12), 0.13 * height, stroke="ink")
        d.line([at(28 * side, -12), at(38 * side, -14)], thick=1.2)
    d.line([at(-3, -12), at(3, -12)], thick=1.2)
