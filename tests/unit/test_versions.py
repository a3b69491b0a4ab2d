"""What the engine reads is of one build (demo/web/src/engine/assets.ts): each file of another is fetched anew, or refused."""

from __future__ import annotations

from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes


def test_under_node() -> None:
    assert (ROOT / "site" / "app").exists(), "`make site` first"
    assert_passes(Path(__file__).with_name("versions.mjs"))
