"""Code that is moved out of large functions of a WebAssembly file does the same there, and nothing else in the file changes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..wasm_file import CODE, bodies, leb, sections

PROGRAMS = 100
GROWN = {1: "types", 3: "functions", 6: "globals"}  # sections to which new functions add
NUMPY = Path("numpy") / "_core" / "_multiarray_umath.cpython-314-wasm32-emscripten.so"
OUTLINED = ROOT / "build" / "optimised" / "outlined"
BEFORE = {
    "pyodide.asm.wasm": ROOT / "demo" / "web" / "node_modules" / "pyodide",
    NUMPY.name: ROOT / "build" / "optimised" / "whole" / NUMPY.parent,
}


def test_what_is_moved_does_the_same_there() -> None:
    """Random programs have returns, branches, loops, values on the stack and locals of four types. All parts move in turn."""
    script = Path(__file__).with_name("outline.mjs")
    done = subprocess.run(["node", str(script), str(PROGRAMS)], capture_output=True, text=True, check=True, timeout=120)
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert result["added"] > PROGRAMS, "hardly any code was moved"


@pytest.mark.parametrize("name", BEFORE)
def test_file_differs_in_few_functions_and_gains_some(name: str) -> None:
    """Tables, exports, data and indices stay as they were, so that pointers in Python's memory stay valid."""
    whole, outlined = (sections((folder / name).read_bytes()) for folder in (BEFORE[name], OUTLINED))
    assert {k: d for k, d in whole.items() if k != CODE and k not in GROWN} == {
        k: d for k, d in outlined.items() if k != CODE and k not in GROWN
    }
    for kind in GROWN:
        (_, old), (_, new) = leb(whole[kind], 0), leb(outlined[kind], 0)
        assert outlined[kind][new:].startswith(whole[kind][old:]), GROWN[kind]
    before, after = bodies(whole[CODE]), bodies(outlined[CODE])
    changed = [(len(a), len(b)) for a, b in zip(before, after, strict=False) if a != b]
    assert 0 < len(changed) < 200
    assert sum(short for _, short in changed) < sum(long for long, _ in changed) / 2, "changed functions shrink by half"
    if name == "pyodide.asm.wasm":
        long, short = max(changed, key=lambda lengths: lengths[0] - lengths[1])
        assert short < long / 2
        assert long == max(map(len, before)), "Python's loop over its bytecode, the largest function, shrinks most"
