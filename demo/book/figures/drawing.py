"""A small pen for SVG: shapes in the page's own colours, readable in light and dark and on a phone.

Frame: x to the right, y down, from 0 0 at the top left. A drawing is at most 360 units wide, about the width of a phone in
CSS pixels, and its letters are at least 11 units high: so they stay readable at every width.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

WIDEST = 360
SMALLEST_LETTERS = 11
LETTER = 0.56  # how wide a letter of Inter is, on average, as a share of its height

Colour = Literal["ink", "muted", "accent", "good", "bad", "warn", "line", "surface", "background", "none"]
COLOURS: dict[str, str] = {
    "ink": "currentColor",
    "none": "none",
    "background": "var(--fl-bg)",
    **{name: f"var(--fl-{name})" for name in ("muted", "accent", "good", "bad", "warn", "line", "surface")},
}
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Words:
    """A line of text, and about where it lies: x1 y1 x2 y2."""

    text: str
    size: float
    box: tuple[float, float, float, float]


class Drawing:
    """One SVG. title: what it shows, in a sentence, for readers who do not see it.

    Every method draws on top of what is there. A colour is a name, never a code, so that the drawing follows the page's scheme.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        if width > WIDEST:
            raise ValueError(f"a drawing is at most {WIDEST} wide, this is {width}: make it two, side by side")
        self.title, self.width, self.height = title, width, height
        self.words: list[Words] = []
        self._parts: list[str] = []

    def svg(self, name: str) -> str:
        """name: of the drawing's ids."""
        frame = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" style="max-width: {_n(self.width * 1.25)}px"'
        title = f'<title id="{name}">{escape(self.title)}</title>'
        return f'<svg {frame} role="img" aria-labelledby="{name}">{title}{"".join(self._parts)}</svg>'

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour = "none",
        stroke: Colour = "ink",
        *,
        opacity: float = 1,
        thick: float = 1.5,
        dashed: bool = False,
        radius: float = 0,
    ) -> None:
        """opacity: of the fill."""
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        self._add("rect", place + (f' rx="{_n(radius)}"' if radius else ""), fill, stroke, opacity, thick, dashed)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: Colour = "none",
        stroke: Colour = "ink",
        *,
        opacity: float = 1,
        thick: float = 1.5,
        dashed: bool = False,
    ) -> None:
        self._add("circle", f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"', fill, stroke, opacity, thick, dashed)

    def dot(self, x: float, y: float, colour: Colour = "ink", radius: float = 4) -> None:
        self.circle(x, y, radius, colour, "none")

    def ellipse(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        fill: Colour = "none",
        stroke: Colour = "ink",
        *,
        opacity: float = 1,
        thick: float = 1.5,
    ) -> None:
        """across, down: the half axes."""
        place = f'cx="{_n(x)}" cy="{_n(y)}" rx="{_n(across)}" ry="{_n(down)}"'
        self._add("ellipse", place, fill, stroke, opacity, thick, dashed=False)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        stroke: Colour = "ink",
        *,
        fill: Colour = "none",
        opacity: float = 1,
        thick: float = 1.5,
        dashed: bool = False,
        closed: bool = False,
    ) -> None:
        """Straight pieces from point to point; closed makes it a polygon."""
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + ("Z" if closed else "")
        self.path(path, stroke, fill=fill, opacity=opacity, thick=thick, dashed=dashed)

    def path(
        self,
        path: str,
        stroke: Colour = "ink",
        *,
        fill: Colour = "none",
        opacity: float = 1,
        thick: float = 1.5,
        dashed: bool = False,
    ) -> None:
        """path: as in the attribute d of SVG, for curves."""
        self._add("path", f'd="{path}"', fill, stroke, opacity, thick, dashed)

    def arrow(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        stroke: Colour = "ink",
        *,
        thick: float = 1.5,
        dashed: bool = False,
        head: float = 5,
    ) -> None:
        """A line from 1 to 2, its head at 2."""
        along = np.array([x2 - x1, y2 - y1]) / max(np.hypot(x2 - x1, y2 - y1), 1e-9)
        across = np.array([-along[1], along[0]])
        end = np.array([x2, y2])
        self.line([(x1, y1), (x2, y2)], stroke, thick=thick, dashed=dashed)
        left, right = (end - head * along + side * head * 0.8 * across for side in (1, -1))
        self.line([(left[0], left[1]), (x2, y2), (right[0], right[1])], stroke, thick=thick)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        colour: Colour = "ink",
        size: float = 13,
        bold: bool = False,
    ) -> None:
        """One line. y: of its base line."""
        if size < SMALLEST_LETTERS:
            raise ValueError(f"letters of {size} are too small for a phone: “{words}”")
        wide = len(words) * size * LETTER * (1.05 if bold else 1)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
        self.words.append(Words(words, size, (left, y - 0.75 * size, left + wide, y + 0.22 * size)))
        more = f' text-anchor="{anchor}"' if anchor != "start" else ""
        more += ' font-weight="600"' if bold else ""
        place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" style="fill: {COLOURS[colour]}"'
        self._parts.append(f"<text {place}{more}>{escape(words)}</text>")

    def lines(
        self,
        x: float,
        y: float,
        words: Sequence[str],
        *,
        anchor: Anchor = "start",
        colour: Colour = "ink",
        size: float = 13,
        step: float = 1.3,
    ) -> None:
        """Lines under each other. y: base line of the first. step: from line to line, in heights of a letter."""
        for i, line in enumerate(words):
            self.text(x, y + i * size * step, line, anchor=anchor, colour=colour, size=size)

    def picture(self, x: float, y: float, width: float, height: float, pixels: ArrayLike, *, smooth: bool = False) -> None:
        """pixels: [rows, columns] or [rows, columns, 3], from 0 (black) to 1. smooth: no pixel shows as a square."""
        values = np.clip(np.asarray(pixels, float), 0, 1)
        file = io.BytesIO()
        Image.fromarray((255 * values).round().astype(np.uint8)).save(file, format="png", optimize=True)
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" preserveAspectRatio="none"'
        how = "" if smooth else ' style="image-rendering: pixelated"'
        self._parts.append(f'<image {place}{how} href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>')

    def face(self, x: float, y: float, height: float, *, stroke: Colour = "ink", tilt: float = 0, landmarks: bool = False) -> None:
        """A drawn head about the centre x y, tilted by degrees clockwise; with the five landmarks as dots if asked for."""
        s = height / 100
        turned = f'transform="translate({_n(x)} {_n(y)}) rotate({_n(tilt)}) scale({_n(s)})"'
        thick = _n(1.5 / s)
        eyes = "M-23 -10q8 -7 16 0M7 -10q8 -7 16 0M0 -6q-7 22 -3 22h6M-15 28q15 10 30 0"
        dots = [(-15, -10), (15, -10), (0, 14), (-14, 28), (14, 28)] if landmarks else []
        self._parts.append(
            f'<g {turned} fill="none" stroke="{COLOURS[stroke]}" stroke-width="{thick}">'
            f'<path d="M-38 -16C-38 -66 38 -66 38 -16C38 16 20 50 0 50C-20 50 -38 16 -38 -16Z{"" if landmarks else eyes}"/>'
            + "".join(f'<circle cx="{a}" cy="{b}" r="4.5" fill="{COLOURS["accent"]}" stroke="none"/>' for a, b in dots)
            + "</g>"
        )

    def _add(self, shape: str, place: str, fill: Colour, stroke: Colour, opacity: float, thick: float, dashed: bool) -> None:
        style = f'fill="{COLOURS[fill]}"' + (f' fill-opacity="{_n(opacity)}"' if opacity != 1 and fill != "none" else "")
        if stroke != "none":
            style += f' stroke="{COLOURS[stroke]}" stroke-width="{_n(thick)}"' + (' stroke-dasharray="4 3"' if dashed else "")
        self._parts.append(f"<{shape} {place} {style}/>")


def _n(value: float) -> str:
    """A number of SVG, no longer than it must be."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
