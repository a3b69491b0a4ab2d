"""What the program gives away: text that a terminal, a JSON reader and a spreadsheet take as it is meant."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from collections.abc import Mapping

# A spreadsheet may see a formula begin at one of FORMULA_SIGNS, or what Unicode's normalisation turns into one: at the start of a
# text, or after all that may separate cells, with any spaces, invisible characters and quotation marks in between.
# demo/web/src/people/roll.ts has the same rule.
FORMULA_SIGNS = "-=+@−＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋⩵⩶﬩"
UNSEEN = r'[\s"\x00-\x1f\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*'
FORMULA = re.compile(rf"((?:^|[,;|\t\r\n]){UNSEEN})(?=[{FORMULA_SIGNS}])")

ESCAPING = "facelab-escaping"  # for a stream's `errors`: what its encoding has not is written as `readable` writes it


def readable(text: str) -> str:
    """Text on one line that can be encoded. Control characters, and bytes that are no UTF-8, are written as \\x1b."""
    return "".join(_escaped(sign) if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text)


def is_unicode(text: str) -> bool:
    """Whether text is Unicode throughout. In a file's name that is not UTF-8, Python has a lone surrogate for each odd byte."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def as_json(value: object, indent: int | None = None) -> str:
    """JSON that every reader takes. Names that are not Unicode become readable. Raises ValueError for NaN and infinity."""
    return json.dumps(_unicode_throughout(value), indent=indent, allow_nan=False)


def spreadsheet_cell(text: str) -> str:
    """Text with an apostrophe before each sign that a spreadsheet may take for the beginning of a formula."""
    return FORMULA.sub(r"\1'", text)


def _escaped(sign: str) -> str:
    return f"\\x{ord(sign) - 0xDC00:02x}" if "\udc80" <= sign <= "\udcff" else sign.encode("unicode_escape").decode()


def _unicode_throughout(value: object) -> object:
    if isinstance(value, str):
        return value if is_unicode(value) else readable(value)
    if isinstance(value, Mapping):
        return {_unicode_throughout(key): _unicode_throughout(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode_throughout(inner) for inner in value]
    return value


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_escaped, error.object[error.start : error.end])), error.end


codecs.register_error(ESCAPING, _escape)
