"""The detection error trade-off (DET): FNMR over FMR at every threshold, drawn as an SVG.

Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997, use axes of normal deviates; these
are logarithmic.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]

WIDTH, HEIGHT, MARGIN = 640, 420, 60
LEAST = 1e-5
COLOURS = ("#7c6cf0", "#c2557a", "#2f8f6b", "#b07a1e", "#3a7fc1", "#8a8a3a", "#a04fb0", "#4b9aa0", "#c06a3a", "#707070")


def error_rates(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FMR and FNMR at 400 rising thresholds, from the smallest score to the largest."""
    both = np.concatenate([genuine, impostor])
    cuts = np.quantile(both, np.linspace(0, 1, 200)).tolist() + np.quantile(genuine, np.linspace(0, 1, 200)).tolist()
    thresholds = np.sort(cuts)
    fmr = np.searchsorted(np.sort(impostor), thresholds) / len(impostor)
    fnmr = 1 - np.searchsorted(np.sort(genuine), thresholds) / len(genuine)
    return fmr, fnmr


def draw_det(curves: Mapping[str, Curve]) -> str:
    """An SVG with a curve for each name that has pairs of both kinds. curves: name -> (genuine scores, impostor scores)."""
    drawn = {name: error_rates(*curve) for name, curve in curves.items() if len(curve[0]) and len(curve[1])}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" ',
        'font-family="sans-serif" font-size="12">',
    ]
    parts.append("<title>False non-match rate over false match rate, a curve for each group</title>")
    for power in range(-5, 1):
        at, label = _across(10.0**power), f"{100 * 10.0**power:g} %"
        parts.append(f'<path d="M{at:.1f} {MARGIN / 2}V{HEIGHT - MARGIN}" stroke="currentColor" opacity="0.15"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle" fill="currentColor">{label}</text>')
        if power >= -3:
            up = _up(10.0**power)
            parts.append(f'<path d="M{MARGIN} {up:.1f}H{WIDTH - 20}" stroke="currentColor" opacity="0.15"/>')
            parts.append(f'<text x="{MARGIN - 6}" y="{up + 4:.1f}" text-anchor="end" fill="currentColor">{label}</text>')
    middle = (WIDTH + MARGIN) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 20}" text-anchor="middle" fill="currentColor">false match rate</text>')
    parts.append(f'<text x="{MARGIN}" y="18" fill="currentColor">false non-match rate</text>')
    for index, (name, (fmr, fnmr)) in enumerate(drawn.items()):
        colour = COLOURS[index % len(COLOURS)]
        points = " ".join(f"{_across(x):.1f},{_up(y):.1f}" for x, y in zip(fmr, fnmr, strict=True) if x > 0)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 150}" y="{40 + 16 * index}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _across(rate: float) -> float:
    share = np.log10(max(rate, LEAST) / LEAST) / -np.log10(LEAST)
    return float(MARGIN + share * (WIDTH - MARGIN - 20))


def _up(rate: float) -> float:
    share = np.log10(max(rate, 1e-3) / 1e-3) / 3
    return float(HEIGHT - MARGIN - share * (HEIGHT - 1.5 * MARGIN))
