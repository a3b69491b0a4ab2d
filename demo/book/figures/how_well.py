"""Figures of the page "How well it works": the thresholds, the promise, one group's numbers, how sure each rate is."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

import numpy as np

from ..results import read_report
from . import Figure
from .drawing import Colour, Drawing

PROMISE = 0.1  # per cent: what the demo promises for the worst group
CLASS = 30  # pupils


def thresholds() -> Figure:
    """Three answers along the distance, for good and for poor photos."""
    d = Drawing("Two number lines of the distance, each with the ranges same, unsure and different", 360, 202)
    values = read_report("whom")["values"]
    for top, kind, label in ((30, "good", "Both faces seen well"), (130, "poor", "One face seen poorly")):
        same, different = float(values[f"{kind} same_below"]), float(values[f"{kind} different_from"])
        ends = [_place(0.5), _place(same), _place(different), _place(1.4)]
        answers: list[tuple[str, Colour]] = [("same", "good"), ("unsure", "warn"), ("different", "bad")]
        d.text(10, top - 8, label, bold=True)
        for (answer, colour), left, right in zip(answers, ends[:-1], ends[1:], strict=True):
            d.rect(left, top, right - left, 34, colour, "none", opacity=0.3)
            wide = right - left > 50
            d.text((left + right) / 2, top + 22 if wide else top + 68, answer, anchor="middle")
            if not wide:
                d.line([((left + right) / 2, top + 38), ((left + right) / 2, top + 56)], "muted", thick=1)
        for limit in (same, different):
            d.line([(_place(limit), top - 2), (_place(limit), top + 38)], thick=2)
        d.text(_place(same) + 3, top + 51, f"{same:.3f}", anchor="end", size=12)
        d.text(_place(different) - 3, top + 51, f"{different:.3f}", size=12)
    d.text(350, 198, "distance →", anchor="end", colour="muted", size=12)
    return Figure(
        [d],
        "**Two thresholds, three answers.** Below the lower threshold the demo says *same*, from the upper threshold on it says "
        "*different*. When it sees a face poorly, it moves the thresholds apart, and more pairs are *unsure*.",
    )


def _place(distance: float) -> float:
    return 10 + (distance - 0.5) / 0.9 * 340


def promise() -> Figure:
    """A thousand pairs with one of them marked, and the pairs of a class."""
    thousand = Drawing("A thousand small squares in twenty rows of fifty; one of them is marked as a false match", 360, 215)
    thousand.text(180, 18, "1,000 pairs of strangers", anchor="middle", bold=True)
    for row in range(20):
        # Fifty dashes of 4 with gaps of 3: far fewer bytes than fifty squares.
        y = 36 + 7 * row
        thousand.line([(6, y), (353, y)], "muted", thick=4, dashed=True)
    x, y = 6 + 7 * 33, 36 + 7 * 12 - 2
    thousand.rect(x, y, 4, 4, "bad", "none")
    thousand.rect(x - 4, y - 4, 12, 12, "none", "bad", thick=2)
    thousand.text(180, 200, "at most 1 is called the same person", anchor="middle", colour="bad")

    pupils = Drawing(f"Thirty dots on a circle, each joined to every other by a line: {CLASS * (CLASS - 1) // 2} lines", 360, 215)
    pupils.text(180, 18, f"a class of {CLASS}: {CLASS * (CLASS - 1) // 2} pairs", anchor="middle", bold=True)
    angles = 2 * np.pi * np.arange(CLASS) / CLASS
    places = [(round(180 + 78 * float(np.cos(a))), round(108 + 78 * float(np.sin(a)))) for a in angles]
    pupils.path("".join(f"M{a} {b}L{c} {d}" for (a, b), (c, d) in combinations(places, 2)), "muted", thick=0.3)
    for a, b in places:
        pupils.dot(a, b, "accent", 4)
    wrong = CLASS * (CLASS - 1) / 2 * PROMISE / 100
    pupils.text(180, 208, f"on average at most {wrong:.1f} of them wrong", anchor="middle", colour="bad")
    return Figure(
        [thousand, pupils],
        "**The promise counts pairs.** Each square is a pair of strangers of the worst group, and on average at most one in 1,000 "
        f"is called *same*. A class of {CLASS} has few people but {CLASS * (CLASS - 1) // 2} pairs, one for each line.",
    )


def one_group() -> Figure:
    """From the people of the worst group to its rate, in boxes, and the interval of that rate."""
    values = read_report("whom")["values"]
    steps = Drawing("Five boxes from top to bottom: people, pairs, pairs that count, false matches, rate", 340, 270)
    rows = [
        (values["one group people"], "people, one photo each"),
        (values["one group all pairs"], "pairs: each with each"),
        (values["one group pairs"], "pairs, doubtful ones left out"),
        (values["one group matches"], f"pairs closer than {values['good same_below']}"),
        (values["worst"].replace("\N{NO-BREAK SPACE}", " "), "false match rate"),
    ]
    for i, (number, words) in enumerate(rows):
        top, last = 8 + 53 * i, i == len(rows) - 1
        steps.rect(8, top, 100, 34, "accent" if last else "surface", "line", radius=6, opacity=0.25 if last else 1)
        steps.text(58, top + 23, number, anchor="middle", size=16, bold=True)
        steps.text(120, top + 22, words)
        if not last:
            steps.arrow(58, top + 36, 58, top + 51)

    interval = Drawing("The rate of the group as a dot with its interval, beside the promise of 0.1 percent", 340, 170)
    low, rate, high = (_number(values[name]) for name in ("one group low", "worst", "one group high"))
    interval.text(170, 20, "How sure is that rate?", anchor="middle", bold=True)
    _scale(interval, 20, 320, 105, 0.2, "0.05")
    at = _across(20, 320, 0.2)
    interval.line([(at(PROMISE), 42), (at(PROMISE), 105)], "bad", dashed=True)
    interval.text(at(PROMISE) + 6, 50, "the promise", colour="bad", size=12)
    interval.line([(at(low), 78), (at(high), 78)], "accent", thick=6)
    interval.dot(at(rate), 78, "ink", 5)
    interval.text(at(low) - 2, 70, f"{low:.3f}", anchor="end", size=12)
    interval.text(at(high) + 2, 70, f"{high:.3f}", size=12)
    interval.text(170, 150, "false match rate, %", anchor="middle", colour="muted", size=12)
    return Figure(
        [steps, interval],
        f"**One group’s numbers, {values['one group']}.** The boxes lead from people to a rate. On the scale, the dot is that "
        "rate, and the bar is its interval of 95 %: other people of the group would give another rate.",
    )


def intervals() -> Figure:
    """The rates of all groups of adults with their intervals."""
    rows = [row for row in read_report("whom")["tables"]["groups"]["rows"] if not row[0].startswith("aged")]
    height = 24 * len(rows) + 86
    d = Drawing("For each of ten groups of adults a dot for its false match rate and a bar for its interval", 360, height)
    d.text(4, 18, "group", colour="muted", size=12)
    d.text(150, 18, "people", anchor="end", colour="muted", size=12)
    at, base = _across(164, 346, 0.25), 24 * len(rows) + 34
    d.line([(at(PROMISE), 26), (at(PROMISE), base)], "bad", dashed=True)
    d.text(at(PROMISE), 18, "the promise", anchor="middle", colour="bad", size=12)
    for i, (group, people, cell, *_) in enumerate(rows):
        y = 44 + 24 * i
        rate, low, high = (float(number) for number in re.findall(r"\d+\.\d+", cell))
        d.text(4, y + 4, group.removesuffix(" *"))
        d.text(150, y + 4, people, anchor="end", colour="muted", size=12)
        d.line([(at(low), y), (at(high), y)], "accent", thick=6)
        d.dot(at(rate), y, "ink", 4)
    _scale(d, 164, 346, base, 0.25, "0.05")
    d.text(255, base + 42, "false match rate, %", anchor="middle", colour="muted", size=12)
    return Figure(
        [d],
        "**How sure each rate is.** False match rates of adults at the threshold for *same* (dots), with intervals of 95 % (bars). "
        "The fewer people a group has, the wider its bar is for the same rate.",
    )


def _number(text: str) -> float:
    found = re.search(r"\d+\.\d+", text)
    assert found
    return float(found[0])


def _across(left: float, right: float, most: float) -> Callable[[float], float]:
    """From a rate to its x: 0 lies at the left end, most at the right one."""
    return lambda rate: left + (right - left) * rate / most


def _scale(d: Drawing, left: float, right: float, y: float, most: float, step: str) -> None:
    """An axis of rates from 0 to most, with a number at every second tick."""
    at = _across(left, right, most)
    d.line([(left, y), (right, y)])
    for i in range(round(most / float(step)) + 1):
        rate = i * float(step)
        d.line([(at(rate), y), (at(rate), y + 5)])
        if i % 2 == 0:
            d.text(at(rate), y + 20, f"{rate:.1f}" if i else "0", anchor="middle", size=12)
