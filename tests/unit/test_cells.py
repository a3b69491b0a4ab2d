"""The chapters' code cells: each runs under CPython, in its order, and prints what the chapter says it prints."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from facelab.cells import MOST_TEXT, Notebook
from facelab.runtime import finish

from ..conftest import ROOT

# In an exercise's folded answer, a cell and what it prints are indented.
CELL = re.compile(
    r"^(?P<edge>[ ]*)``` \{ \.python \.cell \}\n(?P<source>.*?)^(?P=edge)```$"
    r"(?:\s*^(?P=edge)```text\n(?P<printed>.*?)^(?P=edge)```$)?",
    re.DOTALL | re.MULTILINE,
)
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if CELL.search(page.read_text()))


@dataclass
class Cell:
    source: str
    printed: str


def cells_of(page: Path) -> list[Cell]:
    found = CELL.finditer(page.read_text())
    return [Cell(dedent(cell["source"]), dedent(cell["printed"] or "")) for cell in found]


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
    assert finish(notebook.run("class Silent(Exception):\n    def __str__(self): return 1 / 0\nraise Silent")).error == "Silent"


@pytest.mark.parametrize("source", ["raise SystemExit", "import sys\nsys.exit(3)", "exit()"])
def test_cell_that_ends_itself_is_said_to(source: str) -> None:
    notebook = Notebook()
    outcome = finish(notebook.run("a = 6\n" + source))
    assert outcome.error is not None
    assert "ended itself" in outcome.error
    assert finish(notebook.run("a * 7")).text == "42\n"


@pytest.mark.parametrize("reading", ["input('Name? ')", "sys.stdin.read()", "sys.stdin.readline()", "next(sys.stdin)"])
def test_cell_that_reads_from_the_keyboard_is_told_that_there_is_none(reading: str) -> None:
    before = sys.stdin
    outcome = finish(Notebook().run(f"import sys\nname = {reading}"))
    assert outcome.error is not None
    assert outcome.error.startswith("There is no keyboard")
    assert outcome.line == 2
    assert sys.stdin is before


def test_what_a_cell_prints_is_kept_up_to_a_limit_and_cannot_be_closed() -> None:
    outcome = finish(Notebook().run(f"for _ in range(10): print('x' * {MOST_TEXT // 4 - 1})"))
    assert outcome.text == ("x" * (MOST_TEXT // 4 - 1) + "\n") * 4 + f"\n… {MOST_TEXT // 4 * 6:,} more characters"
    closed = finish(Notebook().run("import sys\nsys.stdout.close()\nprint('said')"))
    assert (closed.text, closed.error) == ("said\n", None)


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
