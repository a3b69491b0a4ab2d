"""What is decided about the networks' answers: scales, boxes, suppression; and that faces which the frame cuts are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
from facelab.detect import calibrated, detect_faces, find_largest, overlaps, pyramid_scales, squared, suppress, window_boxes
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import finish


def test_pyramid_begins_at_the_smallest_face_and_ends_where_no_window_fits(runtime: NativeRuntime) -> None:
    detector = runtime.manifest.detector
    scales = list(pyramid_scales(480, 640, 40, detector))
    assert scales[0] == 12 / 40
    np.testing.assert_allclose(np.diff(np.log(scales)), np.log(0.709))
    assert 480 * scales[-1] >= 12 - detector.padding > 480 * scales[-1] * 0.709


def test_window_of_the_padded_level_lands_on_the_photo(runtime: NativeRuntime) -> None:
    """Cell (3, 3) begins 6 pixels in: just behind the padding, at the photo's corner."""
    box = window_boxes(np.array([3]), np.array([3]), np.zeros((1, 4)), 0.5, runtime.manifest.detector)
    np.testing.assert_allclose(box, [[2, 2, 24, 24]])


def test_overlap_by_hand() -> None:
    a, b = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]])
    np.testing.assert_allclose(overlaps(a, b), [[50 / 150, 4 / 100, 0]])
    np.testing.assert_allclose(overlaps(a, b, of_smaller=True), [[50 / 100, 1, 0]])


@pytest.mark.parametrize("count", [0, 1, 7, 700])
def test_suppression_against_the_rule_itself(count: int) -> None:
    """One pair at a time, more boxes than one block holds."""
    random = np.random.default_rng(count)
    corner, side = random.uniform(0, 60, (count, 2)), random.uniform(10, 40, (count, 1))
    boxes, scores = np.concatenate([corner, corner + side], axis=1), random.uniform(0, 1, count)
    expected = [
        i
        for i in range(count)
        if not any(scores[j] > scores[i] and overlaps(boxes[[i]], boxes[[j]])[0, 0] > 0.5 for j in range(count))
    ]
    kept = suppress(boxes, scores, 0.5)
    assert sorted(kept.tolist()) == expected
    assert (np.diff(scores[kept]) <= 0).all()


def test_suppression_of_groups_is_that_of_each_by_itself() -> None:
    """Of all sizes: none, one, less and more than one block holds."""
    random = np.random.default_rng(5)
    sizes = [3, 0, 200, 1, 40, 90, 10]
    group = np.repeat(np.arange(len(sizes)), sizes)
    corner, side = random.uniform(0, 60, (len(group), 2)), random.uniform(10, 40, (len(group), 1))
    boxes, scores = np.concatenate([corner, corner + side], axis=1), random.uniform(0, 1, len(group))
    alone = [np.flatnonzero(group == one) for one in range(len(sizes))]
    expected = [members[suppress(boxes[members], scores[members], 0.5)] for members in alone]
    assert suppress(boxes, scores, 0.5, group).tolist() == np.concatenate(expected).tolist()


def test_calibration_and_squaring_by_hand() -> None:
    moved = calibrated(np.array([[10.0, 20, 29, 59]]), np.array([[0.1, -0.1, 0, 0.5]]))
    np.testing.assert_allclose(moved, [[12, 16, 29, 79]])
    np.testing.assert_allclose(squared(moved), [[-11, 16, 52, 79]])


@pytest.mark.parametrize("margin", [0.0, -0.08])
def test_face_that_fills_the_frame_is_found(margin: float, samples: Path, tmp_path: Path) -> None:
    """Cropped to the detector's own box, and a little tighter."""
    photo = Image.open(samples / "biden.jpg")
    box = facelab.detect(samples / "biden.jpg")[0].box
    reach = margin * (box[2] - box[0])
    crop = photo.crop((int(box[0] - reach), int(box[1] - reach), int(box[2] + reach), int(box[3] + reach)))
    crop.save(tmp_path / "tight.png")
    faces = facelab.detect(tmp_path / "tight.png")
    assert faces, "a face as large as the photo"
    assert overlaps(faces[0].box[None], np.array([[0.0, 0, crop.width, crop.height]]))[0, 0] > 0.6


def test_faces_that_fill_the_frame_are_found_on_orl39(orl39: Path) -> None:
    """The mtcnn package finds no face in many of these: 92 x 112 pixels, all of them face."""
    photos = sorted(orl39.glob("*/0[1-3].png"))
    missed = [photo for photo in photos if not facelab.detect(photo)]
    assert missed == []


def test_largest_face_is_found_first_and_is_the_same(runtime: NativeRuntime, samples: Path) -> None:
    """Beside the largest of all faces: the same place within a twentieth of its side, at a fraction of the levels."""
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        photo = read_photo(samples / name, 2048)
        faces, complete = finish(find_largest(runtime, photo))
        largest = finish(detect_faces(runtime, photo))[0]
        assert not complete
        assert np.abs(faces[0].landmarks - largest.landmarks).max() < np.sqrt(largest.area) / 20


def test_where_no_face_is_large_all_are_looked_for(runtime: NativeRuntime, samples: Path) -> None:
    pixels = np.full((1200, 1600, 3), 128, np.uint8)
    small = read_photo(samples / "obama.jpg", 256).pixels
    pixels[700 : 700 + small.shape[0], 900 : 900 + small.shape[1]] = small
    photo = runtime.photo(pixels)
    faces, complete = finish(find_largest(runtime, photo))
    assert complete
    assert len(faces) == 1
    assert np.array_equal(faces[0].box, finish(detect_faces(runtime, photo))[0].box)


def test_no_face_comes_that_is_smaller_than_asked_for(runtime: NativeRuntime, samples: Path) -> None:
    """obama2's face is 172 pixels a side, far more than a fifth of the photo."""
    photo = read_photo(samples / "obama2.jpg", 2048)
    assert len(finish(detect_faces(runtime, photo, 100))) == 1
    assert finish(detect_faces(runtime, photo, 400)) == []
