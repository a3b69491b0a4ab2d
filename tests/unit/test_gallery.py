"""Enrol, identify, cluster and forget on the command line, on real photos; a gallery's file; the memory of what was found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelab.cli import main
from facelab.errors import InputError
from facelab.folders import find_faces, memory_file
from facelab.gallery import Enrolled, read_gallery, write_gallery


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "memory" / "faces.sqlite"))


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """A folder a person, with one photo that is none among them."""
    for name, photos in {"Obama": ["obama.jpg", "obama3.jpg"], "Biden": ["biden.jpg"]}.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        for photo in photos:
            shutil.copy(samples / photo, tmp_path / "class" / name)
    (tmp_path / "class" / "Biden" / "notes.jpg").write_text("no photo")
    return tmp_path / "class"


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([str(argument) for argument in arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_enrolled_people_are_named_and_others_are_not(
    folder: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lfw100: Path
) -> None:
    gallery = tmp_path / "class.json"
    told = answer(capsys, "enrol", folder, "-o", gallery, "--json")
    assert isinstance(told, dict)
    assert told["people"] == {"Biden": 1, "Obama": 2}
    (reason,) = told["left_out"]
    assert "notes.jpg" in reason
    assert told["most_alike"][0]["names"] == ["Biden", "Obama"]
    (face,) = answer(capsys, "identify", gallery, samples / "obama2.jpg", "--json")
    assert (face["name"], face["answer"]) == ("Obama", "sure")
    assert len(face["box"]) == 4
    stranger = answer(capsys, "identify", gallery, lfw100 / "Tony_Blair" / "Tony_Blair_0004.jpg", "--json")
    assert stranger[0]["name"] is None
    assert stranger[0]["answer"] == "unknown"


def test_photos_are_sorted_by_person(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    groups = answer(capsys, "cluster", folder, "--json")
    assert [sorted(Path(file).name for file in group) for group in groups] == [["obama.jpg", "obama3.jpg"], ["biden.jpg"]]


def test_what_was_found_is_remembered_by_content_and_forgotten_when_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = sorted(folder.rglob("*.jpg"))
    first = list(find_faces(photos))
    moved = tmp_path / "moved.jpg"
    shutil.copy(photos[0], moved)
    monkeypatch.setattr("facelab.folders._look", None)  # nobody may look again
    (_, again), *_ = find_faces([moved])
    assert not isinstance(again, str)
    assert not isinstance(first[0][1], str)
    np.testing.assert_array_equal(again[0].embedding, first[0][1][0].embedding)
    assert again[0].complaints == first[0][1][0].complaints
    assert memory_file().exists()
    assert answer(capsys, "forget", "--json") == {"forgotten": True}
    assert not memory_file().exists()


def test_damaged_memory_begins_anew(folder: Path) -> None:
    memory_file().parent.mkdir(parents=True)
    memory_file().write_bytes(b"no database" * 100)
    assert len(list(find_faces(sorted(folder.rglob("*.jpg"))))) == 4


PEOPLE = {"Ada": [Enrolled("a.jpg", np.arange(128, dtype=np.float32))], "Bén": [Enrolled("b.jpg", np.ones(128, np.float32))]}


def test_gallery_comes_back_as_it_went() -> None:
    back = read_gallery(write_gallery(PEOPLE, "net"), "net")
    assert list(back) == ["Ada", "Bén"]
    np.testing.assert_array_equal(back["Ada"][0].embedding, PEOPLE["Ada"][0].embedding)
    assert back["Bén"][0].file == "b.jpg"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "this is no gallery"),
        ("[]", "this is no gallery"),
        ('{"kind": "facelab gallery", "format": 9}', "format 9"),
        (write_gallery(PEOPLE, "other"), "embedder other"),
        (write_gallery(PEOPLE, "net").replace("Ada", "Eve"), "damaged"),
        (write_gallery(PEOPLE, "net")[:-200], "this is no gallery"),
    ],
)
def test_what_is_no_gallery_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_gallery(text, "net")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["enrol", "{nowhere}", "-o", "{out}"], "is no folder"),
        (["enrol", "{empty}", "-o", "{out}"], "holds no photos"),
        (["enrol", "{folder}/Obama", "-o", "{out}"], "has no folders with photos"),
        (["enrol", "{folder}", "-o", "{empty}"], "cannot be written"),
        (["identify", "{nowhere}", "{folder}/Obama/obama.jpg"], "cannot be read as a gallery"),
        (["identify", "{folder}/Obama/obama.jpg", "{folder}/Obama/obama.jpg"], "cannot be read as a gallery"),
        (["cluster", "{nowhere}"], "is no folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], sentence: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"nowhere": tmp_path / "nowhere", "empty": tmp_path / "empty", "folder": folder, "out": tmp_path / "out.json"}
    assert main([argument.format(**places) for argument in arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("facelab: ")
    assert sentence in said
