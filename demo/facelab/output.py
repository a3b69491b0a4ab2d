"""Text that leaves the program, made safe for terminals, JSON readers and spreadsheets."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from collections.abc import Mapping

# A spreadsheet may take any of these signs for the beginning of a formula: "-=+@", and the characters that Unicode's normalisation
# turns into them. A formula may begin at the start of a text or after a sign that separates cells; spaces, invisible characters and
# quotation marks may stand before it. demo/web/src/people/roll.ts has the same rule.
FORMULA_SIGNS = "-=+@−＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋⩵⩶﬩"
UNSEEN = r'[\s"\x00-\x1f\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*'
FORMULA = re.compile(rf"((?:^|[,;|\t\r\n]){UNSEEN})(?=[{FORMULA_SIGNS}])")

ESCAPING = "facelab-escaping"  # for a stream's `errors`: characters that its encoding lacks are written as `readable` writes them


def readable(text: str) -> str:
    """Text on one line that can be encoded: control characters and bytes that are not UTF-8 become escapes such as \\x1b."""
    return "".join(_escaped(sign) if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text)


def is_unicode(text: str) -> bool:
    """Whether all of a text is Unicode. In a file name that is not UTF-8, Python writes a lone surrogate for each odd byte."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def as_json(value: object, indent: int | None = None) -> str:
    """JSON that every reader accepts. Names that are not Unicode are escaped. Raises ValueError for NaN and infinity."""
    return json.dumps(_unicode_throughout(value), indent=indent, allow_nan=False)


def spreadsheet_cell(text: str) -> str:
    """Text with an apostrophe before each sign at which a spreadsheet may begin a formula."""
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
