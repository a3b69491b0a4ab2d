"""What of Python's memory the demo has no need of: the code of functions that it never calls, and what explains things to readers.

Runs inside Pyodide. The build sets aside before it keeps the memory (snapshot/python.mjs), and between imports, so that what is
imported next comes to lie where that was. The page brings back, once it has shown its first verdict, or as soon as somebody calls
such a function: that call then takes the way that it would have taken.
"""

from __future__ import annotations

import gc
import hashlib
import marshal
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from io import BytesIO
from itertools import chain
from types import CodeType, FunctionType, ModuleType
from typing import Any

AT_ONCE = 1000  # functions, or explanations, written at once
SHORT = 64  # characters: explanations up to this stay, as a place for one is not much less

# In place of a function's own code. `"absent"` and `"number"` stand for constants that no source can name. The first is one for all
# functions: with codes of their own they took a tenth of the memory.
STANDS_IN = """
def function(*args, **named):
    return "absent"()(*args, **named)
def generator(*args, **named):
    return (yield from "absent"("number")(*args, **named))
async def coroutine(*args, **named):
    return await "absent"("number")(*args, **named)
"""

called: set[tuple[str, int, str]] = set()
started: set[tuple[str, int, str]] = set()  # what `called` held before
_fetch: Callable[[], Any]
_functions: list[FunctionType] = []
_explained: list[Any] = []
_away = b""  # what tells the file from that of another version; nothing where all is here


class _Place(str):
    """The name of a function's module, as an object of its own: a stand-in, whose code is others' too, is known by that."""

    __slots__ = ()


def _absent(number: int | None = None) -> FunctionType:
    """A function as it was: what its stand-in calls in place of itself. number: which, where its place does not tell."""
    if number is None:
        place = sys._getframemodulename(1)  # type: ignore[attr-defined, unused-ignore]  # there from Python 3.12 on
        found = [function for function in _functions if function.__module__ is place]
    else:
        found = [_functions[number]]
    if not bring_back(_fetch() if _away else None):
        raise RuntimeError("functions of another version")
    if len(found) != 1:
        raise RuntimeError("call this function again: its code was not there yet, and its __module__ was changed meanwhile")
    return found[0]


def begin(fetch: Callable[[], Any]) -> None:
    """fetch: the page's; gives a JavaScript buffer with what `set_aside` gave, gzipped."""
    global _fetch
    _fetch = fetch


def bring_back(aside: Any) -> bool:
    """Everything as it was, and whether it is: what is of another version, is not taken. aside: as from `fetch`, the first time."""
    global _away
    if not _away:
        return True
    read = partial(marshal.load, BytesIO(zlib.decompress(aside.to_bytes(), wbits=31)))
    parts = []
    while isinstance(part := read(), tuple):
        parts.append(part)
    if part != _away:
        return False
    _away = b""
    codes, explanations = map(chain.from_iterable, zip(*parts, strict=True))
    for function, code in zip(_functions, codes, strict=True):
        function.__code__ = code
        if type(function.__module__) is _Place:
            function.__module__ = sys.intern(str(function.__module__))
    for thing, explanation in zip(_explained, explanations, strict=True):
        _explain(thing, explanation)
    return True


def watch() -> None:
    """From now on `called` gathers what functions are called: files, first lines, qualified names. Asked again, it begins anew."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # there from Python 3.12 on

    def note(code: CodeType, _: int) -> Any:
        called.add(_name(code))
        return monitoring.DISABLE  # once is enough

    if called:
        started.update(called)
        called.clear()
        monitoring.restart_events()
        return
    tool, event = monitoring.PROFILER_ID, monitoring.events.PY_START
    monitoring.use_tool_id(tool, "called")
    monitoring.register_callback(tool, event, note)
    monitoring.set_events(tool, event)


def set_aside(needed: set[tuple[str, int, str]], path: str) -> None:
    """Takes away what `bring_back` brings back, of all that is there, and adds it to a file. needed, as in `called`, stays."""
    global _away
    _away = b"more to come"
    explained = [thing for thing in _things() if _is_long(_explanation(thing)) and _can_be_explained(thing)]
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType and _can_go(thing, needed)]
    with open(path, "ab") as file:  # noqa: PTH123  (its functions may have gone)
        for first in range(0, max(len(functions), len(explained)), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            codes = [function.__code__ for function in functions[part]]
            marshal.dump((codes, [_explanation(thing) for thing in explained[part]]), file)
    del codes
    for thing in explained:
        _explain(thing, None)
    shared: dict[int, CodeType] = {}
    for number, function in enumerate(functions, len(_functions)):
        code = function.__code__
        if _kind(code) or not isinstance(function.__module__, str):
            function.__code__ = _in_place_of(code, number)
        else:
            cells = len(code.co_freevars)
            function.__code__ = shared[cells] = shared.get(cells) or _in_place_of(code)
            function.__module__ = _Place(function.__module__)
    _functions.extend(functions)
    _explained.extend(explained)
    gc.collect()


def seal(path: str) -> None:
    """The last that is written into that file: by which it is told from that of another version."""
    global _away
    with open(path, "rb+") as file:  # noqa: PTH123
        digest = hashlib.sha256()
        for piece in iter(partial(file.read, 1 << 16), b""):
            digest.update(piece)
        _away = digest.digest()
        marshal.dump(_away, file)


def _can_go(function: FunctionType, needed: set[tuple[str, int, str]]) -> bool:
    code = function.__code__
    is_ours = function.__globals__ is globals() or _absent in code.co_consts
    return not is_ours and _kind(code) in _stands_in and _name(code) not in needed


def _in_place_of(code: CodeType, number: int | None = None) -> CodeType:
    template = _stands_in[_kind(code)]
    constants = {"absent": _absent, "number": number}
    return template.replace(
        co_consts=tuple(constants.get(one, one) if isinstance(one, str) else one for one in template.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )


def _name(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _kind(code: CodeType) -> int:
    return code.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE)


def _things() -> Iterator[Any]:
    """All that may carry an explanation, once each; NumPy's own kind of functions are no concern of the garbage collector's."""
    modules = [module for module in sys.modules.values() if isinstance(module, ModuleType)]
    things = [*gc.get_objects(), *(thing for module in modules for thing in vars(module).values())]
    yield from {id(thing): thing for thing in things}.values()


def _explanation(thing: Any) -> Any:
    if isinstance(thing, type):
        return thing.__dict__.get("__doc__")
    if isinstance(thing, (FunctionType, ModuleType)) or type(thing).__name__ == "_ArrayFunctionDispatcher":
        return thing.__doc__
    return None


def _is_long(explanation: Any) -> bool:
    return isinstance(explanation, str) and len(explanation) > SHORT


def _can_be_explained(thing: Any) -> bool:
    """Classes of C's cannot be changed."""
    try:
        _explain(thing, _explanation(thing))
    except (AttributeError, TypeError):
        return False
    return True


def _explain(thing: Any, explanation: str | None) -> None:
    (type.__setattr__ if isinstance(thing, type) else setattr)(thing, "__doc__", explanation)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that a string is called
    _stands_in = {_kind(one): one for one in compile(STANDS_IN, "", "exec").co_consts if isinstance(one, CodeType)}
