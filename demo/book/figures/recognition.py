"""Figures of the chapter on face recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from book.results import read_report
from facelab.margins import Kind
from facelab.triplet import triplet_gradient, triplet_loss

from . import Figure
from .drawing import Anchor, Colour, Drawing

CHANNELS = 4  # of the small convolutions that are drawn
WIDE = 128  # of MobileFaceNet's blocks on the map of 14 x 14 places


def weights(rows: int, columns: int, inputs: int, outputs: int) -> int:
    """Of a convolution that joins every input with every output."""
    return rows * columns * inputs * outputs


def embedding() -> Figure:
    """Chips go through a network and become points."""
    left = Drawing("A face goes into a network f, and a row of bars comes out: the 128 numbers of its embedding", 320, 190)
    left.rect(10, 40, 84, 84)
    left.face(52, 84, 62, landmarks=True)
    left.text(52, 145, "chip", anchor="middle")
    left.text(52, 162, "112 × 112 × 3", anchor="middle", colour="muted", size=11)
    left.arrow(100, 82, 122, 82)
    left.rect(126, 58, 52, 48, "accent", opacity=0.2, radius=6)
    left.text(152, 87, "f", anchor="middle", size=17, bold=True)
    left.text(152, 145, "network", anchor="middle")
    left.arrow(182, 82, 204, 82)
    for place, value in enumerate(np.random.default_rng(2).normal(0, 13, 32)):
        left.rect(210 + 3.1 * place, 82 - max(value, 0), 2.3, abs(value), "accent", "none")
    left.line([(208, 82), (311, 82)], "muted", thick=1)
    left.text(260, 145, "embedding", anchor="middle")
    left.text(260, 162, "128 numbers", anchor="middle", colour="muted", size=11)

    right = Drawing(
        "Points on a circle: the photos of one person lie close together, those of another person far from them", 250, 190
    )
    right.circle(125, 95, 72, stroke="line")
    people: tuple[tuple[Colour, float, str], ...] = (("accent", 70, "Ada"), ("good", 190, "Ben"), ("warn", 310, "Cleo"))
    for colour, middle, name in people:
        for angle in np.radians(middle + np.array([-14, -5, 4, 13])):
            right.dot(125 + 72 * np.cos(angle), 95 - 72 * np.sin(angle), colour, 5)
        x, y = 125 + 100 * np.cos(np.radians(middle)), 100 - 94 * np.sin(np.radians(middle))
        right.text(x, y, name, anchor="middle")
    return Figure(
        [left, right],
        "**From a chip to a point.** The network turns a chip into 128 numbers, which are the coordinates of a point. The circle"
        " stands for the space of these points, with two dimensions instead of 128. Photos of one person should become neighbours,"
        " and photos of different people should lie far apart.",
    )


def depthwise_separable() -> Figure:
    """A plain convolution beside a depthwise and a pointwise one."""
    places = [60 + 46 * channel for channel in range(CHANNELS)]
    every, each = CHANNELS * CHANNELS, CHANNELS

    def maps(drawing: Drawing, y: float) -> None:
        for x in places:
            drawing.rect(x - 13, y - 13, 26, 26, "surface")

    def kernel(drawing: Drawing, x: float, y: float) -> None:
        for row in range(3):
            for column in range(3):
                drawing.rect(x - 9 + 6 * column, y - 9 + 6 * row, 6, 6, "accent", "background", thick=0.8)

    def mixing(drawing: Drawing, top: float, bottom: float, thick: float) -> None:
        for a in places:
            for b in places:
                drawing.line([(a, top), (b, bottom)], "accent", thick=thick)

    plain = Drawing(f"{CHANNELS} maps above, {CHANNELS} below; a kernel of 3 by 3 for each of the {every} pairs", 260, 268)
    plain.text(129, 18, "plain 3 × 3", anchor="middle", bold=True)
    mixing(plain, 57, 191, 3.5)
    maps(plain, 44)
    maps(plain, 204)
    plain.text(129, 238, f"{every} kernels of 3 × 3", anchor="middle")
    plain.text(129, 257, f"{every} · 9 = {9 * every} weights", anchor="middle", colour="muted")

    split = Drawing(f"{CHANNELS} kernels of 3 by 3, one for each map; then {every} kernels of 1 by 1 that mix the maps", 330, 268)
    split.text(129, 18, "depthwise, then pointwise", anchor="middle", bold=True)
    for x in places:
        split.line([(x, 57), (x, 111)], "accent", thick=1.5)
        kernel(split, x, 84)
    mixing(split, 137, 191, 1.2)
    for y in (44, 124, 204):
        maps(split, y)
    split.text(226, 80, "3 × 3, each", size=12)
    split.text(226, 96, "map alone", size=12)
    split.text(226, 160, "1 × 1, mixes", size=12)
    split.text(226, 176, "the maps", size=12)
    split.text(129, 238, f"{each} kernels of 3 × 3, {every} of 1 × 1", anchor="middle")
    split.text(129, 257, f"{each} · 9 + {every} = {9 * each + every} weights", anchor="middle", colour="muted")
    return Figure(
        [plain, split],
        "**A convolution in two steps.** A plain convolution has a kernel of 3 × 3 for every pair of an input map and an output"
        " map. A depthwise separable convolution filters each map alone and then mixes the maps place by place."
        f" With {CHANNELS} maps it needs {9 * each + every} weights instead of {9 * every}.",
    )


def blocks() -> Figure:
    """A residual block beside an inverted one; the width of each band is its number of channels."""
    expanded = 2 * WIDE
    plain = _block(
        "residual block",
        [(WIDE, "ReLU"), (WIDE, "")],
        [("3 × 3", weights(3, 3, WIDE, WIDE))] * 2,
        "Two plain convolutions with 128 channels throughout; the input is added to the output",
    )
    inverted = _block(
        "inverted residual block",
        [(expanded, "PReLU"), (expanded, "PReLU"), (WIDE, "linear")],
        [
            ("1 × 1 expand", weights(1, 1, WIDE, expanded)),
            ("3 × 3 depthwise", 9 * expanded),
            ("1 × 1 project", weights(1, 1, expanded, WIDE)),
        ],
        "128 channels are expanded to 256, filtered one by one, and projected to 128; the input is added to the output",
    )
    return Figure(
        [plain, inverted],
        "**Two blocks with a shortcut.** The width of a bar shows how many channels there are. A residual block as in dlib’s"
        f" network has {2 * weights(3, 3, WIDE, WIDE):,} weights at {WIDE} channels. MobileFaceNet’s inverted residual block is"
        f" narrow at its ends and wide in the middle, and has {2 * weights(1, 1, WIDE, expanded) + 9 * expanded:,} weights.",
    )


def _block(title: str, maps: Sequence[tuple[int, str]], steps: Sequence[tuple[str, int]], says: str) -> Drawing:
    """maps: channels and activation after each step. steps: what leads there, and its weights."""
    middle, gap = 118.0, 74
    drawing = Drawing(says, 330, 122 + gap * len(steps))

    def bar(y: float, channels: int) -> None:
        drawing.rect(middle - channels / 4, y - 7, channels / 2, 14, "accent", "ink", opacity=0.35, radius=2)

    drawing.text(165, 18, title, anchor="middle", bold=True)
    y = 44.0
    bar(y, WIDE)
    drawing.text(206, y + 5, f"{WIDE} channels")
    before = WIDE
    for (channels, bend), (step, count) in zip(maps, steps, strict=True):
        for side in (-1, 1):
            ends = [(middle + side * before / 4, y + 7), (middle + side * channels / 4, y + gap - 7)]
            drawing.line(ends, "line", thick=1)
        drawing.arrow(middle, y + 11, middle, y + gap - 10)
        drawing.text(206, y + gap / 2 - 3, step)
        drawing.text(206, y + gap / 2 + 13, f"{count:,} weights", colour="muted", size=11)
        y += gap
        bar(y, channels)
        drawing.text(206, y + 5, f"{channels}, {bend}" if bend else str(channels))
        before = channels
    bottom = y + 44
    drawing.arrow(middle, y + 11, middle, bottom - 12)
    drawing.circle(middle, bottom, 11)
    drawing.line([(middle - 5, bottom), (middle + 5, bottom)])
    drawing.line([(middle, bottom - 5), (middle, bottom + 5)])
    drawing.line([(middle - WIDE / 4, 44), (22, 44), (22, bottom), (middle - 20, bottom)], "good", thick=2)
    drawing.arrow(middle - 24, bottom, middle - 12, bottom, "good", thick=2)
    drawing.text(206, bottom + 5, "sum" if "inverted" in title else "sum, then ReLU")
    drawing.text(28, bottom + 22, "shortcut", colour="good", size=12)
    return drawing


@dataclass(frozen=True)
class Stage:
    """A part of a network. side, channels: of the map that it puts out. count: weights of its convolutions."""

    name: str
    side: int
    channels: int
    count: int = 0


def _bottleneck(inputs: int, outputs: int, expansion: int) -> int:
    middle = expansion * inputs
    return weights(1, 1, inputs, middle) + 9 * middle + weights(1, 1, middle, outputs)


MOBILEFACENET = (
    Stage("chip", 112, 3),
    Stage("3 × 3, halving", 56, 64, weights(3, 3, 3, 64)),
    Stage("3 × 3 depthwise", 56, 64, 9 * 64),
    Stage("5 blocks, halving", 28, 64, 5 * _bottleneck(64, 64, 2)),
    Stage("7 blocks, halving", 14, 128, _bottleneck(64, 128, 4) + 6 * _bottleneck(128, 128, 2)),
    Stage("3 blocks, halving", 7, 128, _bottleneck(128, 128, 4) + 2 * _bottleneck(128, 128, 2)),
    Stage("1 × 1", 7, 512, weights(1, 1, 128, 512)),
    Stage("7 × 7 depthwise, linear", 1, 512, 49 * 512),
    Stage("1 × 1, linear", 1, 128, weights(1, 1, 512, 128)),
)


def _plain_blocks(inputs: int, outputs: int, how_many: int) -> int:
    return weights(3, 3, inputs, outputs) + (2 * how_many - 1) * weights(3, 3, outputs, outputs)


DLIB = (
    Stage("chip", 150, 3),
    Stage("7 × 7, then maximum", 35, 32, weights(7, 7, 3, 32)),
    Stage("3 blocks", 35, 32, _plain_blocks(32, 32, 3)),
    Stage("4 blocks, halving", 17, 64, _plain_blocks(32, 64, 4)),
    Stage("3 blocks, halving", 8, 128, _plain_blocks(64, 128, 3)),
    Stage("3 blocks, halving", 4, 256, _plain_blocks(128, 256, 3)),
    Stage("1 block, halving", 2, 256, 10 * weights(1, 1, 256, 256)),  # of its second convolution only the middle does anything
    Stage("mean over all places", 1, 256),
    Stage("dense layer", 1, 128, weights(1, 1, 256, 128)),
)


def _mixed(inputs: int, paths: Sequence[Sequence[tuple[int, int, int]]], outputs: int = 0) -> int:
    """Convolutions side by side: for each path its (rows, columns, outputs); then, with outputs, one of 1 x 1 over all of them."""
    count, together = 0, 0
    for path in paths:
        channels = inputs
        for rows, columns, found in path:
            count += weights(rows, columns, channels, found)
            channels = found
        together += channels
    return count + (weights(1, 1, together, outputs) if outputs else 0)


_STEM = [(3, 3, 32), (3, 3, 32), (3, 3, 64), (1, 1, 80), (3, 3, 192), (3, 3, 256)]
_A = _mixed(256, [[(1, 1, 32)], [(1, 1, 32), (3, 3, 32)], [(1, 1, 32), (3, 3, 32), (3, 3, 32)]], 256)
_TO_B = _mixed(256, [[(3, 3, 384)], [(1, 1, 192), (3, 3, 192), (3, 3, 256)]])
_B = _mixed(896, [[(1, 1, 128)], [(1, 1, 128), (1, 7, 128), (7, 1, 128)]], 896)
_TO_C = _mixed(896, [[(1, 1, 256), (3, 3, 384)], [(1, 1, 256), (3, 3, 256)], [(1, 1, 256), (3, 3, 256), (3, 3, 256)]])
_C = _mixed(1792, [[(1, 1, 192)], [(1, 1, 192), (1, 3, 192), (3, 1, 192)]], 1792)

INCEPTION = (
    Stage("chip", 160, 3),
    Stage("6 convolutions", 17, 256, _mixed(3, [_STEM])),
    Stage("5 blocks A", 17, 256, 5 * _A),
    Stage("reduction", 8, 896, _TO_B),
    Stage("10 blocks B", 8, 896, 10 * _B),
    Stage("reduction", 3, 1792, _TO_C),
    Stage("6 blocks C", 3, 1792, 6 * _C),
    Stage("mean over all places", 1, 1792),
    Stage("dense layer", 1, 128, weights(1, 1, 1792, 128)),
)


def mobilefacenet() -> Figure:
    """The network of the demo, from the chip to the embedding."""
    total = sum(stage.count for stage in MOBILEFACENET)
    return Figure(
        [_column("MobileFaceNet", MOBILEFACENET, 150)],
        "**MobileFaceNet.** The squares show the sides of the maps to scale, from the chip of 112 pixels to a single place. The"
        " bars show how many channels there are. A block is an inverted residual block; *halving* means that the first convolution"
        f" or block has stride 2. The kernels have {total:,} weights in all, and each channel also has a bias.",
    )


def others() -> Figure:
    """The two networks to compare."""
    return Figure(
        [_column("dlib’s ResNet", DLIB, 150), _column("Inception-ResNet-v1", INCEPTION, 160)],
        "**Two larger networks.** dlib’s network consists of residual blocks with two 3 × 3 convolutions each. The blocks of"
        " Inception-ResNet-v1, of three kinds A, B and C, run short chains of convolutions side by side and add their joint result"
        " to the block’s input. A reduction halves the maps. The squares show the sides of the maps, and within each drawing the"
        " bars show how many channels there are.",
    )


def _column(title: str, stages: Sequence[Stage], largest: int) -> Drawing:
    says = ", ".join(f"{stage.name} gives {stage.side} by {stage.side} by {stage.channels}" for stage in stages)
    middle, scale = 58.0, 96 / largest
    widest = max(stage.channels for stage in stages)
    heights = [max(scale * stage.side, 30) + 20 for stage in stages]
    drawing = Drawing(f"{title}: {says}", 340, 34 + sum(heights))
    drawing.text(170, 18, title, anchor="middle", bold=True)
    drawing.text(336, 36, "weights", anchor="end", colour="muted", size=11)
    y = 30.0
    before = 0.0
    for place, (stage, height) in enumerate(zip(stages, heights, strict=True)):
        side = max(scale * stage.side, 2.5)
        centre = y + height / 2
        if place:
            drawing.arrow(middle, before + 3, middle, centre - side / 2 - 3, "muted", head=4)
        drawing.rect(middle - side / 2, centre - side / 2, side, side, "accent", opacity=0.3 if place else 0.12)
        if not place:
            drawing.face(middle, centre, 0.75 * side, stroke="muted", landmarks=True)
        before = centre + side / 2
        drawing.text(120, centre - 5, stage.name)
        long = max(2.0, 70 * stage.channels / widest)
        drawing.rect(120, centre + 4, long, 9, "accent", "none")
        size = f"{stage.side} × {stage.side} × {stage.channels:,}" if stage.side > 1 else f"{stage.channels:,} numbers"
        drawing.text(126 + long, centre + 13, size, colour="muted", size=11)
        if stage.count:
            drawing.text(336, centre - 5, f"{stage.count:,}", anchor="end", size=11)
        y += height
    return drawing


REFERENCE = ((37.7, 50.1), (74.1, 49.9), (56, 70.7), (41.1, 92), (71.2, 91.8))
VIEW, FIRST = 16, 15  # pixels of the chip from the view of one place to the next, and to the middle of the first


def places() -> Figure:
    """How large the trained weights of the global depthwise layer are, place by place."""
    rows = [[float(cell) for cell in row] for row in read_report("network")["tables"]["places"]["rows"]]
    scale, left, top = 1.75, 12.0, 12.0
    drawing = Drawing(
        "Seven by seven squares over a face: the colour is strongest around the nose and weakest at the corners", 340, 232
    )
    for row, values in enumerate(rows):
        for column, share in enumerate(values):
            x, y = (FIRST + VIEW * place - VIEW / 2 for place in (column, row))
            drawing.rect(
                left + scale * x + 0.8,
                top + scale * y + 0.8,
                scale * VIEW - 1.6,
                scale * VIEW - 1.6,
                "accent",
                "none",
                opacity=share,
            )
    drawing.rect(left, top, 112 * scale, 112 * scale)
    for x, y in REFERENCE:
        drawing.circle(left + scale * x, top + scale * y, 4.5, "background")
    shown = [(max(map(max, rows)), "largest"), (rows[3][3], "middle"), (rows[0][0], "top left"), (rows[-1][-1], "bottom right")]
    for place, (share, name) in enumerate(shown):
        y = 40 + 38 * place
        drawing.rect(236, y, 20, 20, "accent", "none", opacity=share)
        drawing.text(264, y + 9, f"{share:.2f}", size=12)
        drawing.text(264, y + 23, name, size=11, colour="muted")
    return Figure(
        [drawing],
        "**Which places count.** The frame is the chip with its five reference landmarks. Each square stands for a place"
        " of the last map, and covers the middle of the part of the chip that the place sees. The stronger the colour, the"
        " larger are the trained weights of the place: the root mean square over the 512 channels, where 1.00 is the largest. Each"
        " channel was first scaled to the same mean square. Every step with stride 2 shifts the parts a little to the right and"
        " down, so some squares reach over the edge.",
    )


MARGIN = 0.2
ANCHOR, POSITIVE = (1.0, 0.0), (0.8, 0.6)
NEGATIVES = (((0.96, 0.28), "hard"), ((0.75, 0.661), "semi-hard"), ((0.0, 1.0), "easy"))


def triplet() -> Figure:
    """A triplet before training and after it, on the unit circle."""
    turn = np.radians(70)
    points = np.array([(np.cos(angle), np.sin(angle)) for angle in (turn, turn + 0.75, turn - 0.45)])
    triplets = np.array([[0, 1, 2]])
    before = points
    while triplet_loss(points, triplets, MARGIN) > 0:
        points = points - 0.02 * triplet_gradient(points, triplets, MARGIN)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return Figure(
        [_triplet("before training", before, pulls=True), _triplet("after training", points, pulls=False)],
        "**What a triplet asks for.** Before training, the stranger’s photo (negative) is closer to the anchor than the second"
        " photo of the same person (positive). Steps against the gradient move all three along the circle. They end when the"
        f" squared distance to the negative exceeds that to the positive by the margin of {MARGIN}.",
    )


def _triplet(title: str, points: NDArray[np.float64], pulls: bool) -> Drawing:
    centre, radius = (158.0, 176.0), 118.0
    near, far = (float(((points[0] - points[i]) ** 2).sum()) for i in (1, 2))
    drawing = Drawing(f"{title}: squared distance {near:.2f} to the positive, {far:.2f} to the negative", 340, 212)
    drawing.text(158, 18, title, anchor="middle", bold=True)
    arc = [(centre[0] + radius * np.cos(t), centre[1] - radius * np.sin(t)) for t in np.radians(np.arange(0, 181, 3))]
    drawing.line(arc, "line")
    places = [(centre[0] + radius * x, centre[1] - radius * y) for x, y in points]
    drawing.line([places[0], places[1]], "good", thick=2)
    drawing.line([places[0], places[2]], "bad", thick=2)
    names: tuple[tuple[str, Colour], ...] = (("anchor", "ink"), ("positive", "good"), ("negative", "bad"))
    for (x, y), (name, colour), point in zip(places, names, points, strict=True):
        drawing.dot(x, y, colour, 6)
        side: Anchor = "end" if name == "positive" else "start"
        drawing.text(x + 12 * point[0] + (-2 if side == "end" else 0), y - 12 * point[1], name, anchor=side, colour=colour)
    if pulls:
        for index, sense in ((1, -1), (2, -1)):
            angle = np.arctan2(points[index, 1], points[index, 0])
            ends = [angle, angle + sense * 0.24]
            (x1, y1), (x2, y2) = ((centre[0] + (radius - 18) * np.cos(t), centre[1] - (radius - 18) * np.sin(t)) for t in ends)
            drawing.arrow(x1, y1, x2, y2, "muted", thick=2)
    loss = max(0.0, near - far + MARGIN)
    drawing.text(158, 204, f"[{near:.2f} − {far:.2f} + {MARGIN}]₊ = {loss:.2f}", anchor="middle")
    return drawing


def negatives() -> Figure:
    """The worked example: three negatives by their distances to the anchor."""
    to_positive = sum((a - b) ** 2 for a, b in zip(ANCHOR, POSITIVE, strict=True))
    unit, x, y = 104.0, 190.0, 108.0
    drawing = Drawing(
        "An anchor in the middle of two circles. The hard negative lies within the inner circle, on which the positive lies; the"
        " semi-hard one between the circles; the easy one outside",
        350,
        232,
    )
    outer, inner = unit * np.sqrt(to_positive + MARGIN), unit * np.sqrt(to_positive)
    drawing.circle(x, y, outer, "accent", "accent", opacity=0.16, dashed=True)
    drawing.circle(x, y, inner, "background", "accent")
    drawing.dot(x, y, "ink", 6)
    drawing.text(x + 11, y + 5, "anchor")
    angle = np.radians(58)
    px, py = x + inner * np.cos(angle), y - inner * np.sin(angle)
    drawing.line([(x, y), (px, py)])
    drawing.dot(px, py, "good", 6)
    drawing.text(px + 14, py - 14, f"positive, {to_positive:.2f}")
    places: dict[str, tuple[float, tuple[float, float], Anchor]] = {
        "hard": (222, (6, 21), "middle"),
        "semi-hard": (-68, (16, 14), "start"),
        "easy": (184, (2, 24), "middle"),
    }
    for point, name in NEGATIVES:
        squared = sum((a - b) ** 2 for a, b in zip(ANCHOR, point, strict=True))
        turned, (across, down), anchor = places[name]
        nx, ny = x + unit * np.sqrt(squared) * np.cos(np.radians(turned)), y - unit * np.sqrt(squared) * np.sin(np.radians(turned))
        drawing.line([(nx - 5, ny - 5), (nx + 5, ny + 5)], "bad", thick=2.5)
        drawing.line([(nx - 5, ny + 5), (nx + 5, ny - 5)], "bad", thick=2.5)
        drawing.text(nx + across, ny + down, f"{name}, {squared:.2f}", anchor=anchor)
    return Figure(
        [drawing],
        "**Three kinds of negatives.** The dot and the crosses lie as far from the anchor as in the worked example, with squared"
        " distances beside them. A hard negative is closer to the anchor than the positive. A semi-hard one lies in the band: it is"
        f" farther away than the positive, but by less than the margin of {MARGIN}. An easy one lies outside and has no loss.",
    )


APART = 60  # degrees between two centres
SHOWN: tuple[tuple[Kind, str, float], ...] = (
    ("softmax", "softmax", 0),
    ("cosface", "CosFace, m = 0.35", 0.35),
    ("arcface", "ArcFace, m = 0.5", 0.5),
)
PHOTO = 25


def held_within(kind: Kind, margin: float) -> float:
    """How many degrees from its own centre a photo may lie, towards another centre APART degrees away, until the two are level."""
    angles = np.radians(np.linspace(0, APART / 2, 60_001))
    own = np.cos(angles + margin) if kind == "arcface" else np.cos(angles) - margin
    level = own >= np.cos(np.radians(APART) - angles)
    return float(np.degrees(angles[level][-1]))


def angular_margin() -> Figure:
    """How far from its own centre a photo may lie, by three losses."""
    limits = [held_within(kind, margin) for kind, _, margin in SHOWN]
    drawings = [_wedge(name, limit) for (_, name, _), limit in zip(SHOWN, limits, strict=True)]
    return Figure(
        drawings,
        f"**What a margin asks for.** Two centres, c₁ and c₂, lie {APART} degrees apart. A photo of the first person on the way to"
        f" c₂ has the higher score for c₁ only in the coloured wedge: within {limits[0]:.0f} degrees of c₁ for softmax,"
        f" {limits[1]:.1f} for CosFace and {limits[2]:.1f} for ArcFace. At {PHOTO} degrees, the photo’s own centre wins for softmax"
        " alone.",
    )


def _wedge(title: str, limit: float) -> Drawing:
    centre, radius, base = (12.0, 164.0), 122.0, 15.0
    drawing = Drawing(f"{title}: the wedge of the first person reaches {limit:.1f} degrees from their centre", 184, 198)

    def at(degrees: float, reach: float = radius) -> tuple[float, float]:
        angle = np.radians(base + degrees)
        return float(centre[0] + reach * np.cos(angle)), float(centre[1] - reach * np.sin(angle))

    drawing.text(92, 16, title, anchor="middle", bold=True)
    drawing.line([centre, *(at(angle) for angle in np.linspace(0, limit, 30))], "none", fill="accent", opacity=0.3, closed=True)
    drawing.line([at(angle) for angle in np.linspace(-12, APART + 12, 50)], "line")
    for degrees, name in ((0.0, "c₁"), (float(APART), "c₂")):
        drawing.line([centre, at(degrees)])
        drawing.dot(*at(degrees), "ink", 6)
        x, y = at(degrees, radius + 16)
        drawing.text(x, y + 5, name, anchor="middle")
    drawing.line([centre, at(limit)], "accent", dashed=True)
    drawing.dot(*at(PHOTO), "good" if limit > PHOTO else "bad", 6)
    x, y = at(PHOTO, radius + 12)
    drawing.text(x, y + 5, "photo")
    drawing.text(92, 192, f"within {limit:.0f}°" if limit > 20 else f"within {limit:.1f}°", anchor="middle", size=12)
    return drawing
