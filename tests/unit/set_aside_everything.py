"""Runs in Pyodide (set_aside_everything.mjs): sets all functions aside, and returns what some answer before and after."""

import asyncio
import json
import marshal
import zlib
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from optimise.defer import set_aside


class Buffer:
    """Stands for a JavaScript buffer."""

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
    """Yields numbers, receives others, and returns their sum. This docstring is longer than sixty-four characters."""
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
    """A class whose docstring is longer than sixty-four characters, up to which docstrings would stay in memory."""

    def greet(self, name: str) -> str:
        return super().greet(name) + "!"


counts = counter(), counter()


def finished(coroutine: Coroutine[Any, Any, str]) -> Any:
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def moved() -> str:
    return "called"


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
        finished(later("soon")),
        Derived().greet("Ann"),
        numbers.__doc__,
        Derived.__doc__,
        [type(one.__module__) is str and one.__module__ for one in (use, counts[0], Derived.greet, set_aside.set_aside)],
    ]


def main(other: bool) -> str:
    """Returns the answers as JSON. other: whether the file that is fetched belongs to another version."""
    before = use(0)
    fetched = []

    def fetch() -> Buffer:
        fetched.append(1)
        version = marshal.dumps(set_aside._mark)  # which ends the file
        assert content.endswith(version)
        pack = zlib.compressobj(wbits=31)
        file = content[: -len(version)] + (marshal.dumps(b"other") if other else version)
        return Buffer(pack.compress(file) + pack.flush())

    set_aside.begin(fetch)
    stay = {set_aside._name(one.__code__) for one in (main, fetch, Buffer.__init__, Buffer.to_bytes)}
    for still in ({set_aside._name(one.__code__) for one in (counter, numbers, later)}, set()):
        set_aside.set_aside(stay | still, "/aside")
    set_aside.seal("/aside")
    with open("/aside", "rb") as file:  # noqa: PTH123  (pathlib's functions are set aside)
        content = file.read()
    away = [numbers.__doc__, Derived.__doc__]
    moved.__module__ = use.__module__
    refused = []
    for _ in range(2 if not other else 0):
        try:
            refused.append(moved())
        except RuntimeError as error:
            refused.append(str(error))
    try:
        after = use(1)
    except RuntimeError as error:
        return str(error)
    return json.dumps({"before": before, "away": away, "moved": refused, "after": after, "fetched": len(fetched)})
