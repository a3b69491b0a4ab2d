"""Runs the chapters' code cells in one namespace, and reports what each printed, showed or failed with.

A cell may use `await` at its top level, as in a notebook. Cells reach the photos and the engine by:

    from facelab.cells import photo, pixels, runtime, show
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .detect import Face
from .errors import FacelabError, InputError
from .runtime import Photo, Runtime
from .workspace import Pixels, current_workspace

FILE = "<cell>"
MOST_TEXT = 20_000  # the most characters of a cell's output that are kept


@dataclass(frozen=True)
class Shown:
    """A picture that a cell showed. pixels: uint8 [height, width, 3]. faces: drawn on top of it."""

    pixels: Pixels
    faces: Sequence[Face]
    caption: str


@dataclass(frozen=True)
class Outcome:
    """The result of a cell.

    error: a message for the reader, or None. line: the line of the cell where it stopped, counted from 1.
    """

    text: str
    shown: Sequence[Shown]
    error: str | None
    line: int | None


_shown: list[Shown] = []


def photo(name: str | None = None) -> Photo:
    """Your photo (or the first sample), or a sample by its name: obama.jpg, obama2.jpg, obama3.jpg, biden.jpg."""
    return current_workspace().photo(name)


def pixels(of: str | Photo | None = None) -> Pixels:
    """The pixels of a photo, [height, width, 3] uint8 RGB."""
    return runtime().pixels(of if isinstance(of, Photo) else photo(of))


def runtime() -> Runtime:
    """The engine that runs the networks."""
    return current_workspace().runtime


def show(picture: NDArray[Any], faces: Sequence[Face] = (), caption: str = "") -> None:
    """Shows a picture below the cell: [height, width] grey or [height, width, 3] RGB, as uint8 or as floats from 0 to 1.

    Raises InputError.
    """
    values = np.asarray(picture)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3) or not values.size:
        raise InputError(f"a picture is [height, width] or [height, width, 3], this is {list(values.shape)}")
    if values.dtype != np.uint8:
        values = (np.clip(values.astype(np.float64), 0, 1) * 255).round().astype(np.uint8)
    if values.ndim == 2:
        values = np.repeat(values[:, :, None], 3, axis=2)
    _shown.append(Shown(np.ascontiguousarray(values), tuple(faces), caption))


class _Printed(io.StringIO):
    """Collects what a cell prints: the first MOST_TEXT characters, and a count of the rest. A cell cannot close it."""

    left_out = 0

    def write(self, text: str) -> int:
        room = max(0, MOST_TEXT - self.tell())
        super().write(text[:room])
        self.left_out += len(text) - len(text[:room])
        return len(text)

    def close(self) -> None:
        """Ignored: the text is read after the cell has ended."""


class _NoKeyboard(io.TextIOBase):
    """Stands in for standard input, which a page does not have. Raises InputError on reading."""

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        raise InputError("There is no keyboard to read from here: write the value into the code, such as name = 'Anna'.")

    def read(self, size: int | None = -1, /) -> str:
        return self.readline()


@contextmanager
def _without_keyboard() -> Iterator[None]:
    before, sys.stdin = sys.stdin, _NoKeyboard()
    try:
        yield
    finally:
        sys.stdin = before


class Notebook:
    """The code cells of one page. They share their variables."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}

    async def run(self, source: str) -> Outcome:
        """Runs a cell. If its last line is an expression, its value is printed, as at a Python prompt."""
        out = _Printed()
        _shown.clear()
        error, line = None, None
        with redirect_stdout(out), redirect_stderr(out), _without_keyboard():
            try:
                for code, is_value in _compiled(source):
                    value = eval(code, self.names)
                    if inspect.iscoroutine(value):
                        value = await value
                    if is_value and value is not None:
                        print(repr(value))
            except BaseException as problem:  # KeyboardInterrupt and SystemExit too: they end the cell, and the page goes on
                error, line = _in_words(problem)
        text = out.getvalue()
        if out.left_out:
            text += f"\n… {out.left_out:,} more characters"
        return Outcome(text, list(_shown), error, line)


def _compiled(source: str) -> list[tuple[CodeType, bool]]:
    """The compiled statements of a cell, and its last expression separately: (code, whether its value is printed)."""
    tree = ast.parse(source, FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    parts = [(compile(tree, FILE, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), False)]
    if isinstance(last, ast.Expr):
        value = ast.Expression(last.value)
        parts.append((compile(value, FILE, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), True))
    return parts


def _in_words(problem: BaseException) -> tuple[str, int | None]:
    """An exception as a message for the reader, the most helpful line first, and the line of the cell where it arose."""
    if isinstance(problem, SyntaxError) and problem.filename == FILE:
        return f"SyntaxError: {problem.msg}", problem.lineno
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == FILE]
    line = frames[-1].lineno if frames else None
    if isinstance(problem, FacelabError):
        return str(problem), line
    if isinstance(problem, SystemExit):
        return "The code ended itself, with sys.exit or the like: the cell has stopped, and the page goes on.", line
    name, words = type(problem).__name__, _said_by(problem)
    text = f"{name}: {words}" if words else name
    inner = traceback.extract_tb(problem.__traceback__)[-1]
    if inner.filename not in (FILE, __file__):
        text += f"\nraised in {inner.name}, line {inner.lineno} of {inner.filename.rsplit('/', 1)[-1]}"
    return text, line


def _said_by(problem: BaseException) -> str:
    """The exception's message; empty where a reader's own exception class fails to give one."""
    try:
        return str(problem)
    except Exception:
        return ""
