"""What the roll call keeps in the browser (demo/web/src/people/store.ts): several tabs, undo, upgrades, no storage."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("class_data.mjs"))
