"""Puts each table into a box that scrolls sideways when the page is narrower than the table.

The box can be reached with the keyboard, as everything that scrolls must be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

if TYPE_CHECKING:
    from markdown import Markdown


class TableBoxes(Treeprocessor):
    """Wraps each `<table>` of a page in a `<div class="table">`."""

    def run(self, root: ElementTree.Element) -> None:
        for parent in list(root.iter()):
            for place, element in enumerate(parent):
                if element.tag == "table":
                    box = ElementTree.Element("div", {"class": "table", "tabindex": "0"})
                    box.tail, element.tail = element.tail, None
                    element.set("class", "in-box")  # the theme's script would wrap tables without a class a second time
                    parent[place] = box
                    box.append(element)


class TablesExtension(Extension):
    """The Python-Markdown extension `book.tables`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.registerExtension(self)
        md.treeprocessors.register(TableBoxes(md), "table-boxes", 15)  # after inline (20), before prettify (10)


def makeExtension(**configuration: object) -> TablesExtension:  # noqa: N802
    """Make the extension; Python-Markdown looks for a function of this name."""
    return TablesExtension(**configuration)
