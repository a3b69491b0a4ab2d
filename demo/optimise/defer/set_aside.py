"""Sets aside the code of Python functions that the demo does not call, and long docstrings, to make the snapshot smaller.

Runs inside Pyodide. `set_aside` writes both into a file and frees them. The build calls it before it stores the snapshot, and
between imports, so that new modules take the freed memory (snapshot/python.mjs). The page calls `bring_back` after its first
verdict. If Python calls such a function earlier, its stand-in fetches the file, brings all back, and calls the original.
Assumes that no code examines the `__code__` of functions. Guarantees that every function gives the same answer as before. A call
that no watched visit made costs a wait. Files of another version are refused.
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

BATCH = 1000  # functions, or docstrings, in one entry of the file
SHORT = 64  # characters: docstrings up to this length stay, because removing them would free little memory

# The code of stand-ins. `"original"` and `"number"` are placeholders for constants that source code cannot name. All plain
# functions with equally many closure variables share one stand-in: separate code objects would take a tenth of the memory.
STAND_INS = """
def function(*args, **named):
    return "original"()(*args, **named)
def generator(*args, **named):
    return (yield from "original"("number")(*args, **named))
async def coroutine(*args, **named):
    return await "original"("number")(*args, **named)
"""

called: set[tuple[str, int, str]] = set()  # see `watch`
started: set[tuple[str, int, str]] = set()
_fetch: Callable[[], Any]
_functions: list[FunctionType] = []
_documented: list[Any] = []
_mark = b""  # of the file with what is set aside; empty when nothing is


class _ModuleName(str):
    """The `__module__` of one function: a shared stand-in recognises its function by the identity of this object."""

    __slots__ = ()


def _original(number: int | None = None) -> FunctionType:
    """The function that a stand-in replaces, with its own code. number: the function's, where the stand-in is not shared."""
    if number is None:
        name = sys._getframemodulename(1)  # type: ignore[attr-defined, unused-ignore]  # exists since Python 3.12
        found = [function for function in _functions if function.__module__ is name]
    else:
        found = [_functions[number]]
    if not bring_back(_fetch() if _mark else None):
        raise RuntimeError("reload this page: its Python functions now come from another version")
    if len(found) != 1:
        raise RuntimeError("call this function again: its code is loaded now, but its __module__ was changed before")
    return found[0]


def begin(fetch: Callable[[], Any]) -> None:
    """Lets stand-ins fetch the file. fetch: a function of the page that returns the file, gzipped, as a JavaScript buffer."""
    global _fetch
    _fetch = fetch


def bring_back(aside: Any) -> bool:
    """Restores all functions and docstrings. Returns False for a file of another version. aside: what `fetch` returns."""
    global _mark
    if not _mark:
        return True
    read = partial(marshal.load, BytesIO(zlib.decompress(aside.to_bytes(), wbits=31)))
    batches = []
    while isinstance(entry := read(), tuple):
        batches.append(entry)
    if entry != _mark:
        return False
    _mark = b""
    codes, docstrings = map(chain.from_iterable, zip(*batches, strict=True))
    for function, code in zip(_functions, codes, strict=True):
        function.__code__ = code
        if type(function.__module__) is _ModuleName:
            function.__module__ = sys.intern(str(function.__module__))
    for thing, docstring in zip(_documented, docstrings, strict=True):
        _set_docstring(thing, docstring)
    return True


def watch() -> None:
    """Begins to note in `called` which functions run: file, first line and qualified name. Moves earlier notes to `started`."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # exists since Python 3.12

    def note(code: CodeType, _: int) -> Any:
        called.add(_name(code))
        return monitoring.DISABLE  # until `restart_events`, because one note of each function is enough

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
    """Appends the code and docstrings that Python holds to a file, and frees them. needed: functions to keep, as in `called`."""
    global _mark
    _mark = b"not sealed yet"
    documented = [thing for thing in _things() if _can_lose_docstring(thing)]
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType and _can_lose_code(thing, needed)]
    with open(path, "ab") as file:  # noqa: PTH123  (pathlib's functions may be set aside)
        for first in range(0, max(len(functions), len(documented)), BATCH):
            batch = slice(first, first + BATCH)
            marshal.dump(([function.__code__ for function in functions[batch]], [*map(_docstring, documented[batch])]), file)
    for thing in documented:
        _set_docstring(thing, None)
    shared: dict[int, CodeType] = {}
    for number, function in enumerate(functions, len(_functions)):
        code = function.__code__
        if _kind(code) or not isinstance(function.__module__, str):
            function.__code__ = _stand_in(code, number)
        else:
            cells = len(code.co_freevars)
            function.__code__ = shared[cells] = shared.get(cells) or _stand_in(code)
            function.__module__ = _ModuleName(function.__module__)
    _functions.extend(functions)
    _documented.extend(documented)
    gc.collect()


def seal(path: str) -> None:
    """Ends the file with its mark, by which `bring_back` recognises the version."""
    global _mark
    with open(path, "rb+") as file:  # noqa: PTH123
        digest = hashlib.sha256()
        for piece in iter(partial(file.read, 1 << 16), b""):
            digest.update(piece)
        _mark = digest.digest()
        marshal.dump(_mark, file)


def _can_lose_code(function: FunctionType, needed: set[tuple[str, int, str]]) -> bool:
    code = function.__code__
    is_ours = function.__globals__ is globals() or _original in code.co_consts
    return not is_ours and _kind(code) in _templates and _name(code) not in needed


def _stand_in(code: CodeType, number: int | None = None) -> CodeType:
    template = _templates[_kind(code)]
    constants = {"original": _original, "number": number}
    return template.replace(
        co_consts=tuple(constants.get(value, value) if isinstance(value, str) else value for value in template.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )


def _name(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _kind(code: CodeType) -> int:
    return code.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE)


def _things() -> Iterator[Any]:
    """Each object that may have a docstring, once. The garbage collector does not know NumPy's dispatchers, but modules do."""
    modules = [module for module in sys.modules.values() if isinstance(module, ModuleType)]
    things = [*gc.get_objects(), *(thing for module in modules for thing in vars(module).values())]
    yield from {id(thing): thing for thing in things}.values()


def _docstring(thing: Any) -> Any:
    if isinstance(thing, type):
        return thing.__dict__.get("__doc__")
    if isinstance(thing, (FunctionType, ModuleType)) or type(thing).__name__ == "_ArrayFunctionDispatcher":
        return thing.__doc__
    return None


def _can_lose_docstring(thing: Any) -> bool:
    docstring = _docstring(thing)
    if not isinstance(docstring, str) or len(docstring) <= SHORT:
        return False
    try:
        _set_docstring(thing, docstring)
    except (AttributeError, TypeError):  # a class written in C
        return False
    return True


def _set_docstring(thing: Any, docstring: str | None) -> None:
    (type.__setattr__ if isinstance(thing, type) else setattr)(thing, "__doc__", docstring)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Python warns that the placeholders, strings, are called
    _templates = {_kind(code): code for code in compile(STAND_INS, "", "exec").co_consts if isinstance(code, CodeType)}
