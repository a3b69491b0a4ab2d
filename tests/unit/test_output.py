"""Text that leaves the program, and files that it writes."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facelab.cli import main
from facelab.errors import InputError
from facelab.files import check_writable, open_plain, write_whole
from facelab.output import as_json, readable, spreadsheet_cell

from ..node import assert_passes

# What a spreadsheet must not run, and what it gets; demo/web/src/people/roll.ts is held to the same list.
CELLS = json.loads(Path(__file__).with_name("spreadsheet_cells.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_no_cell_becomes_a_formula(text: str, cell: str) -> None:
    assert spreadsheet_cell(text) == cell


def test_page_has_the_same_cells() -> None:
    assert_passes(Path(__file__).with_name("roll.mjs"))


def test_names_become_readable() -> None:
    assert readable(os.fsdecode(b"M\xfcller\n\x1b[2J")) == r"M\xfcller\n\x1b[2J"
    assert readable("李小龍 😀 Zoë") == "李小龍 😀 Zoë"


def test_json_is_for_every_reader() -> None:
    odd = os.fsdecode(b"M\xfcller")
    assert json.loads(as_json({odd: [odd, "李", 1.5, None]})) == {r"M\xfcller": [r"M\xfcller", "李", 1.5, None]}
    with pytest.raises(ValueError, match="JSON compliant"):
        as_json([float("nan")])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_terminal_of_another_encoding_gets_a_name_as_it_can(
    encoding: str, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "李小龍.png"
    photo.write_bytes(b"no photo")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert main(["detect", str(photo)]) == 2
    assert r"\u674e\u5c0f\u9f8d.png is not a photo" in err.buffer.getvalue().decode()
    print("李小龍")
    assert rb"\u674e" in out.buffer.getvalue()


def test_folder_whose_name_is_not_unicode_is_enrolled(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    person = Path(os.fsdecode(os.fsencode(tmp_path) + b"/class/M\xfcller"))
    person.mkdir(parents=True)
    (person / "a.jpg").write_bytes((samples / "obama.jpg").read_bytes())
    assert main(["enrol", str(tmp_path / "class"), "-o", str(tmp_path / "gallery.json"), "--json"]) == 0
    output, error = capsys.readouterr()
    assert json.loads(output)["people"] == {r"M\xfcller": 1}
    assert error.count("not UTF-8") == 1
    assert json.loads((tmp_path / "gallery.json").read_text(encoding="utf-8"))["people"][0]["name"] == r"M\xfcller"


def long_name(folder: Path) -> Path:
    return folder / ("x" * 300)


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jpg")
    return folder / "pipe.jpg"


def device(_: Path) -> Path:
    return Path("/dev/zero")


def missing(folder: Path) -> Path:
    return folder / "missing"


@pytest.mark.parametrize("place", [long_name, pipe, device, missing, Path])
@pytest.mark.parametrize("arguments", ["detect {}", "verify {} {}", "identify {} x.jpg", "evaluate {}", "calibrate {} {}"])
def test_path_of_any_kind_is_one_line_and_exit_2(
    place: Callable[[Path], Path], arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place(tmp_path)
    assert main([argument.format(path) for argument in arguments.split()]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["enrol", "{}", "-o", "out.json"], ["cluster", "{}"], ["enrol", ".", "-o", "{}"]])
def test_folder_of_too_long_a_name_is_one_line_and_exit_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(long_name(tmp_path)) for argument in arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_name_with_a_nul_is_refused() -> None:
    with pytest.raises(InputError, match="null byte"):
        open_plain(Path("a\0b"))
    with pytest.raises(InputError, match="null byte"):
        check_writable(Path("a\0b"))


def test_file_is_replaced_whole_with_its_permissions_and_its_link(tmp_path: Path) -> None:
    file, link = tmp_path / "gallery.json", tmp_path / "link.json"
    write_whole(file, "old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, "nëw")
    assert file.read_text(encoding="utf-8") == "nëw"
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gallery.json", "link.json"]


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    file = tmp_path / "gallery.json"
    write_whole(file, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(InputError, match="cannot be written: File too large"):
            write_whole(file, "x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_file_that_may_not_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enrol", str(tmp_path), "-o", str(tmp_path / "nowhere" / "gallery.json")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    (tmp_path / "kept.json").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "kept.json")  # root may write everything
    with pytest.raises(InputError, match="check the permissions"):
        write_whole(tmp_path / "kept.json", "new")
    assert (tmp_path / "kept.json").read_text() == "old"


def test_device_is_written_to_and_stays_one() -> None:
    write_whole(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()
