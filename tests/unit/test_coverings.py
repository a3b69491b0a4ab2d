"""Covered faces are noticed by their embedding, and bare ones, with ordinary glasses and beards too, are not suspected."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
from facelab.cli import main
from facelab.coverings import BARE, covering
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.quality import Quality, measure_quality

from ..experiments.coverings import COVERINGS, covered


def with_covering(label: str, photo: Path, folder: Path, runtime: NativeRuntime) -> Path:
    pixels, face = read_photo(photo, 2048).pixels, facelab.largest_face(photo).face
    file = folder / f"{photo.stem}.png"
    Image.fromarray(covered(pixels, face.landmarks, COVERINGS[label], runtime.manifest.embedder)).save(file)
    return file


def complaints(photo: Path, runtime: NativeRuntime) -> tuple[str, ...]:
    return measure_quality(facelab.largest_face(photo), runtime.manifest.embedder).complaints


@pytest.mark.parametrize("label", ["white mask", "black mask", "black glasses", "brown glasses"])
def test_covered_face_gets_the_careful_limits(label: str, runtime: NativeRuntime, samples: Path, tmp_path: Path) -> None:
    careful, usual = runtime.manifest.embedder.calibration.poor, runtime.manifest.embedder.calibration.good
    photo = with_covering(label, samples / "obama2.jpg", tmp_path, runtime)
    assert "partly covered" in complaints(photo, runtime)
    verification = facelab.verify(photo, samples / "obama.jpg")
    assert (verification.same_below, verification.threshold) == (careful.same_below, careful.different_from)
    assert facelab.verify(samples / "obama.jpg", samples / "obama2.jpg").same_below == usual.same_below


def test_bare_faces_are_not_suspected(runtime: NativeRuntime, samples: Path, lfw100: Path) -> None:
    """One photo of lfw100 does show dark glasses."""
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        assert complaints(samples / name, runtime) == ()
    suspected = [photo.name for photo in sorted(lfw100.glob("*/*.jpg"))[::6] if "partly covered" in complaints(photo, runtime)]
    assert suspected == []


def test_command_line_is_not_sure_who_a_covered_face_is(
    runtime: NativeRuntime, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, photos in {"Obama": ("obama.jpg", "obama2.jpg", "obama3.jpg"), "Biden": ("biden.jpg",)}.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        for file in photos:
            (tmp_path / "class" / name / file).write_bytes((samples / file).read_bytes())
    gallery = str(tmp_path / "gallery.json")
    assert main(["enrol", str(tmp_path / "class"), "-o", gallery, "--no-cache"]) == 0
    masked = with_covering("black glasses", samples / "obama.jpg", tmp_path, runtime)
    answers = []
    for photo in (samples / "obama.jpg", masked):
        capsys.readouterr()
        assert main(["identify", gallery, str(photo), "--json"]) == 0
        answers.append([(face["name"], face["answer"]) for face in json.loads(capsys.readouterr().out)])
    assert answers[0] == [("Obama", "sure")]
    assert answers[1] == [("Obama", "unsure")]


def test_other_embedders_suspect_nobody(runtime: NativeRuntime) -> None:
    """The weights are of one network's numbers."""
    dlib = NativeRuntime(models_folder(), embedder="dlib-resnet-v1").manifest.embedder
    assert covering(np.ones(128), dlib) == BARE
    assert covering(np.ones(128), runtime.manifest.embedder) != BARE
    assert covering(np.ones(64), runtime.manifest.embedder) == BARE


def test_complaint_is_told_in_words() -> None:
    assert Quality(eyes=60, sharpness=9, light=120, turn=0.05, covered=0.9).complaints == ("partly covered",)
