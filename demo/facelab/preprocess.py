"""Light and blur: measures of a photo's light, and corrections to apply before faces are detected.

Pixels are uint8, [height, width] grey or [height, width, 3] RGB. Functions of grey levels take and return [height, width];
`on_colour` applies them to colour. Gonzalez and Woods, "Digital Image Processing", chapters 3 and 5, explain most of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating]

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how much each of red, green, blue adds to brightness
DARK, BRIGHT = 85.0, 170.0  # thirds of the scale: a mean beyond them counts as under- or overexposed


# Measures


def luma(pixels: Pixels) -> Pixels:
    """The brightness of each pixel: [height, width]; grey pixels are returned as they are. Raises InputError for anything else."""
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise InputError(f"pixels are uint8 [height, width] or [height, width, 3], these are {pixels.dtype} {list(pixels.shape)}")
    return pixels if pixels.ndim == 2 else (pixels @ LUMA).round().astype(np.uint8)


def brightness(pixels: Pixels) -> float:
    """The mean grey level, 0 to 255."""
    return float(luma(pixels).mean())


def contrast(pixels: Pixels) -> float:
    """The standard deviation of the grey levels, 0 to 127.5."""
    return float(luma(pixels).std())


def exposure(pixels: Pixels) -> Literal["under", "neutral", "over"]:
    """Whether the mean of a photo is too dark or too bright."""
    mean = brightness(pixels)
    return "under" if mean < DARK else "over" if mean > BRIGHT else "neutral"


def histogram(grey: Pixels) -> NDArray[np.intp]:
    """How many pixels have each grey level: [256]."""
    return np.bincount(grey.ravel(), minlength=256)


# Curves: a table of 256 values; each pixel looks its new value up


def gamma(pixels: Pixels, exponent: float) -> Pixels:
    """255 (x / 255) ^ exponent: an exponent below 1 brightens, above 1 darkens."""
    return _look_up(pixels, 255 * (np.arange(256) / 255) ** exponent)


def gamma_for(pixels: Pixels) -> float:
    """The exponent that moves the mean of a dark or bright photo to the middle.

    1 where the mean lies in the middle third.
    """
    if exposure(pixels) == "neutral":
        return 1.0
    mean = min(max(brightness(pixels) / 255, 0.02), 0.98)
    return float(np.log(0.5) / np.log(mean))


def log_transform(pixels: Pixels) -> Pixels:
    """255 ln(1 + x) / ln(256): lifts the shadows, and the noise in them."""
    return _look_up(pixels, 255 * np.log1p(np.arange(256)) / np.log(256))


def equalise(grey: Pixels) -> Pixels:
    """Each level moves to the share of pixels that are not brighter: [height, width]."""
    up_to_here = histogram(grey).cumsum()
    first = up_to_here[up_to_here > 0][0]
    if first == grey.size:
        return grey  # a single level: nothing to spread
    return _look_up(grey, 255 * (up_to_here - first) / (grey.size - first))


def _look_up(pixels: Pixels, table: Floats) -> Pixels:
    curve: Pixels = np.clip(np.round(table), 0, 255).astype(np.uint8)
    return curve[pixels]


# Adaptive equalisation


def clahe(grey: Pixels, tiles: int = 8, clip: float = 2.0) -> Pixels:
    """Contrast-limited adaptive histogram equalisation: [height, width].

    Each of tiles x tiles tiles has a curve; a pixel blends those of the four tiles
    with the nearest centres. clip: the largest count of a level, in multiples of
    the mean count; infinity sets no limit. Zuiderveld, "Contrast limited adaptive
    histogram equalization", Graphics Gems IV, 1994; tiles and rounding as in OpenCV.
    """
    height, width = grey.shape
    down, across = -(-height // tiles), -(-width // tiles)
    padded = np.pad(grey, ((0, down * tiles - height), (0, across * tiles - width)), mode="reflect")
    cut = padded.reshape(tiles, down, tiles, across).swapaxes(1, 2).reshape(tiles * tiles, -1)
    counts = np.stack([np.bincount(tile, minlength=256) for tile in cut])
    curves = np.round(limited(counts, clip).cumsum(axis=1) * (255 / (down * across))).clip(0, 255).reshape(tiles, tiles, 256)
    top, bottom, y = _between(height, down, tiles)
    left, right, x = _between(width, across, tiles)
    upper = curves[top[:, None], left, grey] * (1 - x) + curves[top[:, None], right, grey] * x
    lower = curves[bottom[:, None], left, grey] * (1 - x) + curves[bottom[:, None], right, grey] * x
    blended: Pixels = np.round(upper * (1 - y[:, None]) + lower * y[:, None]).astype(np.uint8)
    return blended


def limited(counts: NDArray[np.intp], clip: float) -> NDArray[np.intp]:
    """Histograms [N, 256] with their peaks cut off. The counts that were cut are spread evenly over all levels; none is lost."""
    size = int(counts[0].sum())
    most = size if np.isinf(clip) else max(1, int(clip * size / 256))
    excess = np.maximum(counts - most, 0).sum(axis=1)
    spread = np.minimum(counts, most) + (excess // 256)[:, None]
    left_over = excess % 256
    step = np.maximum(256 // np.maximum(left_over, 1), 1)
    levels = np.arange(256)
    one_more = (levels % step[:, None] == 0) & (levels // step[:, None] < left_over[:, None])
    result: NDArray[np.intp] = spread + one_more
    return result


def _between(length: int, tile: int, tiles: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """For each pixel along one side: the tiles whose centres lie before and after it, and its place between them, 0 to 1."""
    place = np.arange(length) / tile - 0.5
    before = np.floor(place).astype(np.intp)
    return before.clip(0, tiles - 1), (before + 1).clip(0, tiles - 1), place - before


# Colour


def on_colour(rgb: Pixels, change: Callable[[Pixels], Pixels], where: Literal["grey", "channels", "value"]) -> Pixels:
    """A function of grey levels applied to a colour photo [height, width, 3].

    where: "grey" applies it to the luma and returns grey; "channels" to red, green and blue, each with another curve, which
    shifts hues; "value" to V of HSV, which keeps hue and saturation.
    """
    if where == "grey":
        return np.repeat(change(luma(rgb))[:, :, None], 3, axis=2)
    if where == "channels":
        return np.stack([change(np.ascontiguousarray(rgb[:, :, i])) for i in range(3)], axis=2)
    hsv = rgb_to_hsv(rgb)
    value = change((hsv[:, :, 2] * 255).round().astype(np.uint8))
    return hsv_to_rgb(np.dstack([hsv[:, :, :2], value / 255]))


def rgb_to_hsv(rgb: Pixels) -> NDArray[np.float64]:
    """Hue, saturation and value, each 0 to 1: [height, width, 3]. Smith, "Color gamut transform pairs", SIGGRAPH 1978."""
    x = rgb / 255
    value, least = x.max(axis=2), x.min(axis=2)
    chroma = value - least
    safe = np.where(chroma > 0, chroma, 1)
    r, g, b = np.moveaxis(x, 2, 0)
    sixth = np.select([value == r, value == g], [(g - b) / safe % 6, (b - r) / safe + 2], (r - g) / safe + 4)
    saturation = chroma / np.where(value > 0, value, 1)
    return np.dstack([np.where(chroma > 0, sixth / 6, 0), saturation, value])


def hsv_to_rgb(hsv: Floats) -> Pixels:
    """Pixels [height, width, 3] of hue, saturation and value, each 0 to 1."""
    hue, saturation, value = np.moveaxis(hsv, 2, 0)
    channels = []
    for turn in (5, 3, 1):
        k = (turn + hue * 6) % 6
        channels.append(value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1))
    pixels: Pixels = (np.dstack(channels) * 255).round().astype(np.uint8)
    return pixels


# Blur


def motion_kernel(length: int, degrees: float) -> NDArray[np.float64]:
    """The kernel of a straight smear: [K, K] with K odd, sum 1. length: pixels; degrees: from the x axis, positive downwards."""
    reach = length // 2 + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    along = np.linspace(-(length - 1) / 2, (length - 1) / 2, 8 * length)
    x, y = along * np.cos(np.radians(degrees)), along * np.sin(np.radians(degrees))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for dx in (0, 1):
        for dy in (0, 1):
            share = (1 - np.abs(x - left - dx)) * (1 - np.abs(y - top - dy))
            np.add.at(kernel, (top + dy + reach, left + dx + reach), share)
    normed: NDArray[np.float64] = kernel / kernel.sum()
    return normed


def blur(pixels: Pixels, kernel: Floats) -> Pixels:
    """A photo smeared by a kernel [K, K]. Beyond its borders the photo is mirrored."""
    return _filtered(pixels, kernel, lambda response: response)


def wiener(pixels: Pixels, kernel: Floats, noise: float) -> Pixels:
    """A smeared photo, restored: each wave times conj(H) / (|H|^2 + noise).

    kernel: of the smear; H: what it leaves of each wave. noise: the power of the
    noise over that of the picture; too small a value multiplies noise, too large a
    value leaves the blur. Wiener, "Extrapolation, Interpolation, and Smoothing of
    Stationary Time Series", 1949.
    """
    return _filtered(pixels, kernel, lambda response: response.conj() / (np.abs(response) ** 2 + noise))


def _filtered(pixels: Pixels, kernel: Floats, of_response: Callable[[NDArray[np.complex128]], NDArray[np.complex128]]) -> Pixels:
    """The photo, its spectrum multiplied by a function of the kernel's spectrum. Mirrored borders keep out the opposite side."""
    luma(pixels)  # raises InputError for anything but pixels
    reach = 2 * len(kernel)
    around = [(reach, reach)] * 2 + [(0, 0)] * (pixels.ndim - 2)
    padded = np.pad(pixels.astype(np.float64), around, mode="symmetric")
    size = padded.shape[:2]
    centred = np.zeros(size)
    centred[: len(kernel), : len(kernel)] = kernel
    response = np.fft.rfft2(np.roll(centred, [-(len(kernel) // 2)] * 2, axis=(0, 1)))
    factor = of_response(response).reshape(response.shape + (1,) * (pixels.ndim - 2))
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * factor
    inside = np.fft.irfft2(spectrum, size, axes=(0, 1))[reach:-reach, reach:-reach]
    result: Pixels = np.clip(np.round(inside), 0, 255).astype(np.uint8)
    return result
