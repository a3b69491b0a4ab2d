"""Light and blur against scikit-image and OpenCV, on real photos; tolerances in grey levels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import color, exposure, restoration

from facelab import preprocess
from facelab.errors import InputError

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module", params=["obama.jpg", "biden.jpg"])
def photo(request: pytest.FixtureRequest, samples: Path) -> Pixels:
    """Sides that eight does not divide."""
    return np.asarray(Image.open(samples / request.param).convert("RGB"))[3:, :-5]


@pytest.fixture
def grey(photo: Pixels) -> Pixels:
    return preprocess.luma(photo)


def apart(a: NDArray[np.generic], b: NDArray[np.generic]) -> int:
    """The largest difference of two pictures, grey levels."""
    return int(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def test_luma_is_opencvs(photo: Pixels) -> None:
    assert apart(preprocess.luma(photo), cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)) <= 1


def test_equalise_is_opencvs(grey: Pixels) -> None:
    assert apart(preprocess.equalise(grey), cv2.equalizeHist(grey)) <= 1


@pytest.mark.parametrize(("tiles", "clip"), [(8, 2.0), (8, 4.0), (4, 1.0), (5, 10.0)])
def test_clahe_is_opencvs(grey: Pixels, tiles: int, clip: float) -> None:
    theirs = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(grey)
    assert apart(preprocess.clahe(grey, tiles, clip), theirs) <= 1


def test_clahe_without_a_limit_is_plain_adaptive_equalisation(grey: Pixels) -> None:
    theirs = cv2.createCLAHE(clipLimit=0, tileGridSize=(8, 8)).apply(grey)
    assert apart(preprocess.clahe(grey, 8, np.inf), theirs) <= 1


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0, 2.2])
def test_gamma_is_skimages(photo: Pixels, exponent: float) -> None:
    assert apart(preprocess.gamma(photo, exponent), exposure.adjust_gamma(photo, exponent)) <= 1  # type: ignore[no-untyped-call]


def test_gamma_below_one_brightens(photo: Pixels) -> None:
    means = [preprocess.brightness(preprocess.gamma(photo, exponent)) for exponent in (0.5, 1, 2)]
    assert means == sorted(means, reverse=True)


def test_gamma_for_a_dark_photo_brings_it_near_the_middle(photo: Pixels) -> None:
    dark = preprocess.gamma(photo, 2)
    assert preprocess.exposure(dark) == "under"
    assert preprocess.gamma_for(dark) < 1
    corrected = preprocess.brightness(preprocess.gamma(dark, preprocess.gamma_for(dark)))
    assert preprocess.brightness(dark) + 20 < corrected < 140, (
        "nearer to the middle; the mean of a power is not the power of the mean"
    )
    bright = preprocess.gamma(photo, 0.1)
    assert preprocess.exposure(bright) == "over"
    assert preprocess.gamma_for(bright) > 1


def test_log_transform_is_the_formula(photo: Pixels) -> None:
    assert apart(preprocess.log_transform(photo), 255 * np.log1p(photo.astype(float)) / np.log(256)) <= 1


def test_hsv_is_skimages_and_comes_back(photo: Pixels) -> None:
    hsv = preprocess.rgb_to_hsv(photo)
    np.testing.assert_allclose(hsv, color.rgb2hsv(photo), atol=1e-9)
    assert apart(preprocess.hsv_to_rgb(hsv), photo) == 0


def test_value_keeps_the_hue_where_channels_do_not(photo: Pixels) -> None:
    hue = preprocess.rgb_to_hsv(photo)[:, :, 0]
    coloured = preprocess.rgb_to_hsv(photo)[:, :, 1] > 0.3

    def turned(where: str) -> float:
        changed = preprocess.rgb_to_hsv(preprocess.on_colour(photo, preprocess.equalise, where))[:, :, 0]  # type: ignore[arg-type]
        return float(np.median(np.abs((changed - hue + 0.5) % 1 - 0.5)[coloured]))

    assert turned("value") < 0.01 < turned("channels")
    grey = preprocess.on_colour(photo, preprocess.equalise, "grey")
    assert (grey == grey[:, :, :1]).all()


@pytest.mark.parametrize(("length", "degrees"), [(9, 0.0), (15, 30.0), (9, 90.0)])
def test_blur_is_opencvs(grey: Pixels, length: int, degrees: float) -> None:
    kernel = preprocess.motion_kernel(length, degrees)
    theirs = cv2.filter2D(grey, cv2.CV_64F, kernel[::-1, ::-1], borderType=cv2.BORDER_REFLECT)
    assert apart(preprocess.blur(grey, kernel), np.round(theirs)) <= 1


def test_wiener_undoes_a_known_blur(grey: Pixels) -> None:
    kernel = preprocess.motion_kernel(11, 20)
    smeared = preprocess.blur(grey, kernel)
    before, after = (np.abs(one.astype(float) - grey).mean() for one in (smeared, preprocess.wiener(smeared, kernel, 0.01)))
    assert after < 0.75 * before


def test_wiener_is_skimages_away_from_the_border(grey: Pixels) -> None:
    """Theirs regularises with a constant instead of a Laplacian when it is told so."""
    kernel = preprocess.motion_kernel(9, 30)
    smeared = preprocess.blur(grey, kernel)
    delta = np.zeros((3, 3))
    delta[1, 1] = 1
    padded = np.pad(smeared / 255, 40, mode="symmetric")
    theirs = restoration.wiener(padded, kernel, 0.01, reg=delta, clip=False)  # type: ignore[no-untyped-call]
    ours = preprocess.wiener(smeared, kernel, 0.01)
    theirs = theirs[40:-40, 40:-40] * 255
    inside = np.s_[20:-20, 20:-20]
    assert np.abs(ours[inside] - np.clip(theirs[inside], 0, 255)).mean() < 1


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (64, 65)])
@pytest.mark.parametrize("level", [0, 90, 255])
def test_flat_pictures_come_back_as_pictures(shape: tuple[int, int], level: int) -> None:
    flat = np.full(shape, level, np.uint8)
    kernel = preprocess.motion_kernel(5, 45)
    assert apart(preprocess.equalise(flat), flat) == 0
    assert apart(preprocess.blur(flat, kernel), flat) == 0
    for changed in (
        preprocess.clahe(flat),
        preprocess.wiener(flat, kernel, 0.01),
        preprocess.gamma(flat, preprocess.gamma_for(flat)),
    ):
        assert changed.shape == shape
        assert changed.dtype == np.uint8
    assert preprocess.contrast(flat) == 0


def test_what_is_no_picture_is_refused_with_a_sentence() -> None:
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(InputError, match="pixels are uint8"):
            preprocess.brightness(wrong)  # type: ignore[arg-type]
