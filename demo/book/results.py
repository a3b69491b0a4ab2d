"""What was measured, and the code that does the work, put into a chapter while the book is built: prose cannot drift from them.

A line of a chapter may be one of

    {{ table whom/promise }}             a table of docs/results/whom.json
    {{ chart whom/trade-off actors6 }}   a chart of it, drawn as SVG
    {{ code facelab.detect.suppress }}   the source of a function or class of the library
    {{ lab cascade }}                    a lab, a still picture until it is loaded
    {{ lab cascade waiting }}            the same, loaded on request only
    {{ figure detection/haar }}          a drawn figure with its caption (book.figures)

and `{{ value whom/worst }}` may stand within a sentence. An unknown name stops the build.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import asdict
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from PIL import Image

from facelab.labs import LABS

from .charts import draw
from .figures import figure_called

if TYPE_CHECKING:
    from markdown import Markdown

ROOT = Path(__file__).parents[2]
MENTION = re.compile(r"\{\{ (table|chart|value|code|lab|figure) ([^}]+?) \}\}")


class ResultError(ValueError):
    """A chapter names a result or a function that does not exist. The message says which."""


class Results(Preprocessor):
    """Replaces the mentions of a page by what they name."""

    def run(self, lines: list[str]) -> list[str]:
        return MENTION.sub(self._replace, "\n".join(lines)).split("\n")

    def _replace(self, mention: re.Match[str]) -> str:
        kind, name = mention.groups()
        if kind == "code":
            return f"```python\n{source_of(name)}\n```"
        if kind == "lab":
            return place_lab(*name.split())
        if kind == "figure":
            return self._draw_figure(name)
        report, _, key = name.partition("/")
        found = read_report(report).get(f"{kind}s", {}).get(key)
        if found is None:
            raise ResultError(f"docs/results/{report}.json has no {kind} called “{key}”")
        if kind == "value":
            return str(found)
        if kind == "chart":
            return self.md.htmlStash.store(draw(found, name))
        return as_markdown(found)

    def _draw_figure(self, name: str) -> str:
        try:
            figure = figure_called(name)
        except KeyError as error:
            raise ResultError(f"there is no figure called {name} in book.figures") from error
        drawn = self.md.htmlStash.store(figure.html(name))
        return f'<figure markdown>\n{drawn}\n<figcaption markdown="span">{figure.caption}</figcaption>\n</figure>'


@cache
def read_report(name: str) -> dict[str, Any]:
    """The report of an experiment. Raises ResultError where there is none."""
    path = ROOT / "docs" / "results" / f"{name}.json"
    if not path.is_file():
        raise ResultError(f"there is no docs/results/{name}.json: run `python -m tests.experiments {name}`")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def as_markdown(table: dict[str, Any]) -> str:
    """A table as Markdown, with the first column to the left and figures to the right."""
    columns, rows = table["columns"], table["rows"]
    rule = [":--", *("--:" for _ in columns[1:])]
    return "\n".join("| " + " | ".join(cell.replace("*", "\\*") for cell in row) + " |" for row in [columns, rule, *rows])


def place_lab(kind: str, *how: str) -> str:
    """The HTML in a lab's place: its stills, for both schemes and two widths, and its settings. Raises ResultError."""
    if kind not in LABS:
        raise ResultError(f"there is no lab called {kind} in facelab.labs")
    lab = LABS[kind]
    told = {
        "title": lab.title,
        "controls": [asdict(control) for control in lab.controls],
        "settings": lab.settings,
        "wants_photo": lab.wants_photo,
        "quick": lab.quick,
    }
    alt = f"Lab, a still: {lab.title}"
    stills = "\n".join(
        f"![{alt}](app/stills/{still}.webp#only-{scheme}){{ loading=lazy .still{narrow}{_size_of(still)} }}"
        for scheme in ("light", "dark")
        for narrow in ("", "-narrow")
        for still in [f"{kind}-{scheme}{narrow}"]
    )
    waiting = " data-waiting" if "waiting" in how else ""
    settings = escape(json.dumps(told, allow_nan=False))
    room = "; ".join(f"--room-{width}: {height}rem" for width, height in _lab_heights().get(kind, {}).items())
    return f'<div class="lab" data-lab="{kind}" data-told="{settings}" style="{room}"{waiting} markdown>\n{stills}\n</div>'


@cache
def _size_of(still: str) -> str:
    """The attributes by which a browser keeps a still's room while it is on its way; none where the stills are not made yet."""
    path = ROOT / "docs" / "app" / "stills" / f"{still}.webp"
    if not path.is_file():
        return ""
    with Image.open(path) as picture:
        return f" width={picture.width} height={picture.height}"


@cache
def _lab_heights() -> dict[str, dict[str, float]]:
    """The room that each lab needs at three widths of the window, as tests/browser/lab_heights.py measured it."""
    heights: dict[str, dict[str, float]] = json.loads(Path(__file__).with_name("lab-heights.json").read_text())
    return heights


def source_of(name: str) -> str:
    """The source of `package.module.thing` in demo/. Raises ResultError where there is no such thing."""
    *module, thing = name.split(".")
    path = ROOT / "demo" / Path(*module).with_suffix(".py")
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == thing:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise ResultError(f"there is no function or class {name} under demo/")


class ResultsExtension(Extension):
    """The Python-Markdown extension `book.results`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.registerExtension(self)
        md.preprocessors.register(Results(md), "results", 28)  # before fenced code (25), after whitespace is set right (30)


def makeExtension(**configuration: object) -> ResultsExtension:  # noqa: N802
    """Make the extension; Python-Markdown looks for a function of this name."""
    return ResultsExtension(**configuration)
