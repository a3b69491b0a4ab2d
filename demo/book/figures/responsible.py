"""Figures of the chapter on responsible use."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from . import Figure
from .drawing import Colour, Drawing

# Year that a collection of faces was published, and the year it was withdrawn by its publisher, if it was.
COLLECTIONS = (
    ("LFW", 2007, None),
    ("CASIA-WebFace", 2014, None),
    ("MegaFace", 2016, 2020),
    ("MS-Celeb-1M", 2016, 2019),
    ("UTKFace", 2017, None),
    ("VGGFace2", 2018, 2020),
)


def decision() -> Figure:
    """Six questions before a school takes attendance by face; each no leads to the same answer."""
    questions = [
        ["Does it do something that", "a simpler way cannot?"],
        ["Can every pupil say no,", "and lose nothing by it?"],
        ["Is there a lawful basis, and", "a written study of the risks?"],
        ["Was it good enough in tests", "with people of this age?"],
        ["Does a person check each roll,", "and can every pupil object?"],
        ["Is there a date on which all", "of it is deleted?"],
    ]
    step, width = 72, 204
    pen = Drawing(
        "Six questions under each other. Every no leads to “call the names”, six times yes to “a trial”.",
        350,
        62 + step * len(questions),
    )
    for i, words in enumerate(questions):
        y = 6 + step * i
        pen.rect(6, y, width, 48, "surface", "ink", radius=5)
        pen.lines(6 + width / 2, y + 20, words, anchor="middle", size=12, step=1.4)
        pen.arrow(6 + width / 2, y + 48, 6 + width / 2, y + step)
        pen.text(6 + width / 2 + 7, y + 64, "yes", size=12, colour="good")
        pen.arrow(6 + width, y + 24, 262, y + 24)
        pen.text(236, y + 18, "no", anchor="middle", size=12, colour="bad")
    bottom = 6 + step * len(questions)
    pen.rect(264, 6, 80, bottom - 30, "surface", "bad", radius=5, thick=2)
    middle = 6 + (bottom - 30) / 2
    pen.lines(304, middle - 22, ["Call", "the names,", "as ever"], anchor="middle", step=1.5)
    pen.rect(6, bottom, width, 48, "surface", "good", radius=5, thick=2)
    pen.lines(
        6 + width / 2, bottom + 20, ["A trial: one class, one term,", "its errors counted"], anchor="middle", size=12, step=1.4
    )
    return Figure(
        [pen],
        "**Should a school use this?** One *no* is enough to keep calling the names. Six times *yes* leads to a trial "
        "whose errors are counted, not to a system. With this book’s network, the fourth answer is *no* for every class "
        "under 13.",
    )


def life_cycle() -> Figure:
    """What becomes of a photo, from the question to the deletion, and how long each part is kept."""
    stages: list[tuple[str, str, str, Colour]] = [
        ("Ask", "purpose, risks, a real no", "before anything is taken", "ink"),
        ("Photo", "everybody in it, and the room", "minutes: until it is embedded", "warn"),
        ("Chip", "one face, 112 × 112 pixels", "if at all: to check enrolment", "warn"),
        ("Embedding", "128 numbers a photo", "minutes, then only the mean", "bad"),
        ("Template", "a name and 128 numbers", "one school year at most", "bad"),
        ("Roll", "who was seen, corrected by hand", "as long as a paper roll", "ink"),
        ("Delete", "all of it, one person or everyone", "on request, and on the date", "good"),
    ]
    step = 54
    pen = Drawing(
        "Seven stages from the question to the deletion, each with what it holds and how long it is kept.",
        350,
        26 + step * len(stages),
    )
    pen.text(112, 16, "What it holds, how long kept", size=12, bold=True)
    for i, (name, holds, kept, colour) in enumerate(stages):
        y = 26 + step * i
        pen.rect(6, y, 92, 38, "surface", colour, radius=5, thick=2)
        pen.text(52, y + 24, name, anchor="middle", bold=True, size=12)
        pen.text(112, y + 16, holds, size=12)
        pen.text(112, y + 33, kept, size=12, colour="muted")
        if i + 1 < len(stages):
            pen.arrow(52, y + 38, 52, y + step)
    first, last = (26 + step * i + 19 for i in (1, len(stages) - 1))
    pen.line([(328, last + 10), (344, last + 10), (344, first)], "good", dashed=True)
    for i in range(1, len(stages) - 1):
        pen.arrow(344, 26 + step * i + 19, 330, 26 + step * i + 19, "good")
    return Figure(
        [pen],
        "**The life of the data.** From the photo to the template, each stage holds less of a person, and still enough "
        "to recognise them. Grey: how long a careful school would keep it. The dashed line: deletion reaches back to "
        "every stage.",
    )


def collections() -> Figure:
    """When collections of faces were published and withdrawn."""
    first, last, left, right = 2006, 2026, 118.0, 338.0

    def x_of(year: float) -> float:
        return left + (year - first) / (last - first) * (right - left)

    height = 40 + 26 * len(COLLECTIONS)
    pen = Drawing("Six collections of faces on a line of years; three were taken offline.", 350, height + 26)
    for year in (2010, 2015, 2020, 2025):
        pen.line([(x_of(year), 8), (x_of(year), height - 10)], "line", thick=1)
        pen.text(x_of(year), height + 8, str(year), anchor="middle", size=12, colour="muted")
    for i, (name, published, withdrawn) in enumerate(COLLECTIONS):
        y = 22 + 26 * i
        pen.text(110, y + 4, name, anchor="end", size=12)
        pen.line([(x_of(published), y), (x_of(withdrawn or last), y)], "accent", thick=4)
        if withdrawn:
            pen.line([(x_of(withdrawn), y), (right, y)], "bad", thick=2, dashed=True)
            pen.line([(x_of(withdrawn) - 5, y - 5), (x_of(withdrawn) + 5, y + 5)], "bad", thick=2.5)
            pen.line([(x_of(withdrawn) - 5, y + 5), (x_of(withdrawn) + 5, y - 5)], "bad", thick=2.5)
        pen.dot(x_of(published), y, "accent", 5)
    return Figure(
        [pen],
        "**Collections outlive their withdrawal.** Each line begins with the publication. A cross marks the year in which "
        "the publisher took a collection down; the dashed line goes on because copies, and networks trained on them, "
        "can remain in use. The others were not withdrawn by their publishers.",
    )


def drift() -> Figure:
    """Distances between photos of one person, at enrolment and a year later, and a threshold that stays."""
    left, right, floor, high = 14.0, 336.0, 168.0, 116.0
    threshold, spread = 0.90, 0.14
    pen = Drawing(
        "Two bell curves of distances; the later one lies further right, and more of it is beyond the threshold.", 350, 226
    )

    def x_of(value: float) -> float:
        return left + (value - 0.2) / 1.2 * (right - left)

    place = np.linspace(0.2, 1.4, 160)
    months: list[tuple[str, float, Colour]] = [("September", 0.62, "accent"), ("June", 0.78, "warn")]
    for _, mean, colour in months:
        points = [(x_of(p), floor - high * float(np.exp(-0.5 * ((p - mean) / spread) ** 2))) for p in place]
        beyond = [point for point in points if point[0] >= x_of(threshold)]
        pen.line([(beyond[0][0], floor), *beyond, (beyond[-1][0], floor)], "none", fill=colour, opacity=0.4, closed=True)
        pen.line(points, colour, thick=2)
    missed = [0.5 * erfc((threshold - mean) / spread / sqrt(2)) for _, mean, _ in months]
    for (name, _, colour), share, x, anchor in zip(months, missed, (0.5, 0.93), ("end", "start"), strict=True):
        pen.lines(x_of(x), 48, [name, f"misses {100 * share:.0f} %"], anchor=anchor, size=12, colour=colour)  # type: ignore[arg-type]
    pen.line([(left, floor), (right, floor)])
    pen.line([(x_of(threshold), 20), (x_of(threshold), floor + 6)], dashed=True)
    pen.text(x_of(threshold), 14, f"threshold {threshold:.2f}", anchor="middle", size=12)
    pen.text(x_of(threshold) - 6, floor + 20, "same person", anchor="end", size=12)
    pen.text(x_of(threshold) + 6, floor + 20, "missed", size=12)
    pen.text(175, 216, "distance to the enrolled template (drawn, not measured)", anchor="middle", size=11, colour="muted")
    return Figure(
        [pen],
        "**Drift.** The pupils grow and cut their hair, and the school buys a new camera. So the distances to the enrolled "
        "templates grow. The threshold stays where it was, and a small shift of the curve multiplies the misses. The curves are "
        "invented; the areas are computed.",
    )


def protection() -> Figure:
    """One face, two services, two keys: two protected templates that cannot be linked, and a third one after a theft."""
    pen = Drawing("One face gives a different protected template with each key; a stolen one is replaced by a new key.", 350, 238)
    pen.face(46, 104, 84)
    rows: list[tuple[str, str, Colour, str]] = [
        ("key A", "school", "accent", "8f 2a 61 …"),
        ("key B", "library", "warn", "c4 07 e9 …"),
        ("key A′", "school, later", "good", "1d b3 50 …"),
    ]
    for i, (key, owner, colour, code) in enumerate(rows):
        y = 14 + 72 * i
        pen.arrow(92, 104, 128, y + 24, "muted")
        pen.rect(130, y + 6, 62, 36, "surface", colour, radius=5, thick=2)
        pen.text(161, y + 29, key, anchor="middle", bold=True, size=12)
        pen.arrow(192, y + 24, 222, y + 24, colour)
        pen.text(228, y + 21, code, size=13, colour=colour)
        pen.text(228, y + 38, owner, size=11, colour="muted")
    pen.line([(222, 44), (306, 26)], "bad", thick=2.5)
    pen.text(175, 230, "renewed: the stolen template opens nothing", anchor="middle", size=11, colour="muted")
    return Figure(
        [pen],
        "**What template protection aims at.** The same face gives unlike templates under two keys, so two owners cannot "
        "link their lists. None of them leads back to the face. After a theft (struck out) a new key makes a new "
        "template, although the face is the old one.",
    )
