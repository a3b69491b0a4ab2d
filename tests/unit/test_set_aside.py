"""Functions that are set aside answer as before: calling one brings all of them back. A file of another version is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def printed_by(script: str, *arguments: str) -> str:
    done = subprocess.run(["node", str(HERE / script), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_closures_generators_coroutines_and_methods_come_back_when_called() -> None:
    result = json.loads(printed_by("set_aside_everything.mjs"))
    assert result["away"] == [None, None]
    assert result["after"] == result["before"]
    assert result["fetched"] == 1
    again, then = result["moved"]
    assert "call this function again" in again
    assert then == "called"


def test_another_version_is_refused() -> None:
    error = printed_by("set_aside_everything.mjs", "other").strip()
    assert error == "reload this page: its Python functions now come from another version"


def test_in_the_memory_of_the_page() -> None:
    result = json.loads(printed_by("set_aside.mjs"))
    has_engine, *answers = result["answers"]
    assert not has_engine, "the object that ran the networks in the build is gone"
    assert (result["fetched"], answers) == (1, [None, 2.0, ["Compute", "the", "median", "along"]])
