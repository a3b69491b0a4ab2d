"""The wheels that the page loads: where NumPy's comes from and what stops the build without it; what compiles facelab's."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assemble.inputs import AssembleError, byte_compiler, numpy_wheel

from ..conftest import ROOT

NAME = "numpy-2.4.9-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
MODULES = ROOT / "demo" / "web" / "node_modules"


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small wheel: the file that is locked."""
    return small_wheel(tmp_path_factory.mktemp("right") / NAME, "2.4.9")


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Those of another wheel."""
    return small_wheel(tmp_path_factory.mktemp("wrong") / NAME, "2.4.8")


def small_wheel(path: Path, version: str) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("numpy/version.py", f"version = {version!r}\n")
    return path.read_bytes()


@pytest.fixture
def modules(right: bytes, tmp_path: Path) -> Path:
    """npm's packages, with a lock file of Pyodide's."""
    folder = tmp_path / "node_modules"
    (folder / "pyodide").mkdir(parents=True)
    locked = {"file_name": NAME, "sha256": hashlib.sha256(right).hexdigest()}
    (folder / "pyodide" / "pyodide-lock.json").write_text(json.dumps({"packages": {"numpy": locked}}))
    return folder


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What earlier steps have made: nothing so far."""
    folder = tmp_path / "build"
    (folder / "downloads").mkdir(parents=True)
    return folder


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A folder that the user names."""
    folder = tmp_path / "my wheels"
    folder.mkdir()
    return folder


def put_open_webui(build: Path, name: str, data: bytes) -> None:
    """Puts a package with that file into the downloads."""
    with zipfile.ZipFile(build / "downloads" / "open_webui-9.9.9-py3-none-any.whl", "w") as carrier:
        carrier.writestr(f"open_webui/frontend/pyodide/{name}", data)


def unreachable(name: str) -> bytes:
    """The distribution, where the network is closed."""
    raise AssembleError("fetch failed")


def serving(data: bytes) -> Callable[[str], bytes]:
    """The distribution, where it has that file."""
    return lambda name: data if name == NAME else unreachable(name)


def test_an_earlier_builds_file_is_taken_as_it_is(right: bytes, modules: Path, build: Path) -> None:
    first = numpy_wheel(build, modules, fetch=serving(right))
    written = first.stat().st_mtime_ns
    assert numpy_wheel(build, modules, fetch=unreachable) == first == build / "python" / NAME
    assert first.stat().st_mtime_ns == written


def test_a_damaged_file_of_an_earlier_build_is_made_anew(right: bytes, modules: Path, build: Path) -> None:
    numpy_wheel(build, modules, fetch=serving(right)).write_bytes(right[:-1])
    assert numpy_wheel(build, modules, fetch=serving(right)).read_bytes() == right


def test_the_folder_that_the_user_names_has_it(right: bytes, modules: Path, build: Path, named: Path) -> None:
    (named / NAME).write_bytes(right)
    assert numpy_wheel(build, modules, named, unreachable).read_bytes() == right


def test_open_webui_has_it(right: bytes, modules: Path, build: Path) -> None:
    put_open_webui(build, NAME, right)
    assert numpy_wheel(build, modules, fetch=unreachable).read_bytes() == right


def test_the_distribution_has_it(right: bytes, modules: Path, build: Path) -> None:
    put_open_webui(build, "numpy-2.4.8-of-another-pyodide.whl", right)
    assert numpy_wheel(build, modules, fetch=serving(right)).read_bytes() == right


def test_files_of_the_right_name_and_another_hash_are_passed_over(
    right: bytes, wrong: bytes, modules: Path, build: Path, named: Path
) -> None:
    (named / NAME).write_bytes(wrong)
    put_open_webui(build, NAME, wrong)
    assert numpy_wheel(build, modules, named, serving(right)).read_bytes() == right


def test_the_users_folder_goes_first_and_the_distribution_last(right: bytes, modules: Path, build: Path, named: Path) -> None:
    asked: list[str] = []

    def fetch(name: str) -> bytes:
        asked.append(name)
        return right

    (named / NAME).write_bytes(right)
    carrier = build / "downloads" / "open_webui-9.9.9-py3-none-any.whl"
    carrier.write_bytes(b"not a zip file: reading it would fail")
    assert numpy_wheel(build, modules, named, fetch).read_bytes() == right
    (build / "python" / NAME).unlink()
    put_open_webui(build, NAME, right)
    assert numpy_wheel(build, modules, None, fetch).read_bytes() == right
    assert asked == []


def test_where_no_source_has_it_one_sentence_names_the_file_the_sources_and_the_choices(
    right: bytes, wrong: bytes, modules: Path, build: Path, named: Path
) -> None:
    put_open_webui(build, "numpy-2.4.3-carried.whl", right)
    (build / "downloads" / "open_webui-10.0.0-py3-none-any.whl").write_bytes(b"half of a downl")
    with pytest.raises(AssembleError) as caught:
        numpy_wheel(build, modules, named, serving(wrong))
    message = str(caught.value)
    assert message.startswith(f"{NAME}, which pyodide-lock.json names, ")
    for tried in (
        f"{named} (No such file or directory)",
        "open_webui-9.9.9-py3-none-any.whl (has numpy-2.4.3-carried.whl)",
        "open_webui-10.0.0-py3-none-any.whl (is damaged: File is not a zip file)",
        "Pyodide's distribution (has another file of that name)",
    ):
        assert tried in message
    assert "make site PYODIDE_WHEELS=FOLDER" in message
    assert "demo/web/package.json" in message
    assert list(build.rglob("numpy-*")) == [], "no file of another hash is left for the next build"


def test_without_downloads_and_without_a_network_it_is_the_same_sentence(modules: Path, build: Path) -> None:
    with pytest.raises(AssembleError, match=r"was found in none of these: Pyodide's distribution \(fetch failed\)\. "):
        numpy_wheel(build, modules, fetch=unreachable)


# Pyodide's own code, under Node; only the network is replaced

NETWORK = """
import { readFileSync, appendFileSync } from "node:fs";

globalThis.fetch = async (address) => {
  appendFileSync(process.env.ASKED, `${address}\\n`);
  if (!process.env.ANSWER) throw new TypeError("fetch failed");
  return new Response(readFileSync(process.env.ANSWER));
};
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replaces Node's fetch by NETWORK, which answers with the file ANSWER, if set. The file of addresses asked for."""
    hook, asked = tmp_path / "network.mjs", tmp_path / "asked"
    hook.write_text(NETWORK)
    monkeypatch.setenv("NODE_OPTIONS", f"--import={hook.as_uri()}")
    monkeypatch.setenv("ASKED", str(asked))
    monkeypatch.delenv("ANSWER", raising=False)
    return asked


def locked_numpy() -> dict[str, str]:
    entry: dict[str, str] = json.loads((MODULES / "pyodide" / "pyodide-lock.json").read_text())["packages"]["numpy"]
    return entry


def test_pyodide_fetches_the_file_from_its_own_distribution(build: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = json.loads((MODULES / "pyodide" / "package.json").read_text())["version"]
    real = ROOT / "build" / "python" / locked_numpy()["file_name"]
    monkeypatch.setenv("ANSWER", str(real))
    assert numpy_wheel(build, MODULES).read_bytes() == real.read_bytes()
    (address,) = network.read_text().split()
    assert address.startswith("https://")
    assert address.endswith(f"/v{version}/full/{real.name}")


def test_where_the_network_is_closed_the_address_is_named(build: Path, network: Path) -> None:
    """So that the user knows what to allow."""
    with pytest.raises(AssembleError, match=r"Pyodide's distribution \(https://\S+/full/ fetch failed\)"):
        numpy_wheel(build, MODULES)
    assert len(network.read_text().split()) == 1


# facelab's wheel


@pytest.mark.parametrize(("python", "program"), [("3.14.0", "pyodide"), ("3.14.2", "pyodide"), ("3.15.0", "node")])
def test_byte_code_is_made_by_pyodides_minor_version_of_python(python: str, program: str, tmp_path: Path) -> None:
    """Python 3.15 cannot read the byte code of 3.14."""
    (tmp_path / "bin").mkdir()
    for name in ("pyodide", "python", "python3", "python3.14"):
        (tmp_path / "bin" / name).touch()
    assert Path(byte_compiler(tmp_path, python)[0]).name == program


def test_without_that_python_pyodide_compiles_the_wheel(tmp_path: Path) -> None:
    assert byte_compiler(tmp_path, "3.14.0")[0] == "node"
