"""What the chapters claim about what was measured, each beside a check against its table: one module a page, a list CLAIMS.

    Claim("The corrected distance misses fewer pairs of orl39", lambda: value("whom/MobileFaceNet corrected orl39") < ...)

`says` stands in the page word for word, mentions such as {{ value ... }} included, however its lines are broken. So whoever
changes the sentence, or measures anew, meets the check (tests/unit/test_claims.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from book.results import read_report

NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Claim:
    """says: words of the page. holds: whether what was measured bears them out."""

    says: str
    holds: Callable[[], bool]


def value(name: str) -> float:
    """The first number of the value REPORT/KEY: "4.4 ± 0.2 %" is 4.4."""
    report, _, key = name.partition("/")
    return first_number(read_report(report)["values"][key])


def cell(table: str, row: str, column: str) -> float:
    """The first number of a cell of the table REPORT/KEY, by the words of its row's first cell and of its column."""
    return by_row(table, column)[row]


def by_row(table: str, column: str) -> dict[str, float]:
    """A column of a table: first cell of the row -> number. Rows without a number are left out."""
    report, _, key = table.partition("/")
    found = read_report(report)["tables"][key]
    place = found["columns"].index(column)
    return {row[0]: first_number(row[place]) for row in found["rows"] if NUMBER.search(row[place])}


def by_column(table: str, row: str) -> dict[str, float]:
    """A row of a table: column -> number. Cells without a number are left out."""
    report, _, key = table.partition("/")
    found = read_report(report)["tables"][key]
    (cells,) = (cells for cells in found["rows"] if cells[0] == row)
    return {column: first_number(text) for column, text in zip(found["columns"], cells, strict=True) if NUMBER.search(text)}


def first_number(text: str) -> float:
    found = NUMBER.search(text)
    if not found:
        raise ValueError(f"no number in “{text}”")
    return float(found[0].replace(",", "").replace("−", "-"))
