"""What of Python's memory the demo has no need of: the code of functions that it never calls, and what explains things to readers.

Runs inside Pyodide. The build sets aside before it keeps the memory (snapshot_python.mjs); the page brings back, once it has
shown its first verdict, or as soon as somebody calls such a function: that call then takes the way that it would have taken.
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
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

AT_ONCE = 1000  # functions, or explanations, written at once
SHORT = 64  # characters: explanations up to this stay, as a place for one is not much less

# In place of a function's own code. `"absent"` and `"number"` stand for constants that no source can name.
STANDS_IN = """
def function(*args, **named):
    return "absent"("number")(*args, **named)
def generator(*args, **named):
    return (yield from "absent"("number")(*args, **named))
async def coroutine(*args, **named):
    return await "absent"("number")(*args, **named)
"""

called: set[tuple[str, int, str]] = set()
_fetch: Callable[[], Any]
_functions: list[FunctionType] = []
_explained: list[Any] = []
_away = b""  # what tells the file from that of another version; nothing where all is here


def _absent(number: int) -> FunctionType:
    """The function of that number, as it was: what its stand-in calls in place of itself."""
    if not bring_back(_fetch() if _away else None):
        raise RuntimeError("functions of another version")
    return _functions[number]


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
    if read() != _away:
        return False
    codes, explanations = ([one for _ in range(read()) for one in read()] for _ in range(2))
    _away = b""
    for function, code in zip(_functions, codes, strict=True):
        function.__code__ = code
    for thing, explanation in zip(_explained, explanations, strict=True):
        _explain(thing, explanation)
    return True


def watch() -> None:
    """From now on `called` gathers what functions are called: files, first lines and qualified names."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # there from Python 3.12 on

    def note(code: CodeType, _: int) -> Any:
        called.add(_name(code))
        return monitoring.DISABLE  # once is enough

    tool, event = monitoring.PROFILER_ID, monitoring.events.PY_START
    monitoring.use_tool_id(tool, "called")
    monitoring.register_callback(tool, event, note)
    monitoring.set_events(tool, event)


def set_aside(needed: set[tuple[str, int, str]], path: str) -> None:
    """Takes away what `bring_back` brings back, into a file. needed: as in `called`, functions that stay."""
    global _away
    _explained[:] = [thing for thing in _things() if _is_long(_explanation(thing)) and _can_be_explained(thing)]
    stands_in = _stands_in()
    functions = (thing for thing in gc.get_objects() if type(thing) is FunctionType and thing.__globals__ is not globals())
    _functions[:] = [
        function for function in functions if _kind(function.__code__) in stands_in and _name(function.__code__) not in needed
    ]
    aside = [function.__code__ for function in _functions], [_explanation(thing) for thing in _explained]
    parts = (marshal.dumps(part) for kind in aside for part in _parts(kind))
    version = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    with Path(path).open("wb") as file:
        marshal.dump(version, file)
        for kind in aside:
            marshal.dump(len(_parts(kind)), file)
            for part in _parts(kind):
                marshal.dump(part, file)
    del aside, kind, part
    # One after another, so that what is new comes to lie where the old has just gone: the memory stays dense.
    for thing in _explained:
        _explain(thing, None)
    for number, function in enumerate(_functions):
        function.__code__ = _in_place_of(function.__code__, stands_in, {"absent": _absent, "number": number})
    gc.collect()
    _away = version


def _parts(things: list[Any]) -> list[list[Any]]:
    """A few at a time: the memory is to be no longer than what is in it."""
    return [things[first : first + AT_ONCE] for first in range(0, len(things), AT_ONCE)]


def _in_place_of(code: CodeType, stands_in: dict[int, CodeType], constants: dict[str, Any]) -> CodeType:
    template = stands_in[_kind(code)]
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


def _stands_in() -> dict[int, CodeType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a string is called
        codes = [code for code in compile(STANDS_IN, "", "exec").co_consts if isinstance(code, CodeType)]
    return {_kind(code): code for code in codes}


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
