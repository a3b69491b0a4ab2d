"""The drawn figures: each is in the book, its words fit into it and do not lie on each other, its caption stands alone."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from xml.etree import ElementTree

import pytest

import book.figures
from book.figures import Figure, figure_called

from ..conftest import ROOT

MODULES = [info.name for info in pkgutil.iter_modules(book.figures.__path__) if info.name != "drawing"]
NAMES = [
    f"{module}/{name}"
    for module in MODULES
    for name, thing in vars(importlib.import_module(f"book.figures.{module}")).items()
    if not name.startswith("_") and getattr(thing, "__annotations__", {}).get("return") in (Figure, "Figure")
]


@pytest.fixture(scope="module")
def pages() -> str:
    return "\n".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_figure_is_drawn_so_that_it_can_be_read(name: str, pages: str) -> None:
    assert f"{{{{ figure {name} }}}}" in pages or f"{{{{ figure {name.replace('_', '-')} }}}}" in pages, "no page shows it"
    figure = figure_called(name)
    assert figure.caption.startswith("**"), "a caption begins with its title"
    for drawing in figure.drawings:
        ElementTree.fromstring(drawing.svg("a"))
        for words in drawing.words:
            x1, y1, x2, y2 = words.box
            inside = min(x1, y1, drawing.width - x2, drawing.height - y2) >= -1
            assert inside, f"“{words.text}” leaves the drawing"
        for a, b in itertools.combinations(drawing.words, 2):
            across = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
            down = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
            assert across <= 1 or down <= 2, f"“{a.text}” lies on “{b.text}”"


def test_an_unknown_figure_is_a_key_error() -> None:
    for name in ("recognition/nothing", "nothing/here"):
        with pytest.raises(KeyError):
            figure_called(name)
