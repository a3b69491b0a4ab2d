"""Figures of the chapter on face detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facelab.detect import overlaps, suppress

from . import Figure
from .drawing import Colour, Drawing

Floats = NDArray[np.float64]

DARK, LIGHT = 0.42, 0.85  # of a Haar feature, the same in both schemes


# --- three older ideas ----------------------------------------------------------


def haar() -> Figure:
    """Rectangle features on a face, and the integral image that makes them cheap."""
    return Figure(
        [_features(), _integral_image()],
        "**Haar features and the integral image.** The value of a feature is the sum of its dark rectangles minus the sum of "
        "its light ones. Each number of the integral image is the sum of all pixels above and to the left of its place. Four "
        "of these numbers give the sum of any rectangle.",
    )


def _features() -> Drawing:
    d = Drawing("Two Haar features drawn on a face: eyes against cheeks, and eyes against the bridge of the nose", 340, 210)
    for x, y, width, height, grey in (
        (45, 53, 80, 24, DARK),
        (45, 77, 80, 24, LIGHT),
        (213, 55, 28, 30, DARK),
        (241, 55, 28, 30, LIGHT),
        (269, 55, 28, 30, DARK),
    ):
        d.picture(x, y, width, height, [[grey]])
        d.rect(x, y, width, height, stroke="accent")
    for middle in (85, 255):
        d.face(middle, 85, 150)
    d.lines(85, 184, ["eyes are darker", "than cheeks"], anchor="middle", size=12)
    d.lines(255, 184, ["eyes are darker than", "the bridge of the nose"], anchor="middle", size=12)
    return d


def _integral_image() -> Drawing:
    pixels = np.array([[3, 1, 2, 5], [4, 6, 1, 2], [2, 7, 3, 1], [5, 2, 4, 6]])
    sums = np.zeros((5, 5), int)
    sums[1:, 1:] = pixels.cumsum(axis=0).cumsum(axis=1)
    top, left, bottom, right = 1, 1, 3, 4  # rows 1 and 2, columns 1 to 3
    total = int(pixels[top:bottom, left:right].sum())
    a, b, c, e = (int(sums[r, k]) for r, k in ((bottom, right), (top, right), (bottom, left), (top, left)))
    if a - b - c + e != total:
        raise ValueError("the four corners do not add up")
    d = Drawing(f"A table of pixels, its integral image, and the sum {total} of a rectangle from four corners", 340, 380)
    d.text(20, 18, "pixels", size=12, colour="muted")
    side = 30
    for r in range(4):
        for k in range(4):
            inside = top <= r < bottom and left <= k < right
            d.rect(20 + k * side, 28 + r * side, side, side, "accent" if inside else "none", "line", opacity=0.25)
            d.text(20 + (k + 0.5) * side, 28 + (r + 0.66) * side, str(pixels[r, k]), anchor="middle")
    d.lines(165, 70, ["The marked rectangle:", "6 + 1 + 2", f"+ 7 + 3 + 1 = {total}"], size=12, step=1.5)
    d.text(20, 176, "integral image", size=12, colour="muted")
    colours: dict[tuple[int, int], Colour] = {
        (bottom, right): "good",
        (top, left): "good",
        (top, right): "bad",
        (bottom, left): "bad",
    }
    for r in range(5):
        for k in range(5):
            colour = colours.get((r, k))
            d.rect(20 + k * side, 186 + r * side, side, side, colour or "none", "line", opacity=0.25)
            d.text(20 + (k + 0.5) * side, 186 + (r + 0.66) * side, str(sums[r, k]), anchor="middle", bold=colour is not None)
    d.lines(190, 232, ["Four look-ups:", f"{a} − {b} − {c} + {e} = {total}"], size=12, step=1.5)
    d.lines(20, 358, ["Green: add.", "Red: subtract."], size=12, colour="muted")
    return d


def stages() -> Figure:
    """A cascade of classifiers: most windows leave early."""
    d = Drawing("Three boxes in a row; from each an arrow leads down to “no”, from the last one right to “face”", 360, 150)
    names = (("stage 1", "few features"), ("stage 2", "more features"), ("stage 38", "most features"))
    places = (8, 116, 236)
    for i, ((name, features), x) in enumerate(zip(names, places, strict=True)):
        d.rect(x, 34, 88, 46, "accent", "accent", opacity=0.12, radius=6)
        d.text(x + 44, 53, name, anchor="middle", bold=True)
        d.text(x + 44, 70, features, anchor="middle", size=11)
        d.arrow(x + 44, 80, x + 44, 116, "bad", thick=(5, 3, 1.5)[i])
        d.text(x + 44, 134, "not a face", anchor="middle", size=12, colour="bad")
    d.text(8, 20, "all windows", size=12, colour="muted")
    d.arrow(96, 57, 114, 57, thick=2)
    d.line([(204, 57), (234, 57)], dashed=True)
    d.arrow(324, 57, 340, 57, "good", thick=1.5)
    d.text(356, 25, "face", anchor="end", colour="good", bold=True)
    return Figure(
        [d],
        "**A cascade.** Each stage asks more than the one before it, and each is asked about fewer windows, because a *no* is "
        "final. The thickness of the red arrows stands for the number of windows that leave.",
    )


def hog() -> Figure:
    """From pixels to gradients to a histogram of one cell, and the histograms of a whole window."""
    picture = _drawn_face(64)
    return Figure(
        [_cell(picture), _window(picture)],
        "**Histograms of oriented gradients.** One cell of 8 × 8 pixels from the edge of a face, its gradients, and the "
        "histogram of their directions, weighted by their strength. Then all 64 cells of the window: each stroke runs along "
        "the edges that its cell contains.",
    )


def _drawn_face(side: int) -> Floats:
    """A grey face, [side, side], 0 to 1: an oval with brows, eyes, nose and mouth, slightly blurred."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    grey: Floats = 0.35 + 0.15 * (x + 0.5)
    grey[(x / 0.33) ** 2 + (y / 0.44) ** 2 < 1] = 0.85
    for sign in (-1, 1):
        grey[((x - sign * 0.14) / 0.07) ** 2 + ((y + 0.08) / 0.035) ** 2 < 1] = 0.2
        grey[(np.abs(x - sign * 0.14) < 0.09) & (np.abs(y + 0.17) < 0.018)] = 0.35
    grey[(np.abs(x) < 0.025) & (np.abs(y - 0.04) < 0.09)] = 0.7
    grey[(x / 0.14) ** 2 + ((y - 0.24) / 0.035) ** 2 < 1] = 0.35
    for _ in range(3):
        padded = np.pad(grey, 1, mode="edge")
        grey = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] + padded[1:-1, 1:-1]) / 5
    return grey


def _gradients(picture: Floats) -> tuple[Floats, Floats]:
    """Strength, and direction in degrees from 0 to 180, of the brightness at each pixel."""
    down, across = np.gradient(picture)
    return np.hypot(across, down), np.degrees(np.arctan2(down, across)) % 180


def _histogram(strength: Floats, direction: Floats, bins: int = 9) -> Floats:
    counted: Floats = np.histogram(direction, bins, (0, 180), weights=strength)[0]
    return counted


CELL = slice(8, 16), slice(16, 24)  # of the drawn face: its upper left edge


def _cell(picture: Floats) -> Drawing:
    strength, direction = (values[CELL] for values in _gradients(picture))
    d = Drawing("An enlarged cell of 8 by 8 pixels with an arrow for each gradient, and a histogram of nine directions", 340, 250)
    side, left, top = 18, 8, 30
    d.text(left, 18, "gradients of one cell", size=12, colour="muted")
    d.picture(left, top, 8 * side, 8 * side, picture[CELL])
    d.rect(left, top, 8 * side, 8 * side, stroke="line")
    for r in range(8):
        for k in range(8):
            length = 15 * strength[r, k] / strength.max()
            if length < 2:
                continue
            turn = np.radians(direction[r, k])
            # The gradient points towards the light; its direction modulo 180 degrees is what the histogram counts.
            step = length / 2 * np.array([np.cos(turn), np.sin(turn)])
            x, y = left + (k + 0.5) * side, top + (r + 0.5) * side
            d.line([(x - step[0], y - step[1]), (x + step[0], y + step[1])], "bad", thick=2)
    counted = _histogram(strength, direction)
    x0, base, wide = 178, 174, 16
    d.text(x0, 18, "histogram of directions", size=12, colour="muted")
    for i, height in enumerate(counted / counted.max() * 130):
        d.rect(x0 + i * wide, base - height, wide - 3, height, "bad", "none")
    d.line([(x0, base), (x0 + 9 * wide, base)], thick=1)
    for degrees, anchor in ((0, "start"), (90, "middle"), (180, "end")):
        d.text(x0 + degrees / 180 * 9 * wide, base + 16, f"{degrees}°", anchor=anchor, size=11)  # type: ignore[arg-type]
    d.lines(8, 216, ["A red stroke points across the edge.", "Its length is the strength of the gradient."], size=12)
    return d


def _window(picture: Floats) -> Drawing:
    strength, direction = _gradients(picture)
    cells = np.array(
        [
            [_histogram(strength[r : r + 8, k : k + 8], direction[r : r + 8, k : k + 8]) for k in range(0, 64, 8)]
            for r in range(0, 64, 8)
        ]
    )
    # Divided by the length over 2 x 2 cells, so that a dark face looks as a bright one does.
    padded = np.pad(cells, ((0, 1), (0, 1), (0, 0)), mode="edge")
    blocks = [padded[r : r + 8, k : k + 8] for r in (0, 1) for k in (0, 1)]
    normal = cells / (np.sqrt(sum((block**2).sum(axis=2) for block in blocks))[..., None] + 0.02)
    d = Drawing("A drawn face, and beside it its 8 by 8 cells with strokes along the edges", 340, 250)
    d.text(8, 18, "window of 64 × 64 pixels", size=12, colour="muted")
    d.picture(8, 30, 150, 150, picture, smooth=True)
    d.rect(8 + 2 * 150 / 8, 30 + 150 / 8, 150 / 8, 150 / 8, stroke="bad", thick=2)
    d.text(180, 18, "its cells", size=12, colour="muted")
    side = 150 / 8
    for r in range(8):
        for k in range(8):
            x, y = 180 + (k + 0.5) * side, 30 + (r + 0.5) * side
            for i, share in enumerate(normal[r, k]):
                if share < 0.12:
                    continue
                turn = np.radians((i + 0.5) * 20 + 90)  # along the edge: at right angles to the gradient
                step = np.array([np.cos(turn), np.sin(turn)]) * side / 2 * min(1, share * 1.4)
                d.line([(x - step[0], y - step[1]), (x + step[0], y + step[1])], thick=1.2)
    d.rect(180, 30, 150, 150, stroke="line")
    d.rect(180 + 2 * side, 30 + side, side, side, stroke="bad", thick=2)
    d.lines(8, 216, ["Red: the cell that is enlarged.", "A linear classifier weighs all bins of all cells."], size=12)
    return d


# --- MTCNN ----------------------------------------------------------------------


def pyramid() -> Figure:
    """The levels of the image pyramid and P-Net's window, which has one size on all of them."""
    factor, window, smallest = 0.709, 12, 40
    faces = ((smallest, 100, 130), (80, 250, 300), (158, 490, 230))  # side, x and y of the centre in a photo of 640 x 480
    photo = Drawing("A photo of 640 by 480 pixels with faces of 40, 80 and 158 pixels", 340, 292)
    photo.text(10, 18, "photo, 640 × 480 pixels", size=12, colour="muted")
    photo.rect(10, 26, 320, 240, stroke="line")
    for side, x, y in faces:
        photo.face(10 + x / 2, 26 + y / 2, side / 2)
        photo.text(10 + x / 2, 26 + y / 2 + side / 4 + 16, f"{side} px", anchor="middle", size=12)
    levels = Drawing("Levels 0, 2 and 4 of the pyramid; on each, another face fills the window of 12 pixels", 340, 412)
    for level, left, top, (fits, *_) in ((0, 10, 26, faces[0]), (2, 10, 292, faces[1]), (4, 200, 292, faces[2])):
        scale = window / smallest * factor**level
        width, height = int(640 * scale), int(480 * scale)
        unit = 1.6
        levels.text(left, top - 8, f"level {level}: {width} × {height}", size=12, colour="muted")
        levels.rect(left, top, width * unit, height * unit, stroke="line")
        for side, x, y in faces:
            place = left + x * scale * unit, top + y * scale * unit
            if side * scale * unit < 14:
                levels.ellipse(*place, 0.4 * side * scale * unit, 0.5 * side * scale * unit, thick=1)
            else:
                levels.face(*place, side * scale * unit)
            if side == fits:
                half = window / 2 * unit + 1
                levels.rect(place[0] - half, place[1] - half, 2 * half, 2 * half, stroke="accent", thick=2.5)
    return Figure(
        [photo, levels],
        "**The image pyramid.** P-Net’s window (violet) always covers 12 × 12 pixels. As the photo shrinks, ever larger faces "
        "fill that window: the smallest face on level 0, one twice as large on level 2, one nearly four times as large on level "
        "4.",
    )


@dataclass(frozen=True)
class Layer:
    """name: what the layer does. shape: rows, columns and channels of its result. numbers: how many are learned."""

    name: str
    shape: tuple[int, ...]
    numbers: int = 0


def _convolution(side: int, before: int, kernel: int, channels: int) -> Layer:
    """A convolution without padding, and its PReLU, on a map of `side` x `side` pixels and `before` channels."""
    rows = side - kernel + 1
    name = f"{kernel} × {kernel} convolution"
    return Layer(name, (rows, rows, channels), kernel * kernel * before * channels + 2 * channels)


def _dense(before: int, after: int, slopes: bool) -> int:
    return before * after + after * (2 if slopes else 1)


def p_net() -> list[Layer]:
    return [
        Layer("window", (12, 12, 3)),
        _convolution(12, 3, 3, 10),
        Layer("2 × 2 maximum", (5, 5, 10)),
        _convolution(5, 10, 3, 16),
        _convolution(3, 16, 3, 32),
        Layer("face or not", (2,), _dense(32, 2, False)),
        Layer("box", (4,), _dense(32, 4, False)),
    ]


def r_net() -> list[Layer]:
    return [
        Layer("crop", (24, 24, 3)),
        _convolution(24, 3, 3, 28),
        Layer("3 × 3 maximum", (11, 11, 28)),
        _convolution(11, 28, 3, 48),
        Layer("3 × 3 maximum", (4, 4, 48)),
        _convolution(4, 48, 2, 64),
        Layer("fully connected", (128,), _dense(576, 128, True)),
        Layer("face or not", (2,), _dense(128, 2, False)),
        Layer("box", (4,), _dense(128, 4, False)),
    ]


def o_net() -> list[Layer]:
    return [
        Layer("crop", (48, 48, 3)),
        _convolution(48, 3, 3, 32),
        Layer("3 × 3 maximum", (23, 23, 32)),
        _convolution(23, 32, 3, 64),
        Layer("3 × 3 maximum", (10, 10, 64)),
        _convolution(10, 64, 3, 64),
        Layer("2 × 2 maximum", (4, 4, 64)),
        _convolution(4, 64, 2, 128),
        Layer("fully connected", (256,), _dense(1152, 256, True)),
        Layer("face or not", (2,), _dense(256, 2, False)),
        Layer("box", (4,), _dense(256, 4, False)),
        Layer("landmarks", (10,), _dense(256, 10, False)),
    ]


def numbers_of(layers: Sequence[Layer]) -> int:
    """How many numbers a network has learned."""
    return sum(layer.numbers for layer in layers)


def networks() -> Figure:
    """P-Net, R-Net and O-Net, layer by layer."""
    left = Drawing("The layers of P-Net and R-Net, from the pixels to their results", 300, 520)
    _draw_network(left, 0, "P-Net", p_net())
    _draw_network(left, 236, "R-Net", r_net())
    right = Drawing("The layers of O-Net, from the pixels to its results", 300, 412)
    _draw_network(right, 0, "O-Net", o_net())
    return Figure(
        [left, right],
        "**MTCNN’s three networks.** Each row is the result of a layer, written as rows × columns × channels. The squares show "
        "rows and columns to scale. A channel is one of the numbers that a layer computes at each place. “Maximum” keeps the "
        "largest value of each patch; “fully connected” layers use all values at once. A [PReLU](glossary.md#prelu) follows "
        "each convolution and each fully connected layer. The results at the end (violet) all start from the row above them.",
    )


def _draw_network(d: Drawing, top: float, name: str, layers: Sequence[Layer]) -> None:
    heads = [layer for layer in layers if len(layer.shape) == 1 and layer.shape[0] <= 10]
    body = layers[: len(layers) - len(heads)]
    d.text(6, top + 16, name, bold=True, size=14)
    d.text(294, top + 16, f"{numbers_of(layers):,} learned numbers", anchor="end", size=12, colour="muted")
    top += 28
    middles, reaches = [], []
    for layer in body:
        side = max(layer.shape[0], 3) if len(layer.shape) == 3 else 8
        tall = max(24, side + 6)
        middle = top + tall / 2
        if len(layer.shape) == 3:
            d.rect(34 - side / 2, middle - side / 2, side, side, "muted", "ink", opacity=0.18, thick=1)
        else:
            d.rect(14, middle - 4, 40, 8, "muted", "ink", opacity=0.18, thick=1)
        d.text(74, middle + 4, layer.name, size=12)
        d.text(294, middle + 4, " × ".join(map(str, layer.shape)), anchor="end", size=12)
        middles.append(middle)
        reaches.append(side / 2)
        top += tall
    for (above, below), (upper, lower) in zip(pairwise(middles), pairwise(reaches), strict=True):
        if below - above - upper - lower > 8:
            d.arrow(34, above + upper + 1, 34, below - lower - 1, "muted", thick=1, head=3)
    d.line([(34, middles[-1] + reaches[-1]), (34, top + 20 + 24 * (len(heads) - 1))], "muted", thick=1)
    for i, layer in enumerate(heads):
        y = top + 10 + 24 * i
        d.rect(66, y, 230, 20, "accent", "accent", opacity=0.15, thick=1, radius=4)
        d.text(74, y + 14, layer.name, size=12)
        d.text(290, y + 14, str(layer.shape[0]), anchor="end", size=12)
        d.arrow(34, y + 10, 64, y + 10, "muted", thick=1, head=4)


def bands() -> Figure:
    """What a window teaches, by its overlap with the nearest face."""
    d = Drawing("A scale of the overlap from 0 to 1, divided at 0.3, 0.4 and 0.65", 360, 215)
    left, wide, top = 12, 336, 120

    def at(share: float) -> float:
        return left + wide * share

    parts: tuple[tuple[float, float, Colour], ...] = (
        (0, 0.3, "bad"),
        (0.3, 0.4, "muted"),
        (0.4, 0.65, "warn"),
        (0.65, 1, "good"),
    )
    for begin, end, colour in parts:
        d.rect(at(begin), top, at(end) - at(begin), 20, colour, "none", opacity=0.45)
    for share in (0, 0.3, 0.4, 0.65, 1):
        d.text(at(share), top + 36, f"{share:g}", anchor="start" if share == 0 else "end" if share == 1 else "middle", size=12)
    d.text(left, top + 58, "overlap (IoU) of the window with the nearest face", size=12, colour="muted")
    for name, below, share, anchor in (("negative", "not a face", 0.15, "middle"), ("part", "box only", 0.525, "middle")):
        d.lines(at(share), 16, [name, below], anchor=anchor, size=12)  # type: ignore[arg-type]
    d.lines(at(0.825), 16, ["positive", "face and box"], anchor="middle", size=12)
    for middle, off, colour in ((0.15, 26, "bad"), (0.525, 11.5, "warn"), (0.825, 4.5, "good")):
        x, y, side = at(middle), 76, 44
        d.rect(x - side / 2, y - side / 2, side, side, "none", "ink")
        shift = off if middle != 0.15 else 24
        d.rect(x - side / 2 + shift, y - side / 2 + shift * 0.35, side, side, "none", colour, thick=2, dashed=True)
    d.text(left, top + 80, "Grey: neither, so it is left out of training.", size=12, colour="muted")
    return Figure(
        [d],
        "**What a training window teaches.** The solid square is the true face, the dashed one the window. The grey gap keeps "
        "negatives and part faces apart. The limits are from Zhang and others (2016).",
    )


# --- many boxes, one face ---------------------------------------------------------


def overlap() -> Figure:
    """Intersection over union of two boxes, in numbers."""
    a, b = np.array([10, 10, 50, 50]), np.array([18, 14, 58, 54])
    iou = float(overlaps(a[None].astype(float), b[None].astype(float))[0, 0])
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = (a[2] - a[0]) * (a[3] - a[1])
    shared = width * height
    boxes = Drawing(f"Two overlapping squares of 40 pixels; the part they share is {width} by {height} pixels", 240, 210)
    unit = 4

    def place(box: NDArray[np.int_]) -> tuple[float, float, float, float]:
        x, y = 10 + (box[0] - 8) * unit, 10 + (box[1] - 8) * unit
        return x, y, (box[2] - box[0]) * unit, (box[3] - box[1]) * unit

    both = np.array([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    boxes.rect(*place(both), "accent", "none", opacity=0.25)
    boxes.rect(*place(a), stroke="ink", thick=2)
    boxes.rect(*place(b), stroke="accent", thick=2)
    x, y, *_ = place(a)
    boxes.text(x + 8, y + 15, "A", bold=True)
    x, y, w, h = place(b)
    boxes.text(x + w - 6, y + h - 5, "B", bold=True, colour="accent", anchor="end")
    x, y, w, h = place(both)
    boxes.lines(x + w / 2, y + h / 2, [f"{width} × {height}", f"= {shared:,}"], anchor="middle")
    sums = Drawing("The same as a sum", 250, 210)
    sums.lines(
        6,
        30,
        [
            f"A = ({', '.join(map(str, a))})",
            f"B = ({', '.join(map(str, b))})",
            "",
            f"shared: {shared:,}",
            f"together: {area:,} + {area:,} − {shared:,}",
            f"= {2 * area - shared:,}",
        ],
        step=1.6,
    )
    sums.text(6, 175, f"IoU = {shared:,} / {2 * area - shared:,} = {iou:.4f}", bold=True)
    return Figure(
        [boxes, sums],
        "**Intersection over union,** worked for two boxes of 40 × 40 pixels. Each box is given as left, top, right, bottom.",
    )


def suppression() -> Figure:
    """Boxes with scores before and after non-maximum suppression."""
    boxes = np.array(
        [[30, 45, 110, 130], [38, 52, 118, 137], [24, 38, 108, 126], [45, 40, 121, 122], [200, 60, 270, 136], [208, 66, 278, 140]],
        float,
    )
    scores = np.array([0.98, 0.91, 0.83, 0.71, 0.95, 0.88])
    kept = suppress(boxes, scores, 0.5)
    before = _boxes("Six boxes around two faces, with their scores", "before: six boxes", boxes, scores, range(len(boxes)))
    after = _boxes("One box around each of the two faces", "after: two boxes", boxes, scores, kept.tolist())
    return Figure(
        [before, after],
        "**Non-maximum suppression** with a threshold of 0.5. In each group the box with the highest score stays; every box whose "
        "IoU with that box is above 0.5 goes.",
    )


def _boxes(title: str, name: str, boxes: Floats, scores: Floats, shown: Sequence[int]) -> Drawing:
    d = Drawing(title, 320, 180)
    d.text(8, 18, name, size=12, colour="muted")
    d.face(72, 92, 82)
    d.face(238, 100, 72)
    best = set(suppress(boxes, scores, 0.5).tolist())
    for i in shown:
        x1, y1, x2, y2 = boxes[i]
        colour: Colour = "good" if i in best else "warn"
        d.rect(x1, y1, x2 - x1, y2 - y1, "none", colour, thick=2.5 if i in best else 1.5)
    left = [i for i in shown if boxes[i, 0] < 160]
    right = [i for i in shown if boxes[i, 0] > 160]
    for heap, x in ((left, 8), (right, 176)):
        d.text(x, 164, "  ".join(f"{scores[i]:.2f}" for i in heap), size=12)
    return d


# --- one look ---------------------------------------------------------------------


def anchors() -> Figure:
    """Anchor boxes on the maps of a single-shot detector, and what is predicted for one of them."""
    maps = Drawing("Three grids of 8, 4 and 2 cells a side over the same photo, each with a face of fitting size", 360, 210)
    for i, (cells, stride) in enumerate(((8, 8), (4, 16), (2, 32))):
        left, top, side = 8 + i * 118, 44, 108
        step = side / cells
        maps.text(left, 18, f"step of {stride} pixels", size=12)
        maps.text(left, 34, f"{cells} × {cells} cells", size=12, colour="muted")
        for line in range(cells + 1):
            maps.line([(left + line * step, top), (left + line * step, top + side)], "line", thick=1)
            maps.line([(left, top + line * step), (left + side, top + line * step)], "line", thick=1)
        row, column = ((5, 2), (1, 2), (0, 0))[i]
        x, y = left + (column + 0.5) * step, top + (row + 0.5) * step
        reach = step * 1.15 if cells > 2 else step * 0.98
        maps.rect(x - reach / 2, y - reach / 2, reach, reach, "accent", "accent", opacity=0.15, thick=2, dashed=True)
        maps.face(x, y, reach * 0.95)
    maps.lines(8, 174, ["Fine cells answer for small faces,", "coarse cells for large ones."], size=12, colour="muted")
    one = Drawing("One cell with two dashed anchor boxes, the predicted box around a face, and its landmarks", 340, 250)
    x, y = 104, 110
    one.rect(x - 20, y - 20, 40, 40, "muted", "line", opacity=0.3)
    for side in (64, 128):
        one.rect(x - side / 2, y - side / 2, side, side, stroke="accent", dashed=True, thick=2)
    one.face(x - 2, y + 16, 130, landmarks=True)
    one.rect(x - 2 - 54, y + 16 - 68, 108, 136, stroke="good", thick=2.5)
    one.line([(x - 5, y), (x + 5, y)], "muted", thick=2)
    one.line([(x, y - 5), (x, y + 5)], "muted", thick=2)
    rows: tuple[tuple[str, Colour], ...] = (
        ("anchor boxes", "accent"),
        ("of one cell", "accent"),
        ("", "ink"),
        ("predicted for", "ink"),
        ("each anchor:", "ink"),
        ("1 score", "good"),
        ("4 offsets of the box", "good"),
        ("10 of the landmarks", "good"),
    )
    for i, (words, colour) in enumerate(rows):
        if words:
            one.text(206, 46 + i * 20, words, size=12, colour=colour)
    one.text(8, 236, "Grey: the cell. All its anchors share its centre.", size=12, colour="muted")
    return Figure(
        [maps, one],
        "**Anchor boxes.** One network looks at the photo once and yields maps with cells of several sizes. For each anchor "
        "box of each cell it predicts a score, how the box must move and grow to fit the face, and where the landmarks lie.",
    )
