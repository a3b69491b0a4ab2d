"""What the build keeps of memories has no leftovers in it, and all that is in use (demo/optimise/snapshot/wipe_free.mjs)."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("free_memory.mjs"))
