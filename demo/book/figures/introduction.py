"""Figures of the introduction: four questions, strangers in a growing gallery, eigenfaces, a timeline, and what LFW hides."""

from __future__ import annotations

import numpy as np

from facelab.labs.introduction import FARTHEST_LAMP, FARTHEST_TURN, draw_faces, find_directions, show_direction

from ..results import read_report
from . import Figure
from .drawing import Anchor, Colour, Drawing

LFW_PAIRS = 6000
ERRORS = [("Eigenfaces, 1991", 60.02), ("DeepFace, 2014", 97.35), ("FaceNet, 2015", 99.63), ("ArcFace, 2019", 99.83)]


def four_questions() -> Figure:
    """What goes into each question, and what comes out of it."""
    one = Drawing("Detection puts boxes around three faces. Verification asks of two faces whether they show one person.", 350, 152)
    _detect(one, 0)
    _verify(one, 180)
    many = Drawing(
        "Identification compares a face with three enrolled people. Clustering sorts six faces into two groups.", 350, 152
    )
    _identify(many, 0)
    _cluster(many, 180)
    return Figure(
        [one, many],
        "**Four tasks and their answers.** Verification compares one pair of faces (1 : 1). Identification compares one face with "
        "all N people enrolled (1 : N).",
    )


def _detect(d: Drawing, left: float) -> None:
    d.text(left + 8, 18, "Detection", bold=True)
    d.rect(left + 8, 28, 154, 80, "surface", "line")
    for x, y, height in ((40, 66, 44), (86, 72, 38), (130, 62, 48)):
        d.face(left + x, y, height, stroke="muted")
        d.rect(left + x - height * 0.45, y - height * 0.62, height * 0.9, height * 1.2, stroke="accent", thick=2)
    d.lines(left + 85, 126, ["three boxes,", "no names"], anchor="middle", colour="muted", size=12)


def _verify(d: Drawing, left: float) -> None:
    d.text(left + 8, 18, "Verification, 1 : 1", bold=True)
    for x, tilt in ((42, 0), (128, 8)):
        d.rect(left + x - 30, 30, 60, 74, "surface", "line")
        d.face(left + x, 68, 56, tilt=tilt)
    d.arrow(left + 74, 60, left + 96, 60, "accent")
    d.arrow(left + 96, 72, left + 74, 72, "accent")
    d.lines(left + 85, 126, ["same person,", "different, or unsure"], anchor="middle", colour="muted", size=12)


def _identify(d: Drawing, left: float) -> None:
    d.text(left + 8, 18, "Identification, 1 : N", bold=True)
    d.face(left + 32, 66, 54)
    for i, name in enumerate(("Ada", "Ben", "Cleo")):
        y, own = 42 + 27 * i, name == "Ben"
        d.line([(left + 58, 66), (left + 98, y)], "good" if own else "line", thick=2.5 if own else 1.5)
        d.face(left + 112, y, 22, stroke="good" if own else "muted")
        d.text(left + 128, y + 4, name, size=12, colour="good" if own else "muted")
    d.lines(left + 85, 126, ["one of N names,", "or unknown"], anchor="middle", colour="muted", size=12)


def _cluster(d: Drawing, left: float) -> None:
    d.text(left + 8, 18, "Clustering", bold=True)
    groups: list[tuple[float, Colour]] = [(45, "accent"), (123, "warn")]
    for x, colour in groups:
        d.ellipse(left + x, 68, 36, 39, "surface", colour)
        for across, down in ((-14, -10), (14, -8), (0, 18)):
            d.face(left + x + across, 66 + down, 26, stroke=colour)
    d.lines(left + 85, 126, ["groups of photos,", "no names"], anchor="middle", colour="muted", size=12)


def stranger_passes() -> Figure:
    """The curve 1 - (1 - p)^N for three rates p, computed."""
    d = Drawing(
        "How likely a stranger passes for somebody enrolled, against the number of people enrolled, for three rates.", 360, 268
    )
    left, right, top, bottom, decades = 46, 346, 22, 214, 4

    def place(n: float, chance: float) -> tuple[float, float]:
        return left + (right - left) * float(np.log10(n)) / decades, bottom - (bottom - top) * chance

    for chance in (0, 0.25, 0.5, 0.75, 1):
        y = place(1, chance)[1]
        d.line([(left, y), (right, y)], "line", thick=1)
        d.text(left - 6, y + 4, f"{100 * chance:g} %", anchor="end", size=11, colour="muted")
    for n in (1, 10, 100, 1000, 10_000):
        x = place(n, 0)[0]
        d.text(min(x, right - 6), bottom + 17, f"{n:,}", anchor="middle", size=11, colour="muted")
        d.line([(x, bottom), (x, bottom + 4)], "muted", thick=1)
    d.text((left + right) / 2, bottom + 40, "people enrolled, N", anchor="middle", size=12)
    steps = np.logspace(0, decades, 80)
    curves: list[tuple[float, Colour]] = [(1e-2, "bad"), (1e-3, "ink"), (1e-4, "accent")]
    for p, colour in curves:
        d.line([place(n, 1 - (1 - p) ** n) for n in steps], colour, thick=2)
        x, y = place(np.log(1 - 0.86) / np.log(1 - p), 0.86) if p > 1e-4 else (right + 7, place(1, 0.09)[1])
        d.text(x - 7, y, f"1 in {1 / p:,.0f}", anchor="end", size=11, colour=colour)
    places: list[tuple[int, int, int, Anchor]] = [(30, -4, -24, "start"), (1000, -9, -6, "end")]
    for n, across, down, anchor in places:
        x, y = place(n, 1 - 0.999**n)
        d.line([(x, bottom), (x, y)], "muted", thick=1, dashed=True)
        d.dot(x, y, "ink", 4.5)
        d.text(x + across, y + down, f"N = {n:,}:", anchor=anchor, size=11)
        d.text(x + across, y + down + 14, f"{100 * (1 - 0.999**n):.1f} %", anchor=anchor, size=11)
    return Figure(
        [d],
        "**How likely a stranger matches somebody.** Each curve is $1 - (1 - p)^N$ for one rate $p$ of false matches in a single "
        "comparison. The dots mark a class of 30 and a school of 1,000 at a rate of 1 in 1,000.",
    )


def eigenfaces() -> Figure:
    """Principal components of faces drawn by code in every combination of person, lamp and pose."""
    faces = draw_faces(FARTHEST_LAMP, FARTHEST_TURN / 2)
    found = find_directions(faces, 3)
    samples = Drawing("Eight drawn faces: four people, each under a lamp from the left and from the right.", 340, 226)
    samples.text(8, 18, f"8 of {faces.pixels[..., 0, 0].size} drawn faces", size=13, bold=True)
    for i in range(4):
        for j, lamp in enumerate((0, -1)):
            samples.picture(8 + 82 * i, 30 + 98 * j, 74, 92, faces.pixels[i, lamp, i % 3], smooth=True)
    analysed = Drawing(
        "The mean face and the first three directions of the drawn faces, with their shares of the variance.", 340, 226
    )
    analysed.text(8, 18, "Mean", size=13, bold=True)
    analysed.picture(8, 30, 74, 92, faces.mean, smooth=True)
    for i, direction in enumerate(found):
        x = 90 + 82 * i
        cause, share = max(direction.causes.items(), key=lambda item: item[1])
        analysed.text(x, 18, f"No. {i + 1}", size=13, bold=True)
        analysed.picture(x, 30, 74, 92, show_direction(direction.face), smooth=True)
        analysed.lines(
            x,
            142,
            [f"{100 * direction.share:.0f} % of", "the variance,", f"{100 * share:.0f} % of this", f"is {cause}"],
            size=11,
            colour="muted",
        )
    return Figure(
        [samples, analysed],
        "**Eigenfaces, computed.** Code drew ten people with five places of the lamp and three poses. The mean face and the first "
        "three directions follow. In a direction, grey means no change. Below each direction stand its share of the "
        "variance and the main cause. The first two describe the lamp, and only the third describes the person.",
    )


def timeline() -> Figure:
    """Methods by the year of publication, in two drawings."""
    early = [
        (1991, "Eigenfaces", "directions of most variance"),
        (1997, "Fisherfaces", "directions that tell people apart"),
        (2004, "Local binary patterns", "descriptions made by hand"),
        (2007, "LFW", "one test set for everybody"),
        (2014, "DeepFace", "a network trained to name people"),
        (2015, "FaceNet", "128 numbers, trained on triplets"),
    ]
    late = [
        (2017, "SphereFace", "a margin that multiplies the angle"),
        (2018, "CosFace, MobileFaceNet", "a cosine margin; a phone’s network"),
        (2019, "ArcFace", "a margin added to the angle"),
        (2021, "MagFace", "a vector’s length shows quality"),
        (2022, "AdaFace", "a margin that depends on quality"),
        (2023, "DigiFace-1M", "training on rendered faces"),
    ]
    return Figure(
        [_years(early, "From hand-made to learned"), _years(late, "From triplets to margins")],
        "**Three decades of describing a face.** Each line is one published idea. Filled dots are methods, the ring is a "
        "test set and the square a training set. The demo uses MobileFaceNet, which was trained with ArcFace’s loss.",
    )


def _years(entries: list[tuple[int, str, str]], title: str) -> Drawing:
    d = Drawing(
        f"Timeline, {title.lower()}: " + ", ".join(f"{year} {name}" for year, name, _ in entries) + ".", 340, 44 + 46 * len(entries)
    )
    d.text(8, 18, title, bold=True)
    d.line([(62, 44), (62, 44 + 46 * (len(entries) - 1))], "line", thick=2)
    for i, (year, name, idea) in enumerate(entries):
        y = 44 + 46 * i
        d.text(8, y + 5, str(year), size=12, colour="muted")
        if name == "LFW":
            d.circle(62, y, 6, "background", "accent", thick=2.5)
        elif name == "DigiFace-1M":
            d.rect(56.5, y - 5.5, 11, 11, "accent", "none")
        else:
            d.dot(62, y, "accent", 6)
        d.text(78, y + 1, name, size=13)
        d.text(78, y + 17, idea, size=12, colour="muted")
    return d


def saturation() -> Figure:
    """Errors among LFW's 6,000 pairs, each method a square of that area."""
    d = Drawing("Errors of four methods among the 6,000 pairs of LFW, as squares.", 360, 176)
    x, scale = 10.0, 2.0
    for name, accuracy in ERRORS:
        errors = round(LFW_PAIRS * (1 - accuracy / 100))
        side = scale * errors**0.5
        d.rect(x, 118 - side, side, side, "bad", "none", opacity=0.75)
        method, year = name.split(", ")
        d.text(x, 136, method, size=12)
        d.text(x, 151, year, size=11, colour="muted")
        d.text(x, 167, f"{errors:,} errors", size=11, colour="muted")
        x += max(side, 78) + 8
    return Figure(
        [d],
        "**What is left to measure on LFW.** The area of each square is the number of errors among 6,000 pairs, worked out "
        "from the published accuracy. The two squares on the right differ by 12 pairs.",
    )


def by_group() -> Figure:
    """False match rates of adult groups for both networks, each at 2 % missed pairs of lfw100."""
    table = read_report("whom")["tables"]["before and after"]
    column = {name: table["columns"].index(name) for name in ("MobileFaceNet, plain", "dlib’s ResNet, plain")}
    rows = [row for row in table["rows"] if not row[0].startswith(("aged", "other"))]
    drawings = []
    networks: list[tuple[str, float, int, Colour]] = [
        ("dlib’s ResNet, plain", 40, 1, "bad"),
        ("MobileFaceNet, plain", 0.8, 2, "accent"),
    ]
    for name, most, digits, colour in networks:
        network = name.removesuffix(", plain")
        d = Drawing(f"False match rates of eight groups of adults, {network}.", 340, 66 + 25 * len(rows))
        d.text(8, 18, network, bold=True)
        d.text(8, 36, f"false match rate; a full line is {most:g} %", size=11, colour="muted")
        for i, row in enumerate(rows):
            rate = float(row[column[name]].split()[0])
            y = 52 + 25 * i
            d.text(100, y + 12, row[0], anchor="end", size=12)
            d.line([(108, y + 8), (286, y + 8)], "line", thick=1)
            d.rect(108, y, 178 * rate / most, 16, colour, "none", opacity=0.75)
            d.text(334, y + 12, f"{rate:.{digits}f} %", anchor="end", size=12)
        drawings.append(d)
    return Figure(
        drawings,
        "**One number hides eight.** Each bar is the false match rate among adult strangers of one group. Each network has the "
        "threshold at which it misses 2 % of the pairs of one person in the LFW photos. The scales differ by a factor of 50.",
    )
