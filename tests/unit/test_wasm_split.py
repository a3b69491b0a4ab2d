"""A wasm file in two behaves as it did whole: the tests of wasm_split.mjs, under Node."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("wasm_split.mjs"))
