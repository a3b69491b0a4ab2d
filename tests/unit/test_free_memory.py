"""What the build keeps of memories has no leftovers in it, and all that is in use (demo/assemble/free_memory.mjs)."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_under_node() -> None:
    done = subprocess.run(["node", "--test", str(Path(__file__).with_name("free_memory.mjs"))], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
