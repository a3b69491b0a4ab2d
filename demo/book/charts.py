"""Draws charts as SVG that takes its colours and font from the page, so that they suit light and dark.

matplotlib draws them from numbers in `docs/results/`.
"""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib.axes import Axes
from matplotlib.axis import Axis as MplAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

# Distinct in light and dark, and for people who see fewer colours (after Okabe and Ito). Where colours fail, `styles` helps.
COLOURS = ("#7a6ff0", "#d1651f", "#1f9e77", "#cc4f93", "#3a8fd0", "#a3842a", "#8d8d8d", "#b3474a", "#4e9a3c", "#9a6fb0")
INK = "#010203"  # replaced by the page's text colour
WIDTH = 4.3
LEGEND = 48  # the most letters in a line of the legend; each entry's stroke counts as seven

STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def draw(chart: dict[str, Any], name: str) -> str:
    """The SVG of a chart (see tests.experiments.report.Chart). name: different for each chart, so that ids differ, too."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        places = len(chart["y"]["names"])
        columns = _legend_columns(chart["curves"])
        legend = 0.19 * -(-len(chart["curves"]) // columns)  # inches: its rows lie below the axes
        figure = Figure(figsize=(WIDTH, (0.24 * places + 0.8 if places else 2.7) + legend), layout="constrained")
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x" if places else "both")
        for curve, colour in zip(chart["curves"], COLOURS * 2, strict=False):
            _draw_curve(axes, curve, colour)
        _set_axis(axes, axes.xaxis, chart["x"])
        _set_axis(axes, axes.yaxis, chart["y"])
        for label, at in chart["marks"].items():
            axes.axvline(at, color=INK, linewidth=0.8, linestyle=(0, (2, 3)))
            axes.annotate(
                label, (at, 1), xycoords=("data", "axes fraction"), xytext=(3, 2), textcoords="offset points", fontsize=9.5
            )
        if len(chart["curves"]) > 1:
            figure.legend(loc="outside lower center", ncols=columns, fontsize=9.5)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_the_page(file.getvalue(), chart["alt"])


def _legend_columns(curves: list[dict[str, Any]]) -> int:
    longest = max(len(curve["name"]) for curve in curves)
    return max(1, min(4, len(curves), LEGEND // (longest + 7)))


def _draw_curve(axes: Axes, curve: dict[str, Any], colour: str) -> None:
    if curve["style"] == "points":
        axes.plot(curve["x"], curve["y"], "o", color=colour, markersize=5.5, label=curve["name"])
    else:
        line = (0, (4, 2)) if curve["style"] == "dashed" else "solid"
        axes.plot(curve["x"], curve["y"], color=colour, linewidth=1.8, linestyle=line, label=curve["name"])


def _set_axis(axes: Axes, axis: MplAxis, told: dict[str, Any]) -> None:
    is_x = axis is axes.xaxis
    (axes.set_xlabel if is_x else axes.set_ylabel)(told["label"])
    if told["names"]:
        axis.set_ticks(range(len(told["names"])), told["names"])
        axis.set_tick_params(length=0)
        return
    if told["log"]:
        (axes.set_xscale if is_x else axes.set_yscale)("log")
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    if told["percent"]:
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    elif told["log"]:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if told["limits"]:
        (axes.set_xlim if is_x else axes.set_ylim)(*told["limits"])


def _for_the_page(svg: str, alt: str) -> str:
    """The drawing without its prologue and fixed size, in the page's text colour, with a description for screen readers."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor").replace("font-family: sans-serif", "font-family: inherit")
    svg = re.sub(r"font: ([\d.]+)px sans-serif", r"font: \1px var(--md-text-font-family, sans-serif)", svg)
    svg = re.sub(r'\s(?:xmlns:xlink="[^"]*"|version="[^"]*")', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'<svg width="[\d.]+pt" height="[\d.]+pt"', '<svg class="chart" role="img"', svg, count=1)
    head, rest = svg.split(">", 1)
    return f"{head}><title>{escape(alt)}</title>{' '.join(rest.split())}"
