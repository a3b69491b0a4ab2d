"""Simulated photos of photos: the grid is where it should be, a blurred lens takes it away, and the score follows."""

from __future__ import annotations

import numpy as np
import pytest

from facelab.errors import InputError
from facelab.recapture import TILE, Surface, peak_score, retake, spectrum

GREY = np.full((200, 200, 3), 120, np.uint8)


@pytest.mark.parametrize("pitch", [2.5, 4.0, 1.6])
def test_grid_of_a_screen_is_a_wave_of_its_pitch_or_of_its_alias(pitch: float) -> None:
    row = spectrum(retake(GREY, "screen", pitch))[TILE // 2, TILE // 2 + 1 :]
    waves = 1 / pitch if pitch >= 2 else 1 - 1 / pitch
    assert 1 + row.argmax() == pytest.approx(TILE * waves, abs=0.6)


@pytest.mark.parametrize("surface", ["screen", "print"])
def test_blur_takes_the_grid_away(surface: Surface) -> None:
    sharp, soft = (peak_score(spectrum(retake(GREY, surface, 2.3, 5, blur, noise=2))) for blur in (0, 2.5))
    assert sharp > 100
    assert soft < 10


def test_scene_itself_stays_as_it_is() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    np.testing.assert_array_equal(retake(pixels, None, 2), pixels)


def test_screen_keeps_the_light() -> None:
    light = [((pixels / 255) ** 2.2).mean() for pixels in (GREY, retake(GREY, "screen", 3, blur=1))]
    assert light[1] == pytest.approx(light[0], rel=0.05)


def test_noise_alone_has_no_peak() -> None:
    assert peak_score(spectrum(retake(GREY, None, 2, noise=4))) < 5


@pytest.mark.parametrize("size", [(1, 1), (5, 900), (64, 64)])
def test_small_photos_have_a_spectrum(size: tuple[int, int]) -> None:
    power = spectrum(np.full((*size, 3), 9, np.uint8))
    assert power.shape == (TILE, TILE)
    assert peak_score(power) == pytest.approx(1)


def test_pitch_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        retake(GREY, "screen", 0)
