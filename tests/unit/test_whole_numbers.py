"""Products in whole numbers, as the page multiplies by the embedder's weights: right for any shape, and the page has them."""

from __future__ import annotations

from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes
from ..wasm_file import CODE, bodies, sections

ORT = ROOT / "docs" / "app" / "ort"


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("whole_numbers.mjs"))


def test_the_page_has_two_functions_more_and_kernels_that_call_them() -> None:
    """The whole file, which an embedder of the reader's own takes, stays with floats."""
    trimmed = next((ROOT / "build" / "ort").glob("*-trimmed.wasm"))
    before, after = (bodies(sections(file.read_bytes())[CODE]) for file in (trimmed, ORT / trimmed.name))
    assert len(after) == len(before) + 2
    kernels = [a for a, b in zip(after, before, strict=False) if a != b]
    assert len(kernels) == 2
    whole = bodies(sections((ORT / "ort-wasm-simd-threaded.wasm").read_bytes())[CODE])
    assert not set(kernels) & set(whole)
