"""A wasm file in two behaves as it did whole: the tests of wasm_split.mjs, under Node."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_under_node() -> None:
    tests = Path(__file__).with_name("wasm_split.mjs")
    done = subprocess.run(["node", "--test", str(tests)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
