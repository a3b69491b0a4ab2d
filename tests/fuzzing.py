"""Damaged files, made from whole ones: what the readers of file formats are tried on."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import Any

ODD_BYTES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80", b"[", b'"', b"\n", b"-1")
ODD_VALUES: tuple[Any, ...] = (None, -1, 0, 10**30, 1e308, True, "", "x", "\0", [], {}, [[]], "../x", {"a": 1}, [1, "a"])


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A copy with a few places changed: bits turned, bytes replaced, parts cut out, repeated or moved, or the end cut off."""
    made = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        # Headers are at the beginning, and a small part of a file: every other change is there.
        at = dice.randrange(max(1, min(len(made), 200) if dice.random() < 0.5 else len(made)))
        match dice.randrange(6):
            case 0 if made:
                made[at] ^= 1 << dice.randrange(8)
            case 1:
                odd = dice.choice(ODD_BYTES)
                made[at : at + len(odd)] = odd
            case 2:
                del made[at : at + dice.randrange(1, 20)]
            case 3:
                made[at:at] = made[at : at + dice.randrange(1, 200)]
            case 4 if made:
                made[at] = dice.randrange(256)
            case 5 if dice.random() < 0.2:
                del made[at:]
    return bytes(made)


def damaged_json(text: str, dice: random.Random) -> str:
    """JSON with one to three values replaced by odd ones, or left out; text damaged as bytes are; or nothing but brackets."""
    if dice.random() < 0.02:
        return "[" * 100_000
    if dice.random() < 0.3:
        return damaged(text.encode(), dice).decode("utf-8", "replace")
    whole = {"": json.loads(text)}
    for _ in range(dice.choice((1, 1, 2, 3))):
        holders = [value for value in _values(whole) if isinstance(value, dict | list) and value]
        holder = dice.choice(holders)
        place = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if dice.random() < 0.2 and holder is not whole:
            del holder[place]
        else:
            holder[place] = deepcopy(dice.choice(ODD_VALUES))
    return json.dumps(whole[""])


def _values(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(deeper for one in inner for deeper in _values(one))]
