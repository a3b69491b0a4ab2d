"""The drawn figures of the chapter on face verification."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from facelab.labs.verification import stored_pairs

from ..results import read_report
from . import Figure
from .drawing import Anchor, Colour, Drawing

Points = NDArray[np.float64]


def chord() -> Figure:
    """The distance of two points of the unit circle, and the angle between them."""
    d = Drawing(
        "A unit circle. Two points on it, 60 degrees apart as seen from the centre, are joined by a chord of length 1.", 340, 262
    )
    x, y, radius = 130, 150, 105
    d.circle(x, y, radius, stroke="muted")
    ends = [(x + radius * np.cos(t), y - radius * np.sin(t)) for t in np.radians([20, 80])]
    for end in ends:
        d.line([(x, y), end], "ink")
    d.line(ends, "accent", thick=3)
    d.path(
        f"M{x + 30 * np.cos(np.radians(20)):.1f} {y - 30 * np.sin(np.radians(20)):.1f}A30 30 0 0 0 "
        f"{x + 30 * np.cos(np.radians(80)):.1f} {y - 30 * np.sin(np.radians(80)):.1f}",
        "warn",
        thick=2,
    )
    d.text(x + 30, y - 30, "θ", colour="warn", size=15, bold=True)
    for end in ends:
        d.dot(*end, "accent", 5)
    d.text(ends[0][0] + 10, ends[0][1] + 5, "a", bold=True, size=15)
    d.text(ends[1][0] - 4, ends[1][1] - 10, "b", bold=True, size=15)
    d.text(x + 60, y + 2, "length 1", colour="muted", anchor="middle", size=12)
    d.text(ends[0][0] - 10, ends[0][1] - 62, "distance d(a, b)", colour="accent", size=13)
    d.text(x - 8, y + 16, "centre", colour="muted", anchor="middle", size=12)
    d.text(250, 200, "d = 1", colour="accent", size=14)
    d.text(250, 220, "θ = 60°", colour="warn", size=14)
    d.text(250, 240, "cos θ = 0.5", size=14)
    return Figure(
        [d],
        "**Distance and angle on the unit sphere**, here in two of the 128 dimensions. The straight distance between "
        "$a$ and $b$ grows with the "
        "angle $\\theta$, so each angle has one distance and each distance one angle.",
    )


def two_errors() -> Figure:
    """Two humps of distances and a threshold."""
    d = Drawing(
        "Two overlapping humps of distances. The part of the left one beyond the threshold is missed, the part of the "
        "right one below it matches falsely.",
        350,
        240,
    )
    one, two, limit = NormalDist(0.62, 0.19), NormalDist(1.22, 0.15), 0.93
    left, right, ground, tall = 20, 330, 180, 130

    def across(value: float) -> float:
        return float(left + (right - left) * value / 1.75)

    def up(value: float) -> float:
        return float(ground - tall * value / two.pdf(two.mean))

    values = np.linspace(0, 1.75, 141)

    def hump(of: NormalDist, where: Points) -> list[tuple[float, float]]:
        return [(across(v), up(of.pdf(v))) for v in where]

    missed, matched = values[values >= limit], values[values <= limit]
    missed, matched = np.concatenate([[limit], missed]), np.concatenate([matched, [limit]])
    tails: list[tuple[NormalDist, Points, Colour]] = [(one, missed, "good"), (two, matched, "bad")]
    for of, where, colour in tails:
        area = [(across(where[0]), ground), *hump(of, where), (across(where[-1]), ground)]
        d.line(area, "none", fill=colour, opacity=0.45, closed=True)
    d.line(hump(one, values), "good", thick=2.5)
    d.line(hump(two, values), "bad", thick=2.5)
    d.line([(left, ground), (right + 10, ground)])
    d.line([(across(limit), 26), (across(limit), ground + 6)], "accent", thick=2, dashed=True)
    d.text(across(limit), 18, "threshold t", colour="accent", anchor="middle")
    d.text(70, 62, "one person", colour="good", anchor="middle")
    d.text(302, 40, "two people", colour="bad", anchor="middle")
    d.text(left, ground + 18, "0", colour="muted", size=12)
    d.text(right + 10, ground + 18, "distance", colour="muted", anchor="end", size=12)
    d.text(across(limit) - 12, 232, "false matches", colour="bad", anchor="end")
    d.text(across(limit) + 14, 232, "false non-matches", colour="good")
    d.arrow(across(limit) - 40, 218, across(limit) - 12, ground - 6, "bad")
    d.arrow(across(limit) + 50, 218, across(limit) + 14, ground - 8, "good")
    return Figure(
        [d],
        "**One threshold, two errors** (a sketch, not a measurement). Pairs left of the threshold match. The red area "
        "holds pairs of two people that "
        "match, and the green area holds pairs of one person that do not. Moving the threshold makes one area smaller "
        "and the other larger.",
    )


def attempts() -> Figure:
    """From attempts to comparisons: where the failures to acquire go."""
    d = Drawing("Of 1,000 attempts by impostors, 100 give no usable face, 900 are compared, and 9 of those match.", 350, 190)
    parts: list[tuple[float, str, Colour]] = [
        (1000, "1,000 attempts by impostors", "muted"),
        (900, "900 comparisons", "accent"),
        (9, "9 match", "bad"),
    ]
    for i, (wide, words, colour) in enumerate(parts):
        y = 26 + 56 * i
        d.rect(10, y, 0.33 * wide, 24, colour, colour, opacity=0.3)
        d.text(12 if i < 2 else 22, y - 6 if i < 2 else y + 17, words, colour="ink" if i == 0 else colour)
    d.rect(10 + 297, 82, 33, 24, "none", "warn", dashed=True)
    d.text(340, 76, "100 without a usable face", colour="warn", anchor="end", size=12)
    d.text(110, 155, "FMR: 9 of 900 = 1 %", size=13)
    d.text(110, 175, "FAR: 9 of 1,000 = 0.9 %", size=13)
    return Figure(
        [d],
        "**Why FAR is not FMR** (invented numbers). The false match rate counts comparisons. The false accept rate "
        "counts attempts, and an attempt "
        "without a usable face cannot match.",
    )


def roc_det() -> Figure:
    """The same stored distances of two networks as ROC and as DET curves."""
    pairs = stored_pairs()
    same = pairs[0] > 0
    curves: list[tuple[str, Colour, tuple[Points, Points]]] = [
        ("MobileFaceNet", "accent", _errors(same, pairs[1])),
        ("dlib’s ResNet", "warn", _errors(same, pairs[3])),
    ]
    plain: Callable[[float], float] = lambda rate: rate  # noqa: E731
    roc = _axes(
        "ROC curves of two networks: both run along the left and upper edges and can hardly be told apart.",
        "ROC",
        "FMR",
        "1 − FNMR",
        [0, 0.5, 1],
        [0, 0.5, 1],
        plain,
        plain,
    )
    det = _axes(
        "DET curves of two networks on logarithmic axes: MobileFaceNet lies clearly lower and further left.",
        "DET", "FMR", "FNMR", [1e-3, 1e-2, 0.1, 1], [1e-2, 0.1, 1], _decades(2e-4), _decades(2e-3),
    )  # fmt: skip
    for i, (name, colour, (fmr, fnmr)) in enumerate(curves):
        roc.line(
            _thinned([(_LEFT + _WIDE * a, _TOP + _TALL * b) for a, b in zip(fmr, fnmr, strict=True)]),
            colour,
            thick=2.5,
            dashed=i == 1,
        )
        shown = (fmr > 0) & (fnmr > 0)
        at = [
            (_LEFT + _WIDE * _decades(2e-4)(a), _TOP + _TALL * (1 - _decades(2e-3)(b)))
            for a, b in zip(fmr[shown], fnmr[shown], strict=True)
        ]
        det.line(_thinned(at), colour, thick=2.5, dashed=i == 1)
        for drawing, x, y in ((roc, 140, 110), (det, 150, 46)):
            drawing.line([(x, y + 20 * i), (x + 22, y + 20 * i)], colour, thick=2.5, dashed=i == 1)
            drawing.text(x + 28, y + 4 + 20 * i, name, size=12)
    return Figure(
        [roc, det],
        "**ROC beside DET**, drawn from the stored distances of 4,950 pairs of LFW photos. In the ROC plot both "
        "curves hug the corner. On the logarithmic axes of "
        "the DET plot they stand apart; lower and further left is better.",
    )


_LEFT, _TOP, _WIDE, _TALL = 52, 28, 230, 180


def _axes(
    title: str,
    head: str,
    across: str,
    up: str,
    ticks_x: list[float],
    ticks_y: list[float],
    scale_x: Callable[[float], float],
    scale_y: Callable[[float], float],
) -> Drawing:
    """An empty plot with a frame, marks and names."""
    d = Drawing(title, 310, 262)
    d.text(_LEFT + _WIDE / 2, 18, head, anchor="middle", bold=True, size=14)
    d.rect(_LEFT, _TOP, _WIDE, _TALL, "none", "line")
    for tick in ticks_x:
        x = _LEFT + _WIDE * scale_x(tick)
        d.line([(x, _TOP + _TALL), (x, _TOP + _TALL + 4)], "muted")
        anchor: Anchor = "end" if tick == 1 else "middle"
        d.text(x + (8 if tick == 1 else 0), _TOP + _TALL + 18, _percent(tick), anchor=anchor, size=11, colour="muted")
    for tick in ticks_y:
        y = _TOP + _TALL * (1 - scale_y(tick))
        d.line([(_LEFT - 4, y), (_LEFT, y)], "muted")
        d.text(_LEFT - 7, y + 4, _percent(tick), anchor="end", size=11, colour="muted")
    d.text(_LEFT + _WIDE / 2, _TOP + _TALL + 38, across, anchor="middle", size=12)
    d.text(4, 18, up, size=12)
    return d


def _percent(rate: float) -> str:
    return f"{100 * rate:g} %"


def _decades(least: float) -> Callable[[float], float]:
    """A logarithmic scale from `least` to 1, as shares of the axis."""
    return lambda rate: float(1 - np.log10(rate) / np.log10(least))


def _errors(same: NDArray[np.bool_], scores: NDArray[np.uint16]) -> tuple[Points, Points]:
    """FMR and FNMR at many thresholds, rising."""
    cuts = np.unique(scores)
    fmr = np.searchsorted(np.sort(scores[~same]), cuts) / (~same).sum()
    fnmr = 1 - np.searchsorted(np.sort(scores[same]), cuts) / same.sum()
    return fmr, fnmr


def _thinned(points: list[tuple[float, float]], step: float = 1.5) -> list[tuple[float, float]]:
    """Without points nearer than a step to the last one kept: they would not show."""
    kept = points[:1]
    for point in points:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= step:
            kept.append(point)
    return kept


def intervals() -> Figure:
    """Wilson intervals of one rate seen in more and more pairs, and the bound where no error was seen."""
    d = Drawing(
        "Intervals that cover the true rate: the more pairs, the shorter. Where no error was seen, the upper end is "
        "three over the number of pairs.",
        350,
        236,
    )
    scale = _decades(1e-4)
    left, wide = 118, 214

    def place(rate: float) -> float:
        return float(left + wide * scale(rate) / scale(0.03))

    for tick in (1e-4, 1e-3, 1e-2):
        d.line([(place(tick), 30), (place(tick), 200)], "line")
        d.text(place(tick), 216, _percent(tick), anchor="middle", size=11, colour="muted")
    d.line([(place(0.002), 30), (place(0.002), 126)], "accent", dashed=True)
    d.text(place(0.002), 20, "seen: 0.2 %", colour="accent", anchor="middle", size=12)
    for i, (k, n) in enumerate([(1, 500), (10, 5_000), (100, 50_000)]):
        y = 46 + 34 * i
        low, high = _wilson(k, n)
        d.line([(place(max(low, 1e-4)), y), (place(high), y)], "ink", thick=3)
        d.dot(place(k / n), y, "accent", 5)
        d.text(106, y + 4, f"{k} of {n:,}", anchor="end", size=12)
    for i, n in enumerate([500, 5_000]):
        y = 156 + 30 * i
        d.line([(place(1e-4) - 8, y), (place(3 / n), y)], "bad", thick=3)
        d.line([(place(3 / n), y - 6), (place(3 / n), y + 6)], "bad", thick=3)
        d.text(106, y + 4, f"0 of {n:,}", anchor="end", size=12)
    return Figure(
        [d],
        "**How sure is a rate?** The three upper lines: Wilson’s 95 % interval for the same rate, seen in 500, 5,000 and 50,000 "
        "pairs. The two lower lines: no error was seen, and the true rate "
        "may still lie anywhere up to 3 divided by the number of pairs.",
    )


def _wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    p = k / n
    middle, half = (p + z * z / (2 * n)) / (1 + z * z / n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(middle - half), float(middle + half)


def three_answers() -> Figure:
    """The bands of the three answers, for good photos and for poor ones."""
    values = read_report("whom")["values"]
    d = Drawing(
        "Two scales of distance, each cut by two thresholds into same, unsure and different. For poor photos the "
        "middle part is wider.",
        350,
        190,
    )
    left, right, low, high = 16, 334, 0.6, 1.3

    def place(at: float) -> float:
        return float(left + (right - left) * (at - low) / (high - low))

    for i, (kind, words) in enumerate([("good", "both faces are clear"), ("poor", "one face is poor")]):
        y = 28 + 88 * i
        same, different = float(values[f"{kind} same_below"]), float(values[f"{kind} different_from"])
        d.text(left, y - 8, words, size=12)
        bands: list[tuple[float, float, Colour, str]] = [
            (low, same, "good", "same"), (same, different, "warn", "unsure"), (different, high, "bad", "different")
        ]  # fmt: skip
        for start, end, colour, name in bands:
            d.rect(place(start), y, place(end) - place(start), 26, colour, colour, opacity=0.3)
            fits = len(name) * 7 < place(end) - place(start) - 4
            d.text((place(start) + place(end)) / 2, y + 17 if fits else y + 46, name if fits else "", anchor="middle", size=12)
        if not (place(different) - place(same) > 46):
            d.text((place(same) + place(different)) / 2, y - 8, "unsure", anchor="middle", colour="warn", size=12)
        for at in (same, different):
            d.line([(place(at), y), (place(at), y + 32)])
            d.text(place(at) + (-8 if at == same else 8), y + 44, f"{at:.2f}", anchor="middle", size=12)
    d.text(right, 186, "distance", anchor="end", colour="muted", size=12)
    return Figure(
        [d],
        "**Two thresholds, three answers**, at the thresholds that the demo uses. Where a face is seen poorly, the "
        "band *unsure* grows on both sides.",
    )


def cohort() -> Figure:
    """A crowded and a sparse part of the plane: the same distance means different things."""
    random = np.random.default_rng(5)
    crowd = random.normal((90, 118), 24, (26, 2))
    sparse = np.array(
        [[196, 72], [262, 56], [316, 84], [330, 140], [300, 178], [244, 186], [194, 158], [178, 116], [226, 40], [322, 214.0]]
    )
    people = np.concatenate([crowd, sparse])
    drawings = []
    strangers, one = np.array([[78, 108], [108, 134.0]]), np.array([[232, 106], [284, 124.0]])
    around = {id(pair): [float(np.sort(np.hypot(*(people - p).T))[:5].mean()) for p in pair] for pair in (strangers, one)}
    centre = float(np.mean([m for both in around.values() for m in both]))
    scale = 0.95 / float(np.hypot(*(one[0] - one[1])))  # so that the drawn distances read like real ones
    groups: list[tuple[Points, Colour, str]] = [(strangers, "bad", "two strangers"), (one, "good", "one person")]
    for corrected in (False, True):
        title = "corrected by the cohort" if corrected else "plain distance"
        d = Drawing(
            f"Small dots crowd on the left and are few on the right. Two strangers on the left, two photos of one "
            f"person on the right: {title}.",
            350,
            262,
        )
        d.text(175, 16, title, anchor="middle", bold=True, size=14)
        for x, y in people:
            d.dot(x, y + 10, "muted", 2.5)
        for pair, colour, name in groups:
            lowered = pair + np.array([0, 10])
            (x1, y1), (x2, y2) = lowered
            if corrected:
                for (x, y), m in zip(lowered, around[id(pair)], strict=True):
                    d.circle(x, y, m, "accent", "accent", opacity=0.08, thick=1)
            d.line([(x1, y1), (x2, y2)], colour, thick=2.5)
            d.dot(x1, y1, colour, 5)
            d.dot(x2, y2, colour, 5)
            length = scale * float(np.hypot(x2 - x1, y2 - y1))
            if corrected:
                length -= scale * (sum(around[id(pair)]) / 2 - centre)
            middle = 90 if name == "two strangers" else 264
            d.text(middle, 240, name, anchor="middle", colour=colour)
            d.text(middle, 256, f"{length:.2f}", anchor="middle", colour=colour, bold=True)
        drawings.append(d)
    return Figure(
        drawings,
        "**What a cohort does**, in two dimensions. Small dots are the cohort. By the plain distance, the two strangers in "
        "the crowd are nearer to each other than the two photos of one person. Each circle shows how far the five "
        "nearest dots lie on average. Subtracting the mean of both radii reverses the order.",
    )
