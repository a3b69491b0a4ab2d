"""The book's words: no misspelling, one English (British), every link and picture leads somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ..conftest import ROOT

PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
AMERICAN = re.compile(
    r"\b(?:\w*(?:colors?|colored|centers?|centered|behaviors?|neighbors?|neighborhoods?|favors?|fibers?|catalogs?|gray|labeled|modeling|canceled)"
    r"|(?:recogni|normali|equali|organi|minimi|maximi|optimi|regulari|summari|generali|reali|emphasi|quanti|randomi|locali|initiali|visuali)"
    r"(?:ze|zes|zed|zing|zation))\b",
    re.IGNORECASE,
)
NAMES = {"Labeled"}  # of the data set
CODE = re.compile(r"^(```|~~~).*?^\1[ ]*$|`[^`\n]+`|<svg.*?</svg>|\{\{.*?\}\}|https?://\S+", re.DOTALL | re.MULTILINE)
REFERENCES = re.compile(r"^## (?:References|Sources)$.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def test_no_common_misspelling() -> None:
    command: list[str | Path] = [
        Path(sys.executable).with_name("codespell"),
        "--builtin",
        "clear,rare",
        "--ignore-words-list",
        "foto",  # a word in names of files (facelab.names)
        *PAGES,
        ROOT / "demo" / "facelab",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_english_is_british(page: Path) -> None:
    """Outside code, and outside titles of papers, which are as they are."""
    text = re.sub(r"[“\"*][^“”\"*\n]+[”\"*]", "", REFERENCES.sub("", CODE.sub("", page.read_text())))
    assert [word for word in AMERICAN.findall(text) if word not in NAMES] == []


class Page(HTMLParser):
    """The ids of a page, and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if told.get("id"):
            self.ids.add(told["id"] or "")
        for name in ("href", "src"):
            if told.get(name) and tag in {"a", "img", "script", "link"}:
                self.links.add(told[name] or "")


def test_links_and_pictures_of_the_built_site_lead_somewhere() -> None:
    site = (ROOT / "site").resolve()
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html" and "app" not in path.parts}
    assert len(pages) > 8
    for path, page in pages.items():
        for link in page.links:
            there = urlsplit(link)
            if there.scheme or there.netloc:
                continue
            target = path.parent / unquote(there.path) if there.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path.relative_to(site)}: {link}"
            target = target.resolve()
            if there.fragment and target in pages and not there.fragment.startswith("only-"):
                assert unquote(there.fragment) in pages[target].ids, f"{path.relative_to(site)}: {link}"


def test_search_finds_every_term_of_the_glossary() -> None:
    """Each is the title of a section in the index that the site's search reads."""
    index = json.loads((ROOT / "site" / "search" / "search_index.json").read_text())
    titles = {entry["title"] for entry in index["docs"]}
    terms = re.findall(r"^### (.+?)\s*\{ #", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert len(terms) > 50
    assert [term for term in terms if term not in titles] == []
