"""Covered faces are noticed by their embedding, and bare ones, with ordinary glasses and beards too, are not suspected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
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


@pytest.mark.parametrize("label", COVERINGS)
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
    suspected = [photo.name for photo in sorted(lfw100.glob("*/*.jpg"))[::3] if "partly covered" in complaints(photo, runtime)]
    assert suspected == []


def test_other_embedders_suspect_nobody(runtime: NativeRuntime) -> None:
    """The weights are of one network's numbers."""
    dlib = NativeRuntime(models_folder(), embedder="dlib-resnet-v1").manifest.embedder
    assert covering(np.ones(128), dlib) == BARE
    assert covering(np.ones(128), runtime.manifest.embedder) != BARE
    assert covering(np.ones(64), runtime.manifest.embedder) == BARE


def test_complaint_is_told_in_words() -> None:
    assert Quality(eyes=60, sharpness=9, light=120, turn=0.05, covered=0.9).complaints == ("partly covered",)
