"""A WebAssembly file that notes or guards its reads otherwise does what it did: the tests of reads.mjs, under Node."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("reads.mjs"))
