"""Figures of the page on training a network: a batch, the course of a training, teacher and student, a common direction."""

from __future__ import annotations

import numpy as np

from . import Figure
from .drawing import Colour, Drawing

PEOPLE = PHOTOS = 4


def batch() -> Figure:
    drawing = Drawing(
        "Four people, four photos each: one photo is the anchor, three are its positives, twelve its negatives", 320, 296
    )
    left, top, side = 84, 26, 58
    drawing.text(left + 3, 16, "K = 4 photos of each", colour="muted", size=12)
    for person in range(PEOPLE):
        drawing.text(left - 8, top + (person + 0.57) * side, f"person {'ABCD'[person]}", anchor="end", colour="muted", size=12)
        for photo in range(PHOTOS):
            x, y = left + photo * side, top + person * side
            own: Colour = "accent" if photo == 0 else "good"
            colour: Colour = own if person == 1 else "bad"
            thick = 3 if colour == "accent" else 1.5
            drawing.rect(x + 3, y + 3, side - 6, side - 6, colour, colour, opacity=0.15, thick=thick)
            drawing.face(x + side / 2, y + side / 2, 40, tilt=(-9, 6, 14, -3)[(photo + person) % 4])
    marks: tuple[tuple[float, Colour, str], ...] = (
        (20, "accent", "1 anchor"),
        (110, "good", "3 positives"),
        (210, "bad", "12 negatives"),
    )
    for place, own, words in marks:
        drawing.rect(place, 274, 11, 11, own, "none")
        drawing.text(place + 17, 284, words)
    return Figure(
        [drawing],
        "**A batch of P = 4 people with K = 4 photos each.** Whichever photo is the anchor, the batch holds three "
        "positives and twelve negatives for it.",
    )


def course() -> Figure:
    drawing = Drawing("Chips go in batches through loss and step; each epoch ends with an examination and a checkpoint", 360, 276)

    def box(x: float, y: float, width: float, *words: str) -> None:
        drawing.rect(x, y, width, 36, "surface", "ink", radius=6)
        for index, line in enumerate(words):
            middle = y + 22 if len(words) == 1 else y + 15 + 15 * index
            drawing.text(x + width / 2, middle, line, anchor="middle", size=12)

    box(4, 6, 68, "photos")
    box(104, 6, 100, "chips of people", "to learn from")
    box(252, 6, 104, "chips of people", "held out")
    drawing.arrow(74, 24, 102, 24)
    drawing.line([(38, 42), (38, 54), (304, 54)])
    drawing.arrow(304, 54, 304, 44)
    drawing.rect(4, 84, 214, 104, "none", "muted", dashed=True, radius=8)
    drawing.text(14, 101, "an epoch", colour="muted", size=12)
    box(14, 110, 52, "batch")
    box(84, 110, 52, "loss")
    box(154, 110, 54, "step")
    drawing.arrow(68, 128, 82, 128)
    drawing.arrow(138, 128, 152, 128)
    drawing.line([(181, 146), (181, 166), (40, 166)])
    drawing.arrow(40, 166, 40, 148)
    drawing.text(110, 181, "next batch", anchor="middle", colour="muted", size=12)
    drawing.arrow(154, 44, 154, 82)
    box(256, 110, 100, "examination")
    drawing.arrow(220, 128, 254, 128)
    drawing.arrow(340, 44, 340, 108)
    box(256, 216, 100, "best network")
    drawing.arrow(330, 148, 330, 214, "accent")
    drawing.text(324, 190, "if better", anchor="end", colour="accent", size=12)
    box(112, 216, 108, "checkpoint.npz")
    drawing.line([(270, 148), (270, 202), (166, 202)])
    drawing.arrow(166, 202, 166, 214)
    drawing.line([(112, 234), (24, 234)], "accent")
    drawing.arrow(24, 234, 24, 190, "accent")
    drawing.text(4, 268, "next epoch, or another day: --resume", colour="accent", size=12)
    return Figure(
        [drawing],
        "**The course of a training.** After every epoch the network is examined on people held out. The "
        "checkpoint holds everything that the next step depends on. The best network so far is kept.",
    )


def teacher() -> Figure:
    drawing = Drawing("A face goes to teacher and student; the distance between their answers corrects the student", 360, 216)
    drawing.rect(4, 70, 66, 66, "surface", "ink")
    drawing.face(37, 103, 50)
    drawing.rect(106, 16, 104, 74, "surface", "ink", radius=8)
    drawing.text(158, 50, "teacher", anchor="middle", bold=True)
    drawing.text(158, 68, "large, fixed", anchor="middle", colour="muted", size=12)
    drawing.rect(118, 124, 80, 46, "accent", "ink", opacity=0.2, radius=8)
    drawing.text(158, 144, "student", anchor="middle", bold=True)
    drawing.text(158, 160, "small, learns", anchor="middle", colour="muted", size=11)
    drawing.arrow(72, 92, 104, 66)
    drawing.arrow(72, 114, 116, 140)
    wanted = np.array([0.7, 0.3, 0.9, 0.5, 0.2, 0.8])
    given = wanted + np.array([0.1, -0.15, -0.2, 0.2, 0.15, -0.25])
    for middle, heights in ((53, wanted), (147, given)):
        drawing.text(262, middle - 24, "answer", anchor="middle", colour="muted", size=12)
        for index, height in enumerate(heights):
            drawing.rect(238 + 8 * index, middle + 16 - 32 * float(height), 6, 32 * float(height), "accent", "none")
    drawing.arrow(212, 53, 232, 53)
    drawing.arrow(200, 147, 232, 147)
    drawing.rect(298, 82, 58, 40, "surface", "ink", radius=6)
    drawing.text(327, 99, "squared", anchor="middle", size=11)
    drawing.text(327, 113, "distance", anchor="middle", size=11)
    drawing.arrow(290, 60, 312, 80)
    drawing.arrow(290, 144, 312, 124)
    drawing.line([(340, 124), (340, 196), (158, 196)], "accent")
    drawing.arrow(158, 196, 158, 172, "accent")
    drawing.text(250, 211, "slopes correct the student", anchor="middle", colour="accent", size=12)
    return Figure(
        [drawing],
        "**Teacher and student.** Both see the same chip. The student is corrected until its numbers come close "
        "to the teacher’s. Nobody needs to know whose face it is.",
    )


def direction() -> Figure:
    from ..results import read_report  # which imports the figures

    cosine = float(read_report("distillation")["values"]["common direction"])
    drawing = Drawing("Nine arrows from one point, all nearly in the direction of their mean", 300, 226)
    start, length, middle = np.array([24.0, 204.0]), 200.0, np.radians(32)
    shares = np.linspace(-1, 1, 9)
    widths = np.linspace(0, np.pi / 2, 2000)
    width = widths[np.argmin([abs(np.cos(w * shares).mean() - cosine) for w in widths])]
    for share in shares:
        if share == 0:
            continue
        angle = middle + width * share
        end = start + 0.92 * length * np.array([np.cos(angle), -np.sin(angle)])
        drawing.arrow(start[0], start[1], float(end[0]), float(end[1]), "muted", thick=1.2)
    end = start + length * np.array([np.cos(middle), -np.sin(middle)])
    drawing.arrow(start[0], start[1], float(end[0]), float(end[1]), "accent", thick=3, head=9)
    drawing.text(float(end[0]) + 6, float(end[1]) + 2, "mean answer", colour="accent")
    drawing.text(8, 16, "answers to different faces", colour="muted", size=12)
    return Figure(
        [drawing],
        "**A common direction.** The teacher’s answers to different faces lie around their mean. "
        f"Drawn in the plane, the angles are such that the mean cosine is {cosine:.2f}, as measured.",
    )
