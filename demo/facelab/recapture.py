"""A photo of a photo, simulated: the grid that a screen or a print leaves, and a score for such grids.

The simulation multiplies the picture by the grid of the screen or of the print, as the camera's pixels see that grid. It leaves out
reflections, perspective, the camera's colour filter and its processing. So it teaches what a grid does; it measures no real attack.

Frame: pixels of the new photo, x right, y down.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .preprocess import luma

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Surface = Literal["screen", "print"]

GAMMA = 2.2  # between the values of a file and light
CAMERA_PIXEL = 0.29  # the spread of a square camera pixel: 1 / sqrt(12) of its side
STRIPE, ROW = 0.28, 0.85  # of a screen pixel: the width of one colour's stripe, and its height
HARMONICS = 3  # waves that make up a stripe; finer ones do not reach the camera
HALFTONE = 45.0  # degrees by which the rows of dots of a print are turned
DOTS = 0.8  # how far the dots of a print leave the paper's tone, at most

TILE = 64  # pixels: the side of the pieces whose spectra are averaged
COARSEST = 6  # waves in a tile: coarser ones belong to the picture
AROUND = 9  # places of the spectrum across in which a peak has to stand out


def retake(
    pixels: Pixels,
    surface: Surface | None,
    pitch: float,
    degrees: float = 0.0,
    blur: float = 0.0,
    noise: float = 0.0,
    seed: int = 1,
) -> Pixels:
    """A photo [H, W, 3] as a camera sees it that is pointed at a screen or a print of it; None: at the scene itself.

    pitch: camera pixels from one screen pixel, or one printed dot, to the next; above 0. degrees: between the two grids. blur: of
    the lens, the standard deviation in camera pixels. noise: of the camera, the standard deviation in grey levels. Raises
    InputError.
    """
    if pitch <= 0:
        raise InputError("the pitch of a screen or a print is above 0 camera pixels")
    light = _blurred((pixels / 255) ** GAMMA, blur)
    spread = float(np.hypot(CAMERA_PIXEL, blur)) / pitch
    if surface == "screen":
        across, down = _places(pixels.shape, pitch, degrees)
        stripes = np.stack([_stripes(across - third / 3, STRIPE, spread) for third in (-1, 0, 1)], axis=2)
        light = light * stripes * _stripes(down, ROW, spread)[:, :, None]
    elif surface == "print":
        across, down = _places(pixels.shape, pitch, degrees + HALFTONE)
        waves = (_wave(across, spread) + _wave(down, spread)) / 2
        light = light + DOTS * light * (1 - light) * waves[:, :, None]
    seen = np.clip(light, 0, 1) ** (1 / GAMMA) * 255
    if noise:
        seen += np.random.default_rng(seed).normal(0, noise, seen.shape)
    result: Pixels = np.clip(seen.round(), 0, 255).astype(np.uint8)
    return result


def spectrum(pixels: Pixels) -> Floats:
    """The power of a photo's waves [TILE, TILE], the mean over overlapping tiles; the coarsest waves are in the middle.

    Welch, "The use of fast Fourier transform for the estimation of power spectra", 1967, in two dimensions.
    """
    grey = luma(pixels).astype(np.float64)
    short = [(0, max(0, TILE - side)) for side in grey.shape]
    grey = np.pad(grey, short, mode="symmetric")
    hann = np.hanning(TILE + 1)[:-1]
    window = np.outer(hann, hann)
    rows, columns = (range(0, side - TILE + 1, TILE // 2) for side in grey.shape)
    power = np.zeros((TILE, TILE))
    for y in rows:  # one row of tiles at a time: a photo from a phone has thousands
        tiles = np.stack([grey[y : y + TILE, x : x + TILE] for x in columns])
        tiles -= tiles.mean(axis=(1, 2), keepdims=True)
        power += (np.abs(np.fft.fft2(tiles * window)) ** 2).sum(axis=0)
    result: Floats = np.fft.fftshift(power / (len(rows) * len(columns)))
    return result


def peak_score(power: Floats) -> float:
    """How many times as strong as its surroundings the strongest fine wave of a spectrum is: a grid has a high score.

    Only waves of at most TILE / COARSEST pixels count.
    """
    above = levels(power) - surroundings(power)
    return float(10 ** above[fine_waves()].max())


def levels(power: Floats) -> Floats:
    """The logarithm (base 10) of a spectrum, at least 0: a power below 1 is less than the rounding of the pixels leaves."""
    return np.log10(power + 1)


def surroundings(power: Floats) -> Floats:
    """For each place of a spectrum the median level of the AROUND x AROUND places about it; opposite edges meet."""
    margin = AROUND // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(levels(power), margin, mode="wrap"), (AROUND, AROUND))
    median: Floats = np.median(around.reshape(*power.shape, -1), axis=2)
    return median


def fine_waves() -> NDArray[np.bool_]:
    """The places of a spectrum [TILE, TILE] that are at least COARSEST from its middle."""
    fine: NDArray[np.bool_] = np.hypot(*np.indices((TILE, TILE)) - TILE // 2) >= COARSEST
    return fine


def _places(shape: tuple[int, ...], pitch: float, degrees: float) -> tuple[Floats, Floats]:
    """Where each camera pixel looks at, in pixels of the screen: across, down, each [H, W]."""
    y, x = np.indices(shape[:2], dtype=np.float64)
    cos, sin = np.cos(np.radians(degrees)) / pitch, np.sin(np.radians(degrees)) / pitch
    return x * cos + y * sin, y * cos - x * sin


def _stripes(place: Floats, width: float, spread: float) -> Floats:
    """The light of stripes at whole places, mean 1, smeared by a camera of this spread (in screen pixels)."""
    light = np.ones_like(place)
    for k in range(1, HARMONICS + 1):
        light += 2 * np.sinc(k * width) * _wave(k * place, k * spread)
    return np.maximum(light, 0)


def _wave(place: Floats, spread: float) -> Floats:
    """cos(2 pi place), as low as a smear of this spread leaves it."""
    wave: Floats = np.exp(-2 * (np.pi * spread) ** 2) * np.cos(2 * np.pi * place)
    return wave


def _blurred(light: Floats, sigma: float) -> Floats:
    """[H, W, C] smeared by a Gaussian, borders mirrored."""
    if sigma <= 0:
        return light
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        margins = [(reach, reach) if one == axis else (0, 0) for one in range(light.ndim)]
        padded = np.pad(light, margins, mode="symmetric")
        length = light.shape[axis]
        light = sum(part * np.take(padded, range(i, i + length), axis) for i, part in enumerate(kernel))
    return light
