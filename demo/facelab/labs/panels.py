"""What a lab is made of: controls that the reader moves, and panels that answer.

A lab computes and says what is to be seen; the page draws it, and the book's build draws a still of it for paper. Frames as
everywhere: pixels of the picture, origin top left, x right, y down.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..workspace import Workspace

Setting = float | str | bool
Tone = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True)
class Slider:
    """A number from low to high. unit: written after it. only: there while a choice has a value, (choice, value), or one
    of several, (choice, (value, ...)).

    play: whether the page offers a button that moves it to its end, step by step, as fast as answers come.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    unit: str = ""
    only: tuple[str, str | tuple[str, ...]] | None = None
    play: bool = False
    kind: Literal["slider"] = "slider"


@dataclass(frozen=True)
class Choice:
    """One of some (value, label)."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    start: str
    kind: Literal["choice"] = "choice"


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    name: str
    label: str
    start: bool
    kind: Literal["switch"] = "switch"


@dataclass(frozen=True)
class Button:
    """Counts how often it was pressed: for what begins anew or goes a step on."""

    name: str
    label: str
    start: float = 0
    kind: Literal["button"] = "button"


Control = Slider | Choice | Switch | Button


@dataclass(frozen=True)
class Box:
    """A frame in a picture. corners: x1 y1 x2 y2."""

    corners: Sequence[float]
    label: str = ""
    tone: Tone = ""
    faint: bool = False


@dataclass(frozen=True)
class Dot:
    """A point in a picture. name: of the settings NAME_x and NAME_y that it is when the reader may drag it."""

    x: float
    y: float
    name: str = ""


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 [height, width, 3] RGB or [height, width] grey. alt: for who cannot see it. width: share of the row, 0 to 1."""

    pixels: NDArray[np.uint8]
    alt: str
    caption: str = ""
    boxes: Sequence[Box] = ()
    dots: Sequence[Dot] = ()
    small: bool = False
    kind: Literal["picture"] = "picture"


@dataclass(frozen=True)
class Line:
    """A curve, or points where style says so."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: Literal["line", "dashed", "points", "bars"] = "line"
    tone: Tone = ""
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """Lines over axes. limits None: what the lines need. marks: upright lines, name -> x. square: one unit as long both ways."""

    alt: str
    lines: Sequence[Line]
    x: str = ""
    y: str = ""
    caption: str = ""
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    x_log: bool = False
    y_log: bool = False
    marks: Sequence[tuple[str, float]] = ()
    square: bool = False
    small: bool = False
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True)
class Fact:
    """A number with its name. note: what it means, in a few words."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Facts:
    """Numbers side by side."""

    facts: Sequence[Fact]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Grid:
    """A table; tones colour its cells (same shape as rows)."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    tones: Sequence[Sequence[Tone]] = ()
    kind: Literal["grid"] = "grid"


Panel = Picture | Chart | Facts | Grid
Settings = dict[str, Setting]
Answer = Callable[[Workspace, Settings], Coroutine[Any, Any, Sequence[Panel]]]


@dataclass(frozen=True)
class Lab:
    """title: what the reader can find out. controls: what they move. answer: what they see for settings (name -> value).

    quick: whether it answers with its first panels at once where the setting "quick" is true, and with all of them when it is not.
    extra: settings without a control, such as the places of dots. wants_photo: whether it is about the reader's photo.
    """

    title: str
    controls: Sequence[Control]
    answer: Answer
    extra: Settings = field(default_factory=dict)
    wants_photo: bool = True
    quick: bool = False

    @property
    def settings(self) -> Settings:
        """As the lab starts."""
        return {**self.extra, **{control.name: control.start for control in self.controls}}
