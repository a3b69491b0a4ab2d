"""Folders on a disk: what is listed, links and what cannot be opened included; enrolment of a folder on the command line."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facelab.cli import main
from facelab.errors import InputError
from facelab.listing import list_folder, people_in, photos_in, same_content

NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files whose names count and whose content does not: photos of Anna and Ben."""
    made = tmp_path / "class"
    for photo in ("Anna/1.jpg", "Anna/2.jpg", "Ben/1.jpg"):
        write(made / photo)
    return made


def write(file: Path) -> None:
    """A file that is like no other."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(file))


def listed(folder: Path) -> dict[str, str | None]:
    """What is wrong with each file and folder."""
    return {entry.path: entry.trouble for entry, _ in list_folder(folder)}


def test_links_to_people_and_photos_are_followed(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "Cleo" / "3.jpg")
    (folder / "Cleo").symlink_to(tmp_path / "elsewhere" / "Cleo")
    (folder / "Ben" / "linked.jpg").symlink_to(tmp_path / "elsewhere" / "Cleo" / "3.jpg")
    whose = people_in(folder).whose
    assert whose[folder / "Cleo" / "3.jpg"] == "Cleo"
    assert whose[folder / "Ben" / "linked.jpg"] == "Ben"


def test_links_that_lead_nowhere_or_in_circles_are_listed(folder: Path) -> None:
    (folder / "Dora").symlink_to("nowhere")
    (folder / "Ben" / "lost.jpg").symlink_to("nowhere.jpg")
    (folder / "Ben" / "up").symlink_to(folder)
    (folder / "Eve").symlink_to("Eve")
    os.mkfifo(folder / "Anna" / "pipe.jpg")
    people = people_in(folder)
    assert people.empty == ["Dora", "Eve"]
    said = "\n".join(people.left_out)
    assert f"{folder}/Dora: a link that leads nowhere" in said
    assert f"{folder}/Ben/lost.jpg: a link that leads nowhere" in said
    assert f"{folder}/Ben/up: a link back to a folder that it lies in" in said
    assert f"{folder}/Eve: it cannot be opened (Too many levels of symbolic links)" in said
    assert f"{folder}/Anna/pipe.jpg: neither a file nor a folder" in said
    assert "Dora: no photos in it" in said


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder with a person’s folder that may not be opened, as somebody who is not allowed all."""
    made = Path(tempfile.mkdtemp())  # not tmp_path, which lets in its owner alone
    write(made / "class" / "Anna" / "1.jpg")
    write(made / "class" / "Ben" / "1.jpg")
    made.chmod(0o755)
    (made / "class" / "Ben").chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    yield made / "class"
    os.seteuid(before)
    (made / "class" / "Ben").chmod(0o755)
    shutil.rmtree(made)


def test_person_whose_folder_may_not_be_opened_is_named(closed: Path) -> None:
    people = people_in(closed)
    assert people.empty == ["Ben"]
    assert f"{closed}/Ben: it cannot be opened (Permission denied)" in people.left_out


def test_the_systems_own_folders_are_not_looked_into(folder: Path) -> None:
    write(folder / ".git" / "objects" / "1.jpg")
    assert "class/.git" in listed(folder)
    assert "class/.git/objects" not in listed(folder)


def test_folder_may_be_named_as_one_of_the_systems(tmp_path: Path) -> None:
    """Whoever names it wants it."""
    write(tmp_path / ".photos" / "Anna" / "1.jpg")
    write(tmp_path / ".photos" / "Ben" / "1.jpg")
    assert sorted(people_in(tmp_path / ".photos").whose.values()) == ["Anna", "Ben"]


def test_folder_is_read_alike_whatever_way_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert list(people_in(Path()).whose) == [Path("Anna/1.jpg"), Path("Anna/2.jpg"), Path("Ben/1.jpg")]
    assert list(people_in(Path("../class/")).whose) == [Path("../class") / one for one in ("Anna/1.jpg", "Anna/2.jpg", "Ben/1.jpg")]


def test_copies_are_found_by_content(folder: Path) -> None:
    shutil.copy(folder / "Anna" / "1.jpg", folder / "Anna" / "copy.jpg")
    shutil.copy(folder / "Anna" / "1.jpg", folder / "Ben" / "copy.jpg")
    first = folder / "Anna" / "1.jpg"
    assert same_content(photos_in(folder)[0]) == {folder / "Anna" / "copy.jpg": first, folder / "Ben" / "copy.jpg": first}
    people = people_in(folder)
    assert folder / "Anna" / "copy.jpg" not in people.whose
    assert people.left_out == [f"{folder}/Anna/copy.jpg: it is the same photo as {first}"]
    assert people.whose[folder / "Ben" / "copy.jpg"] == "Ben"  # enrolled for both: `enrol` warns of it


@pytest.mark.parametrize(
    ("photos", "people_at", "sentence"),
    [
        ([], None, "holds no photos"),
        (["clip.mov"], None, r"holds no photos.*clip\.mov: a video"),
        (["IMG_1.jpg"], None, r"one person called ‘given’\? Answer with --people-at 0 \(Yes, of ‘given’\), or make a folder"),
        (["Oak/Anna/1.jpg", "Oak/Ben/1.jpg", "Elm/Cleo/1.jpg"], None, r"--people-at 1 \(A person.*\) or --people-at 2 \(A class"),
        (["Ed.jpg", "IMG_1.jpg"], None, r"--people-at 0 .* or --people-at files \("),
        (["Anna/1.jpg"], 4, "no photo is anybody’s with --people-at 4"),
    ],
)
def test_what_cannot_be_enrolled_is_one_sentence(photos: list[str], people_at: int | None, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    for photo in photos:
        write(tmp_path / "given" / photo)
    with pytest.raises(InputError, match=sentence) as error:
        people_in(tmp_path / "given", people_at)
    assert "\n" not in str(error.value)


# With faces


@pytest.fixture
def odd_class(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As people have them: loose files, a person without a photo, one whose photo shows nobody, a photo given to two, rubbish."""
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "faces.sqlite"))
    made = tmp_path / "school" / "7b"
    for photo, place in {
        "obama.jpg": "Obama/autumn/1.jpg",
        "obama2.jpg": "Obama/spring/1.jpg",
        "biden.jpg": "Biden.jpg",
        "obama3.jpg": "IMG_0001.jpg",
    }.items():
        (made / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / photo, made / place)
    shutil.copy(made / "Biden.jpg", made / "Obama" / "mixed up.jpg")
    (made / "Carl").mkdir()
    (made / "Dora").mkdir()
    (made / "Dora" / "1.heic").write_text("no photo")
    (made / ".Trash").mkdir()
    return made.parent


def test_odd_class_is_enrolled_and_nothing_is_left_out_in_silence(
    odd_class: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enrol", str(odd_class), "-o", str(tmp_path / "gallery.json"), "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told["people"] == {"Obama": 3, "Biden": 1}
    assert told["not_enrolled"] == ["Dora", "Carl"]
    assert "2 people are not enrolled: Dora, Carl" in captured.err
    files = {
        photo["file"] for person in json.loads((tmp_path / "gallery.json").read_text())["people"] for photo in person["photos"]
    }
    assert files == {"7b/Obama/autumn/1.jpg", "7b/Obama/spring/1.jpg", "mixed up.jpg", "Biden.jpg"}
    (remark,) = told["remarks"]
    assert "Biden" in remark
    assert "mixed up.jpg of Obama" in remark
    assert remark in captured.err
    said = "\n".join(told["left_out"])
    for part in ("IMG_0001.jpg: it lies beside", "Carl: no photos in it", "1.heic", "the system’s own (‘.Trash’)"):
        assert part in said
    assert main(["enrol", str(odd_class), "-o", str(tmp_path / "gallery.json")]) == 0
    captured = capsys.readouterr()
    assert "2 people are not enrolled" in captured.err
    assert captured.out.count("  left out: ") == len(told["left_out"])


def test_cluster_says_what_it_leaves_out(odd_class: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd_class / "7b" / "clip.mov").touch()
    assert main(["cluster", str(odd_class), "--json"]) == 0
    captured = capsys.readouterr()
    assert sorted(len(group) for group in json.loads(captured.out)) == [2, 3]
    assert "clip.mov: a video" in captured.err
    assert "the system’s own" in captured.err


def test_nobody_to_enrol_is_one_line_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "class" / "Anna").mkdir(parents=True)
    (tmp_path / "class" / "Anna" / "1.svg").touch()
    assert main(["enrol", str(tmp_path / "class"), "-o", str(tmp_path / "gallery.json")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "1.svg: a drawing: save it as PNG" in captured.err


@pytest.mark.parametrize("level", ["-1", "folders", "1.5"])
def test_people_at_is_a_level_or_files(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["enrol", "class", "-o", "out.json", f"--people-at={level}"])
    assert stop.value.code == 2
    assert "neither a number of levels" in capsys.readouterr().err
