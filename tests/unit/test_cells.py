"""The chapters' code cells: each runs under CPython, in its order, and prints what the chapter says it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from facelab.cells import Notebook
from facelab.runtime import finish

from ..conftest import ROOT

CELL = re.compile(r"^``` \{ \.python \.cell \}\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if CELL.search(page.read_text()))


@dataclass
class Cell:
    source: str
    printed: str


def cells_of(page: Path) -> list[Cell]:
    return [Cell(source, printed) for source, printed in CELL.findall(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_cells_of_a_chapter_run_and_print_what_it_says(page: Path) -> None:
    notebook = Notebook()
    for cell in cells_of(page):
        outcome = finish(notebook.run(cell.source))
        assert outcome.error is None, f"{outcome.error}\n\nin line {outcome.line} of\n{cell.source}"
        if cell.printed:
            assert outcome.text == cell.printed
        else:
            assert outcome.text or outcome.shown or "def " in cell.source, f"a cell that shows nothing:\n{cell.source}"


def test_names_stay_from_cell_to_cell_and_the_last_value_is_printed() -> None:
    notebook = Notebook()
    assert finish(notebook.run("a = 2\nb = 3")).text == ""
    assert finish(notebook.run("print('sum')\na + b")).text == "sum\n5\n"


def test_error_names_the_line_of_the_cell() -> None:
    notebook = Notebook()
    outcome = finish(notebook.run("def half(x):\n    return x / 0\n\nhalf(1)"))
    assert outcome.line == 2
    assert outcome.error == "ZeroDivisionError: division by zero"
    wrong = finish(notebook.run("a = 1\nb = (2"))
    assert (wrong.line, wrong.error) == (2, "SyntaxError: '(' was never closed")
    assert finish(notebook.run("raise SystemExit")).error == "SystemExit"


def test_error_of_facelab_is_its_sentence() -> None:
    outcome = finish(Notebook().run("from facelab.cells import show\nimport numpy as np\nshow(np.zeros(3))"))
    assert outcome.error == "a picture is [height, width] or [height, width, 3], this is [3]"
    assert outcome.line == 3


def test_pictures_are_shown_as_bytes() -> None:
    outcome = finish(
        Notebook().run("from facelab.cells import show\nimport numpy as np\nshow(np.full((2, 3), 0.5), caption='grey')")
    )
    (shown,) = outcome.shown
    assert shown.pixels.shape == (2, 3, 3)
    assert shown.pixels.dtype == np.uint8
    assert (shown.pixels == 128).all()
    assert shown.caption == "grey"


def test_endless_output_is_cut() -> None:
    outcome = finish(Notebook().run("for i in range(100_000): print(i)"))
    assert len(outcome.text) < 21_000
    assert "more characters" in outcome.text
