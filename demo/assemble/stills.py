"""Draws a still picture of every lab as it starts on a sample. Paper shows it, and so does the page until the lab is loaded."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from facelab.desk import SAMPLES, Desk
from facelab.labs import LABS
from facelab.labs.panels import Chart, Facts, Grid, Panel, Picture
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import finish

INKS = {"light": ("#33313a", "#cfccdd", "#5a4fcf"), "dark": ("#c9c6c3", "#4a4646", "#b4a9ff")}
TONES = {"good": "#2f9e63", "bad": "#d9564a", "warn": "#c58a1a"}
COLOURS = ("#d1651f", "#1f9e77", "#cc4f93", "#3a8fd0", "#a3842a")
WIDTH, DPI = 7.6, 125
A_ROW = 3


def draw_stills(models: Path, samples: Path, folder: Path) -> None:
    """Writes KIND-light.webp and KIND-dark.webp for every lab."""
    folder.mkdir(parents=True)
    runtime = NativeRuntime(models)
    desk = Desk(runtime, {name: read_photo(samples / name, runtime.manifest.max_side) for name in SAMPLES})
    for kind, lab in LABS.items():
        panels = finish(lab.answer(desk, lab.settings))
        for scheme, inks in INKS.items():
            file = io.BytesIO()
            _draw(panels, *inks).savefig(file, format="png", dpi=DPI, transparent=True)
            Image.open(file).save(folder / f"{kind}-{scheme}.webp", quality=76, method=4)


def _draw(panels: Sequence[Panel], ink: str, rule: str, accent: str) -> Figure:
    pictures = [panel for panel in panels if isinstance(panel, Picture | Chart)]
    rows = [pictures[i : i + A_ROW] for i in range(0, len(pictures), A_ROW)]
    texts = [panel for panel in panels if isinstance(panel, Facts | Grid)]
    heights = [_height(row) for row in rows] + [_text_height(panel) for panel in texts]
    style: Any = {
        "font.family": "sans-serif",
        "font.size": 8,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
        "axes.edgecolor": rule,
        "grid.color": rule,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.1), layout="constrained")
        bands = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        for band, row in zip(bands, rows, strict=False):
            ratios = [_aspect(panel) for panel in row]
            all_axes = band.subplots(1, len(row), squeeze=False, width_ratios=ratios)[0]
            for axes, panel in zip(all_axes, row, strict=True):
                if isinstance(panel, Picture):
                    _picture(axes, panel, accent)
                else:
                    _chart(axes, panel, accent)
                if panel.caption:
                    axes.set_title("\n".join(textwrap.wrap(panel.caption, round(110 / len(row)))), fontsize=7, loc="left")
        for band, text in zip(bands[len(rows) :], texts, strict=True):
            axes = band.subplots()
            axes.axis("off")
            _text(axes, text)
    return figure


def _aspect(panel: Picture | Chart) -> float:
    if isinstance(panel, Picture):
        height, width = panel.pixels.shape[:2]
        return float(width / height) * (0.6 if panel.small else 1)
    return 1.0 if panel.square else 1.7


def _height(row: Sequence[Picture | Chart]) -> float:
    alone = 3.4 if any(isinstance(panel, Picture) for panel in row) else 2.9
    return min(alone, WIDTH / sum(_aspect(panel) for panel in row)) + 0.35


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


def _text_height(panel: Facts | Grid) -> float:
    return 0.5 if isinstance(panel, Facts) else 0.2 * (len(panel.rows) + 1) + 0.2


def _text(axes: Axes, panel: Facts | Grid) -> None:
    if isinstance(panel, Grid):
        axes.table([list(row) for row in panel.rows], colLabels=list(panel.columns), loc="center", edges="horizontal")
        return
    for place, fact in enumerate(panel.facts):
        x = place / len(panel.facts)
        axes.text(x, 1, fact.label, fontsize=6.5, va="top", transform=axes.transAxes)
        axes.text(x, 0.45, fact.value, fontsize=9.5, weight="bold", va="top", transform=axes.transAxes)
