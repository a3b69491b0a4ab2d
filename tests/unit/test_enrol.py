"""What a photo is fit for: faces found in the dark too, and a sentence for what cannot be enrolled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facelab.enrol import look_at, unfit
from facelab.native import NativeRuntime
from facelab.runtime import finish
from facelab.verify import distance


def pixels_of(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def darker(pixels: NDArray[np.uint8], stops: float) -> NDArray[np.uint8]:
    """As a camera would have seen it with less light: in linear light, gamma 2.2."""
    linear = (pixels / 255) ** 2.2 * 2.0**-stops
    seen: NDArray[np.uint8] = np.round(255 * linear ** (1 / 2.2)).astype(np.uint8)
    return seen


def test_a_photo_in_good_light_is_left_as_it_is(runtime: NativeRuntime, samples: Path) -> None:
    seen = finish(look_at(runtime, runtime.photo(pixels_of(samples / "obama.jpg"))))
    assert len(seen.faces) == 1
    assert not seen.evened


def test_a_dark_photo_is_evened_out_and_shows_the_same_person(runtime: NativeRuntime, samples: Path) -> None:
    bright = pixels_of(samples / "obama.jpg")
    plain = finish(look_at(runtime, runtime.photo(bright))).faces[0]
    dark = finish(look_at(runtime, runtime.photo(darker(bright, 6))))
    assert dark.evened
    assert distance(dark.faces[0].embedding, plain.embedding) < 0.4


def test_a_black_photo_has_no_face(runtime: NativeRuntime) -> None:
    seen = finish(look_at(runtime, runtime.photo(np.zeros((200, 200, 3), np.uint8))))
    assert not seen.faces


@pytest.mark.parametrize(
    ("areas", "complaints", "sentence"),
    [
        ([], (), "no face was found"),
        ([100.0], (), None),
        ([100.0, 20.0], (), None),
        ([100.0, 60.0], (), "more than one face"),
        ([100.0], ("dark", "blurred"), "the face is dark and blurred"),
    ],
)
def test_what_cannot_be_enrolled_gets_a_sentence(areas: list[float], complaints: tuple[str, ...], sentence: str | None) -> None:
    said = unfit(areas, complaints)
    assert said == sentence or (sentence and said and sentence in said)
