"""The book's drawn figures: one module a chapter, one function a figure. `{{ figure detection/haar }}` draws `detection.haar()`.

A figure is one drawing or several; several stand side by side where there is room, and under each other on a phone.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from .drawing import Drawing

__all__ = ["Drawing", "Figure", "figure_called"]


@dataclass(frozen=True)
class Figure:
    """drawings: from left to right. caption: Markdown that makes sense without the text; it begins with a title in bold."""

    drawings: list[Drawing]
    caption: str

    def html(self, name: str) -> str:
        """The figure as it stands in a page. name: makes its ids unlike those of other figures."""
        drawn = "\n".join(drawing.svg(f"{name.replace('/', '-').replace('_', '-')}-{i}") for i, drawing in enumerate(self.drawings))
        return f'<div class="panels drawn">\n{drawn}\n</div>'


def figure_called(name: str) -> Figure:
    """The figure MODULE/FUNCTION. Raises KeyError where there is none."""
    module, _, function = name.partition("/")
    try:
        found = importlib.import_module(f"{__name__}.{module.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise KeyError(name) from error
    draw = getattr(found, function.replace("-", "_"), None)
    if draw is None:
        raise KeyError(name)
    figure: Figure = draw()
    return figure
