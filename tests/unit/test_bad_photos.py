"""Any file that a person may hand over gets the right answer or a sentence: no traceback, no hang, no wrong silent answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import facelab
from facelab.cli import main

from ..odd_photos import READABLE, UNREADABLE


@pytest.mark.parametrize("name", READABLE)
def test_readable_photo_gives_the_answer_of_the_plain_file(name: str, odd_photos: Path, samples: Path) -> None:
    plain, odd = facelab.largest_face(samples / "obama.jpg"), facelab.largest_face(odd_photos / name)
    assert np.abs(odd.face.box - plain.face.box).max() < 12, "the same face, upright, in the same place"
    assert facelab.verify(odd_photos / name, samples / "obama2.jpg").verdict == "same"
    assert facelab.verify(odd_photos / name, samples / "biden.jpg").verdict == "different"


@pytest.mark.parametrize(("name", "said"), UNREADABLE.items())
def test_unreadable_file_exits_2_with_one_line(
    name: str, said: str, odd_photos: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["detect"], ["embed"], ["verify", str(samples / "obama.jpg")]):
        assert main([*arguments, str(odd_photos / name)]) == 2
        output, error = capsys.readouterr()
        assert output == ""
        assert error.count("\n") == 1
        assert said in error


def test_file_that_may_not_be_read_is_said_to_be_so(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is the operating system's own error, raised by hand."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(facelab.PhotoError, match="may not be read"):
        facelab.detect(samples / "obama.jpg")


@pytest.mark.parametrize("name", ["no_face.png", "dot.png"])
def test_photo_without_a_face_is_said_to_have_none(
    name: str, odd_photos: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facelab.detect(odd_photos / name) == []
    assert main(["verify", str(odd_photos / name), str(samples / "obama.jpg")]) == 2
    assert "no face was found in" in capsys.readouterr().err


def test_of_many_faces_the_largest_is_taken(odd_photos: Path, samples: Path) -> None:
    faces = facelab.detect(odd_photos / "many.jpg")
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert facelab.verify(odd_photos / "many.jpg", samples / "obama.jpg").verdict == "same"


def test_huge_photo_is_answered_in_its_own_pixels(odd_photos: Path, samples: Path) -> None:
    verification = facelab.verify(odd_photos / "huge.jpg", samples / "obama.jpg")
    assert verification.verdict == "same"
    plain = facelab.largest_face(samples / "obama.jpg").face.box
    expected = plain * 10 + np.array([3000, 1500, 3000, 1500])
    assert np.abs(verification.faces[0].box - expected).max() < 0.1 * (expected[2] - expected[0])
