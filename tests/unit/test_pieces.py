"""Memories that come in pieces (demo/web/src/engine/pieces.ts): taken up whole, in order, and let go of."""

from __future__ import annotations

from pathlib import Path

from ..node import assert_passes


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("pieces.mjs"))
