"""The drawn figures of the chapter on identification."""

from __future__ import annotations

import numpy as np

from facelab.identify import assign

from . import Figure
from .drawing import Anchor, Colour, Drawing


def gallery() -> Figure:
    """Enrolled photos, their means, and a probe that is compared with them."""
    enrol = Drawing(
        "Enrolment: three photos each of Ada, Ben and Cleo become one template each; the templates are the gallery.", 350, 262
    )
    enrol.text(70, 18, "photos", anchor="middle", bold=True)
    enrol.text(290, 18, "gallery", anchor="middle", bold=True)
    for i, name in enumerate(("Ada", "Ben", "Cleo")):
        y = 62 + 74 * i
        for k, tilt in enumerate((-10, 0, 10)):
            enrol.face(26 + 42 * k, y, 44, tilt=tilt)
        enrol.arrow(136, y, 228, y, "muted")
        enrol.text(180, y - 8, "mean", anchor="middle", colour="muted", size=12)
        enrol.rect(234, y - 20, 108, 40, "accent", "accent", opacity=0.15, radius=6)
        enrol.text(288, y - 2, name, anchor="middle", bold=True)
        enrol.text(288, y + 14, "template", anchor="middle", colour="muted", size=12)
    ask = Drawing(
        "Identification: the probe is compared with each template. Ben is nearest, at 0.61, below the threshold of 0.9.", 350, 262
    )
    ask.text(60, 18, "probe", anchor="middle", bold=True)
    ask.text(290, 18, "gallery", anchor="middle", bold=True)
    ask.face(60, 136, 84, stroke="accent")
    for i, (name, at) in enumerate((("Ada", 1.28), ("Ben", 0.61), ("Cleo", 1.35))):
        y = 62 + 74 * i
        colour: Colour = "good" if at < 0.9 else "muted"
        ask.arrow(108, 136 + 12 * (i - 1), 228, y, colour, thick=3 if at < 0.9 else 1.5)
        ask.text(190, y + (20 if i == 2 else -8), f"{at:.2f}", anchor="middle", colour=colour, bold=at < 0.9)
        ask.rect(234, y - 20, 108, 40, colour, colour, opacity=0.15, radius=6)
        ask.text(288, y + 5, name, anchor="middle", bold=True)
    return Figure(
        [enrol, ask],
        "**Gallery, probe, template.** First, enrolment makes one template of each person’s photos. Later, a probe is "
        "compared with each template. The nearest one is below the threshold of 0.9, so the answer is Ben.",
    )


def mean() -> Figure:
    """Why the mean lies nearer to the next photo than single photos do."""
    photos = np.array([[70, 70], [215, 62], [160, 205.0]])
    probe = np.array([200, 140.0])
    centre = photos.mean(axis=0)
    d = Drawing(
        "Three enrolled photos lie about their mean. A fourth photo of the same person is nearer to the mean "
        "than to any of the three.",
        350,
        250,
    )
    scale = 0.5 / float(np.hypot(*(probe - centre)))
    for point in photos:
        d.line([(point[0], point[1]), (probe[0], probe[1])], "muted", thick=1, dashed=True)
        d.line([(point[0], point[1]), (centre[0], centre[1])], "line", thick=1)
        d.circle(point[0], point[1], 6, "muted", "none")
    d.line([(centre[0], centre[1]), (probe[0], probe[1])], "accent", thick=3)
    d.circle(centre[0], centre[1], 7, "accent", "none")
    d.circle(probe[0], probe[1], 7, "good", "none")
    d.text(centre[0] - 12, centre[1] + 5, "mean", anchor="end", colour="accent", bold=True)
    d.text(probe[0] + 12, probe[1] + 5, "next photo", colour="good", bold=True)
    for (x, y), (dx, dy), name in zip(photos, ((0, -14), (0, -14), (0, 24)), ("photo 1", "photo 2", "photo 3"), strict=True):
        length = scale * float(np.hypot(x - probe[0], y - probe[1]))
        d.text(x + dx, y + dy, f"{name}: {length:.2f}", anchor="middle", size=12)
    d.text(254, 178, "to the mean: 0.50", colour="accent", anchor="middle", size=12)
    return Figure(
        [d],
        "**Why the mean?** Each photo differs from the person by its light, pose and expression. In the mean these "
        "differences partly cancel. So the next "
        "photo of the person lies nearer to the mean (0.50) than to any single photo.",
    )


def assignment() -> Figure:
    """Two faces, two pupils: the nearest name first, and the least sum."""
    table = np.array([[0.60, 0.70], [0.65, 0.95]])
    best = [place for place in assign(table, 1.0) if place is not None]
    drawings = []
    ways: list[tuple[str, list[int], Colour]] = [("nearest first", [0, 1], "bad"), ("least sum", best, "good")]
    for title, chosen, colour in ways:
        total = sum(table[i, j] for i, j in enumerate(chosen))
        d = Drawing(f"Distances of two faces to Ada and Ben. {title}: the chosen pairs add up to {total:.2f}.", 270, 196)
        d.text(164, 18, title, anchor="middle", bold=True, size=14)
        for j, name in enumerate(("Ada", "Ben")):
            d.text(124 + 88 * j, 46, name, anchor="middle", bold=True)
        for i in range(2):
            d.text(72, 82 + 50 * i, f"face {i + 1}", anchor="end")
            for j in range(2):
                taken = chosen[i] == j
                fill: Colour = colour if taken else "none"
                edge: Colour = colour if taken else "line"
                d.rect(84 + 88 * j, 56 + 50 * i, 80, 42, fill, edge, opacity=0.25, thick=2 if taken else 1)
                d.text(124 + 88 * j, 82 + 50 * i, f"{table[i, j]:.2f}", anchor="middle", bold=taken)
        sums = " + ".join(f"{table[i, j]:.2f}" for i, j in enumerate(chosen))
        d.text(168, 184, f"{sums} = {total:.2f}", anchor="middle", colour=colour)
        drawings.append(d)
    return Figure(
        drawings,
        "**One name for one face.** Both faces are nearest to Ada. Giving out the smallest distance first leaves "
        "face 2 with Ben, who is far. The assignment with the least sum gives Ada to face 2.",
    )


def open_set() -> Figure:
    """The decision on one face: nobody, unsure or sure."""
    d = Drawing(
        "A chain of three questions about a face and the person it was assigned to. They lead to nobody, unsure, unsure and sure.",
        350,
        318,
    )
    questions: list[tuple[list[str], str, str, Colour]] = [
        (["Is the assigned person closer", "than the upper threshold?"], "no", "nobody", "muted"),
        (["Closer than the threshold", "for “sure”?"], "no", "unsure", "warn"),
        (["Is a second person", "nearly as close?"], "yes", "unsure", "warn"),
    ]
    for i, (words, leaves, answer, colour) in enumerate(questions):
        y = 12 + 82 * i
        d.rect(8, y, 206, 50, "surface", "ink", radius=6)
        d.lines(111, y + 21, words, anchor="middle", size=13)
        d.arrow(214, y + 25, 262, y + 25, "muted")
        d.text(236, y + 18, leaves, anchor="middle", colour="muted", size=12)
        d.rect(264, y + 8, 82, 34, colour, colour, opacity=0.25, radius=6)
        d.text(305, y + 30, answer, anchor="middle", bold=True)
        d.arrow(111, y + 50, 111, y + 80, "muted")
        d.text(120, y + 70, "no" if leaves == "yes" else "yes", colour="muted", size=12)
    d.rect(66, 260, 90, 36, "good", "good", opacity=0.25, radius=6)
    d.text(111, 283, "sure", anchor="middle", bold=True)
    return Figure(
        [d],
        "**An open set needs a way to say nobody.** After the assignment, each face and its person pass three "
        "questions. Only a face that is close to one "
        "person and to no other gets a name for sure.",
    )


def growth() -> Figure:
    """FPIR by the formula, for four false match rates."""
    d = Drawing(
        "Four rising curves: the share of strangers who get a name, over the size of the gallery, for four false match rates.",
        350,
        270,
    )
    left, top, wide, tall = 48, 18, 250, 200

    def across(n: float) -> float:
        return float(left + wide * np.log10(n) / 4)

    def up(share: float) -> float:
        return float(top + tall * (1 - share))

    d.rect(left, top, wide, tall, "none", "line")
    for n in (1, 10, 100, 1000, 10_000):
        d.line([(across(n), top + tall), (across(n), top + tall + 4)], "muted")
        d.text(across(n), top + tall + 18, f"{n:,}", anchor="middle", size=11, colour="muted")
    for share in (0, 0.5, 1):
        d.line([(left - 4, up(share)), (left, up(share))], "muted")
        d.text(left - 7, up(share) + 4, f"{100 * share:g} %", anchor="end", size=11, colour="muted")
    d.text(left + wide / 2, top + tall + 38, "people in the gallery, N", anchor="middle", size=12)
    d.line([(across(30), top), (across(30), top + tall)], "muted", dashed=True)
    d.text(across(30) + 4, top + 14, "a class", size=12, colour="muted")
    sizes = np.geomspace(1, 1e4, 60)
    lines: list[tuple[float, Colour, float]]
    lines = [(1e-2, "bad", 0.78), (1e-3, "warn", 0.6), (3e-4, "accent", 0.3), (1e-5, "good", 0)]
    for rate, colour, height in lines:
        shares = 1 - (1 - rate) ** sizes
        d.line([(across(n), up(share)) for n, share in zip(sizes, shares, strict=True)], colour, thick=2.5)
        at = float(np.interp(height, shares, sizes))
        if rate == 1e-5:
            d.text(left + wide + 4, up(shares[-1]) + 4, f"{100 * rate:g} %", colour=colour, size=12)
        else:
            right = rate == 3e-4
            side: Anchor = "start" if right else "end"
            d.text(across(at) + (8 if right else -6), up(height) + 4, f"{100 * rate:g} %", anchor=side, colour=colour, size=12)
    return Figure(
        [d],
        "**False names grow with the gallery.** Each curve is $1 - (1 - \\text{FMR})^N$ for the false match rate "
        "beside it. A rate that is harmless for a class of thirty "
        "names most strangers in a gallery of ten thousand.",
    )


def dendrogram() -> Figure:
    """The worked example: four points on a line, joined by average linkage and cut."""
    places = {"A": 0.0, "B": 0.4, "C": 1.0, "D": 1.9}
    first = places["B"] - places["A"]
    second = float(np.mean([places["C"] - places[one] for one in "AB"]))
    third = float(np.mean([places["D"] - places[one] for one in "ABC"]))
    limit = 1.0
    d = Drawing(
        "A tree over four faces. A and B join at 0.4, C joins them at 0.8, and D at 1.43. A line at 1 cuts off D.", 340, 300
    )
    left, ground, tall = 66, 236, 128.0
    x = {name: left + 118 * place for name, place in places.items()}

    def up(height: float) -> float:
        return float(ground - tall * height)

    d.line([(left - 24, 20), (left - 24, ground)], "line")
    for height in (first, second, third):
        d.line([(left - 28, up(height)), (left - 24, up(height))], "muted")
        d.text(left - 32, up(height) + 4, f"{height:.2f}", anchor="end", size=12, colour="muted")
    ab = (x["A"] + x["B"]) / 2
    abc = (ab + x["C"]) / 2
    d.line([(x["A"], ground), (x["A"], up(first)), (x["B"], up(first)), (x["B"], ground)], "good", thick=2.5)
    d.line([(ab, up(first)), (ab, up(second)), (x["C"], up(second)), (x["C"], ground)], "good", thick=2.5)
    d.line([(abc, up(second)), (abc, up(third)), (x["D"], up(third)), (x["D"], up(limit))], "muted", thick=2)
    d.line([(x["D"], up(limit)), (x["D"], ground)], "bad", thick=2.5)
    d.line([(left - 24, up(limit)), (x["D"] + 24, up(limit))], "accent", thick=2, dashed=True)
    d.text(x["D"] - 10, up(limit) - 8, "threshold 1", anchor="end", colour="accent", size=12)
    for name, place in places.items():
        d.dot(x[name], ground, "ink", 5)
        d.text(x[name], ground + 22, name, anchor="middle", bold=True)
        d.text(x[name], ground + 40, f"{place:g}", anchor="middle", colour="muted", size=12)
    d.text(left - 54, 14, "mean distance", colour="muted", size=12)
    d.text((x["A"] + x["C"]) / 2, 296, "one person", anchor="middle", colour="good", size=12)
    d.text(x["D"], 296, "another", anchor="middle", colour="bad", size=12)
    return Figure(
        [d],
        "**A dendrogram, the tree of groups, and its cut.** Four faces, here points on a line. The height of each bridge is "
        "the mean distance at which two groups join. The dashed threshold cuts the tree: what has joined below it is one person.",
    )
