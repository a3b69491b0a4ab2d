"""How a chapter is made: short sentences, numbers out of results, checked claims, explained terms, something to look at."""

from __future__ import annotations

import importlib
import re

import pytest

from ..conftest import ROOT
from .pages import BookPage, all_pages, chapters, plain

LONGEST_SENTENCE = 35  # words
LONGEST_STRETCH = 450  # words without something to look at or to move: two screens of a phone
FEWEST_EXERCISES = 4

CHAPTERS = chapters()
SEEN = re.compile(r"\{\{ (?:figure|lab|chart|table)[^}]*\}\}|<svg.*?</svg>|```.*?```|(?:^\|[^\n]*\n)+", re.DOTALL | re.MULTILINE)
LEARNING = [page for page in CHAPTERS if page.name != "glossary"]
by_name = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)
of_learning = pytest.mark.parametrize("page", LEARNING, ids=lambda page: page.name)

# A rate, a time, a size or a factor, and a word that says it was measured here.
FIGURE = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?\s?(?:%|ms\b|milliseconds?\b|MB\b|kB\b|times (?:as|faster|slower|the)\b)")
MEASURED = re.compile(
    r"\b(?:measured|measures|misses|missed|accuracy|FN?MR|TAR|AUC|false (?:non-)?match(?:es)?|faster|slower"
    r"|lfw100|orl39|actors6|utk9k|UTKFace|this project|the demo|the page)\b"
)
# Rates that are chosen, not found: promises and operating points.
CHOSEN = re.compile(r"\b(?:FAR|FMR|FPIR|FNMR|promise[sd]?|target|at most|below|under|let|suppose|if|would|say)\b", re.IGNORECASE)
CITED = re.compile(r"\[\^|\]\(https?:|\(\w[^()]*\b(?:19|20)\d\d\b[^()]*\)|\b[Ss]ection \d|\b(?:19|20)\d\d\)")
# Words that compare, in sentences that stand by a measurement.
COMPARES = re.compile(
    r"\b(?:most|least|best|worst|half|halves|twice|doubles?|better|worse|fewer|fewest|highest|lowest|higher|lower|nearly all"
    r"|hardly|no other|more than|less than|as (?:many|much|good|well|fast) as|times (?:as|the))\b"
)
MEASURED_HERE = re.compile(r"\{\{ (?:table|chart) [^}]+ \}\}")


@by_name
def test_no_sentence_is_long(page: BookPage) -> None:
    long = [plain(sentence) for sentence in page.sentences if len(plain(sentence).split()) > LONGEST_SENTENCE]
    assert long == []


@by_name
def test_no_measured_number_is_typed(page: BookPage) -> None:
    """It comes from docs/results by {{ value ... }}, or has its source beside it."""
    found = [
        sentence
        for block in page.paragraphs
        if not block.startswith(("#", '"'))
        for sentence in [block]
        if not CITED.search(block)
        for part in re.split(r"(?<=[.!?])\s+", re.sub(r"\$[^$]*\$|`[^`]*`", "", block))
        if FIGURE.search(re.sub(r"\{\{.*?\}\}", "", part)) and MEASURED.search(part) and not CHOSEN.search(part)
    ]
    assert found == []


@by_name
def test_sentence_that_compares_beside_a_measurement_is_a_claim(page: BookPage) -> None:
    """The paragraph after a table or chart of results, and each sentence with a value: tests/claims checks them."""
    try:
        claims = importlib.import_module(f"tests.claims.{page.name.replace('-', '_')}").CLAIMS
    except ModuleNotFoundError:
        claims = []
    said = [" ".join(claim.says.split()) for claim in claims]
    text = re.sub(r"<figcaption.*?</figcaption>|</?figure[^>]*>", "", page.text, flags=re.DOTALL)
    after = {
        " ".join(block.split())
        for mention in MEASURED_HERE.finditer(text)
        for block in re.split(r"\n\s*\n", text[mention.end() :].lstrip())[:1]
        if not block.lstrip().startswith(("{{", "#", "<"))
    }
    unchecked = []
    for block in page.paragraphs:
        for sentence in BookPage("", block).sentences:
            beside = any(sentence in paragraph for paragraph in after) or "{{ value" in sentence
            if beside and COMPARES.search(sentence) and not any(words in sentence or sentence in words for words in said):
                unchecked.append(sentence)
    assert unchecked == []


@of_learning
def test_chapter_has_objectives_exercises_and_a_figure(page: BookPage) -> None:
    assert '<div class="learn" markdown>' in page.text, "no objectives"
    assert re.search(r"\{\{ (?:figure|lab|chart) ", page.text) or "<svg" in page.text, "nothing to look at"
    assert "\n## Exercises\n" in page.text
    exercises = page.text.split("\n## Exercises\n")[1]
    assert len(re.findall(r'^\?\?\? question "', exercises, re.MULTILINE)) >= FEWEST_EXERCISES
    assert len(re.findall(r"^    ``` \{ \.python \.cell \}$", exercises, re.MULTILINE)) >= 2, "two are of code"
    assert "easure it yourself" in exercises, "one is to be measured"


@of_learning
def test_there_is_always_something_to_look_at_or_to_move(page: BookPage) -> None:
    text = page.text.split("\n## Summary")[0].split("\n## Exercises")[0].split("\n## References")[0]
    seen = re.split(
        r"\{\{ (?:figure|lab|chart|table)[^}]*\}\}|<svg.*?</svg>|```.*?```|(?:^\|.*\n)+", text, flags=re.DOTALL | re.MULTILINE
    )
    long = [" ".join(plain(part).split())[:80] for part in seen if len(plain(part).split()) > LONGEST_STRETCH]
    assert long == []


# --- terms ---------------------------------------------------------------------

ENTRY = re.compile(r"^### (.+?)\s*\{ #([\w-]+) \}$", re.MULTILINE)
# Words of everyday English, or explained wherever they stand: the first use need not be marked.
PLAIN_WORDS = {"face", "photo", "pixel"}


def entries() -> dict[str, str]:
    """The glossary's terms and abbreviations -> their anchors."""
    glossary = ROOT / "docs" / "glossary.md"
    found = {}
    for title, anchor in ENTRY.findall(glossary.read_text()):
        name, _, short = title.partition(" (")
        for term in (name, *short.rstrip(")").split(", ")):
            if term:
                found[term] = anchor
    return found


@pytest.mark.parametrize("term", sorted(entries()))
def test_term_is_explained_where_the_book_first_uses_it(term: str) -> None:
    """The first use stands in bold, where it is defined, or leads there."""
    if term.lower() in PLAIN_WORDS:
        return
    flags = 0 if term.isupper() or any(letter.isupper() for letter in term[1:]) else re.IGNORECASE
    word = re.compile(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", flags)
    for page in LEARNING:
        text = re.sub(r'<div class="learn" markdown>.*?</div>', "", page.text, flags=re.DOTALL)
        for block in BookPage(page.name, text).paragraphs:
            bare = re.sub(r"\{\{[^}]*\}\}|`[^`]*`|<[^>]*>", lambda found: " " * len(found[0]), block)
            bare = re.sub(r"\]\([^)]*\)", lambda found: "]" + " " * (len(found[0]) - 1), bare)
            found = word.search(bare)
            if not found or block.startswith("#"):
                continue
            marked = [*re.finditer(r"\*\*.+?\*\*|(?<!\*)\*[^*]+\*(?!\*)|\[[^\]]+\]", bare)]
            assert any(mark.start() <= found.start() < mark.end() for mark in marked), f"{page.name}: {block[:200]}"
            return


def test_glossary_says_each_term_in_two_sentences_and_where_it_is_explained() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        body = re.split(r"^## ", body, flags=re.MULTILINE)[0]
        assert re.search(r"\]\([\w-]+\.md", body), f"{title}: leads nowhere"
        assert len(BookPage("", body).sentences) <= 4, f"{title}: too long"


def test_every_page_is_in_the_menu() -> None:
    assert {page.name for page in all_pages()} == {path.stem for path in (ROOT / "docs").glob("*.md")}


# --- sources ---------------------------------------------------------------------

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
NAME = r"[A-Z][\w’'-]+"
CITED_YEAR = re.compile(rf"({NAME})(?: and others| and {NAME}|, {NAME} and {NAME})?,? \(?((?:19|20)\d\d)\)")


@by_name
def test_every_reference_is_cited_and_every_citation_has_one(page: BookPage) -> None:
    """By the first author's family name, or the name of what has no author."""
    body, _, references = page.text.partition("\n## References\n")
    items = [" ".join(item.split()) for item in re.split(r"^- ", references, flags=re.MULTILINE)[1:]]
    uncited = []
    for item in items:
        authors = re.split(r"[:*,]| and others", item.lstrip("*"), maxsplit=1)[0].strip()
        name = authors.split()[-1] if re.match(r"(?:[A-Z]\.[- ]?)+", authors) else authors.split()[0]
        if name not in body:
            uncited.append(item[:90])
    assert uncited == []
    prose = " ".join(re.sub(r"\{\{.*?\}\}|```.*?```", "", body, flags=re.DOTALL).split())
    missing = [found[0] for found in CITED_YEAR.finditer(prose) if found[1] not in references and found[1] not in MONTHS]
    assert missing == []
