"""The pages of the book as text: what the tests of its prose read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..conftest import ROOT

NAV = re.compile(r"^ +- [^:\n]+: ([\w-]+\.md)$|^  - ([^:\n]+):$", re.MULTILINE)
NOT_PROSE = re.compile(
    r"^(?P<fence>[ ]*(?:```|~~~)).*?^[ ]*(?:```|~~~)[ ]*$"  # code
    r"|<svg.*?</svg>|<!--.*?-->|\$\$.*?\$\$"
    r"|^\|.*?$"  # rows of tables
    r"|^---\n.*?^---$"  # the head of the file
    r"|^[ ]*\[\^[^\]]+\]:.*?(?=\n\S|\n\n\S|\Z)",  # footnotes
    re.DOTALL | re.MULTILINE,
)
REFERENCES = re.compile(r"^## (?:References|Sources)$.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
MENTION = re.compile(r"\{\{ (\w+) ([^}]+?) \}\}")
ATTRIBUTES = re.compile(r"\{[^{}\n]*\}|</?[a-z][^>]*>")
ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|vs|cf|Art|No|St|Dr|Mr|Mrs|Fig|Eq|pp?|vol|et al|approx)\.$|\b[A-Z]\.$")


@dataclass(frozen=True)
class BookPage:
    """name: of the file, without .md. text: as it is written."""

    name: str
    text: str

    @property
    def paragraphs(self) -> list[str]:
        """Prose alone, a paragraph or item of a list each, on one line; mentions are kept, formulas become “$x$” as they are."""
        text = NOT_PROSE.sub("\n\n", REFERENCES.sub("", self.text))
        blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|\n(?=#)|\n(?=\?\?\?|!!!)", text)
        joined = (re.sub(r"^\s*(?:[-*]|\d+\.|\?\?\?\+?|!!!)\s+", "", " ".join(block.split())) for block in blocks)
        return [block for block in joined if re.search(r"[A-Za-z]{2}", MENTION.sub("", block))]

    @property
    def sentences(self) -> list[str]:
        """Of the prose, headings left out."""
        return [sentence for block in self.paragraphs if not block.startswith("#") for sentence in split_sentences(block)]


def split_sentences(block: str) -> list[str]:
    parts = re.split(r"(?<=[.!?:])[*_)”\"’]*\s+(?=[*_(“\"‘]*[A-Z0-9$\[{`])", block)
    sentences: list[str] = []
    for part in parts:
        if sentences and ABBREVIATED.search(sentences[-1]):
            sentences[-1] += " " + part
        else:
            sentences.append(part)
    return sentences


def plain(sentence: str) -> str:
    """Without Markdown: links are their text, a value or formula is one word."""
    sentence = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", MENTION.sub("N", sentence))
    sentence = re.sub(r"\$[^$]*\$", "x", sentence)
    sentence = re.sub(r"`[^`]*`", "code", ATTRIBUTES.sub("", sentence))
    return re.sub(r"[*_]{1,3}|\[\^\w+\]", "", sentence)


def chapters() -> list[BookPage]:
    """The pages under “The book”, in the order of the menu."""
    return [page for section, page in _menu() if section == "The book"]


def all_pages() -> list[BookPage]:
    """Every page of the menu, in its order."""
    return [page for _, page in _menu()]


def _menu() -> list[tuple[str, BookPage]]:
    text = (ROOT / "mkdocs.yml").read_text()
    menu, section = [], ""
    for file, begins in NAV.findall(text[text.index("\nnav:") : text.index("\nmarkdown_extensions:")]):
        section = begins.strip(" -") if begins else section
        path: Path = ROOT / "docs" / file
        if file:
            menu.append((section, BookPage(path.stem, path.read_text())))
    return menu
