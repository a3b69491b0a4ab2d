"""The book's tables: each in one box that the keyboard can scroll."""

from __future__ import annotations

import re

from markdown import Markdown


def test_each_table_has_a_box_and_its_neighbours_stay() -> None:
    first = "| a | b |\n|---|---|\n| 1 | 2 |"
    second = "- item\n\n    | c |\n    |---|\n    | 3 |"
    source = f"before\n\n{first}\n\nbetween\n\n{second}\n\nafter"
    page = Markdown(extensions=["tables", "book.tables"]).convert(source)
    assert len(re.findall(r'<div class="table" tabindex="0">\s*<table class="in-box">', page)) == 2
    assert page.count("<table") == page.count("</table>\n</div>") == 2
    order = [page.index(word) for word in ("before", "<td>1", "between", "item", "<td>3", "after")]
    assert order == sorted(order)
