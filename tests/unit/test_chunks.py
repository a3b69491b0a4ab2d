"""Memories that come in chunks (demo/web/src/engine/start/chunks.ts): taken up whole, in order, and let go of."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("chunks.mjs"))
