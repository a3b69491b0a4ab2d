"""The book's formulas: what becomes MathML, what stays as it is, and what stops the build."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from markdown import Markdown

from book.mathml import FormulaError, mathml_from_latex


def html(text: str) -> str:
    return Markdown(extensions=["book.mathml", "pymdownx.superfences", "tables", "toc"]).convert(text)


def words(page: str) -> str:
    """Keep the text of a page, drop its tags."""
    return re.sub(r"<[^>]+>", "", page)


def test_inline_formula_is_mathml_inside_its_paragraph() -> None:
    page = html("The distance $d_{ab}$, a number.")
    assert page.startswith("<p>The distance <math ")
    assert "<msub><mi>d</mi><mrow><mi>a</mi><mi>b</mi></mrow></msub>" in page
    assert page.endswith("</math>, a number.</p>")


def test_a_paragraph_may_be_one_formula_and_two_may_touch() -> None:
    assert html("$x$").startswith("<p><math ")
    assert "</math>*" not in html("$x$*y*")
    assert "</math><em>y</em>" in html("$x$*y*")


def test_block_formula_has_a_box_that_the_keyboard_can_scroll() -> None:
    page = html("Before\n\n$$\n\\frac{a}{b}\n= \\sqrt{c}\n$$\n\nafter")
    assert '<div class="formula" tabindex="0"><math' in page.replace("\n", "")
    assert 'display="block"' in page
    assert "<p>Before</p>" in page
    assert "<p>after</p>" in page


def test_block_formula_may_touch_its_sentence_and_stand_in_a_list() -> None:
    page = html("so that\n$$x = 1$$\nholds")
    assert [words(part) for part in page.splitlines() if words(part)] == ["so that", "x=1", "holds"]
    assert '<li>\n<p>one</p>\n<div class="formula"' in html("- one\n\n    $$x$$\n")


@pytest.mark.parametrize(
    "text",
    [
        "`$x$`",
        "``$$ x $$``",
        "```\n$x$ and\n$$y$$\n```",
        "    $$x$$",
        r"\$x\$",
        "from $5 to $10",
        "$ x $",
        "a $ b",
        "US$20, AU$30",
    ],
)
def test_code_money_and_escaped_dollars_stay(text: str) -> None:
    page = html(text)
    assert "<math" not in page
    assert words(page).strip() == text.strip("`\n ").replace("\\$", "$")


def test_underscores_and_stars_in_a_formula_are_not_emphasis() -> None:
    page = html("$a_i * b_i * c_i$ and *this* is")
    assert page.count("<em>") == 1
    assert page.count("<msub>") == 3


def test_formula_in_a_table_cell_and_in_a_heading() -> None:
    page = html("# The norm $n$\n\n| a | b |\n|---|---|\n| $x_1$ | 2 |")
    assert page.count("<math") == 2
    assert 'id="the-norm-n"' in page


@pytest.mark.parametrize(
    "latex",
    [
        r"\foo x",
        r"\frac{a}",
        r"a}",
        r"{a",
        r"\left( a",
        r"x^",
        r"a & b",
        r"\text{a < b}",
        r"\quad\arg x",
        r"\begin{matrix} a",
        r"x \underset{k}",
    ],
)
def test_wrong_latex_stops_the_build_and_is_quoted(latex: str) -> None:
    with pytest.raises(FormulaError, match=re.escape(latex.strip())):
        mathml_from_latex(latex)


def test_the_error_reaches_whoever_converts_the_page() -> None:
    with pytest.raises(FormulaError, match=re.escape(r"\nonsense is not a command")):
        html("Here: $1 + \\nonsense$.")
    with pytest.raises(FormulaError, match="closing"):
        html("$$ x = 1\n\nand more")


def test_bars_signs_thousands_and_functions_are_spaced_as_in_print() -> None:
    page = html(r"$\lVert f(x) \rVert_2^2 \cdot (-1) = 10{,}000{,}000 - 2\cos\theta + \max(0, 1)$")
    assert '<mo form="prefix" stretchy="false">\u2016</mo>' in page
    assert '<msubsup><mo form="postfix" stretchy="false">\u2016</mo>' in page
    assert '<mo form="prefix">\u2212</mo><mn>1</mn>' in page
    assert "<mn>10,000,000</mn><mo>\u2212</mo><mn>2</mn>" in page
    assert '<mo lspace="0.167em" rspace="0.167em">cos</mo>' in page
    assert '<mo lspace="0.167em" rspace="0">max</mo>' in page
    assert '<mo lspace="0" rspace="0">/</mo>' in html("$3/n$")


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{bmatrix} a & -b \\ b & a \end{bmatrix}",
        r"\begin{align*} a &= b \\ &= c \end{align*}",
        r"\sum_{i=1}^{N} \max\left(0,\, \lVert x_i \rVert_2^2 + \alpha\right)",
        r"\{ x \in \mathbb{R}^{128} \mid x \ge 0 \}",
        r"\hat{y} = \tfrac{1}{2}\,\text{of } y",
    ],
)
def test_translated_formulas_are_well_formed(latex: str) -> None:
    math = mathml_from_latex(latex, block=True)
    again = ElementTree.fromstring(ElementTree.tostring(math))
    assert again.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert again.get("display") == "block"
