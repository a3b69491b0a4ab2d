"""Photos that lie on their side or stand on their head: read as if upright, told so, and no slower for those that are upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
from facelab.cli import main
from facelab.detect import detect_faces, find_largest
from facelab.enrol import look_at
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import Photo, finish
from facelab.upright import upright_faces, upright_largest
from facelab.workspace import Workspace

TURNS = (90, 180, 270)


class Counting(NativeRuntime):
    """A runtime that counts the photos made beside the one that was given."""

    made = 0

    def photo(self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Photo:
        self.made += 1
        return super().photo(pixels)


def lying(photo: Path, degrees: int, folder: Path) -> Path:
    """The photo so that it has to be turned clockwise by so many degrees."""
    file = folder / f"{photo.stem}-{degrees}.png"
    Image.open(photo).convert("RGB").rotate(degrees, expand=True).save(file)
    return file


@pytest.mark.parametrize("degrees", TURNS)
@pytest.mark.parametrize("name", ["obama", "biden"])
def test_turned_photo_gives_the_answer_of_the_upright_one(name: str, degrees: int, samples: Path, tmp_path: Path) -> None:
    turned, upright = lying(samples / f"{name}.jpg", degrees, tmp_path), samples / f"{name}.jpg"
    assert facelab.detect(turned)[0].turned == degrees
    verification = facelab.verify(turned, upright)
    assert verification.verdict == "same"
    assert verification.distance < 0.1
    assert facelab.verify(turned, samples / ("biden.jpg" if name == "obama" else "obama.jpg")).verdict == "different"


@pytest.mark.parametrize("degrees", TURNS)
def test_boxes_and_landmarks_lie_in_the_photo_as_it_is_given(degrees: int, samples: Path, tmp_path: Path) -> None:
    """Turned forward by hand, they are those of the upright photo."""
    upright, photo = facelab.detect(samples / "obama.jpg")[0], Image.open(samples / "obama.jpg")
    face = facelab.detect(lying(samples / "obama.jpg", degrees, tmp_path))[0]
    right, bottom = photo.width - 1, photo.height - 1

    def forward(x: float, y: float) -> tuple[float, float]:
        return {90: (y, right - x), 180: (right - x, bottom - y), 270: (bottom - y, x)}[degrees]

    side = np.sqrt(upright.area)
    np.testing.assert_allclose(face.landmarks, [forward(x, y) for x, y in upright.landmarks], atol=side / 20)
    corners = np.array([forward(*upright.box[:2]), forward(*upright.box[2:])])
    np.testing.assert_allclose(face.box, [*corners.min(axis=0), *corners.max(axis=0)], atol=side / 10)


def test_group_photo_on_its_side_is_read_as_a_whole(runtime: NativeRuntime, samples: Path) -> None:
    group = np.full((480, 1280, 3), 90, np.uint8)
    for column, name in enumerate(("obama", "obama2", "obama3", "biden")):
        with Image.open(samples / f"{name}.jpg") as image:
            group[80:400, 320 * column : 320 * column + 320] = np.asarray(image.convert("RGB").resize((320, 320)))
    upright = finish(upright_faces(runtime, runtime.photo(group)))
    turned = finish(upright_faces(runtime, runtime.photo(np.rot90(group))))
    assert len(turned) == len(upright) == 4
    assert {face.turned for face in turned} == {90}
    assert {face.turned for face in upright} == {0}


def test_enrolment_and_the_labs_read_turned_photos_too(runtime: NativeRuntime, samples: Path) -> None:
    turned = runtime.photo(np.rot90(read_photo(samples / "obama2.jpg", 2048).pixels))
    assert [one.face.turned for one in finish(look_at(runtime, turned)).faces] == [90]
    assert [one.turned for one in finish(Workspace(runtime, {"yours": turned}).faces())] == [90]


def test_upright_photo_is_looked_at_once(samples: Path) -> None:
    runtime = Counting(models_folder())
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        photo = read_photo(samples / name, 2048)
        faces, complete = finish(upright_largest(runtime, photo))
        plain, all_of_them = finish(find_largest(runtime, photo))
        assert np.array_equal(faces[0].box, plain[0].box)
        assert complete == all_of_them
        assert len(finish(upright_faces(runtime, photo))) == len(finish(detect_faces(runtime, photo)))
    assert runtime.made == 0


def test_upright_faces_that_are_hard_to_see_stay_as_they_are(lfw100: Path) -> None:
    """Looking away: the other turns are tried, and something small in the background looks like a face in one of them."""
    assert facelab.largest_face(lfw100 / "Ariel_Sharon" / "Ariel_Sharon_0001.jpg").face.turned == 0


def test_photo_without_a_face_has_none_however_it_is_turned(runtime: NativeRuntime) -> None:
    noise = np.random.default_rng(1).integers(90, 130, (300, 400, 3)).astype(np.uint8)
    assert finish(upright_faces(runtime, runtime.photo(noise))) == []


def test_command_line_says_how_the_photo_lay(samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turned = lying(samples / "obama.jpg", 270, tmp_path)
    assert main(["verify", str(turned), str(samples / "obama2.jpg"), "--json"]) == 0
    output, error = capsys.readouterr()
    assert '"turned": 270' in output
    assert error == f"facelab: {turned} lay on its side, so it was read turned to the left\n"
    assert main(["verify", str(samples / "obama.jpg"), str(samples / "obama2.jpg"), "--json"]) == 0
    assert capsys.readouterr().err == ""
