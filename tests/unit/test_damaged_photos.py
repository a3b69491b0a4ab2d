"""Files of which a part is missing: the right answer where the face is there, a sentence where it is not, never a made-up face."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
from facelab.cli import main
from facelab.enrol import look_at
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.quality import is_made_up
from facelab.runtime import finish

from ..odd_photos import cut_in_the_face, ended_early

FORMATS: dict[str, dict[str, object]] = {
    "jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "png": {},
    "webp": {"quality": 85},
    "lossless.webp": {"lossless": True},
    "gif": {},
    "bmp": {},
}


def stored(photo: Path, kind: str) -> bytes:
    file = io.BytesIO()
    Image.open(photo).convert("RGB").save(
        file, {"jpg": "JPEG"}.get(suffix := kind.rsplit(".")[-1], suffix.upper()), **FORMATS[kind]
    )
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_file_that_is_cut_short_is_refused(kind: str, samples: Path, tmp_path: Path) -> None:
    whole = stored(samples / "obama.jpg", kind)
    for percent in (30, 60, 90):
        (tmp_path / kind).write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(facelab.PhotoError, match=r"damaged|not a photo"):
            facelab.detect(tmp_path / kind)


@pytest.mark.parametrize("percent", [10, 15, 20, 25, 30])
def test_jpeg_that_ends_within_the_face_is_not_compared(percent: int, samples: Path, tmp_path: Path) -> None:
    """Its decoder fills the rest with grey and says nothing."""
    (tmp_path / "a.jpg").write_bytes(ended_early(stored(samples / "obama.jpg", "jpg"), percent))
    with pytest.raises((facelab.PhotoError, facelab.NoFaceError), match=r"part of the face is missing|no face was found"):
        facelab.verify(tmp_path / "a.jpg", samples / "obama2.jpg")


@pytest.mark.parametrize("kind", ["jpg", "progressive.jpg"])
@pytest.mark.parametrize("percent", [60, 90])
def test_jpeg_that_ends_below_the_face_gives_the_right_answer(kind: str, percent: int, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(ended_early(stored(samples / "obama.jpg", kind), percent))
    assert facelab.verify(tmp_path / "a.jpg", samples / "obama2.jpg").verdict == "same"
    assert facelab.verify(tmp_path / "a.jpg", samples / "biden.jpg").verdict == "different"


def test_command_line_names_the_damaged_file(samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(cut_in_the_face(samples / "obama.jpg"))
    for command in (["verify", str(samples / "biden.jpg")], ["embed"]):
        assert main([*command, str(tmp_path / "a.jpg")]) == 2
        output, error = capsys.readouterr()
        assert output == ""
        assert error.startswith(f"facelab: {tmp_path / 'a.jpg'}: ")
        assert "part of the face is missing" in error
        assert error.count("\n") == 1


def test_of_a_group_photo_the_whole_faces_are_left(runtime: NativeRuntime, samples: Path) -> None:
    pixels = np.concatenate([read_photo(samples / name, 2048).pixels[:400, :400] for name in ("obama.jpg", "biden.jpg")], axis=1)
    assert len(finish(look_at(runtime, runtime.photo(pixels))).faces) == 2
    pixels[150:, :400] = 128
    (left,) = finish(look_at(runtime, runtime.photo(pixels))).faces
    assert left.face.box[0] > 400


def test_no_face_of_a_grey_photo_is_taken_for_made_up(runtime: NativeRuntime, orl39: Path) -> None:
    """Every pixel of the decoder's grey counts in them."""
    photos = sorted(orl39.glob("*/01.png"))
    assert not any(is_made_up(facelab.largest_face(photo), runtime.manifest.embedder) for photo in photos)
