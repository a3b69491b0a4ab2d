"""Figures of the page "How fast it is": what a visit waits for, and how long, beside another page."""

from __future__ import annotations

from ..results import read_report
from . import Figure
from .drawing import Colour, Drawing

PAGES: list[tuple[str, Colour, float]] = [  # name, colour, opacity
    ("this demo", "accent", 1),
    ("face-api, tiny", "muted", 1),
    ("face-api, SSD", "muted", 0.4),
]


def visit() -> Figure:
    """The steps of a first visit, and of the next one."""
    drawings = []
    for heading, is_first in (("First visit", True), ("Next visit, in Chrome or Edge", False)):
        d = Drawing(f"{heading}: a chain of steps from the top to the answer", 340, 312)
        d.text(12, 18, heading, bold=True)
        rows = [
            ("fetch the files", "Python, NumPy, networks, engine", True),
            ("compile", "WebAssembly to machine code", True),
            ("load the memories", "Python and networks, as if started", True),
            ("look at each photo", "find, align and embed its faces", False),
            ("answer", "compare two embeddings", False),
        ]
        for i, (step, words, is_start) in enumerate(rows):
            top, done = 32 + 56 * i, is_start and not is_first
            d.rect(12, top, 316, 42, "none" if done else "surface", "line" if done else "accent", radius=6, dashed=done)
            d.text(24, top + 18, "already done" if done else step, colour="muted" if done else "ink", bold=not done)
            d.text(24, top + 34, words, colour="muted", size=12)
            if i < len(rows) - 1:
                d.arrow(170, top + 43, 170, top + 55, "muted")
        drawings.append(d)
    return Figure(
        drawings,
        "**What a visit waits for.** A first visit fetches, compiles and loads the engine before it can look at a photo. In Chrome "
        "and Edge the engine keeps running for a while after its page, so the next visit starts with the photo.",
    )


def waits() -> Figure:
    """Bars of milliseconds: this demo beside face-api with two detectors."""
    table = read_report("speed")["tables"]["page"]
    rows = [row for row in table["rows"] if row[0].endswith(", ms")]
    longest = max(float(number.replace(",", "")) for _, *numbers in rows for number in numbers)
    d = Drawing("Bars of waiting times for five tasks, three bars each", 360, 78 * len(rows) + 36)
    for i, (name, colour, opacity) in enumerate(PAGES):
        d.rect(4 + 112 * i, 4, 12, 12, colour, "none", opacity=opacity)
        d.text(20 + 112 * i, 15, name, size=12)
    for i, (task, *numbers) in enumerate(rows):
        top = 46 + 78 * i
        d.text(4, top, task.removesuffix(", ms"), bold=True)
        for k, (number, (_, colour, opacity)) in enumerate(zip(numbers, PAGES, strict=True)):
            y, wide = top + 8 + 17 * k, 290 * float(number.replace(",", "")) / longest
            d.rect(4, y, wide, 12, colour, "none", opacity=opacity)
            d.text(8 + wide, y + 11, f"{number} ms", size=12)
    return Figure(
        [d],
        "**Waiting times on two cores.** Shorter bars are faster. *Tiny* and *SSD* are two detectors of face-api. The pages ran in "
        "the same browser, in turns; the bars are medians of five rounds.",
    )
