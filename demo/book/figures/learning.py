"""Figures of the chapter on how a network learns: neurons, bends, steps down a loss, overfitting, convolution, maps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facelab.labs.learning import EPOCHS, trained

from . import Figure
from .drawing import Colour, Drawing

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Axes:
    """A frame of a drawing, left top right bottom, and the numbers at its edges."""

    drawing: Drawing
    frame: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.frame
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    def cross(self) -> None:
        """The two lines where x or y is 0, or the left and the lower edge."""
        left, top, right, bottom = self.frame
        x0, y0 = self.at(max(self.x[0], 0), max(self.y[0], 0))
        self.drawing.line([(left, y0), (right, y0)], "muted", thick=1)
        self.drawing.line([(x0, top), (x0, bottom)], "muted", thick=1)

    def curve(self, x: Array, y: Array, colour: Colour = "accent", *, thick: float = 2, dashed: bool = False) -> None:
        self.drawing.line([self.at(float(a), float(b)) for a, b in zip(x, y, strict=True)], colour, thick=thick, dashed=dashed)


def neuron() -> Figure:
    drawing = Drawing(
        "Three inputs, each times its weight, are added to a bias; the sum passes a function that bends, and leaves", 360, 196
    )
    inputs, weights, bias = np.array([2, -1, 0.5]), np.array([0.5, -1, 2]), -0.5
    total = float(weights @ inputs + bias)
    places = [38, 84, 130]
    drawing.text(26, 14, "inputs", anchor="middle", colour="muted")
    drawing.text(98, 14, "weights", anchor="middle", colour="muted")
    for y, value, weight in zip(places, inputs, weights, strict=True):
        drawing.circle(26, y, 17, "accent", "ink", opacity=0.2)
        drawing.text(26, y + 4.5, _number(value), anchor="middle")
        drawing.arrow(45, y, 146, 84 + 0.18 * (y - 84), "ink")
        middle = y + 0.41 * (84 + 0.18 * (y - 84) - y)
        drawing.rect(83, middle - 11, 34, 20, "background", "none")
        drawing.text(100, middle + 4, "× " + _number(weight), anchor="middle")
    drawing.arrow(174, 152, 174, 111, "ink")
    drawing.text(174, 167, "bias " + _number(bias), anchor="middle")
    drawing.circle(174, 84, 25, "surface", "ink")
    drawing.text(174, 80, "sum", anchor="middle", colour="muted", size=12)
    drawing.text(174, 96, _number(total), anchor="middle", bold=True)
    drawing.arrow(201, 84, 230, 84, "ink")
    drawing.rect(232, 60, 48, 48, "surface", "ink", radius=6)
    drawing.line([(238, 92), (256, 92), (274, 70)], "accent", thick=2.5)
    drawing.text(256, 50, "bend", anchor="middle", colour="muted")
    drawing.arrow(282, 84, 308, 84, "ink")
    drawing.circle(328, 84, 18, "accent", "ink", opacity=0.2)
    drawing.text(328, 88.5, _number(max(total, 0)), anchor="middle", bold=True)
    drawing.text(328, 50, "output", anchor="middle", colour="muted")
    sums = " + ".join(f"{value * weight:g}" for value, weight in zip(inputs, weights, strict=True))
    drawing.text(180, 190, f"{sums} − {abs(bias):g} = {total:g}", anchor="middle", colour="muted")
    return Figure(
        [drawing],
        "**A neuron with three inputs.** The products 1, 1 and 1 and the bias −0.5 have the sum 2.5. The last box "
        "keeps a positive sum as it is, and would turn a negative one into 0.",
    )


def linear() -> Figure:
    x = np.linspace(-2, 2, 81)
    drawings = []
    for bent, title in (
        (False, "A straight line: 3 times 2 x plus 1, minus 4"),
        (True, "The same with ReLU between: level at −4, then rising"),
    ):
        drawing = Drawing(title, 220, 196)
        axes = _Axes(drawing, (14, 26, 206, 190), (-2, 2), (-7, 5))
        axes.cross()
        inner = np.maximum(2 * x + 1, 0) if bent else 2 * x + 1
        y = 3 * inner - 4
        shown = (y >= -7) & (y <= 5)
        axes.curve(x[shown], y[shown], thick=2.5)
        drawing.text(110, 15, "3 · ReLU(2x + 1) − 4" if bent else "3 · (2x + 1) − 4 = 6x − 1", anchor="middle")
        for tick in (-1, 1):
            place = axes.at(tick, 0)
            drawing.line([(place[0], place[1] - 3), (place[0], place[1] + 3)], "muted", thick=1)
            drawing.text(
                place[0], place[1] - 7 if tick < 0 else place[1] + 16, _number(tick), anchor="middle", colour="muted", size=12
            )
        drawing.text(axes.at(2, 0)[0], axes.at(2, 0)[1] - 6, "x", anchor="end", colour="muted", size=12)
        for value in (-4, 5):
            height = axes.at(0, value)
            drawing.line([(height[0] - 3, height[1]), (height[0] + 3, height[1])], "muted", thick=1)
            where = (height[0] + 8, "start") if value < 0 else (height[0] - 8, "end")
            drawing.text(where[0], height[1] + 4, _number(value), anchor=where[1], colour="muted", size=12)  # type: ignore[arg-type]
        if bent:
            corner = axes.at(-0.5, -4)
            drawing.dot(*corner, "accent")
            drawing.text(corner[0] - 4, corner[1] - 9, "corner", anchor="end", colour="muted", size=12)
        drawings.append(drawing)
    return Figure(
        drawings,
        "**Two neurons in a row.** Without a bend, both together draw a straight line, as one neuron could. "
        "With ReLU between them, the line gets a corner at $x = -0.5$, where the first sum is 0.",
    )


def bends() -> Figure:
    drawing = Drawing(
        "Three activation functions. ReLU is zero on the left, PReLU falls gently on the left, tanh levels off on both sides",
        340,
        210,
    )
    axes = _Axes(drawing, (10, 12, 330, 200), (-3, 3), (-1.3, 2.6))
    axes.cross()
    x = np.linspace(-3, 3, 121)
    axes.curve(x, np.tanh(x), "good", dashed=True)
    falling, rising = x[x <= 0], x[(x >= 0) & (x <= 2.6)]
    axes.curve(falling, 0.25 * falling, "warn", thick=2.5)
    axes.curve(falling, 0 * falling, "accent", thick=3)
    axes.curve(rising, rising, "accent", thick=3)
    drawing.text(*axes.at(-2.9, 0.14), "ReLU", colour="accent")
    drawing.text(*axes.at(-2.9, -0.45), "PReLU", colour="warn")
    drawing.text(*axes.at(-1.1, -1.15), "tanh", colour="good")
    drawing.text(*axes.at(1.65, 2.25), "ReLU, PReLU", colour="accent", anchor="end")
    drawing.text(*axes.at(2.9, 0.68), "tanh", colour="good", anchor="end")
    return Figure(
        [drawing],
        "**Three bends.** ReLU replaces negative sums by 0. PReLU multiplies them by a factor that is learned, "
        "here 0.25. Tanh squeezes every sum between −1 and 1.",
    )


def layers() -> Figure:
    drawing = Drawing("A network of two inputs, two hidden layers of three neurons, and one neuron for the answer", 360, 206)
    columns = [(44, [70, 134]), (142, [46, 102, 158]), (240, [46, 102, 158]), (324, [102])]
    for (x1, ys1), (x2, ys2) in pairwise(columns):
        for y1 in ys1:
            for y2 in ys2:
                drawing.line([(x1, y1), (x2, y2)], "muted", thick=1)
    for index, (x, ys) in enumerate(columns):
        for y in ys:
            drawing.circle(x, y, 15, "background", "none")
            drawing.circle(x, y, 15, "accent", "ink", opacity=0.25 if index in (0, 3) else 0.5)
    for x, label in ((44, "inputs"), (142, "hidden layer"), (240, "hidden layer"), (324, "answer")):
        drawing.text(x, 18, label, anchor="middle", colour="muted")
    for x, label in ((93, "6 + 3"), (191, "9 + 3"), (282, "3 + 1")):
        drawing.text(x, 198, label, anchor="middle")
    return Figure(
        [drawing],
        "**A network with two hidden layers.** Every line is a weight, and every neuron has a bias. Below are the numbers of "
        "weights and biases of each layer, such as 6 weights and 3 biases. There are 25 in all.",
    )


RATES = (0.03, 0.1, 0.26)


def rates() -> Figure:
    drawings = []
    for rate, says in zip(RATES, ("too small: slow", "good", "too large: diverges"), strict=True):
        drawing = Drawing(f"Steps on the parabola 4 times (w − 3) squared with a learning rate of {rate}: {says}", 156, 206)
        axes = _Axes(drawing, (10, 34, 146, 182), (0, 6), (0, 30))
        axes.cross()
        w = np.linspace(3 - np.sqrt(7.5), 3 + np.sqrt(7.5), 81)
        axes.curve(w, 4 * (w - 3) ** 2, "muted", thick=1.5)
        places = [1.0]
        for _ in range(4 if rate > 0.25 else 5):
            places.append(places[-1] - rate * 8 * (places[-1] - 3))
        points = [axes.at(place, 4 * (place - 3) ** 2) for place in places]
        drawing.line(points, "accent", thick=1.5)
        for point in points[1:]:
            drawing.dot(*point, "accent", 3.5)
        drawing.dot(*points[0], "bad", 4.5)
        drawing.text(78, 14, f"rate {rate:g}", anchor="middle", bold=True)
        drawing.text(78, 30, says, anchor="middle", colour="muted", size=12)
        for value in (1, 3, 5):
            drawing.text(axes.at(value, 0)[0], 198, str(value), anchor="middle", colour="muted", size=12)
        drawing.text(axes.at(5.9, 0)[0], 199, "w", anchor="middle", colour="muted")
        drawings.append(drawing)
    return Figure(
        drawings,
        "**One loss, three learning rates.** Each walk starts at the red dot, $w = 1$. A small rate takes many "
        "steps, a good one reaches the bottom at 3, and a large one jumps over it and climbs.",
    )


def chain() -> Figure:
    drawing = Drawing(
        "Forward: input 2, after the first weight and ReLU 3, after the second weight 6, loss 1. Backward: 2, 4, 8", 360, 220
    )
    x, w, v, wanted = 2.0, 1.5, 2.0, 5.0
    h = max(w * x, 0)
    out = v * h
    d_out = 2 * (out - wanted)
    boxes = [(30, "x", x), (124, "h", h), (226, "out", out), (324, "loss", (out - wanted) ** 2)]
    for place, name, value in boxes:
        drawing.rect(place - 27, 76, 54, 44, "surface", "ink", radius=6)
        drawing.text(place, 94, name, anchor="middle", colour="muted", size=12)
        drawing.text(place, 111, _number(value), anchor="middle", bold=True)
    for (left, *_), (right, *_), label in zip(boxes, boxes[1:], (f"w = {w:g}", f"v = {v:g}", f"wanted {wanted:g}"), strict=False):
        drawing.arrow(left + 29, 90, right - 29, 90, "ink")
        drawing.text((left + right) / 2, 66, label, anchor="middle", size=12)
        drawing.arrow(right - 29, 106, left + 29, 106, "accent")
    drawing.text(180, 22, "forward: numbers", anchor="middle")
    drawing.line([(92, 18), (118, 18)], "ink")
    drawing.arrow(242, 18, 268, 18, "ink")
    drawing.text(275, 140, f"2 · ({out:g} − {wanted:g}) = {d_out:g}", anchor="middle", colour="accent", size=12)
    drawing.text(175, 140, f"{d_out:g} · v = {d_out * v:g}", anchor="middle", colour="accent", size=12)
    drawing.text(180, 166, f"slope of v: {d_out:g} · h = {d_out * h:g}", anchor="middle")
    drawing.text(180, 184, f"slope of w: {d_out * v:g} · 1 · x = {d_out * v * x:g}", anchor="middle")
    drawing.text(180, 212, "backward: slopes", anchor="middle", colour="accent")
    drawing.arrow(118, 208, 92, 208, "accent")
    drawing.line([(268, 208), (242, 208)], "accent")
    return Figure(
        [drawing],
        "**The chain rule, with numbers.** Forward, left to right: the value of each part. Backward, right to left: "
        "how fast the loss grows with each value, one factor for each part on the way. The factor 1 is the slope of ReLU "
        "for a positive sum.",
    )


def overfitting() -> Figure:
    done = trained("moons", 30, 0.5, 16, 0.2, "relu")
    epochs = np.arange(EPOCHS + 1, dtype=float)
    best = int(done.losses[:, 1].argmin())
    highest = 1.0
    drawing = Drawing("The loss on training points falls to nothing; the loss on held-out points falls, turns, and rises", 350, 218)
    axes = _Axes(drawing, (34, 26, 340, 186), (0, EPOCHS), (0, highest))
    axes.cross()
    for tick in (0, 0.5):
        drawing.text(28, axes.at(0, tick)[1] + 4, f"{tick:g}", anchor="end", colour="muted", size=12)
    for tick in (50, 100, 150, 200):
        drawing.text(axes.at(tick, 0)[0] - (8 if tick == EPOCHS else 0), 202, str(tick), anchor="middle", colour="muted", size=12)
    drawing.text(187, 215, "epoch", anchor="middle", colour="muted", size=12)
    drawing.text(4, 14, "loss", colour="muted", size=12)
    axes.curve(epochs, np.minimum(done.losses[:, 0], highest), "accent", thick=2.5)
    axes.curve(epochs, np.minimum(done.losses[:, 1], highest), "bad", thick=2.5)
    x, y = axes.at(best, float(done.losses[best, 1]))
    drawing.line([(x, 20), (x, 186)], "muted", thick=1, dashed=True)
    drawing.text(x + 5, 28, f"lowest at epoch {best}", colour="muted", size=12)
    drawing.dot(x, y, "bad")
    drawing.text(332, axes.at(EPOCHS, float(done.losses[-1, 1]))[1] - 10, "held-out points", anchor="end", colour="bad")
    drawing.text(332, axes.at(EPOCHS, float(done.losses[-1, 0]))[1] + 20, "training points", anchor="end", colour="accent")
    return Figure(
        [drawing],
        "**Overfitting.** A network with two hidden layers of 16 neurons learns from 30 points of two blurred moons. "
        "Its loss on these points falls. On 200 held-out points, which it never learns from, the loss soon turns and rises.",
    )


PICTURE = np.array([[1, 2, 0], [0, 1, 3], [2, 0, 1]])
SMALL_KERNEL = np.array([[1, 0], [-1, 2]])


def convolution() -> Figure:
    drawing = Drawing(
        "A picture of 3 by 3 numbers, a kernel of 2 by 2, and the 2 by 2 answers; the upper left answer is worked out", 360, 186
    )
    side = 36
    answers = np.array([[int((PICTURE[r : r + 2, c : c + 2] * SMALL_KERNEL).sum()) for c in (0, 1)] for r in (0, 1)])
    grids = ((4, 26, PICTURE, "picture"), (156, 44, SMALL_KERNEL, "kernel"), (276, 44, answers, "answers"))
    for left, top, values, label in grids:
        rows, columns = values.shape
        for r in range(rows):
            for c in range(columns):
                marked = (label == "picture" and r < 2 and c < 2) or (label == "answers" and r == c == 0)
                drawing.rect(left + c * side, top + r * side, side, side, "accent" if marked else "none", "ink", opacity=0.3)
                words = str(values[r, c]).replace("-", "−")
                drawing.text(left + (c + 0.5) * side, top + (r + 0.5) * side + 5, words, anchor="middle", size=15)
        drawing.text(left + columns * side / 2, top - 9, label, anchor="middle", colour="muted")
    drawing.text(134, 85, "∗", anchor="middle", size=18)
    drawing.text(252, 85, "=", anchor="middle", size=18)
    drawing.text(180, 158, "1 · 1 + 2 · 0 + 0 · (−1) + 1 · 2 = 3", anchor="middle")
    drawing.text(180, 178, "Then the kernel moves on by one place.", anchor="middle", colour="muted", size=12)
    return Figure(
        [drawing],
        "**A convolution by hand.** The kernel lies over four numbers of the picture at a time. Each answer is "
        "the sum of four products.",
    )


def maps() -> Figure:
    drawing = Drawing(
        "From a chip to one list of numbers: maps become smaller and more, and answer to edges, then parts, then faces", 360, 226
    )
    stages = [(8, 84, 1, "chip"), (114, 58, 3, "edges"), (212, 40, 5, "parts"), (304, 22, 7, "face")]
    middle = 52
    for left, size, count, label in stages:
        for index in reversed(range(count)):
            shift = index * 5
            drawing.rect(left + shift, middle - size / 2 - shift, size, size, "background", "none")
            drawing.rect(left + shift, middle - size / 2 - shift, size, size, "accent", "ink", opacity=0.25, thick=1)
        drawing.text(left + size / 2 + (count - 1) * 2.5, 122, label, anchor="middle", bold=True)
    drawing.face(50, middle, 70)
    for (left, size, count, _), (right, *_) in pairwise(stages):
        drawing.arrow(left + size + (count - 1) * 5 + 3, middle, right - 3, middle, "ink")
    # What a map at each stage may answer to.
    for place, slope in ((114, 0.0), (138, 90.0), (162, 45.0)):
        drawing.rect(place, 148, 20, 20, "surface", "muted", thick=1)
        dx, dy = 8 * np.cos(np.radians(slope)), 8 * np.sin(np.radians(slope))
        drawing.line([(place + 10 - dx, 158 + dy), (place + 10 + dx, 158 - dy)], "ink", thick=3)
    for place in (208, 238, 268):
        drawing.rect(place, 144, 26, 26, "surface", "muted", thick=1)
    drawing.path("M212 157q9 -9 18 0q-9 9 -18 0Z", "ink")
    drawing.dot(221, 157, "ink", 2.5)
    drawing.path("M253 148q-8 15 -3 16h8", "ink")
    drawing.path("M272 156q9 9 18 0M272 156q9 3 18 0", "ink")
    drawing.rect(304, 136, 42, 42, "surface", "muted", thick=1)
    drawing.face(325, 157, 36)
    drawing.text(50, 162, "112 × 112", anchor="middle", colour="muted")
    for place, words in ((148, "small area"), (251, "larger area"), (325, "all of it")):
        drawing.text(place, 196, words, anchor="middle", colour="muted", size=12)
    drawing.text(180, 220, "fewer places, more maps, larger view", anchor="middle", colour="muted", size=12)
    return Figure(
        [drawing],
        "**What a convolutional network adds up to.** The squares to the right of the chip are maps of answers. From left to right "
        "they shrink, their number grows, and one answer depends on more of the face. Below: what such maps may respond to.",
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
