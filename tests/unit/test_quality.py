"""What is measured of a face, and that it is nearly the same in the chips of both networks: 112 and 150 pixels wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facelab.detect import Face, find_largest
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.quality import DARKEST, Quality, measure_quality
from facelab.runtime import finish

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """A photo [H, W, 3] with its largest face."""

    pixels: Pixels
    face: Face


@pytest.fixture(scope="module")
def networks() -> tuple[NativeRuntime, NativeRuntime]:
    """With chips of 112 and of 150 pixels."""
    own, dlib = (NativeRuntime(models_folder(), embedder=name) for name in ("mobilefacenet-v1", "dlib-resnet-v1"))
    assert (own.manifest.embedder.chip_size, dlib.manifest.embedder.chip_size) == (112, 150)
    return own, dlib


@pytest.fixture(scope="module")
def seen(networks: tuple[NativeRuntime, NativeRuntime], lfw100: Path) -> Sequence[Seen]:
    """Every fifth photo of lfw100: 20."""
    own, _ = networks
    found = []
    for path in sorted(lfw100.glob("*/*.jpg"))[::5]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        faces, _ = finish(find_largest(own, own.photo(pixels)))
        found.append(Seen(pixels, faces[0]))
    return found


def measured(runtime: NativeRuntime, pixels: Pixels, face: Face) -> Quality:
    (embedded,) = finish(embed_faces(runtime, runtime.photo(pixels), [face]))
    return measure_quality(embedded, runtime.manifest.embedder)


def blurred(pixels: Pixels, radius: float) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def darker(pixels: Pixels, share: float) -> Pixels:
    result: Pixels = (pixels * share).round().astype(np.uint8)
    return result


def test_size_and_turn_are_those_of_the_photo(networks: tuple[NativeRuntime, NativeRuntime], seen: Sequence[Seen]) -> None:
    """Whatever the chip: both are told by the landmarks."""
    for one in seen:
        own, dlib = (measured(runtime, one.pixels, one.face) for runtime in networks)
        assert (own.eyes, own.turn) == (dlib.eyes, dlib.turn)
        assert own.eyes == pytest.approx(np.hypot(*(one.face.landmarks[1] - one.face.landmarks[0])))


@pytest.mark.parametrize("share", [1.0, 0.35])
def test_light_does_not_depend_on_the_chip(
    share: float, networks: tuple[NativeRuntime, NativeRuntime], seen: Sequence[Seen]
) -> None:
    """Within two grey levels, for the same part of the face is measured; so whether it is dark does not, but at the very limit."""
    for one in seen:
        own, dlib = (measured(runtime, darker(one.pixels, share), one.face) for runtime in networks)
        assert own.light == pytest.approx(dlib.light, abs=2)
        if abs(own.light - DARKEST) > 2:
            assert ("dark" in own.complaints) == ("dark" in dlib.complaints) == (own.light < DARKEST)


@pytest.mark.parametrize("radius", [0, 1, 2, 4])
def test_sharpness_depends_on_the_chip_by_its_scale_alone(
    radius: float, networks: tuple[NativeRuntime, NativeRuntime], seen: Sequence[Seen]
) -> None:
    """A face is 1.5 times as large in dlib's chip, so that its edges are softer there; sharpness makes up for the factor of 1.5."""
    pairs = [[measured(runtime, blurred(one.pixels, radius), one.face).sharpness for runtime in networks] for one in seen]
    own, dlib = np.array(pairs).T
    ratio = own / dlib
    assert ratio.min() > 1 / 1.5
    assert ratio.max() < 1.5
    assert np.corrcoef(np.log(own), np.log(dlib))[0, 1] > 0.8, "what is sharper in the one is sharper in the other"


def test_blur_lowers_the_sharpness_of_every_face_in_both_chips(
    networks: tuple[NativeRuntime, NativeRuntime], seen: Sequence[Seen]
) -> None:
    for runtime in networks:
        for one in seen:
            falling = [measured(runtime, blurred(one.pixels, radius), one.face) for radius in (0, 1, 2, 4)]
            assert sorted((quality.sharpness for quality in falling), reverse=True) == [quality.sharpness for quality in falling]
            assert falling[0].complaints == () or "blurred" not in falling[0].complaints
            assert "blurred" in falling[3].complaints


def test_a_photo_that_ends_near_the_face_is_not_sharper_for_that(
    networks: tuple[NativeRuntime, NativeRuntime], seen: Sequence[Seen]
) -> None:
    """Outside the photo the chip is black, and the border is an edge: it lies outside the part that is measured.

    Cut to the detector's box and a quarter of its width on each side. The photo is blurred, so that the border is the only edge.
    """
    for runtime in networks:
        for one in seen:
            soft = blurred(one.pixels, 4)
            left, top, right, bottom = one.face.box
            reach = (right - left) / 4
            x, y = max(round(left - reach), 0), max(round(top - reach), 0)
            cut = np.ascontiguousarray(soft[y : round(bottom + reach), x : round(right + reach)])
            moved = Face(one.face.box - [x, y, x, y], one.face.score, one.face.landmarks - [x, y])
            assert measured(runtime, cut, moved).sharpness < 1.1 * measured(runtime, soft, one.face).sharpness + 0.1


def test_complaints_are_told_in_words() -> None:
    good = Quality(eyes=60, sharpness=9, light=120, turn=0.05)
    assert good.complaints == ()
    assert Quality(eyes=10, sharpness=1, light=20, turn=0.5).complaints == ("small", "blurred", "dark", "turned")
    assert Quality(eyes=60, sharpness=9, light=200, turn=0.05).complaints == ("overexposed",)
