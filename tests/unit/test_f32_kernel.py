"""The page's kernels of matrix products (f32.mjs) replace ONNX Runtime's two, and nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes
from ..wasm_file import CODE, bodies, sections

ORT = "ort-wasm-simd-threaded.wasm"


def test_under_node() -> None:
    """The build compares the kernels with ONNX Runtime's. These tests show that it would notice a difference."""
    assert_passes(Path(__file__).with_name("f32_kernel.mjs"))


def test_only_the_two_kernels_differ_from_the_published_file() -> None:
    published = sections((ROOT / "demo" / "web" / "node_modules" / "onnxruntime-web" / "dist" / ORT).read_bytes())
    ours = sections((ROOT / "docs" / "app" / "ort" / ORT).read_bytes())
    assert {k: d for k, d in published.items() if k != CODE} == {k: d for k, d in ours.items() if k != CODE}
    before, after = bodies(published[CODE]), bodies(ours[CODE])
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 2
