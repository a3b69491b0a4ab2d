"""Detection beside the mtcnn package: the same networks, so the same faces.

Two comparisons: the graphs that ship (antialiased, padded), and graphs exported with the package's own resizing and
cropping, which must agree to the pixel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from facelab.detect import Floats, detect_faces, look_closely, overlaps, propose, refine
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import Photo, finish

from ..conftest import ROOT

MIN_FACE = 20  # the package's default; with others it miscounts its pyramid


@dataclass(frozen=True)
class Known:
    """What the package finds with confidence of 0.95 or more: boxes [N, 4], landmarks [N, 5, 2]."""

    photo: Photo
    boxes: Floats
    landmarks: Floats


@pytest.fixture(scope="module")
def known(lfw100: Path, samples: Path) -> list[Known]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    from mtcnn import MTCNN

    package = MTCNN()
    found = []
    for path in [*sorted(lfw100.glob("*/*.jpg")), *sorted(samples.glob("*.jpg"))]:
        photo = read_photo(path, 2048)
        rows = np.asarray(package.detect_faces(photo.pixels, output_type="numpy", box_format="xyxy", fit_to_image=False))
        rows = rows[rows[:, 5] >= 0.95]
        found.append(Known(photo, rows[:, 1:5], np.stack([rows[:, 6:11], rows[:, 11:16]], axis=2)))
    assert sum(len(one.boxes) for one in found) > 110
    return found


@pytest.fixture(scope="module")
def exact_runtime(tmp_path_factory: pytest.TempPathFactory) -> NativeRuntime:
    folder = tmp_path_factory.mktemp("models") / "exact"
    subprocess.run([sys.executable, "-m", "export", "--exact", "-o", folder], cwd=ROOT, check=True, capture_output=True)
    return NativeRuntime(folder)


def test_every_face_that_the_package_finds_is_found_in_the_same_place(known: list[Known], runtime: NativeRuntime) -> None:
    shared, apart = [], []
    for one in known:
        faces = finish(detect_faces(runtime, one.photo, MIN_FACE))
        for box, landmarks in zip(one.boxes, one.landmarks, strict=True):
            iou = overlaps(box[None], np.stack([face.box for face in faces]))[0]
            best = int(iou.argmax())
            assert iou[best] > 0.5, f"the package finds a face at {box.round()}"
            shared.append(iou[best])
            apart.append(np.linalg.norm(faces[best].landmarks - landmarks, axis=1).mean() / (box[2:] - box[:2]).max())
    print(f"{len(shared)} faces: median IoU {np.median(shared):.3f}, median landmark distance {np.median(apart):.2%} of the box")
    assert np.median(shared) >= 0.9
    assert np.median(apart) < 0.02


def test_with_the_packages_resizing_and_cropping_the_answer_is_the_same(known: list[Known], exact_runtime: NativeRuntime) -> None:
    """Up to O-Net's first look, where the paper and the package stop."""
    shared, apart = [], []
    for one in known:
        boxes = finish(refine(exact_runtime, one.photo, finish(propose(exact_runtime, one.photo, MIN_FACE))))
        found, _, points = finish(look_closely(exact_runtime, one.photo, boxes))
        for box, landmarks in zip(one.boxes, one.landmarks, strict=True):
            iou = overlaps(box[None], found)[0]
            best = int(iou.argmax())
            shared.append(iou[best])
            apart.append(np.linalg.norm(points[best] - landmarks, axis=1).mean())
    assert np.median(shared) > 0.999
    assert np.median(apart) < 0.01, "pixels"
    assert np.mean(np.array(shared) > 0.999) > 0.8, "the rest: another box of the same face survived suppression"
