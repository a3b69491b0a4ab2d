"""Nothing leaves the machine, seen from outside the process: no file in the home folder, no name looked up, no server called.

ONNX Runtime makes its first call ten seconds after its import.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..recorded_network import asked_by, may_record

PACKAGES = {"facelab": ROOT / "demo" / "facelab", "export": ROOT / "export", "tests": ROOT / "tests"}
FACELAB = [sys.executable, "-m", "facelab.cli"]
VERIFY_AND_STAY = "import sys, time; from facelab.cli import main; main(sys.argv[1:]); time.sleep(11)"


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """This one, as a user has it: with an empty home folder, and without what this process has set."""
    own = ("ORT_", "XDG_", "FACELAB_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(own)}, "HOME": str(tmp_path)}


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "obama.jpg", "biden.jpg"]])
def test_command_leaves_no_file_in_the_home_folder(
    arguments: list[str], environment: Mapping[str, str], samples: Path, tmp_path: Path
) -> None:
    subprocess.run([*FACELAB, *arguments], cwd=samples, env=environment, check=True, capture_output=True)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.skipif(
    not may_record(), reason="no network of a command's own here: that needs Linux, unshare, ip and the right to use them"
)
def test_long_run_asks_the_network_for_nothing(environment: Mapping[str, str], samples: Path, tmp_path: Path) -> None:
    calling = "import socket; socket.create_connection(('facelab.example', 443))"
    assert asked_by([sys.executable, "-c", calling], environment) == ["facelab.example", "port 443"], "the recorder works"
    photos = [str(samples / name) for name in ("obama.jpg", "biden.jpg")]
    assert asked_by([sys.executable, "-c", VERIFY_AND_STAY, "verify", *photos], environment) == []
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_package_that_imports_onnxruntime_imports_facelab_first(package: str) -> None:
    """Python runs a package's __init__ before its modules, and facelab's turns the telemetry off."""
    folder = PACKAGES[package]
    assert any("onnxruntime" in _imported(path) for path in folder.rglob("*.py")), "or this test has no object"
    assert package == "facelab" or _imported(folder / "__init__.py")[0] == "facelab"


def test_every_import_of_onnxruntime_is_in_one_of_these_packages() -> None:
    elsewhere = [
        path for part in ("demo", "export", "tests") for path in (ROOT / part).rglob("*.py") if "node_modules" not in path.parts
    ]
    elsewhere = [path for path in elsewhere if not any(path.is_relative_to(folder) for folder in PACKAGES.values())]
    assert elsewhere
    assert [path for path in elsewhere if "onnxruntime" in _imported(path)] == []


def test_onnxruntime_that_was_imported_before_facelab_is_told_about(environment: Mapping[str, str]) -> None:
    script = "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime'); import facelab"
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "onnxruntime was imported before facelab" in ran.stderr
    ran = subprocess.run([sys.executable, "-c", "import facelab"], env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def _imported(path: Path) -> list[str]:
    """Top-level names of the packages that a file imports by absolute names, in order."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [name.name.split(".")[0] for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module.split(".")[0])
    return found
