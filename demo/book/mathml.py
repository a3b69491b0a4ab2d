r"""Formulas as MathML, made while the book is built: the page needs no script to show them.

Inline formulas stand between single dollars, block formulas between double dollars on lines of their own:

    A photo becomes a point $f(x) \in \mathbb{R}^{128}$, and two photos are

    $$
    d(a, b) = \lVert f(a) - f(b) \rVert_2
    $$

    apart.

An opening dollar has no space after it, and a closing one no space before and no digit after, so that
`$5 or $10` stays money; `\$` is always a dollar. Code, inline or fenced, is left alone.

LaTeX is translated by the `latex2mathml` package. It lets unknown commands and missing arguments through as
text; here they stop the build, and the message quotes the formula. It also leaves to the browser what the
browser cannot know (which bar of a norm opens, that the minus of `(-1)` is a sign); `set_spacing` says so.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.util import ETX, STX, AtomicString

if TYPE_CHECKING:
    from markdown import Markdown
    from markdown.blockparser import BlockParser

MATHML_NAMESPACE = "http://www.w3.org/1998/Math/MathML"

# MathML Core: these elements need exactly this many children; with fewer, a browser draws an error.
CHILDREN_NEEDED = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}

BAR_COMMANDS = re.compile(r"\\[lr][vV]ert(?![A-Za-z])|\\\||\\[vV]ert(?![A-Za-z])|\|")
BARS = {"|", "\u2016"}
SIGNS = {"+", "\u2212", "\u00b1"}
BEFORE_A_SIGN = {"(", "[", "{", ",", "=", "<", ">", "\u2264", "\u2265", "\u2248", "\u00b7", "\u00d7"}

INLINE_FORMULA = rf"(?<![\\$])\$(?![\s$])((?:\\.|[^\\${STX}{ETX}])+?)(?<!\s)\$(?![\d$])"
BLOCK_FORMULA = re.compile(r"^[ ]{0,3}\$\$(?P<latex>.*?)\$\$[ \t]*$", re.DOTALL | re.MULTILINE)
BLOCK_OPENING = re.compile(r"^[ ]{0,3}\$\$", re.MULTILINE)


class FormulaError(ValueError):
    """A formula of the book that is not LaTeX, or not the part of LaTeX that can be translated.

    The message quotes the formula and says what is wrong with it.
    """

    def __init__(self, latex: str, reason: str) -> None:
        super().__init__(f"formula ${latex.strip()}$: {reason}")
        self.latex = latex
        self.reason = reason


def mathml_from_latex(latex: str, *, block: bool = False) -> ElementTree.Element:
    """Translate a formula into the `<math>` element that shows it.

    latex: the formula without its dollars.
    block: set on a line of its own, with large operators and limits below and above them.

    Raises FormulaError for an unknown command, a missing argument or an unbalanced brace or environment.
    """
    unescaped = re.sub(r"\\.", "", latex)
    if unescaped.count("{") != unescaped.count("}"):
        raise FormulaError(latex, "its braces do not balance")
    try:
        markup = convert(latex, display="block" if block else "inline")
    except Exception as error:  # the library's exceptions share no base class
        raise FormulaError(latex, str(error) or type(error).__name__) from error
    try:
        math = ElementTree.fromstring(markup)
    except ElementTree.ParseError as error:
        raise FormulaError(latex, "a stray & or <, or an environment that is not supported") from error

    for element in math.iter():
        element.tag = element.tag.removeprefix(f"{{{MATHML_NAMESPACE}}}")
        text = element.text or ""
        if "\\" in text:
            raise FormulaError(latex, f"{text.strip()} is not a command that can be translated")
        if len(element) < CHILDREN_NEEDED.get(element.tag, 0):
            raise FormulaError(latex, "an argument is missing")
    set_spacing(math, latex)
    for element in math.iter():
        if element.text:
            element.text = AtomicString(element.text)  # atomic, so that Markdown finds no emphasis in it
    math.set("xmlns", MATHML_NAMESPACE)
    return math


def set_spacing(math: ElementTree.Element, latex: str) -> None:
    """Marks, in place, what a browser would space wrongly: bars, signs, thousands and names of functions."""
    bars = [element for element in math.iter("mo") if element.text in BARS]
    commands = BAR_COMMANDS.findall(latex)
    if len(bars) == len(commands):
        for bar, command in zip(bars, commands, strict=True):
            if command.startswith((r"\l", r"\r")):
                bar.set("form", "prefix" if command.startswith(r"\l") else "postfix")
                bar.attrib.setdefault("stretchy", "false")

    for slash in math.iter("mo"):
        if slash.text == "/":
            slash.attrib.update(lspace="0", rspace="0")

    for row in list(math.iter()):
        children = list(row)
        for before, element in pairwise(children):
            if element.tag == "mo" and element.text in SIGNS and before.tag == "mo" and before.text in BEFORE_A_SIGN:
                element.set("form", "prefix")
        for before, comma, after in zip(children, children[1:], children[2:], strict=False):
            is_comma = comma.tag == "mrow" and [(child.tag, child.text) for child in comma] == [("mo", ",")]
            if is_comma and before.tag == after.tag == "mn":  # 10{,}000
                after.text = f"{before.text},{after.text}"
                row.remove(before)
                row.remove(comma)
        children = list(row)
        for element, after in pairwise([*children, ElementTree.Element("end")]):
            if element.tag in {"mi", "mo"} and (element.text or "").isalpha() and len(element.text or "") > 1:
                element.tag = "mo"  # a function's name: upright, with a thin space before its argument
                element.set("lspace", "0" if element is children[0] else "0.167em")
                element.set("rspace", "0" if after.text == "(" else "0.167em")


class InlineFormula(InlineProcessor):
    """`$...$` within a paragraph, a heading or a table cell."""

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, m: re.Match[str], data: str
    ) -> tuple[ElementTree.Element, int, int]:
        return mathml_from_latex(m.group(1)), m.start(0), m.end(0)


class BlockFormula(BlockProcessor):
    """`$$...$$` on lines of its own, in a box that scrolls sideways when the page is narrower."""

    def test(self, parent: ElementTree.Element, block: str) -> bool:
        return BLOCK_OPENING.search(block) is not None

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        formula = BLOCK_FORMULA.search(block)
        if formula is None:
            opening = BLOCK_OPENING.search(block)
            latex = block[opening.end() :] if opening else block
            raise FormulaError(latex, "its closing $$ is missing, or not before the next empty line")
        before, after = block[: formula.start()].rstrip("\n"), block[formula.end() :].lstrip("\n")
        if before:
            self.parser.parseBlocks(parent, [before])
        # everything that scrolls must be reachable with the keyboard
        box = ElementTree.SubElement(parent, "div", {"class": "formula", "tabindex": "0"})
        box.append(mathml_from_latex(formula["latex"], block=True))
        if after:
            blocks.insert(0, after)


class MathMLExtension(Extension):
    """The Python-Markdown extension `book.mathml`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.registerExtension(self)
        if "$" not in md.ESCAPED_CHARS:
            md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]
        # <math> is phrasing content: a paragraph may begin and end with it.
        md.block_level_elements = [tag for tag in md.block_level_elements if tag != "math"]
        parser: BlockParser = md.parser
        # Blocks: after indented code (80), before headings (70).
        parser.blockprocessors.register(BlockFormula(parser), "block-formula", 75)
        # Inline: after code (190), before backslash escapes (180).
        md.inlinePatterns.register(InlineFormula(INLINE_FORMULA, md), "inline-formula", 185)


def makeExtension(**configuration: object) -> MathMLExtension:  # noqa: N802
    """Make the extension; Python-Markdown looks for a function of this name."""
    return MathMLExtension(**configuration)
