"""Memories that come in pieces (demo/web/src/engine/pieces.ts): taken up whole, in order, and let go of."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_under_node() -> None:
    done = subprocess.run(["node", "--test", str(Path(__file__).with_name("pieces.mjs"))], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
