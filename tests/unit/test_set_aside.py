"""Functions set aside behave as ever: whoever calls one, brings all of them back first. What is of another version, is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def told_by(script: str, *arguments: str) -> str:
    done = subprocess.run(["node", str(HERE / script), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_closures_generators_coroutines_and_methods_come_back_when_called() -> None:
    told = json.loads(told_by("set_aside_everything.mjs"))
    assert told["away"] == [None, None]
    assert told["after"] == told["before"]
    assert told["fetched"] == 1
    again, then = told["moved"]
    assert "call this function again" in again
    assert then == "called"


def test_another_version_is_refused() -> None:
    assert told_by("set_aside_everything.mjs", "other").strip() == "functions of another version"


def test_in_the_memory_of_the_page() -> None:
    told = json.loads(told_by("set_aside.mjs"))
    has_engine, *answers = told["answers"]
    assert not has_engine, "the one that it rehearsed with is gone"
    assert (told["fetched"], answers) == (1, [None, 2.0, ["Compute", "the", "median", "along"]])
