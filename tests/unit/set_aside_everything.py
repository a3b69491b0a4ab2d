"""Run by test_set_aside.py: sets aside the functions of this process, uses some, and tells what they answered before and after.

It is given a file for them, and where there is a second argument, what is to bring them back is of another version.
"""

import asyncio
import json
import marshal
import os
import sys
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from assemble import set_aside


class Buffer:
    """As JavaScript's."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def to_bytes(self) -> bytes:
        return self.content


def counter() -> Callable[..., int]:
    total = 0

    def count(step: int = 1, *, twice: bool = False) -> int:
        nonlocal total
        total += 2 * step if twice else step
        return total

    return count


def numbers(end: int) -> Generator[int, int, int]:
    """Gives numbers, is sent others, and gives back their sum: an explanation of more than sixty-four characters."""
    total = 0
    for number in range(end):
        total += (yield number) or 1
    return total


async def later(value: str) -> str:
    await asyncio.sleep(0)
    return value


class Base:
    def greet(self, name: str) -> str:
        return f"Hello {name}"


class Derived(Base):
    """A class with an explanation that is longer than what may stay: sixty-four characters, which this is by now."""

    def greet(self, name: str) -> str:
        return super().greet(name) + "!"


counts = counter(), counter()


def use(turn: int) -> list[Any]:
    given, count = numbers(2), counts[turn]
    asked: list[Any] = [next(given), given.send(5)]
    try:
        next(given)
    except StopIteration as end:
        asked.append(end.value)
    return [
        count(2),
        count(3, twice=True),
        asked,
        asyncio.run(later("soon")),
        Derived().greet("Ann"),
        numbers.__doc__,
        Derived.__doc__,
    ]


def main(path: Path, other: bool) -> None:
    before = use(0)
    fetched = []

    def fetch() -> Buffer:
        fetched.append(1)
        version = marshal.dumps(marshal.loads(content))  # which comes first
        pack = zlib.compressobj(wbits=31)
        return Buffer(pack.compress((marshal.dumps(b"other") if other else version) + content[len(version) :]) + pack.flush())

    set_aside.begin(fetch)
    with path.open("w+b") as file:
        set_aside.set_aside({set_aside._name(one.__code__) for one in (main, fetch, Buffer.__init__, Buffer.to_bytes)}, str(path))
        content = file.read()
    away = [numbers.__doc__, Derived.__doc__]
    try:
        after = use(1)
    except RuntimeError as error:
        os.write(2, str(error).encode())
        os._exit(0)  # Python cannot even end any more
    print(json.dumps({"before": before, "away": away, "after": after, "fetched": len(fetched)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), len(sys.argv) > 2)
