"""A WebAssembly file that split.mjs has divided in two behaves as the whole file does: the tests of split.mjs, under Node."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("split.mjs"))
