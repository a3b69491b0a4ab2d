"""Draws a still picture of every lab as it starts on a sample. Paper shows it, and so does the page until the lab is loaded."""

from __future__ import annotations

import hashlib
import io
import math
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

import facelab
from facelab.labs import LABS
from facelab.labs.panels import Chart, Facts, Grid, Panel, Picture
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import finish
from facelab.workspace import SAMPLES, Workspace

INKS = {"light": ("#33313a", "#cfccdd", "#5a4fcf"), "dark": ("#c9c6c3", "#4a4646", "#b4a9ff")}
TONES = {"good": "#2f9e63", "bad": "#d9564a", "warn": "#c58a1a"}
COLOURS = ("#d1651f", "#1f9e77", "#cc4f93", "#3a8fd0", "#a3842a")


@dataclass(frozen=True)
class Format:
    """How a still is laid out.

    name: the end of its file's name. width: in inches. dots: per inch. a_row: the most pictures and charts side by side.
    """

    name: str
    width: float
    dots: int
    a_row: int

    def rows_of(self, panels: Sequence[Picture | Chart]) -> list[list[Picture | Chart]]:
        """As many panels side by side as fit; of small ones twice as many on a phone."""
        rows: list[list[Picture | Chart]] = []
        for panel in panels:
            room = self.a_row if self.a_row > 1 or not panel.small else 2
            if rows and len(rows[-1]) < room and all(one.small == panel.small or self.a_row > 1 for one in rows[-1]):
                rows[-1].append(panel)
            else:
                rows.append([panel])
        return rows


# For a page beside its menu, and for a phone.
FORMATS = Format("", 6.4, 148, 3), Format("-narrow", 2.9, 190, 1)


def kept_stills(models: Path, samples: Path, kept: Path) -> Path:
    """The folder with the stills: one for each state of what they are drawn from, below `kept`."""
    code = [Path(__file__), *Path(facelab.__file__).parent.rglob("*.py"), models / "models.json", *samples.glob("*.jpg")]
    content = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(code))).hexdigest()[:16]
    folder = kept / content
    if not folder.exists():
        shutil.rmtree(kept, ignore_errors=True)
        partial = kept / "part"
        draw_stills(models, samples, partial)
        partial.rename(folder)
    return folder


def draw_stills(models: Path, samples: Path, folder: Path) -> None:
    """Writes KIND-light.webp, KIND-dark.webp, KIND-light-narrow.webp and KIND-dark-narrow.webp for every lab."""
    folder.mkdir(parents=True)
    runtime = NativeRuntime(models)
    workspace = Workspace(runtime, {name: read_photo(samples / name, runtime.manifest.max_side) for name in SAMPLES})
    for kind, lab in LABS.items():
        panels = finish(lab.answer(workspace, lab.settings))
        for scheme, inks in INKS.items():
            for form in FORMATS:
                file = io.BytesIO()
                _draw(panels, form, *inks).savefig(file, format="png", dpi=form.dots, transparent=True)
                Image.open(file).save(folder / f"{kind}-{scheme}{form.name}.webp", quality=64, method=4)


def _draw(panels: Sequence[Panel], form: Format, ink: str, rule: str, accent: str) -> Figure:
    rows = form.rows_of([panel for panel in panels if isinstance(panel, Picture | Chart)])
    texts = [panel for panel in panels if isinstance(panel, Facts | Grid)]
    heights = [_height(row, form) for row in rows] + [_text_height(panel, form) for panel in texts]
    style: Any = {
        "font.family": "sans-serif",
        "font.size": 8,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
        "axes.edgecolor": rule,
        "grid.color": rule,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(form.width, sum(heights) + 0.1), layout="constrained")
        bands = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        for band, row in zip(bands, rows, strict=False):
            ratios = [_aspect(panel, form) for panel in row]
            all_axes = band.subplots(1, len(row), squeeze=False, width_ratios=ratios)[0]
            for axes, panel in zip(all_axes, row, strict=True):
                if isinstance(panel, Picture):
                    _picture(axes, panel, accent)
                else:
                    _chart(axes, panel, accent)
                if panel.caption:
                    letters = round(14.5 * form.width / len(row))
                    axes.set_title("\n".join(textwrap.wrap(panel.caption, letters)), fontsize=7, loc="left")
        for band, text in zip(bands[len(rows) :], texts, strict=True):
            axes = band.subplots()
            axes.axis("off")
            _text(axes, text, form)
    return figure


def _aspect(panel: Picture | Chart, form: Format) -> float:
    if isinstance(panel, Picture):
        height, width = panel.pixels.shape[:2]
        return float(width / height) * (0.6 if panel.small and form.a_row > 1 else 1)
    return 1.0 if panel.square else 1.7


def _height(row: Sequence[Picture | Chart], form: Format) -> float:
    alone = 3.4 if any(isinstance(panel, Picture) for panel in row) else 2.9
    return min(alone, form.width / sum(_aspect(panel, form) for panel in row)) + 0.35


def _picture(axes: Axes, panel: Picture, accent: str) -> None:
    axes.imshow(panel.pixels, cmap="gray", vmin=0, vmax=255)
    axes.autoscale(enable=False)  # boxes may begin outside the photo
    axes.axis("off")
    for box in panel.boxes:
        x1, y1, x2, y2 = box.corners
        colour = TONES.get(box.tone, accent)
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour, lw=0.6 if box.faint else 1.4))
        if box.label:
            axes.text(x1, y1 - 3, box.label, fontsize=6, color="white", bbox={"color": "#0008", "pad": 1})
    axes.plot([dot.x for dot in panel.dots], [dot.y for dot in panel.dots], "o", color=accent, markersize=3)


def _chart(axes: Axes, panel: Chart, accent: str) -> None:
    axes.grid(visible=True, linewidth=0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for index, line in enumerate(panel.lines):
        colour = TONES.get(line.tone) or (accent, *COLOURS)[index % 6]
        if line.style == "points":
            axes.plot(line.x, line.y, "o", color=colour, markersize=2 if len(line.x) > 100 else 4, label=line.name)
            for x, y, label in zip(line.x, line.y, line.labels, strict=False):
                axes.annotate(label, (x, y), fontsize=6, xytext=(4, 2), textcoords="offset points")
        elif line.style == "bars":
            step = (line.x[1] - line.x[0]) * 0.9 if len(line.x) > 1 else 0.9
            axes.bar(line.x, line.y, width=step, color=colour, alpha=0.7, label=line.name)
        else:
            axes.plot(line.x, line.y, "--" if line.style == "dashed" else "-", color=colour, lw=1.4, label=line.name)
    for name, at in panel.marks:
        axes.axvline(at, lw=0.8, ls=":")
        axes.annotate(name, (at, 1), xycoords=("data", "axes fraction"), fontsize=6)
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log")
    if panel.square:
        axes.set_aspect("equal", adjustable="datalim")
    if panel.x_limits:
        axes.set_xlim(*panel.x_limits)
    if panel.y_limits:
        axes.set_ylim(*panel.y_limits)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if sum(bool(line.name) for line in panel.lines) > 1:
        axes.legend(frameon=False, fontsize=6.5)


def _text_height(panel: Facts | Grid, form: Format) -> float:
    if isinstance(panel, Grid):
        return 0.2 * (len(panel.rows) + 1) + 0.2
    return 0.5 * math.ceil(len(panel.facts) / _facts_a_row(panel, form))


def _facts_a_row(panel: Facts, form: Format) -> int:
    """All, where there is room; on a phone two, or one where a name is long."""
    if form.a_row > 1:
        return min(len(panel.facts), 4)
    return 1 if max(len(fact.label) for fact in panel.facts) > 24 else 2


def _text(axes: Axes, panel: Facts | Grid, form: Format) -> None:
    if isinstance(panel, Grid):
        axes.table([list(row) for row in panel.rows], colLabels=list(panel.columns), loc="center", edges="horizontal")
        return
    across = _facts_a_row(panel, form)
    down = math.ceil(len(panel.facts) / across)
    for place, fact in enumerate(panel.facts):
        x, top = place % across / across, 1 - place // across / down
        axes.text(x, top, fact.label, fontsize=6.5, va="top", transform=axes.transAxes)
        axes.text(x, top - 0.55 / down, fact.value, fontsize=9.5, weight="bold", va="top", transform=axes.transAxes)
