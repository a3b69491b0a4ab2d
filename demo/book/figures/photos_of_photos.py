"""Figures of the chapter on photos of photos."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from . import Figure
from .drawing import Colour, Drawing

Floats = NDArray[np.float64]


def attacks() -> Figure:
    """A living face, a print, a screen and a mask, each before a camera."""
    pen = Drawing("A camera looks at a living face, at a print, at a screen, and at a mask.", 340, 304)
    cells: list[tuple[str, str, Callable[[float, float], None]]] = [
        ("Nobody attacks", "a living face", lambda x, y: pen.face(x, y, 74)),
        ("Print", "paper, perhaps cut out", lambda x, y: _print(pen, x, y)),
        ("Replay", "a screen, still or video", lambda x, y: _screen(pen, x, y)),
        ("Mask", "paper, resin or silicone", lambda x, y: _mask(pen, x, y)),
    ]
    for i, (name, what, draw) in enumerate(cells):
        x, y = 170 * (i % 2), 152 * (i // 2)
        pen.rect(x + 3, y + 3, 164, 146, "surface", "line", radius=6, thick=1)
        _camera(pen, x + 32, y + 56)
        draw(x + 106, y + 56)
        pen.text(x + 85, y + 119, name, anchor="middle", bold=True, colour="good" if i == 0 else "bad")
        pen.text(x + 85, y + 138, what, anchor="middle", size=12, colour="muted")
    return Figure(
        [pen],
        "**What stands before the camera.** A presentation attack shows the camera something other than one’s own bare "
        "face. Each camera records a grid of pixels, and in all four grids there is a face.",
    )


def _camera(pen: Drawing, x: float, y: float) -> None:
    pen.rect(x - 17, y - 13, 26, 26, "background", radius=4)
    pen.circle(x - 4, y, 7)
    pen.line([(x + 9, y - 7), (x + 18, y - 12), (x + 18, y + 12), (x + 9, y + 7)], closed=True)


def _print(pen: Drawing, x: float, y: float) -> None:
    pen.line([(x - 32, y - 42), (x + 24, y - 46), (x + 32, y + 42), (x - 24, y + 46)], "ink", fill="background", closed=True)
    pen.face(x, y, 62, stroke="muted", tilt=-4)


def _screen(pen: Drawing, x: float, y: float) -> None:
    pen.rect(x - 30, y - 48, 60, 96, "background", radius=8, thick=2.5)
    pen.face(x, y - 2, 60, stroke="muted")
    for row in range(11):
        pen.line([(x - 26, y - 40 + 7.6 * row), (x + 26, y - 40 + 7.6 * row)], "line", thick=0.7)
    pen.line([(x - 8, y + 43), (x + 8, y + 43)], thick=1.5)


def _mask(pen: Drawing, x: float, y: float) -> None:
    pen.face(x + 9, y - 2, 84, stroke="muted")
    pen.ellipse(x - 5, y, 29, 38, "background", "bad", thick=2.2)
    pen.ellipse(x - 17, y - 8, 6, 4, "none", "bad")
    pen.ellipse(x + 6, y - 8, 6, 4, "none", "bad")
    pen.path(f"M{x - 17} {y + 18}q12 8 24 0", "bad")
    pen.line([(x + 23, y - 14), (x + 43, y - 20)], "bad", thick=1)


def pad_errors() -> Figure:
    """Scores of living faces, prints and masks, with a limit between them."""
    pen = Drawing("Three bell curves of scores: living faces to the left, prints far to the right, masks in between.", 350, 214)
    left, right, floor, high = 14.0, 336.0, 152.0, 118.0
    place = np.linspace(-3, 9, 200)
    limit = 1.9
    curves: list[tuple[str, float, float, Colour]] = [
        ("living faces", 0, 1, "good"), ("masks", 2.3, 1.1, "warn"), ("prints", 5.6, 1.1, "bad"),
    ]  # fmt: skip

    def x_of(value: float) -> float:
        return left + (value + 3) / 12 * (right - left)

    for name, mean, spread, colour in curves:
        height = np.exp(-0.5 * ((place - mean) / spread) ** 2) / spread
        points = [(x_of(p), floor - high * h) for p, h in zip(place, height, strict=True)]
        wrong = place >= limit if mean == 0 else place <= limit
        area = [point for point, is_wrong in zip(points, wrong, strict=True) if is_wrong]
        pen.line([(area[0][0], floor), *area, (area[-1][0], floor)], "none", fill=colour, opacity=0.45, closed=True)
        pen.line(points, colour, thick=2)
        beside = 0.75 if name == "masks" else 0  # the limit would cross the word
        pen.text(x_of(mean + beside), floor - high / spread - 8, name, anchor="middle", size=12, colour=colour)
    pen.line([(left, floor), (right, floor)])
    pen.line([(x_of(limit), 10), (x_of(limit), floor + 6)], dashed=True)
    pen.text(x_of(limit) - 6, floor + 20, "passes", anchor="end", size=12)
    pen.text(x_of(limit) + 6, floor + 20, "stopped as an attack", size=12)
    pen.arrow(left, 196, right, 196, "muted")
    pen.text(175, 190, "score: how much it looks like an attack", anchor="middle", size=11, colour="muted")
    return Figure(
        [pen],
        "**Two errors of a detector of attacks.** Right of the dashed limit, the small green area is the BPCER: living faces "
        "that are stopped. Left of the limit lie the APCERs, one for each kind of attack: here many masks pass and hardly any "
        "print. The curves are invented.",
    )


def moire() -> Figure:
    """Two gratings over each other, and a fine wave that is sampled once a pixel."""
    beats = Drawing("Two sets of upright lines, 50 and 56 across the same width, and both together with six dark bands.", 350, 214)
    for y, several, name in (
        (8, (50,), "50 lines: the pixels of a screen"),
        (76, (56,), "56 lines: the pixels of a camera"),
        (144, (50, 56), "both: 56 − 50 = 6 bands"),
    ):
        for count in several:
            step = 330 / count
            for i in range(count):
                beats.rect(10 + i * step, y, 0.5 * step, 40, "ink", "none")
        beats.text(175, y + 56, name, anchor="middle", size=12, colour="accent" if len(several) > 1 else "ink")
    pitch = 1.25
    waves = Drawing("A fine wave is looked at once a pixel; the dots lie on a wave four times as long.", 350, 214)
    x = np.linspace(0, 15, 600)
    step = 21.0

    def points(of_place: Floats, period: float, middle: float) -> list[tuple[float, float]]:
        return [(14 + step * a, middle - 34 * np.cos(2 * np.pi * a / period)) for a in of_place]

    waves.text(175, 16, f"light of the screen: a wave every {pitch} pixels", anchor="middle", size=12, colour="muted")
    waves.line(points(x, pitch, 64), "muted", thick=1.2)
    for a, b in points(np.arange(16.0), pitch, 64):
        waves.line([(a, 26), (a, 188)], "line", thick=0.8)
        waves.dot(a, b, "accent", 3.5)
    period = 1 / abs(1 / pitch - 1)
    waves.line(points(x, period, 152), "accent", thick=2)
    for a, b in points(np.arange(16.0), period, 152):
        waves.dot(a, b, "accent", 3.5)
    waves.text(175, 206, f"what the camera stores: a wave every {period:g} pixels", anchor="middle", size=12, colour="accent")
    return Figure(
        [beats, waves],
        "**Where moiré comes from.** Dark stripes: two fine gratings that differ a little make coarse bands, which are in "
        "neither. Waves: the screen’s light (grey) varies faster than the camera’s pixels follow. Each pixel stores one dot, "
        "and the dots lie on a longer wave.",
    )


def depth() -> Figure:
    """A head and a photo of it, seen from straight ahead and from the side."""
    return Figure(
        [_two_views("A head", 3.0, "good"), _two_views("A photo of it", 0.0, "bad")],
        "**What depth does, seen from above.** The camera moves by 25 degrees about the face. The nose of a head stands "
        "out, so it moves towards one eye in the picture; on a photo it stays nearly midway. A single picture, from one place, "
        "cannot show the difference.",
    )


def _two_views(title: str, nose: float, colour: Colour) -> Drawing:
    """Seen from above, in centimetres: the eyes 6.4 apart, the tip of the nose so far before them, the camera 22 away."""
    pen = Drawing(f"{title} from above, with two cameras, and where each sees the nose between the eyes.", 340, 268)
    scale, middle, top = 6.2, 170.0, 52.0
    points = np.array([[-3.2, 0.0], [3.2, 0.0], [0.0, nose]])
    pen.text(170, 16, title, anchor="middle", bold=True, colour=colour)
    if nose:
        pen.ellipse(middle, top - 6, 7.4 * scale, 20, "surface", "muted")
    else:
        pen.line([(middle - 7.4 * scale, top), (middle + 7.4 * scale, top)], "ink", thick=3)
    for view, degrees in enumerate((0.0, 25.0)):
        angle = np.radians(degrees)
        camera = 22 * np.array([np.sin(angle), np.cos(angle)])
        x, y = middle + scale * camera[0], top + scale * camera[1]
        for a, b in points:
            pen.line([(x, y), (middle + scale * a, top + scale * b)], "accent" if view else "muted", thick=0.9, dashed=bool(view))
        pen.circle(x, y, 9, "background", "accent" if view else "muted", thick=2)
        pen.text(x, y + 4, str(view + 1), anchor="middle", size=11)
        toward, across = -camera / 22, np.array([np.cos(angle), -np.sin(angle)])
        away = points - camera
        seen = (away @ across) / (away @ toward)
        share = (seen[2] - seen[0]) / (seen[1] - seen[0])
        left, right, row = 44.0, 214.0, 226 + 28.0 * view
        pen.text(14, row + 4, str(view + 1), size=12, bold=True)
        pen.line([(left, row), (right, row)], "line")
        for end in (left, right):
            pen.circle(end, row, 6, "background")
        pen.dot(left + share * (right - left), row, colour, 5)
        pen.text(right + 16, row + 4, f"nose at {100 * share:.0f} %", size=12, colour=colour)
    for (a, b), name in zip(points, ("eye", "eye", "nose"), strict=True):
        pen.dot(middle + scale * a, top + scale * b, colour if name == "nose" else "ink", 4.5)
    return pen


def morph() -> Figure:
    """Two strangers on the unit circle, and a point half-way."""
    from ..results import read_report  # not at the top: it imports the figures

    limit = float(read_report("whom")["values"]["good same_below"])
    pen = Drawing("A circle with two people a right angle apart, and a mixed face half-way between them.", 350, 250)
    x0, y0, r = 175.0, 212.0, 146.0

    def place(degrees: float, radius: float = r) -> tuple[float, float]:
        return x0 + radius * np.cos(np.radians(degrees)), y0 - radius * np.sin(np.radians(degrees))

    reach = float(np.degrees(2 * np.arcsin(limit / 2)))
    a, b = 45.0, 135.0
    for centre, colour, radius in ((a, "accent", r + 12), (b, "warn", r + 20)):
        arc = [place(d, radius) for d in np.linspace(max(centre - reach, 0), min(centre + reach, 180), 60)]
        pen.line(arc, colour, thick=5)  # type: ignore[arg-type]
    pen.line([place(d) for d in np.linspace(0, 180, 120)], "muted")
    strangers, mixed = 2 * np.sin(np.radians(90) / 2), 2 * np.sin(np.radians(45) / 2)
    for angle in (a, b, 90.0):
        pen.arrow(x0, y0, *place(angle, r - 5), "ink", thick=1.2)
    pen.line([place(a), place(b)], "bad", thick=2, dashed=True)
    pen.line([place(a), place(90), place(b)], "good", thick=2)
    for angle, colour in ((a, "accent"), (b, "warn"), (90.0, "good")):
        pen.dot(*place(angle), colour, 6)  # type: ignore[arg-type]
    pen.text(place(a)[0], place(a)[1] + 38, "Anna", anchor="middle", bold=True, colour="accent")
    pen.text(place(b)[0], place(b)[1] + 38, "Ben", anchor="middle", bold=True, colour="warn")
    pen.text(x0, 24, "the mixed face", anchor="middle", bold=True, colour="good")
    pen.text(x0 + 31, y0 - 112, f"{mixed:.2f}", anchor="middle", colour="good")
    pen.text(x0 - 31, y0 - 112, f"{mixed:.2f}", anchor="middle", colour="good")
    pen.text(x0 + 44, y0 - 84, f"{strangers:.2f}", anchor="middle", colour="bad")
    pen.text(x0, 240, f"thick arcs: closer than {limit:.2f}, called “same”", anchor="middle", size=12, colour="muted")
    return Figure(
        [pen],
        "**One face for two people.** Anna and Ben are strangers: a right angle, and a distance of 1.41. Half-way between "
        "them lies a point that is 0.77 from both. The thick arcs are the places called *same* as Anna and as Ben, and "
        "they overlap there.",
    )


def still() -> Figure:
    """What follows from a trace of a screen or a print in a still photo, and from none."""
    pen = Drawing("A still photo either shows a trace, which is a reason to ask, or none, which proves nothing.", 350, 330)
    _box(pen, 85, 6, 180, ["One still photo"], "ink", bold=True)
    pen.arrow(175, 38, 175, 58)
    _box(pen, 55, 60, 240, ["Is there a trace: a grid, a frame,", "a reflection, a paper’s edge?"], "ink")
    pen.arrow(110, 110, 82, 146)
    pen.arrow(240, 110, 268, 146)
    pen.text(78, 132, "yes", anchor="end", size=12)
    pen.text(272, 132, "no", size=12)
    _box(pen, 6, 148, 160, ["A reason to ask.", "Not proof: cloth and", "blinds have grids, too."], "warn")
    _box(pen, 184, 148, 160, ["Proves nothing.", "A blur or a resize", "takes traces away."], "bad")
    pen.arrow(86, 216, 118, 248)
    pen.arrow(264, 216, 232, 248)
    _box(
        pen,
        40,
        250,
        270,
        ["Ask for what a still does not hold:", "a second moment, depth, a challenge,", "or a person who was in the room."],
        "good",
    )
    return Figure(
        [pen],
        "**What a still photo can tell.** A trace is a reason to ask, and no trace proves nothing. So both branches lead to "
        "evidence from outside the picture.",
    )


def _box(pen: Drawing, x: float, y: float, width: float, words: list[str], colour: Colour, *, bold: bool = False) -> None:
    height = 16 * len(words) + 16
    pen.rect(x, y, width, height, "surface", colour, radius=5)
    for i, line in enumerate(words):
        pen.text(x + width / 2, y + 20 + 16 * i, line, anchor="middle", size=12, bold=bold or (i == 0 and len(words) > 2))
