"""Idle data comes with the rest of Pyodide's WebAssembly, and none is lost (demo/optimise/drop/idle_data.mjs)."""

from __future__ import annotations

from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes
from ..wasm_file import data

PYODIDE = ROOT / "docs" / "app" / "pyodide"


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("idle_data.mjs"))


def test_first_and_rest_have_all_data_once() -> None:
    whole, first, rest = (
        data(file.read_bytes())
        for file in (
            ROOT / "build" / "optimised" / "outlined" / "pyodide.asm.wasm",
            PYODIDE / "pyodide.asm.wasm",
            PYODIDE / "pyodide.asm_rest.wasm",
        )
    )
    assert not first.keys() & rest.keys()
    assert first | rest == whole
    assert len(rest) > 2_000_000, "most of the data is idle"


def test_numpy_comes_without_data() -> None:
    """The snapshot already has the data of libraries."""
    for file in (ROOT / "docs" / "app" / "python").glob("*.wasm"):
        assert not data(file.read_bytes()), file.name
