"""Figures of the chapter on data pre-processing. Their pictures, histograms and curves are computed with facelab.preprocess."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facelab.preprocess import blur, clahe, equalise, gamma, motion_kernel, wiener

from . import Figure
from .drawing import Colour, Drawing

Grey = NDArray[np.uint8]
Values = NDArray[np.floating]

SIDE = 72  # pixels of the drawn portrait
# Its ellipses: centre x, y, half axes, as shares of its side.
HEAD, FACE, BODY = (0.5, 0.4, 0.24, 0.3), (0.5, 0.46, 0.19, 0.26), (0.5, 1.1, 0.42, 0.36)
LENGTH = 7  # pixels of the smear

# What a reader has to do with the stored rows, and the same as a matrix (x to the right, y down).
TURN_RIGHT = np.array([[0, -1], [1, 0]])
MIRROR = np.array([[-1, 0], [0, 1]])
ORIENTATIONS: list[tuple[list[str], NDArray[np.int_]]] = [
    (["nothing"], np.eye(2, dtype=int)),
    (["mirror"], MIRROR),
    (["turn 180°"], -np.eye(2, dtype=int)),
    (["mirror,", "turn 180°"], -MIRROR),
    (["mirror,", "turn 90° left"], -TURN_RIGHT @ MIRROR),
    (["turn 90°", "right"], TURN_RIGHT),
    (["mirror,", "turn 90° right"], TURN_RIGHT @ MIRROR),
    (["turn 90°", "left"], -TURN_RIGHT),
]
LETTER_F = [(-8, -15), (10, -15), (10, -9), (-2, -9), (-2, -3), (6, -3), (6, 3), (-2, 3), (-2, 15), (-8, 15)]

# The chapter's examples, worked by hand: eight grey levels, 16 pixels.
LEVELS = 8
BY_HAND = np.array([0, 0, 4, 5, 4, 3, 0, 0])
WALL = np.array([0, 1, 12, 2, 1, 0, 0, 0])
LIMIT = 4


@cache
def _portrait(side: int = SIDE) -> Values:
    """A drawn person before a wall, grey 0 to 1: [side, side]. Each pixel is the mean of 4 x 4 samples."""
    y, x = _places(side)

    def inside(cx: float, cy: float, across: float, down: float) -> NDArray[np.bool_]:
        within: NDArray[np.bool_] = ((x - cx) / across) ** 2 + ((y - cy) / down) ** 2 < 1
        return within

    grey = 0.72 - 0.12 * y + 0 * x
    body = inside(*BODY)
    grey = np.where(body, np.where(np.sin(90 * x) > 0, 0.34, 0.24), grey)
    grey = np.where(inside(0.5, 0.74, 0.1, 0.16), 0.5, grey)
    grey = np.where(inside(*HEAD), 0.16, grey)
    face = inside(*FACE)
    grey = np.where(face, 0.7 - 0.5 * (x - 0.42), grey)
    for eye in (0.42, 0.58):
        grey = np.where(inside(eye, 0.42, 0.045, 0.022), 0.9, grey)
        grey = np.where(inside(eye, 0.42, 0.02, 0.022), 0.1, grey)
        grey = np.where(inside(eye, 0.365, 0.06, 0.012), 0.2, grey)
    grey = np.where(inside(0.5, 0.53, 0.018, 0.05), grey - 0.12, grey)
    grey = np.where(inside(0.5, 0.625, 0.07, 0.016), 0.35, grey)
    return _means(grey, 4)


def _places(side: int) -> Values:
    """y and x of four by four samples a pixel, 0 to 1: [2, 4 side, 4 side]."""
    places: Values = (np.mgrid[: 4 * side, : 4 * side] + 0.5) / (4 * side)
    return places


def _means(values: Values, size: int) -> Values:
    """The mean of each block of size x size."""
    height, width = values.shape
    means: Values = values.reshape(height // size, size, width // size, size).mean(axis=(1, 3))
    return means


def _in_light(values: Values, stops: float) -> Values:
    """More or less light, in linear light: a stop is a factor of two."""
    lit: Values = np.clip(values**2.2 * 2.0**stops, 0, 1) ** (1 / 2.2)
    return lit


def _against_the_light() -> Values:
    """The portrait before a bright window: the wall shines, the person lies in the dark."""
    y, x = _places(SIDE)
    person = [((x - cx) / across) ** 2 + ((y - cy) / down) ** 2 < 1 for cx, cy, across, down in (HEAD, BODY, FACE)]
    wall = 1 - _means(np.any(person, axis=0).astype(float), 4)
    lit: Values = wall * 0.92 + (1 - wall) * _in_light(_portrait(), -3.5)
    return lit


def _noisy(values: Values, levels: float) -> Grey:
    """As a camera gives it: whole grey levels, with noise."""
    noise = np.random.default_rng(1).normal(0, levels, values.shape)
    noisy: Grey = np.clip(np.round(255 * values + noise), 0, 255).astype(np.uint8)
    return noisy


def _small(values: Values, levels: int = 20) -> Values:
    """The same picture in fewer grey levels, which makes a much smaller file."""
    fewer: Values = np.round(values * levels) / levels
    return fewer


def _bars(
    pen: Drawing,
    x: float,
    y: float,
    width: float,
    height: float,
    shares: Sequence[float],
    colour: Colour = "accent",
    top: float = 0,
) -> None:
    """Bars above the base line y, the tallest as high as `height` (or `top` is); and the base line."""
    top = top or max(shares)
    step = width / len(shares)
    for i, share in enumerate(shares):
        if share:
            tall = height * share / top
            pen.rect(x + i * step, y - tall, step - min(1, step / 4), tall, colour, "none")
    pen.line([(x, y), (x + width, y)], "muted", thick=1)


def pixels() -> Figure:
    """A piece of a photo, enlarged, and its numbers."""
    portrait = _portrait()
    top, left, count = 27, 25, 7
    piece = portrait[top : top + count, left : left + count]
    photo = Drawing("A drawn portrait of 72 by 72 pixels, and a square of seven by seven pixels around one eye, enlarged", 300, 150)
    size, at = 130.0, 165.0
    photo.picture(0, 0, size, size, _small(portrait))
    scale = size / SIDE
    photo.rect(left * scale, top * scale, count * scale, count * scale, stroke="accent", thick=2)
    photo.line([((left + count) * scale, top * scale), (at, 0)], "accent", thick=1)
    photo.line([((left + count) * scale, (top + count) * scale), (at, size)], "accent", thick=1)
    photo.picture(at, 0, size, size, piece)
    photo.rect(at, 0, size, size, stroke="accent", thick=2)
    photo.text(size / 2, 146, "the photo", anchor="middle", colour="muted", size=12)
    photo.text(at + size / 2, 146, "seven by seven pixels", anchor="middle", colour="muted", size=12)
    numbers = Drawing("The same pixels as numbers from 0, black, to 255, white", 212, 150)
    for i, row in enumerate((255 * piece).round().astype(int)):
        for j, value in enumerate(row):
            numbers.text(28 + 30 * j, 14 + 18.5 * i, str(value), anchor="end", size=12)
    numbers.text(106, 146, "their numbers", anchor="middle", colour="muted", size=12)
    return Figure(
        [photo, numbers],
        "**A photo is numbers.** Each pixel of this drawn grey photo is one number, from 0 for black to 255 for white. A "
        "colour photo has three numbers for each pixel: red, green and blue.",
    )


def orientations() -> Figure:
    """The eight values of EXIF's orientation."""
    pen = Drawing("The letter F as eight cameras store it, each with the number in the file and what turns it upright", 352, 226)
    for i, (words, mend) in enumerate(ORIENTATIONS):
        x, y = 44 + 88 * (i % 4), 46 + 114 * (i // 4)
        stored = np.linalg.inv(mend)
        half = np.abs(stored @ (19, 24))
        pen.rect(x - half[0], y - half[1], 2 * half[0], 2 * half[1], "surface", "muted", radius=2)
        pen.line([tuple(stored @ point) + np.array([x, y]) for point in LETTER_F], "none", fill="accent", closed=True)
        pen.text(x, y - 32, str(i + 1), anchor="middle", bold=True)
        pen.lines(x, y + 38, words, anchor="middle", colour="muted", size=11, step=1.25)
    return Figure(
        [pen],
        "**The eight EXIF orientations.** Eight files of the same letter F. Each stores the rows as drawn, with the number "
        "above as a note. The words below say how to make the photo upright. The values 1, 3, 6 and 8 need no mirror.",
    )


def aliasing() -> Figure:
    """A pattern that gets finer outwards, sampled and averaged."""
    side, skip = 96, 4
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    rings = 0.5 + 0.5 * np.cos(np.pi * (x**2 + y**2) / (1.15 * side))
    pen = Drawing("Fine rings; the same with every fourth pixel kept, which shows rings that are not there; and averaged", 348, 136)
    shown = (
        (rings, "the pattern"),
        (rings[::skip, ::skip], "every fourth pixel"),
        (_means(rings, skip), "means of 4 × 4"),
    )
    for i, (pixels, words) in enumerate(shown):
        pen.picture(118 * i, 0, 112, 112, _small(pixels))
        pen.text(118 * i + 56, 130, words, anchor="middle", colour="muted", size=12)
    return Figure(
        [pen],
        "**Aliasing.** Left: rings that get finer outwards, 96 × 96 pixels. Middle: every fourth pixel of every fourth row; "
        "the fine rings have turned into coarse ones that are not there. Right: the mean of each 4 × 4 pixels; what is too "
        "fine fades to grey.",
    )


def lights() -> Figure:
    """Three photos of one scene, with their histograms."""
    pen = Drawing("A portrait in good light, in too little light, and against a bright window, each with its histogram", 348, 216)
    shown = ((_portrait(), "good light"), (_in_light(_portrait(), -4), "too dark"), (_against_the_light(), "window behind"))
    for i, (values, words) in enumerate(shown):
        x = 118.0 * i
        pen.picture(x, 18, 112, 112, _small(values))
        pen.text(x + 56, 12, words, anchor="middle", size=12)
        shares = np.histogram(values, 32, (0, 1))[0] / values.size
        _bars(pen, x, 190, 112, 52, np.sqrt(shares).tolist())
        mean = x + 112 * float(values.mean())
        pen.line([(mean, 134), (mean, 196)], "bad", thick=1.5, dashed=True)
        pen.text(min(max(mean, x + 24), x + 88), 210, f"mean {255 * values.mean():.0f}", anchor="middle", colour="bad", size=12)
    return Figure(
        [pen],
        "**Histograms.** The bars count the pixels of each luma, from black (left) to white (right). The heights of the bars "
        "are the square roots of the counts, so that small counts show. A dashed line marks the mean. In the third photo the "
        "high bar at the right is the window.",
    )


def gamma_curves() -> Figure:
    """Three curves, and what they do to a portrait."""
    pen = Drawing(
        "Curves from input brightness to output brightness: gamma one half and the logarithm bow upwards, gamma two sags", 250, 226
    )
    side, left, base = 200.0, 36.0, 206.0

    def at(value: float, result: float) -> tuple[float, float]:
        return left + side * value, base - side * result

    x = np.linspace(0, 1, 41) ** 2
    pen.line([at(0, 1), at(0, 0), at(1, 0)], "muted", thick=1)
    pen.line([at(0, 0), at(1, 1)], "muted", dashed=True, thick=1)
    curves: list[tuple[Values, Colour, float]] = [
        (np.log1p(255 * x) / np.log(256), "muted", 2),
        (x**0.5, "accent", 2.5),
        (x**2, "ink", 2.5),
    ]
    for y, colour, thick in curves:
        pen.line([at(*point) for point in zip(x.tolist(), y.tolist(), strict=True)], colour, thick=thick)
    quarter = 64 / 255
    for result, colour in ((quarter**0.5, "accent"), (quarter**2, "ink")):
        pen.line([at(quarter, 0), at(quarter, result), at(0, result)], "muted", thick=1, dashed=True)
        pen.dot(*at(quarter, result), colour)
        pen.text(left - 5, base - side * result + 4, f"{255 * result:.0f}", anchor="end", colour="muted", size=12)
    pen.text(*at(quarter, -0.08), "64", anchor="middle", colour="muted", size=12)
    pen.text(*at(0.97, -0.08), "255", anchor="middle", colour="muted", size=12)
    pen.text(left - 5, base - side + 8, "255", anchor="end", colour="muted", size=12)
    for row, (name, (_, colour, thick)) in enumerate(zip(("logarithm", "gamma 0.5", "gamma 2"), curves, strict=True)):
        x1, y1 = at(0.59, 0.27 - 0.09 * row)
        pen.line([(x1, y1 - 4), (x1 + 15, y1 - 4)], colour, thick=thick)
        pen.text(x1 + 20, y1, name, colour=colour, size=12)
    faces = Drawing("A portrait with gamma one half, unchanged, and with gamma two", 348, 132)
    pixels = _noisy(_portrait(), 0)
    for i, (exponent, words) in enumerate(((0.5, "gamma 0.5"), (1.0, "unchanged"), (2.0, "gamma 2"))):
        faces.picture(118.0 * i, 0, 112, 112, _small(gamma(pixels, exponent) / 255))
        faces.text(118 * i + 56, 127, words, anchor="middle", colour="muted", size=12)
    return Figure(
        [pen, faces],
        "**The direction of gamma.** Each curve leads from the input (to the right) to the output (upwards). The dashed "
        "diagonal changes nothing. The value 64 becomes 128 with an exponent of one half, and 16 with an exponent of two. The "
        "small pictures show what the two exponents do to a drawn portrait.",
    )


def equalisation() -> Figure:
    """The worked example: histogram, cumulative counts, equalised histogram."""
    up_to_here = BY_HAND.cumsum()
    new = np.round((LEVELS - 1) * np.maximum(up_to_here - 4, 0) / 12).astype(int)
    after = np.bincount(new[BY_HAND > 0], BY_HAND[BY_HAND > 0], LEVELS).astype(int)
    before, curve, equal = (
        Drawing("Histogram of 16 pixels: 4, 5, 4 and 3 pixels have the values 2, 3, 4 and 5", 176, 150),
        Drawing("Pixels up to each value: a staircase from 0 to 16, with steps at 2, 3, 4 and 5", 176, 150),
        Drawing("Histogram after equalisation: the same bars at the values 0, 3, 5 and 7", 176, 150),
    )
    for pen, counts, words in ((before, BY_HAND, "1. the histogram"), (equal, after, "3. equalised")):
        _small_histogram(pen, counts, words)
    curve.text(88, 13, "2. pixels up to here", anchor="middle", size=12)
    stairs, low = [(16.0, 126.0)], 126.0
    for level, count in enumerate(up_to_here):
        x, y = 16 + 18 * level, 126 - 92 * count / 16
        if count and count != (up_to_here[level - 1] if level else 0):
            curve.text(x + 6, y - 4, str(count), anchor="end", colour="accent", size=12)
        stairs += [(x, low), (x, y), (x + 18, y)]
        low = y
        curve.text(x + 9, 142, str(level), anchor="middle", colour="muted", size=12)
    curve.line([(16, 126), (160, 126)], "muted", thick=1)
    curve.line(stairs, "accent", thick=2.5)
    return Figure(
        [before, curve, equal],
        "**From the histogram to the curve.** Sixteen pixels with eight possible values (1). Adding up the histogram from "
        "the left gives a staircase, steep where many pixels are (2). Used as a curve, the staircase spreads the four crowded "
        "values over the whole range (3).",
    )


def _small_histogram(pen: Drawing, counts: NDArray[np.int_], words: str) -> None:
    pen.text(88, 13, words, anchor="middle", size=12)
    _bars(pen, 16, 126, 144, 92, counts.tolist(), top=6)
    for level, count in enumerate(counts):
        pen.text(16 + 18 * level + 8.5, 142, str(level), anchor="middle", colour="muted", size=12)
        if count:
            pen.text(16 + 18 * level + 8.5, 122 - 92 * count / 6, str(count), anchor="middle", size=12)


def clipping() -> Figure:
    """The worked example of CLAHE: cut, spread, and the curve that comes of it."""
    cut = np.minimum(WALL, LIMIT)
    spread = cut + (WALL - cut).sum() // LEVELS
    tall = 108 / WALL.max()
    peak, filled = (
        Drawing("Histogram of a tile: 12 of 16 pixels have the value 2; a dashed line at 4 cuts eight of them off", 176, 170),
        Drawing("The eight pixels that were cut off are spread: each of the eight values gets one more", 176, 170),
    )
    peak.text(88, 13, "1. cut at the limit", anchor="middle", size=12)
    filled.text(88, 13, "2. spread what was cut", anchor="middle", size=12)
    for pen, counts, added in ((peak, cut, WALL - cut), (filled, cut, spread - cut)):
        _bars(pen, 16, 146, 144, tall * 12, counts.tolist(), top=12)
        for level, (count, more) in enumerate(zip(counts, added, strict=True)):
            x, y = 16 + 18 * level, 146 - tall * count
            if more:
                colour: Colour = "bad" if pen is peak else "good"
                pen.rect(x, y - tall * more, 17, tall * more, colour, colour, opacity=0.25, thick=1)
            total = count + more
            if total:
                pen.text(x + 8.5, y - tall * more - 3, str(total), anchor="middle", size=12)
            pen.text(x + 8.5, 162, str(level), anchor="middle", colour="muted", size=12)
    top = spread[WALL.argmax()]  # where the cut part stood, above what is left
    x, high = 16 + 18 * int(WALL.argmax()), tall * (WALL.max() - top)
    filled.rect(x, 146 - tall * WALL.max(), 17, high, stroke="bad", thick=1, dashed=True)
    peak.line([(16, 146 - tall * LIMIT), (160, 146 - tall * LIMIT)], "warn", thick=1.5, dashed=True)
    peak.text(160, 146 - tall * LIMIT - 5, "limit 4", anchor="end", colour="warn", size=12)
    curves = Drawing("The curve without a limit rises by twelve at the value 2; with the limit it rises by five", 176, 170)
    curves.text(88, 13, "3. the curve", anchor="middle", size=12)
    curves.line([(16, 30), (16, 146), (160, 146)], "muted", thick=1)
    for counts, colour, thick in ((WALL, "bad", 1.5), (spread, "accent", 2.5)):
        heights = np.concatenate([[0], counts.cumsum()]) / 16
        points = [(16 + 18 * level, 146 - 112 * float(height)) for level, height in enumerate(heights)]
        curves.line(points, colour, thick=thick, dashed=colour == "bad")
    curves.text(64, 30, "no limit", colour="bad", size=12)
    curves.text(92, 100, "limited", colour="accent", size=12)
    for level in range(LEVELS):
        curves.text(24.5 + 18 * level, 162, str(level), anchor="middle", colour="muted", size=12)
    return Figure(
        [peak, filled, curves],
        "**CLAHE’s limit.** In this tile of a plain wall, 12 of 16 pixels have the value 2. The part above the limit (red) is "
        "cut off and spread over all eight values (green), which lifts the value 2 a little above the limit. The curve then "
        "climbs less steeply at the value 2.",
    )


def tiles() -> Figure:
    """How CLAHE blends tiles, and what the techniques make of a portrait against the light."""
    grid = Drawing(
        "Sixteen tiles with their centres; a pixel lies between four centres, which share in its curve by nearness", 180, 216
    )
    for i in range(4):
        for j in range(4):
            grid.rect(6 + 42 * i, 6 + 42 * j, 42, 42, "surface", "muted", thick=1)
    x, y = 6 + 42 * 1.75, 6 + 42 * 1.9
    for i, j in ((1, 1), (2, 1), (1, 2), (2, 2)):
        above = -8 if j == 1 else 17
        share = (1 - abs(1.75 - i - 0.5)) * (1 - abs(1.9 - j - 0.5))
        centre = (27 + 42 * i, 27 + 42 * j)
        grid.line([(x, y), centre], "accent", thick=1)
        grid.text(centre[0], centre[1] + above, f"{share:.2f}", anchor="middle", colour="accent", size=12)
    for i in range(4):
        for j in range(4):
            near = i in (1, 2) and j in (1, 2)
            grid.dot(27 + 42 * i, 27 + 42 * j, "accent" if near else "muted", 3.5 if near else 2.5)
    grid.dot(x, y, "bad", 4.5)
    grid.lines(90, 192, ["a pixel takes its curve", "from the four nearest tiles"], anchor="middle", colour="muted", size=12)
    photo = _noisy(0.08 + 0.3 * _against_the_light(), 1)
    shown = (
        (photo, "the photo"),
        (equalise(photo), "one curve"),
        (clahe(photo, 4, np.inf), "tiles, no limit"),
        (clahe(photo, 4, 2.0), "CLAHE"),
    )
    results = Drawing(
        "A dull portrait against the light; equalised by one curve; tile by tile, with a noisy wall; by CLAHE", 216, 216
    )
    for i, (pixels, words) in enumerate(shown):
        left, top = 8 + 108.0 * (i % 2), 110.0 * (i // 2)
        results.picture(left, top, 90, 90, _small(pixels / 255))
        results.text(left + 45, top + 103, words, anchor="middle", colour="muted", size=12)
    return Figure(
        [grid, results],
        "**Tile by tile.** Each tile has a curve, and a pixel (red) blends the curves of the four tiles with the nearest "
        "centres, by the shares at the centres. The small pictures show a dull photo, equalised in three ways. One curve, and "
        "tiles without a limit, amplify the noise of the wall. CLAHE amplifies this noise far less.",
    )


def waves() -> Figure:
    """What a smear leaves of each wave, and what the two ways of undoing it multiply it by."""
    frequency = np.linspace(0, 0.5, 151)
    response = np.abs(np.sinc(LENGTH * frequency) / np.sinc(frequency))
    left, right = (
        Drawing("How much of a wave a smear of seven pixels leaves: all of the longest, nothing at some lengths", 252, 196),
        Drawing("The factor that undoes the smear: plain division grows without bound, Wiener’s stays below five", 252, 196),
    )
    for pen, title in ((left, "what the smear leaves"), (right, "what undoing multiplies by")):
        pen.text(130, 13, title, anchor="middle", size=12)
        pen.line([(30, 24), (30, 156), (246, 156)], "muted", thick=1)
        pen.text(138, 190, "waves in 100 pixels", anchor="middle", colour="muted", size=12)
        for count in (0, 10, 20, 30, 40, 50):
            pen.text(30 + 4.2 * count, 172, str(count), anchor="middle", colour="muted", size=12)

    def points(values: Values, top: float) -> list[tuple[float, float]]:
        return [(30 + 420 * f, 156 - 128 * v / top) for f, v in zip(frequency.tolist(), values.tolist(), strict=True)]

    left.line(points(response, 1), "accent", thick=2.5)
    for share in (0, 1):
        left.text(24, 160 - 128 * share, f"{share}", anchor="end", colour="muted", size=12)
    for value in (0, 5, 10):
        right.text(24, 160 - 128 * value / 10, str(value), anchor="end", colour="muted", size=12)
    plain = 1 / np.maximum(response, 1e-6)
    run: list[tuple[float, float]] = []
    for point, value in zip(points(np.minimum(plain, 10), 10), plain, strict=True):
        run.append(point)
        if value >= 10:  # off the chart: the line begins anew
            right.line(run, "bad", thick=1.5, dashed=True)
            run = []
    right.line(run, "bad", thick=1.5, dashed=True)
    right.line(points(response / (response**2 + 0.01), 10), "accent", thick=2.5)
    right.text(34, 40, "1 / H", colour="bad", size=12)
    right.text(160, 142, "Wiener", colour="accent", size=12)
    return Figure(
        [left, right],
        "**A smear, wave by wave.** The first chart shows how much a smear of 7 pixels leaves of each wave: some vanish. The "
        "second shows the factors that undo the smear. Division multiplies the vanished waves without bound (dashed). "
        "Wiener’s factor, here with *K* = 0.01, never exceeds five (solid).",
    )


def restored() -> Figure:
    """A portrait, smeared, restored by the right guess and by a wrong one."""
    sharp = _noisy(_portrait(), 0)
    smeared = _noisy(blur(sharp, motion_kernel(LENGTH, 20)) / 255, 1)
    right, wrong = (wiener(smeared, motion_kernel(length, 20), 0.01) for length in (LENGTH, LENGTH + 3))
    pen = Drawing(
        "A portrait; smeared by seven pixels; restored with the right length; restored with a wrong one, with ghosts", 352, 106
    )
    for i, (pixels, words) in enumerate(((sharp, "sharp"), (smeared, "smeared"), (right, "right guess"), (wrong, "wrong guess"))):
        pen.picture(89.0 * i, 0, 84, 84, _small(pixels / 255))
        pen.text(89 * i + 42, 101, words, anchor="middle", colour="muted", size=12)
    return Figure(
        [pen],
        "**Undoing a smear.** From left to right: a drawn portrait; the same, smeared along a line of 7 pixels, with a little "
        "noise; restored by a Wiener filter that knows the 7 pixels; and by one that assumes 10, which adds ghosts beside "
        "every edge.",
    )
