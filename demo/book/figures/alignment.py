"""Figures of the chapter on face alignment. Their transforms are those of facelab.align."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from facelab.align import apply_transform, fit_similarity

from . import Figure
from .drawing import Colour, Drawing

Points = NDArray[np.floating]
Map = Callable[[Points], Points]

CHIP = 112
# MobileFaceNet's, as the demo uses them; and the landmarks of the chapter's worked example.
REFERENCE = np.array([(37.76, 50.09), (74.06, 49.89), (56.03, 70.73), (41.11, 91.98), (71.17, 91.81)])
LANDMARKS = np.array([(230.0, 190), (318, 222), (258, 262), (202, 284), (281, 313)])

# A drawn head about its own middle, 100 units high, and its five landmarks.
OWN_LANDMARKS = np.array([(-15.0, -8), (15, -8), (0, 11), (-13, 28), (13, 28)])
OUTLINE = [(-38, -16), (-38, -66), (38, -66), (38, -16), (38, 16), (20, 50), (0, 50), (-20, 50), (-38, 16), (-38, -16)]
HAIR = [(-36, -24), (-20, -24), (4, -32), (10, -46), (16, -32), (28, -26), (36, -24)]
EYES = [[(x, -8), (x + 4, -14), (x + 12, -14), (x + 16, -8), (x + 12, -4), (x + 4, -4), (x, -8)] for x in (-23, 7)]
BROWS = [[(-26, -16), (-20, -21), (-12, -20), (-7, -17)], [(7, -17), (12, -20), (20, -21), (26, -16)]]
NOSE = [(-3, -6), (-5, 4), (-10, 12), (0, 13), (3, 13.5), (5, 12), (6, 10)]
MOUTH = [(-13, 28), (-6, 32), (6, 32), (13, 28), (6, 25), (-6, 25), (-13, 28)]


def _curve(p: Points) -> Points:
    """Points along cubic Bézier curves, one after the other: [N, 2]. p: their control points, [3 K + 1, 2]."""
    t = np.linspace(0, 1, 17)[:, None]
    pieces = [
        (1 - t) ** 3 * p[i] + 3 * t * (1 - t) ** 2 * p[i + 1] + 3 * t**2 * (1 - t) * p[i + 2] + t**3 * p[i + 3]
        for i in range(0, len(p) - 1, 3)
    ]
    return np.concatenate(pieces)


HEAD = [_curve(np.array(part, float)) for part in (OUTLINE, HAIR, *EYES, *BROWS, NOSE, MOUTH)]


def _draw(
    pen: Drawing,
    lines: Sequence[Points],
    place: Map,
    window: tuple[float, float, float, float] | None = None,
    stroke: Colour = "ink",
) -> None:
    """A head, moved, and cut off at a window x1 y1 x2 y2."""
    for line in lines:
        run: list[tuple[float, float]] = []
        for x, y in place(line if window is None else _densely(line)).round(1).tolist():
            if window is None or (window[0] <= x <= window[2] and window[1] <= y <= window[3]):
                run.append((x, y))
            elif run:
                pen.line(run, stroke)
                run = []
        if len(run) > 1:
            pen.line(run, stroke)


def _densely(points: Points) -> Points:
    """Twice as many points along a line."""
    dense: Points = np.insert(points, np.arange(1, len(points)), (points[1:] + points[:-1]) / 2, axis=0)
    return dense


def _by(transform: NDArray[np.floating]) -> Map:
    return lambda points: apply_transform(transform, points)


def _then(transform: NDArray[np.floating], scale: float, x: float, y: float) -> Map:
    """A transform, its result enlarged and moved to where it stands in the drawing."""
    return lambda points: apply_transform(transform, points) * scale + (x, y)


def _turn(degrees: float, scale: float, x: float, y: float) -> NDArray[np.float64]:
    a = scale * np.exp(1j * np.radians(degrees))
    return np.array([[a.real, -a.imag, x], [a.imag, a.real, y]])


def _dots(pen: Drawing, points: Points, colour: Colour = "accent", radius: float = 4) -> None:
    for x, y in points.tolist():
        pen.dot(x, y, colour, radius)


def before_and_after() -> Figure:
    """A tilted face in a photo, cut by its box, and cut after alignment."""
    tilted = _turn(24, 0.9, 86, 84)
    landmarks = apply_transform(tilted, OWN_LANDMARKS)
    outline = apply_transform(tilted, HEAD[0])
    (x1, y1), (x2, y2) = outline.min(axis=0), outline.max(axis=0)
    photo = Drawing(
        "A photo with a tilted face: a dashed box around it, and five dots on eyes, nose and corners of the mouth", 176, 196
    )
    photo.rect(2, 2, 172, 166, "surface", "muted")
    _draw(photo, [np.array([(45.0, 168), (60, 140), (76, 128)]), np.array([(100.0, 118), (130, 134), (152, 168)])], lambda p: p)
    _draw(photo, HEAD, _by(tilted))
    photo.rect(x1, y1, x2 - x1, y2 - y1, stroke="warn", dashed=True)
    _dots(photo, landmarks)
    photo.text(88, 188, "the photo", anchor="middle", colour="muted", size=12)
    side = max(x2 - x1, y2 - y1)
    by_box = Drawing("The chip cut by the box: the face is tilted in it", 176, 196)
    aligned = Drawing("The chip after alignment: the face is upright, its landmarks on the five reference landmarks", 176, 196)
    scale = 166 / side
    cut = np.array([[scale, 0, 5 - scale * ((x1 + x2) - side) / 2], [0, scale, 2 - scale * ((y1 + y2) - side) / 2]])
    fitted = fit_similarity(landmarks, REFERENCE)
    shown = 166 / (CHIP - 1)
    for pen, place, words in (
        (by_box, _by(cut), "cut by the box"),
        (aligned, _then(fitted, shown, 5, 2), "turned, scaled, shifted"),
    ):
        pen.rect(5, 2, 166, 166, "surface", "muted")
        _draw(pen, [apply_transform(tilted, line) for line in HEAD], place, (5, 2, 171, 168))
        for x, y in (REFERENCE * shown + (5, 2)).tolist():
            pen.circle(x, y, 6.5, stroke="good", thick=1.5)
        _dots(pen, place(landmarks))
        pen.text(88, 188, words, anchor="middle", colour="muted", size=12)
    return Figure(
        [photo, by_box, aligned],
        "**Before and after.** A tilted face in a photo, with its box and its five landmarks (dots). In the chip cut by the "
        "box, the landmarks lie far from the reference landmarks (rings). In the aligned chip, each dot lies in or near its "
        "ring.",
    )


def reference_landmarks() -> Figure:
    """The five places in the chip."""
    pen = Drawing("A square of 112 by 112 pixels with the five reference landmarks and their coordinates", 300, 296)
    scale, left, top = 2.15, 34.0, 30.0
    place = _then(fit_similarity(OWN_LANDMARKS, REFERENCE), scale, left, top)
    side = scale * CHIP
    pen.rect(left, top, side, side, "surface", "muted")
    _draw(pen, HEAD, place, (left, top, left + side, top + side), "line")
    for (x, y), words, anchor, dx, dy in zip(
        REFERENCE.tolist(),
        ("37.8, 50.1", "74.1, 49.9", "56.0, 70.7", "41.1, 92.0", "71.2, 91.8"),
        ("end", "start", "start", "end", "start"),
        (-10, 10, 12, -10, 10),
        (-12, -12, 4, 20, 20),
        strict=True,
    ):
        at = (left + scale * x, top + scale * y)
        pen.dot(*at, "accent", 5)
        pen.text(at[0] + dx, at[1] + dy, words, anchor=anchor, size=13)  # type: ignore[arg-type]
    pen.arrow(left, top - 9, left + 50, top - 9, "muted", thick=1)
    pen.text(left + 56, top - 5, "x", colour="muted", size=12)
    pen.arrow(left - 9, top, left - 9, top + 50, "muted", thick=1)
    pen.text(left - 14, top + 66, "y", colour="muted", size=12)
    pen.text(left - 16, top - 6, "0, 0", anchor="middle", colour="muted", size=12)
    pen.text(left + side / 2, top + side + 18, "112 × 112 pixels", anchor="middle", colour="muted", size=12)
    return Figure(
        [pen],
        "**The five reference landmarks.** The places in MobileFaceNet’s chip where the eyes, the nose and the corners of the"
        " mouth should lie: x and y in pixels from the top left. The eyes are about 36 pixels apart, and forehead and chin "
        "reach to the edge.",
    )


def families() -> Figure:
    """What each family of transforms may do to a face."""

    def perspective(points: Points) -> Points:
        depth = 1 + 0.0045 * points[:, :1] + 0.0015 * points[:, 1:]
        moved: Points = points @ np.array([[0.85, 0.05], [-0.05, 0.85]]) / depth + (-3, 9)
        return moved

    shown: tuple[tuple[str, str, Map], ...] = (
        ("as it is", "", _by(_turn(0, 1, 0, 0))),
        ("similarity", "4 numbers", _by(_turn(-20, 0.82, 2, 4))),
        ("affine", "6 numbers", _by(np.array([[1.1, 0.32, 0], [0.05, 0.75, 0]]))),
        ("homography", "8 numbers", perspective),
    )
    square = [(-44.0, -58.0), (44, -58), (44, 56), (-44, 56), (-44, -58)]
    edges = np.concatenate([np.linspace(a, b, 9) for a, b in itertools.pairwise(square)])
    drawings = []
    for pair in (shown[:2], shown[2:]):
        pen = Drawing(f"A square with a face, {pair[0][0]}; and the same, {pair[1][0]}", 260, 160)
        for (name, numbers, move), middle in zip(pair, (62.0, 194.0), strict=True):

            def place(points: Points, move: Map = move, middle: float = middle) -> Points:
                moved: Points = 0.9 * move(points) + np.array([middle, 60])
                return moved

            pen.line([(x, y) for x, y in place(edges).tolist()], "muted", fill="surface", closed=True, thick=1)
            _draw(pen, HEAD, place)
            pen.text(middle, 139, name, anchor="middle", size=13, bold=True)
            if numbers:
                pen.text(middle, 155, numbers, anchor="middle", colour="muted", size=12)
        drawings.append(pen)
    return Figure(
        drawings,
        "**Families of transforms.** A similarity turns, scales and shifts: all angles stay. An affine transform may stretch "
        "and shear: parallel lines stay parallel, but a face gets wider or leans. With a homography, parallel lines may also "
        "converge, as in perspective.",
    )


def turning() -> Figure:
    """A complex number that turns and shrinks an arrow."""
    left, right = (
        Drawing("In the photo: an arrow from one eye to the other, leaning by 20 degrees", 176, 150),
        Drawing("After multiplication: the arrow is level, and 0.40 times as long", 176, 150),
    )
    u = complex(*(LANDMARKS[1] - LANDMARKS[0]))
    z, t = LANDMARKS @ (1, 1j), REFERENCE @ (1, 1j)
    a = np.vdot(z - z.mean(), t - t.mean()) / np.vdot(z - z.mean(), z - z.mean()).real
    for pen, arrow, words, colour in (
        (left, u, "88 + 32i", "muted"),
        (right, a * u, f"{(a * u).real:.1f} + 0i", "accent"),
    ):
        x, y = 30.0, 60.0
        pen.line([(x, y), (x + 130, y)], "line", thick=1)
        pen.arrow(x, y, x + 1.3 * arrow.real, y + 1.3 * arrow.imag, colour, thick=2.5, head=8)  # type: ignore[arg-type]
        pen.dot(x, y, colour, 4)  # type: ignore[arg-type]
        pen.text(88, 20, words, anchor="middle")
    angle = np.linspace(0, np.angle(u), 9)
    left.line([(30 + 60 * float(np.cos(w)), 60 + 60 * float(np.sin(w))) for w in angle], "muted", thick=1)
    left.text(98, 77, "20°", colour="muted", size=12)
    left.text(88, 140, "in the photo", anchor="middle", colour="muted", size=12)
    right.text(88, 140, "times a = 0.377 − 0.137i", anchor="middle", colour="muted", size=12)
    return Figure(
        [left, right],
        "**A complex number turns and scales.** The arrow from eye to eye in the worked example below, as a complex number. "
        "Multiplying it by *a* turns it by −20.0°, the angle of *a*, and makes it 0.401 times as long, the length of *a*.",
    )


def fit() -> Figure:
    """The worked example: where the landmarks come to lie, and what is left."""
    landed = apply_transform(fit_similarity(LANDMARKS, REFERENCE), LANDMARKS)
    scale, left, top = 3.0, 8.0, 8.0
    window = np.array([(22.0, 36), (90, 104)])
    pen = Drawing("Five rings, the reference landmarks, and five dots, the transformed landmarks, joined by short lines", 270, 250)
    pen.rect(left, top, scale * 68, scale * 68, "surface", "muted")
    names = ("eye", "eye", "nose", "mouth", "mouth")
    for (x, y), (u, v), name in zip(REFERENCE.tolist(), landed.tolist(), names, strict=True):
        ring = (left + scale * (x - window[0][0]), top + scale * (y - window[0][1]))
        dot = (left + scale * (u - window[0][0]), top + scale * (v - window[0][1]))
        miss = float(np.hypot(u - x, v - y))
        pen.line([ring, dot], "bad", thick=2)
        pen.circle(*ring, 6, stroke="good", thick=2)
        pen.dot(*dot, "accent", 4)
        pen.text(ring[0], min(ring[1], dot[1]) - 12, f"{name}, {miss:.1f}", anchor="middle", size=12)
    pen.circle(20, 234, 6, stroke="good", thick=2)
    pen.text(32, 238, "reference", size=12)
    pen.dot(112, 234, "accent", 4)
    pen.text(122, 238, "transformed", size=12)
    pen.line([(202, 234), (218, 234)], "bad", thick=2)
    pen.text(224, 238, "error", size=12)
    return Figure(
        [pen],
        "**The best fit.** The middle of the chip, enlarged: the worked example’s landmarks after the best similarity, and "
        "the reference landmarks. Each line is an error, with its length in pixels; no other turn, scale and shift makes the "
        "sum of their squares smaller.",
    )


def bilinear() -> Figure:
    """Four pixels, a place between them, and the areas that weigh them."""
    pen = Drawing("Four pixels with the values 100, 200, 60 and 140, and a place between them that gets 107", 300, 216)
    left, top, side = 56.0, 34.0, 140.0
    across, down = 0.25, 0.4
    x, y = left + across * side, top + down * side
    areas: tuple[tuple[float, float, float, float, Colour], ...] = (
        (left, top, x - left, y - top, "warn"),
        (x, top, left + side - x, y - top, "bad"),
        (left, y, x - left, top + side - y, "good"),
        (x, y, left + side - x, top + side - y, "accent"),
    )
    corners = ((left + side, top + side), (left, top + side), (left + side, top), (left, top))
    values, shares = (140, 60, 200, 100), (0.1, 0.3, 0.15, 0.45)
    for ax, ay, width, height, colour in areas:
        pen.rect(ax, ay, width, height, colour, "line", opacity=0.3, thick=1)
    for (*_, colour), (cx, cy), value, share in zip(areas, corners, values, shares, strict=True):
        pen.dot(cx, cy, colour, 8)
        right = cx > left
        pen.text(cx + (14 if right else -14), cy - 2, str(value), anchor="start" if right else "end", bold=True)
        pen.text(
            cx + (14 if right else -14), cy + 13, f"× {share:.2f}", anchor="start" if right else "end", colour="muted", size=12
        )
    pen.dot(x, y, "ink", 5)
    pen.text(x + 10, y + 16, "107", bold=True)
    pen.text(left + across * side / 2, top - 8, "0.25", anchor="middle", colour="muted", size=12)
    pen.text(left + (1 + across) * side / 2, top - 8, "0.75", anchor="middle", colour="muted", size=12)
    pen.text(left + side / 2, 208, "45 + 30 + 18 + 14 = 107", anchor="middle", size=13)
    return Figure(
        [pen],
        "**A bilinear cell.** A place between four pixels, a quarter of the way to the right and four tenths of the way down."
        " The weight of a pixel is the area of the rectangle in its colour, which lies opposite: the nearer the pixel, the "
        "larger this area.",
    )


def shrink_then_warp() -> Figure:
    """What a chip pixel reads of a large photo, and what that does to fine texture."""
    grid = Drawing("One hundred photo pixels stand behind one chip pixel: bilinear interpolation reads four of them", 176, 200)
    for i in range(10):
        for j in range(10):
            read = i in (4, 5) and j in (4, 5)
            grid.rect(8 + 16 * i, 8 + 16 * j, 15, 15, "accent" if read else "surface", "line", thick=0.75)
    grid.dot(88, 88, "ink", 3.5)
    grid.text(88, 192, "read: 4 of 100", anchor="middle", colour="muted", size=12)
    fine = 224
    y, x = np.mgrid[:fine, :fine].astype(float)
    skin = 0.5 + 0.5 * np.cos(2 * np.pi * (0.97 * x + 0.31 * y) / 8.6 + 2 * np.sin(y / 40))
    rows = np.arange(28) * 8 + 3.5

    def sampled(values: Points, at: Points) -> Points:
        low = np.floor(at).astype(int)
        share = (at - low)[:, None]
        by_row = values[low] * (1 - share) + values[low + 1] * share
        both: Points = by_row[:, low] * (1 - share[:, 0]) + by_row[:, low + 1] * share[:, 0]
        return both

    averaged = skin.reshape(28, 8, 28, 8).mean(axis=(1, 3))
    drawings = [grid]
    for values, words, title in (
        (
            sampled(skin, rows),
            "warped at once",
            "A chip of fine lines that was sampled at once: coarse stripes that are not in the photo",
        ),
        (averaged, "shrunk, then warped", "The same chip after shrinking by averages: nearly even grey"),
    ):
        pen = Drawing(title, 176, 200)
        pen.picture(8, 8, 160, 160, values)
        pen.text(88, 192, words, anchor="middle", colour="muted", size=12)
        drawings.append(pen)
    return Figure(
        drawings,
        "**Shrink first.** Where a face is ten times too large, a bilinear warp reads 4 of the 100 photo pixels behind a chip"
        " pixel. Fine lines that are warped at once come out as coarse stripes. Shrunk by averaging first, they fade to grey.",
    )
