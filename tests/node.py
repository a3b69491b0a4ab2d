"""Tests that are written in JavaScript, as what they are of is: run by Node, each file by a test of Python's."""

from __future__ import annotations

import subprocess
from pathlib import Path


def assert_passes(tests: Path) -> None:
    """That all tests of that file pass: of `node --test`."""
    done = subprocess.run(["node", "--test", str(tests)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
