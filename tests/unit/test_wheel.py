"""The wheel with its networks (`make wheel`): what it carries, and whether it works where there is no checkout."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from assemble.distribution import origin, wheel_manifest
from export.sources import SAMPLE_PHOTO, read_source

from ..conftest import ROOT

WEIGHTS = {"models.json", "ORIGIN.md", "pnet.onnx", "rnet.onnx", "onet.onnx", "embedder.onnx"}
LARGEST = 9_000_000  # bytes

# What the extra `native` needs, down to the last package. The fixture `installed` fails where one is missing here.
NATIVE = ("numpy", "onnxruntime", "pillow", "tqdm", "flatbuffers", "packaging", "protobuf")

# Python runs this first in the wheel's environment, so that no file of the checkout can help by accident.
SENTRY = """
import sys

def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith({root!r}):
        raise PermissionError("a file of the checkout: " + str(arguments[0]))

sys.addaudithook(refuse)
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder to work in, both outside the checkout."""

    folder: Path

    def run(self, command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The outcome of one of the environment's commands, to which no variable or setting of this machine gets through."""
        return subprocess.run(
            [str(self.folder / "venv" / "bin" / command), *map(str, arguments)],
            cwd=self.folder / "empty",
            env={"HOME": str(self.folder / "home"), "PATH": os.defpath, "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments: object) -> None:
        """Installs with the environment's pip, from no index."""
        done = self.run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", *arguments)
        assert done.returncode == 0, done.stderr


def build(folder: Path, with_networks: bool = True) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    variables = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": str(int(with_networks))}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("facelab-*-py3-none-any.whl")
    return wheel


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def native_packages() -> Path:
    """A folder with the packages that NATIVE names and a requirements.txt, fetched once: the tests can run without a network."""
    lock = (ROOT / "requirements.lock").read_text()
    lines = "\n".join(found[0] for found in re.finditer(rf"^(?:{'|'.join(NATIVE)})==.*(?:\n .*)*", lock, re.MULTILINE))
    folder = ROOT / "build" / "native" / hashlib.sha256(f"{lines}{sys.version}".encode()).hexdigest()[:16]
    if not folder.exists():
        partial = folder.with_suffix(".part")
        partial.mkdir(parents=True, exist_ok=True)
        (partial / "requirements.txt").write_text(lines)
        pip = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(partial), "--requirement", str(partial / "requirements.txt")], check=True)
        partial.rename(folder)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, its extra `native`, and nothing else."""
    folder = tmp_path_factory.mktemp("elsewhere")
    assert not folder.is_relative_to(ROOT)
    (folder / "empty").mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    environment = Environment(folder)
    packages = native_packages()
    environment.install("--find-links", packages, "--no-deps", "--require-hashes", "-r", packages / "requirements.txt")
    environment.install(f"{wheel}[native]")
    (site_packages,) = (folder / "venv").glob("lib/python3.*/site-packages")
    (site_packages / "sitecustomize.py").write_text(SENTRY.format(root=f"{ROOT}{os.sep}"))
    assert "a file of the checkout" in environment.run("python", "-c", f"open({str(ROOT / 'README.md')!r})").stderr
    return environment


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with obama.jpg, obama2.jpg and biden.jpg."""
    folder = tmp_path_factory.mktemp("photos")
    package, member = SAMPLE_PHOTO
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        (folder / name).write_bytes(read_source(package, str(Path(member).with_name(name))))
    return folder


def test_wheel_carries_one_embedder_and_the_detector(wheel: Path) -> None:
    files = contents(wheel)
    assert {name for name in files if "/weights/" in name} == {f"facelab/weights/{name}" for name in WEIGHTS}
    assert wheel.stat().st_size < LARGEST
    manifest = json.loads(files["facelab/weights/models.json"])
    assert manifest["embedder"]["name"] == "mobilefacenet-v1"
    assert manifest["embedder"]["cohort"] is None
    assert manifest["embedders"] == {}
    for graph in manifest["graphs"].values():
        assert hashlib.sha256(files[f"facelab/weights/{graph['file']}"]).hexdigest() == graph["sha256"]
        assert "compact" not in graph
        for value in (graph["file"], graph["source"], graph["licence"]):
            assert value in files["facelab/weights/ORIGIN.md"].decode()


def test_metadata_are_those_of_pyproject(wheel: Path) -> None:
    (text,) = (data for name, data in contents(wheel).items() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(text.decode())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(metadata["Requires-Python"]) == SpecifierSet(project["requires-python"])
    requirements = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    native = {f"{r.name}{r.specifier}" for r in requirements if r.marker and r.marker.evaluate({"extra": "native"})}
    assert native == set(project["optional-dependencies"]["native"])


def test_same_sources_make_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_wheel_of_the_page_differs_only_by_the_networks(wheel: Path, tmp_path: Path) -> None:
    record = "facelab-{}.dist-info/RECORD".format(wheel.name.split("-")[1])
    whole, plain = contents(wheel), contents(build(tmp_path, with_networks=False))
    assert {name.rpartition("/")[2] for name in whole.keys() - plain.keys()} == WEIGHTS
    assert all(whole[name] == data for name, data in plain.items() if name != record)


def test_nothing_that_a_wheel_may_not_carry_is_named_in_its_manifest() -> None:
    graph = {"file": "a.onnx", "sha256": "0", "source": "somewhere", "licence": "MIT", "paper": "X, 2016"}
    embedder: dict[str, Any] = {"name": "first", "cohort": {"file": "cohort-first.npy", "calibration": {}}, "calibration": {}}
    manifest = wheel_manifest(
        {
            "format": 1,
            "graphs": {"embedder": {**graph, "compact": {"file": "a-int8.onnx"}}},
            "embedder": embedder,
            "embedders": {"added": {"graph": {**graph, "file": "private.onnx"}, "embedder": {"name": "added"}}},
        }
    )
    assert manifest == {
        "format": 1,
        "graphs": {"embedder": graph},
        "embedder": {"name": "first", "cohort": None, "calibration": {}},
        "embedders": {},
    }
    assert "| a.onnx | somewhere | MIT | see the paper | X, 2016 |" in origin(manifest)


@pytest.mark.parametrize(("other", "verdict"), [("obama2.jpg", "same person"), ("biden.jpg", "different people")])
def test_installed_command_verifies(other: str, verdict: str, installed: Environment, photos: Path) -> None:
    done = installed.run("facelab", "verify", photos / "obama.jpg", photos / other)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == verdict


def test_installed_package_lies_in_its_environment(installed: Environment) -> None:
    done = installed.run("python", "-c", "import facelab, facelab.native as n; print(facelab.__file__); print(n.models_folder())")
    assert done.stderr == ""
    assert all(Path(line).is_relative_to(installed.folder / "venv") for line in done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--embedder", "dlib-resnet-v1", "verify"], ["dlib-resnet-v1", "make models", "FACELAB_MODELS"]),
        (["verify", "--normalise", "cohort"], ["no cohort", "make models"]),
    ],
)
def test_what_the_wheel_leaves_out_is_asked_for_in_one_line(
    arguments: list[str], named: list[str], installed: Environment, photos: Path
) -> None:
    done = installed.run("facelab", *arguments, photos / "obama.jpg", photos / "biden.jpg")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("facelab: ")
    assert done.stderr.count("\n") == 1
    assert all(words in done.stderr for words in named)
