"""Functions set aside behave as ever: whoever calls one, brings all of them back first. What is of another version, is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..conftest import ROOT

HERE = Path(__file__).parent


def set_everything_aside(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "set_aside_everything.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT / "demo", env={"PYTHONPATH": str(ROOT / "demo")}, capture_output=True, text=True)


def test_closures_generators_coroutines_and_methods_come_back_when_called(tmp_path: Path) -> None:
    done = set_everything_aside(tmp_path / "aside")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["away"] == [None, None]
    assert told["after"] == told["before"]
    assert told["fetched"] == 1


def test_another_version_is_refused(tmp_path: Path) -> None:
    assert set_everything_aside(tmp_path / "aside", "other").stderr == "functions of another version"


def test_in_pyodide() -> None:
    done = subprocess.run(["node", str(HERE / "set_aside.mjs")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    has_engine, *answers = told["answers"]
    assert not has_engine, "the one that it rehearsed with is gone"
    assert (told["fetched"], answers) == (1, [None, 2.0, ["Compute", "the", "median", "along"]])
