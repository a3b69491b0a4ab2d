"""A stored memory has zeros where it is free, and is unchanged where it is in use: the tests of wipe_free.mjs, under Node."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("wipe_free.mjs"))
