"""Does correcting light or blur help? Verification on lfw100, every photo damaged, then corrected by each technique.

Plain distances, all 4,950 pairs. Both photos of a pair are damaged and corrected alike. A pair with a photo in which no face is
found counts as wrong; otherwise a damage that hides faces would look harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facelab.native import default_runtime
from facelab.preprocess import (
    Pixels,
    blur,
    clahe,
    equalise,
    gamma,
    gamma_for,
    log_transform,
    motion_kernel,
    on_colour,
    wiener,
)
from facelab.verify import distance

from .photos import Seen, look, pairs_within, photos_of
from .report import Report, Table, percent

Change = Callable[[Pixels], Pixels]
Cells = dict[str, dict[str, str]]

DEGREES = 30.0
GRAIN = 2.0  # standard deviation of the camera's noise, grey levels
NOISE = 0.01  # the K that the Wiener filter is given


def measure(data: Path) -> Report:
    """The report on techniques."""
    report = Report("python -m tests.experiments preprocessing")
    photos = photos_of(data / "lfw100")
    first, second, same = pairs_within(np.array([photo.parent.name for photo in photos]))
    right: Cells = {}
    found: Cells = {}
    for damage, spoil in DAMAGES.items():
        techniques = {**TECHNIQUES, **({"Wiener": _undo(damage)} if damage in LENGTHS else {})}
        for technique, correct in techniques.items():
            seen = look(photos, f"pre-{damage}-{technique}".replace(" ", "-"), partial(_both, spoil, correct))
            right.setdefault(technique, {})[damage] = percent(_right(seen, first, second, same), 2)
            found.setdefault(technique, {})[damage] = f"{int((seen.faces > 0).sum())}"
    add_tables(report, right, found, len(photos))
    return report


def add_tables(report: Report, right: Cells, found: Cells, photos: int) -> None:
    """right, found: technique -> damage -> the cell. Light has a table for each, the smear one for both."""
    light = [damage for damage in DAMAGES if damage not in LENGTHS]
    for name, cells in (("light", right), ("light-found", found)):
        report.tables[name] = Table(
            ["Technique", *map(_with_minus, light)],
            [[technique, *(cells[technique][damage] for damage in light)] for technique in TECHNIQUES],
        )
    report.tables["smear"] = Table(
        ["Technique", *(f"{damage}, {what}" for damage in LENGTHS for what in ("right", "faces"))],
        [
            [technique, *(cells[technique][damage] for damage in LENGTHS for cells in (right, found))]
            for technique in ("Wiener", *TECHNIQUES)
        ],
    )
    pairs, dark = photos * (photos - 1) // 2, int(found["none"]["-6 stops"])
    report.values |= {
        "photos": str(photos),
        "pairs": f"{pairs:,}",
        "one pair": percent(1 / pairs, 2),
        "threshold": f"{default_runtime().manifest.embedder.plain_threshold:.1f}",
        "found at -6 stops": str(dark),
        "possible at -6 stops": percent(dark * (dark - 1) / 2 / pairs, 2),
    }


def _with_minus(damage: str) -> str:
    return damage.replace("-", "\N{MINUS SIGN}")


def _right(seen: Seen, first: NDArray[np.intp], second: NDArray[np.intp], same: NDArray[np.bool_]) -> float:
    """Share of pairs on the right side of the threshold for plain distances; a pair without both faces is on neither side."""
    close = distance(seen.embeddings[first], seen.embeddings[second]) < default_runtime().manifest.embedder.plain_threshold
    there = (seen.faces[first] > 0) & (seen.faces[second] > 0)
    return float(((close == same) & there).mean())


def _both(spoil: Change, correct: Change, pixels: Pixels) -> Pixels:
    return correct(spoil(pixels))


def as_it_is(pixels: Pixels) -> Pixels:
    return pixels


def in_light(pixels: Pixels, stops: float) -> Pixels:
    """More or less light, computed in linear light (a gamma of 2.2 stands for sRGB)."""
    linear = (np.arange(256) / 255) ** 2.2 * 2.0**stops
    table: Pixels = (np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)
    return table[pixels]


def flat(pixels: Pixels) -> Pixels:
    """A tenth of the contrast, as in fog."""
    return (128 + (pixels.astype(float) - 128) * 0.1).round().astype(np.uint8)


def smeared(pixels: Pixels, length: int) -> Pixels:
    """Moved while the shutter was open, and grainy."""
    grain = np.random.default_rng(int(pixels.sum())).normal(0, GRAIN, pixels.shape)
    result: Pixels = np.clip(blur(pixels, motion_kernel(length, DEGREES)) + grain, 0, 255).round().astype(np.uint8)
    return result


def restored(pixels: Pixels, length: int) -> Pixels:
    return wiener(pixels, motion_kernel(length, DEGREES), NOISE)


def _undo(damage: str) -> Change:
    return partial(restored, length=LENGTHS[damage])


def gamma_from_mean(pixels: Pixels) -> Pixels:
    return gamma(pixels, gamma_for(pixels))


LENGTHS = {"smeared by 9 px": 9, "smeared by 17 px": 17}
DAMAGES: dict[str, Change] = {
    "as they are": as_it_is,
    "-4 stops": partial(in_light, stops=-4),
    "-6 stops": partial(in_light, stops=-6),
    "+2 stops": partial(in_light, stops=2),
    "a tenth of the contrast": flat,
    **{damage: partial(smeared, length=length) for damage, length in LENGTHS.items()},
}
TECHNIQUES: dict[str, Change] = {
    "none": as_it_is,
    "equalisation of V": partial(on_colour, change=equalise, where="value"),
    "CLAHE on V": partial(on_colour, change=clahe, where="value"),
    "CLAHE on each channel": partial(on_colour, change=clahe, where="channels"),
    "CLAHE on grey": partial(on_colour, change=clahe, where="grey"),
    "logarithm": log_transform,
    "gamma from the mean": gamma_from_mean,
}
