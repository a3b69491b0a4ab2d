"""ONNX Runtime's matrix products: the page's kernels give the same, and nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes
from ..wasm_file import CODE, bodies, sections

ORT = "ort-wasm-simd-threaded.wasm"


def test_under_node() -> None:
    """That they agree with ONNX Runtime's, the build makes sure of itself; here: it would notice if they did not."""
    assert_passes(Path(__file__).with_name("fast_products.mjs"))


def test_the_site_has_them_and_all_else_as_it_was() -> None:
    published = sections((ROOT / "demo" / "web" / "node_modules" / "onnxruntime-web" / "dist" / ORT).read_bytes())
    ours = sections((ROOT / "docs" / "app" / "ort" / ORT).read_bytes())
    assert {k: d for k, d in published.items() if k != CODE} == {k: d for k, d in ours.items() if k != CODE}
    before, after = bodies(published[CODE]), bodies(ours[CODE])
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 2
