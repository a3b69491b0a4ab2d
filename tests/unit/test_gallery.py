"""Enrol, identify, cluster and forget on the command line, on real photos; a gallery's file; the memory of what was found."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facelab.cli import main
from facelab.enrol import look_at
from facelab.errors import InputError
from facelab.folders import find_faces
from facelab.gallery import Enrolled, read_gallery, write_gallery
from facelab.identify import Gallery, scores
from facelab.memory import memory_file
from facelab.native import EMBEDDER_VARIABLE, NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish

OWN, DLIB = "mobilefacenet-v1", "dlib-resnet-v1"


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
    assert json.loads(gallery.read_text())["embedder"] == OWN
    (face,) = answer(capsys, "identify", gallery, samples / "obama2.jpg", "--json")
    assert (face["name"], face["answer"]) == ("Obama", "sure")
    assert len(face["box"]) == 4
    stranger = answer(capsys, "identify", gallery, lfw100 / "Tony_Blair" / "Tony_Blair_0004.jpg", "--json")
    assert stranger[0]["name"] is None
    assert stranger[0]["answer"] == "unknown"


def test_photos_are_sorted_by_person(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    groups = answer(capsys, "cluster", folder, "--json")
    assert [sorted(Path(file).name for file in group) for group in groups] == [["obama.jpg", "obama3.jpg"], ["biden.jpg"]]


def test_two_look_alikes_in_one_photo_are_two_people(orl39: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two people of orl39 who look most alike, side by side: near enough to be one person, were they in two photos."""
    pictures = [Image.open(orl39 / name).convert("RGB") for name in ("s31/02.png", "s06/08.png")]
    album, apart = tmp_path / "together", tmp_path / "apart"
    for folder in (album, apart):
        folder.mkdir()
    together = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height))
    for i, picture in enumerate(pictures):
        together.paste(picture, (i * picture.width, 0))
        picture.save(apart / f"{i}.png")
    together.save(album / "both.png")
    assert len(answer(capsys, "cluster", apart, "--json")) == 1, "these two are not alike enough for this test"
    assert answer(capsys, "cluster", album, "--json") == [[str(album / "both.png")]] * 2
    together.save(album / "both again.png")
    burst = [[str(album / name) for name in ("both again.png", "both.png")]] * 2
    assert answer(capsys, "cluster", album, "--json") == burst, "each of the two is in both photos"


def test_somebody_enrolled_twice_is_named_with_both_names(
    folder: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Barack").mkdir()
    (folder / "Obama" / "obama3.jpg").rename(folder / "Barack" / "obama3.jpg")
    gallery = tmp_path / "class.json"
    told = answer(capsys, "enrol", folder, "-o", gallery, "--json")
    assert [pair["names"] for pair in told["enrolled_twice"]] == [["Barack", "Obama"]]
    (face,) = answer(capsys, "identify", gallery, samples / "obama2.jpg", "--json")
    assert face["answer"] == "unsure"
    assert {face["name"], face["runner_up"]} == {"Barack", "Obama"}
    assert main(["enrol", str(folder), "-o", str(gallery)]) == 0
    assert "Barack and Obama look like one person" in capsys.readouterr().out
    assert main(["identify", str(gallery), str(samples / "obama2.jpg")]) == 0
    assert f"{face['name']} or {face['runner_up']} (not sure: both are as near)" in capsys.readouterr().out


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


PEOPLE = {"Ada": [Enrolled("a.jpg", np.arange(128, dtype=np.float32))], "Bén": [Enrolled("b.jpg", np.ones(128, np.float32))]}


def photo(numbers: NDArray[np.floating], **more: object) -> dict[str, object]:
    return {"file": "a.jpg", "embedding": b64encode(np.asarray(numbers, "<f4").tobytes()).decode(), **more}


def signed(people: object) -> str:
    """A file with the right checksum, whatever is in it."""
    checksum = sha256(json.dumps(people, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"kind": "facelab gallery", "format": 1, "embedder": OWN, "sha256": checksum, "people": people})


@pytest.mark.parametrize("embedder", [OWN, DLIB])
def test_gallery_comes_back_as_it_went(embedder: str, runtime: NativeRuntime) -> None:
    file = read_gallery(write_gallery(PEOPLE, embedder, "7b"), runtime.manifest)
    assert (file.embedder, file.name, list(file.remarks)) == (embedder, "7b", [])
    back = file.people
    assert list(back) == ["Ada", "Bén"]
    np.testing.assert_array_equal(back["Ada"][0].embedding, PEOPLE["Ada"][0].embedding)
    assert back["Bén"][0].file == "b.jpg"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "this is no gallery"),
        ("[]", "this is no gallery"),
        ('{"kind": "facelab gallery", "format": 9}', "format 9"),
        (write_gallery(PEOPLE, "other"), "embedder other; here there is only mobilefacenet-v1, dlib-resnet-v1"),
        (write_gallery(PEOPLE, OWN).replace("Ada", "Eve"), "damaged"),
        (write_gallery(PEOPLE, OWN)[:-200], "this is no gallery"),
        ("[" * 100_000, "this is no gallery"),
        (json.dumps({"kind": "facelab gallery", "format": 1e999}), "this is no gallery"),
        (json.dumps({"kind": "facelab gallery", "format": 1, "embedder": [OWN]}), "this is no gallery"),
        (signed([{"name": "Ada", "photos": [7]}]), "this is no gallery"),
        (signed([{"name": " ", "photos": []}]), "a person without a name"),
        (signed([{"name": "Ada", "photos": [photo(np.ones(64))]}]), "a.jpg of Ada has an embedding of 64 numbers instead of 128"),
        (
            signed([{"name": "Ada", "photos": [photo(np.full(128, np.nan))]}]),
            "a.jpg of Ada has an embedding with infinite or invalid numbers",
        ),
        (signed([{"name": "Ada", "photos": [photo(np.full(128, 3e38))]}]), "has an embedding with infinite or invalid numbers"),
        (signed([{"name": "Ada", "photos": [photo(np.zeros(128))]}]), "or with zeros alone"),
    ],
)
def test_what_is_no_gallery_is_refused_with_a_sentence(text: str, sentence: str, runtime: NativeRuntime) -> None:
    with pytest.raises(InputError, match=sentence):
        read_gallery(text, runtime.manifest)


@pytest.mark.parametrize("numbers", [np.full(128, np.nan), np.zeros(128), np.ones(64)])
def test_numbers_that_are_no_embedding_are_not_written(numbers: NDArray[np.floating]) -> None:
    with pytest.raises(InputError, match=r"x\.jpg of Eve has an embedding"):
        write_gallery({**PEOPLE, "Eve": [Enrolled("x.jpg", numbers.astype(np.float32))]}, OWN)


def test_entries_of_one_name_are_one_person_and_that_is_said(runtime: NativeRuntime) -> None:
    """Composed, decomposed and with spaces around it: one name. In capitals: another one."""
    names = ["Zo\u00eb", " Zoe\u0308 ", "ZO\u00cb"]
    people = [{"name": name, "photos": [photo(np.ones(128) + i)]} for i, name in enumerate(names)]
    file = read_gallery(signed(people), runtime.manifest)
    assert {name: len(photos) for name, photos in file.people.items()} == {"Zo\u00eb": 2, "ZO\u00cb": 1}
    assert list(file.remarks) == ["Zo\u00eb is in the file more than once: all photos are of one person now"]


def test_half_a_surrogate_pair_can_be_printed(runtime: NativeRuntime) -> None:
    (name,) = read_gallery(signed([{"name": "A\ud800", "photos": [photo(np.ones(128))]}]), runtime.manifest).people
    assert name == "A\ufffd"
    assert json.loads(write_gallery({"A\ud800": PEOPLE["Ada"]}, OWN).encode())["people"][0]["name"] == name


@pytest.mark.parametrize(
    ("chip", "kept"),
    [
        ("data:image/jpeg;base64,AAAA", True),
        ("http://127.0.0.1:9/ada.png", False),
        ("data:image/svg+xml;base64,AAAA", False),
        ('data:image/png;base64,AAAA"><img src=x>', False),
        (7, False),
    ],
)
def test_picture_that_lies_elsewhere_is_left_out_and_that_is_said(chip: object, kept: bool, runtime: NativeRuntime) -> None:
    file = read_gallery(signed([{"name": "Ada", "photos": [photo(np.ones(128), chip=chip)]}]), runtime.manifest)
    assert file.people["Ada"][0].chip == (chip if kept else None)
    assert [remark[:30] for remark in file.remarks] == ([] if kept else ["the picture of a.jpg of Ada do"])


def test_photo_under_two_names_is_said(runtime: NativeRuntime) -> None:
    file = read_gallery(write_gallery({**PEOPLE, "Eve": [Enrolled("e.jpg", PEOPLE["Ada"][0].embedding)]}, OWN), runtime.manifest)
    assert list(file.remarks) == ["e.jpg of Eve is the same photo as a.jpg of Ada: take it from one of them"]


def test_folders_of_one_name_are_one_person_and_a_photo_under_two_names_is_said(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, sample in {"Zo\u00eb": "obama", "Zoe\u0308": "obama3", "Joe": "biden", "Jo": "biden"}.items():
        (tmp_path / "7b" / folder).mkdir(parents=True)
        shutil.copy(samples / f"{sample}.jpg", tmp_path / "7b" / folder)
    assert main(["enrol", str(tmp_path / "7b"), "-o", str(tmp_path / "7b.json"), "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told["people"] == {"Jo": 1, "Joe": 1, "Zo\u00eb": 2}
    assert "2 folders are named Zo\u00eb, written in different ways" in captured.err
    assert "biden.jpg of Joe is the same photo as biden.jpg of Jo" in captured.err
    assert json.loads((tmp_path / "7b.json").read_text())["name"] == "7b"


# A gallery of another network


@pytest.mark.parametrize(("made_with", "asked_for"), [(DLIB, OWN), (OWN, DLIB), (DLIB, None)])
def test_gallery_is_read_with_the_network_that_made_it(
    made_with: str,
    asked_for: str | None,
    folder: Path,
    samples: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever network is asked for: both sides of every distance are of the one that made the gallery."""
    gallery, photo = tmp_path / "class.json", samples / "obama2.jpg"
    answer(capsys, "--embedder", made_with, "enrol", folder, "-o", gallery, "--json")
    monkeypatch.setenv(EMBEDDER_VARIABLE, "")
    chosen = ["--embedder", asked_for] if asked_for else []
    assert main([*chosen, "identify", str(gallery), str(photo), "--json"]) == 0
    captured = capsys.readouterr()
    (said,) = captured.err.splitlines()
    assert said == f"facelab: {gallery} was made with {made_with}, so that network reads {photo} too"
    (face,) = json.loads(captured.out)
    assert face["name"] == "Obama"
    assert face["distance"] == pytest.approx(distance_to_obama(made_with, samples), abs=1e-4)
    other = OWN if made_with == DLIB else DLIB
    assert face["distance"] != pytest.approx(distance_to_obama(other, samples), abs=0.05), "or this test could not tell"


def distance_to_obama(embedder: str, samples: Path) -> float:
    """How far obama2 lies from the template of the two photos enrolled."""
    runtime = NativeRuntime(models_folder(), embedder=embedder)
    asked, *enrolled = (
        finish(look_at(runtime, read_photo(samples / f"{name}.jpg", 2048))).faces[0].embedding
        for name in ("obama2", "obama", "obama3")
    )
    gallery = Gallery({"Obama": np.stack(enrolled)}, None, runtime.manifest.embedder.calibration.good)
    return float(scores(gallery, asked[None])[0, 0])


def test_gallery_of_the_network_in_use_is_read_without_a_word(
    folder: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = tmp_path / "class.json"
    for embedder in (OWN, DLIB):
        answer(capsys, "--embedder", embedder, "enrol", folder, "-o", gallery, "--json")
        assert main(["--embedder", embedder, "identify", str(gallery), str(samples / "obama2.jpg")]) == 0
        captured = capsys.readouterr()
        assert "Obama" in captured.out
        assert captured.err == ""


def test_gallery_of_a_network_that_is_not_here_is_one_line_and_exit_2(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that nobody knows, and dlib's where only the default network is, as in the wheel."""
    alone = tmp_path / "models"
    shutil.copytree(models_folder(), alone)
    manifest = json.loads((alone / "models.json").read_text())
    (alone / "models.json").write_text(json.dumps({**manifest, "embedders": {}}))
    for made_with, models in (("facenet-keras", models_folder()), (DLIB, alone)):
        monkeypatch.setenv("FACELAB_MODELS", str(models))
        (tmp_path / "gallery.json").write_text(write_gallery(PEOPLE, made_with))
        assert main(["identify", str(tmp_path / "gallery.json"), str(samples / "obama.jpg")]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith(f"facelab: this gallery was made with the embedder {made_with}; here there is only {OWN}")
        assert line.endswith("enrol again")


def test_what_one_network_remembers_of_a_photo_is_not_taken_for_another_s(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = folder / "Obama" / "obama.jpg"
    found = {}
    for embedder in (OWN, DLIB, OWN):
        monkeypatch.setenv(EMBEDDER_VARIABLE, embedder)
        ((_, faces),) = find_faces([photo])
        assert not isinstance(faces, str)
        found[embedder] = faces[0].embedding
        fresh = finish(look_at(NativeRuntime(models_folder(), embedder=embedder), read_photo(photo, 2048))).faces[0].embedding
        np.testing.assert_allclose(found[embedder], fresh, atol=1e-5)
    assert np.abs(found[OWN] - found[DLIB]).max() > 0.01


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["enrol", "{nowhere}", "-o", "{out}"], "is no folder"),
        (["enrol", "{empty}", "-o", "{out}"], "holds no photos"),
        (["enrol", "{folder}/Biden", "-o", "{out}"], "Are these 2 photos all of one person called ‘Biden’?"),
        (["enrol", "{folder}", "-o", "{empty}"], "cannot be written"),
        (["identify", "{nowhere}", "{folder}/Obama/obama.jpg"], "does not exist"),
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
