"""What an experiment leaves: values, tables and charts as JSON in `docs/results/`, from which the book draws (`book.results`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .photos import ROOT

RESULTS = ROOT / "docs" / "results"
POINTS = 120  # of a curve: more would not show


@dataclass(frozen=True)
class Table:
    """Cells as they are to be read."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Curve:
    """A line through points (x, y), or the points alone."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: Literal["line", "dashed", "points"] = "line"


@dataclass(frozen=True)
class Axis:
    """names: of the places 0, 1, 2 ... where the axis is one of names, not of numbers."""

    label: str
    log: bool = False
    percent: bool = False
    limits: tuple[float, float] | None = None
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """alt: what the chart shows, for who cannot see it."""

    alt: str
    x: Axis
    y: Axis
    curves: Sequence[Curve]
    marks: Mapping[str, float] = field(default_factory=dict)  # upright lines: name -> x


@dataclass
class Report:
    """Everything a chapter may take from one experiment, by name."""

    command: str
    values: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)

    def save(self, name: str) -> None:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)
        text = re.sub(r"\[\s+([-\d.e,\s]+?)\s+\]", lambda numbers: f"[{' '.join(numbers[1].split())}]", text)
        (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def percent(share: float, digits: int = 2) -> str:
    """A share as it is printed: 0.0123 -> 1.23 %, with a space that does not break."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def spread(shares: Sequence[float], digits: int = 2) -> str:
    """Mean and standard deviation of shares."""
    return f"{100 * np.mean(shares):.{digits}f} ± {100 * np.std(shares):.{digits}f}\N{NO-BREAK SPACE}%"


def thinned(values: NDArray[np.floating], count: int = POINTS) -> list[float]:
    """As many of the values as a chart needs, evenly taken, with four digits."""
    chosen = values[np.unique(np.linspace(0, len(values) - 1, count).round().astype(int))]
    return [float(f"{value:.4g}") for value in chosen]
