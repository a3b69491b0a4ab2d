"""Labs on light and blur: what each technique does to a photo, its histogram, the detector’s score, and the distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embed import Embedded
from ..preprocess import (
    blur,
    brightness,
    clahe,
    contrast,
    equalise,
    exposure,
    gamma,
    gamma_for,
    histogram,
    log_transform,
    luma,
    motion_kernel,
    on_colour,
    wiener,
)
from ..workspace import Workspace
from .compared import compare, face_in, other_photo
from .panels import Box, Chart, Choice, Fact, Facts, Lab, Line, Panel, Picture, Settings, Slider, Tone
from .pictures import shrunk

Pixels = NDArray[np.uint8]

SIDE = 420  # pixels, the longer side of the pictures
NEUTRAL = {"under": "underexposed", "neutral": "neutral", "over": "overexposed"}


async def _light(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The photo in more or less light, and after a correction."""
    photo = _in_light(shrunk(workspace.pixels(), SIDE), float(settings["stops"]))
    corrected = _corrected(
        photo, str(settings["technique"]), str(settings["where"]), float(settings["clip"]), float(settings["gamma"])
    )
    if settings.get("quick"):
        return [Picture(photo, "before", "Before."), Picture(corrected, "after", "After."), _histograms(photo, corrected)]
    before = await workspace.once(("light", workspace.chosen, settings["stops"]), lambda: face_in(workspace, photo))
    after = await face_in(workspace, corrected)
    return [
        _picture(photo, before, "Before"),
        _picture(corrected, after, "After"),
        _histograms(photo, corrected),
        Facts(
            [
                Fact("Brightness", f"{brightness(photo):.0f} → {brightness(corrected):.0f}", f"before: {NEUTRAL[exposure(photo)]}"),
                Fact("Contrast", f"{contrast(photo):.0f} → {contrast(corrected):.0f}", "standard deviation of the grey levels"),
                *await _change_of_distance(workspace, before, after),
            ]
        ),
    ]


def _in_light(photo: Pixels, stops: float) -> Pixels:
    """The photo in more or less light, computed in linear light. A stop is a factor of two."""
    linear = (np.arange(256) / 255) ** 2.2 * 2.0**stops
    table: Pixels = (np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)
    return table[photo]


def _corrected(photo: Pixels, technique: str, where: str, clip: float, exponent: float) -> Pixels:
    place = {"grey": "grey", "channels": "channels"}.get(where, "value")
    if technique in ("gamma", "own gamma", "log"):
        change = {
            "gamma": lambda grey: gamma(grey, exponent),
            "own gamma": lambda grey: gamma(grey, gamma_for(photo)),
            "log": log_transform,
        }[technique]
    else:
        change = {
            "equalise": equalise,
            "adaptive": lambda grey: clahe(grey, 8, np.inf),
            "clahe": lambda grey: clahe(grey, 8, clip),
        }[technique]
    return on_colour(photo, change, place)  # type: ignore[arg-type]


async def _motion(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The photo smeared, with a little noise, and restored by a guess of the smear."""
    sharp = shrunk(workspace.pixels(), SIDE)
    kernel = motion_kernel(int(settings["length"]), float(settings["angle"]))
    grain = np.random.default_rng(1).normal(0, float(settings["grain"]), sharp.shape)
    smeared = np.clip(blur(sharp, kernel) + grain, 0, 255).round().astype(np.uint8)
    guess = motion_kernel(int(settings["guess"]), float(settings["angle"]))
    noise = 10.0 ** float(settings["noise"])
    restored, name = wiener(smeared, guess, noise), f"Restored with K = {noise:.2g}"
    if settings.get("quick"):
        pictures = [Picture(smeared, "smeared", "Smeared."), Picture(restored, "restored", f"{name}.")]
        return [*pictures, Picture(_enlarged(kernel), "the smear as a picture", "The smear, enlarged.", small=True)]
    smear = ("motion", workspace.chosen, settings["length"], settings["angle"], settings["grain"])
    before, after = await workspace.once(smear, lambda: face_in(workspace, smeared)), await face_in(workspace, restored)
    errors = [float(np.abs(one.astype(float) - sharp).mean()) for one in (smeared, restored)]
    tone: Tone = "good" if errors[1] < errors[0] else "bad"
    return [
        _picture(smeared, before, "Smeared"),
        _picture(restored, after, name),
        Picture(_enlarged(kernel), "the smear as a picture", "The smear, enlarged.", small=True),
        Facts(
            [
                Fact("Difference from the sharp photo", f"{errors[0]:.1f} → {errors[1]:.1f}", "grey levels, on average", tone),
                *await _change_of_distance(workspace, before, after),
            ]
        ),
    ]


def _enlarged(kernel: NDArray[np.floating]) -> Pixels:
    grey = (255 * kernel / kernel.max()).round().astype(np.uint8)
    return np.kron(grey, np.ones((6, 6), np.uint8))


def _picture(pixels: Pixels, seen: Embedded | None, name: str) -> Picture:
    boxes, words = [], f"{name}: no face found."
    if seen:
        words = f"{name}: a face found, score {seen.face.score:.3f}."
        boxes = [Box(seen.face.box.tolist(), f"{seen.face.score:.3f}")]
    return Picture(pixels, words, words, boxes)


def _histograms(before: Pixels, after: Pixels) -> Chart:
    levels = (np.arange(0, 256, 8) + 4).tolist()
    shares = [(histogram(luma(pixels)).reshape(32, 8).sum(axis=1) / luma(pixels).size * 100).tolist() for pixels in (before, after)]
    lines = [Line("before", levels, shares[0], "dashed"), Line("after", levels, shares[1])]
    alt = f"histograms before and after: the mean moves from {brightness(before):.0f} to {brightness(after):.0f}"
    return Chart(alt, lines, "grey level", "% of pixels", x_limits=(0, 256), small=True)


async def _change_of_distance(workspace: Workspace, before: Embedded | None, after: Embedded | None) -> list[Fact]:
    """The distance to another photo of the same person, before and after."""
    if not before and not after:
        return [Fact("Face", "not found", "not before, not after", "bad")]
    other, to_whom = await other_photo(workspace)
    values = [compare(workspace, one, other).distance if one else None for one in (before, after)]
    written = ["–" if value is None else f"{value:.3f}" for value in values]
    better = values[1] is not None and (values[0] is None or values[1] < values[0])
    note = "both photos show the same person: shorter is better"
    return [Fact(f"Distance {to_whom}", " → ".join(written), note, "good" if better else "bad")]


LIGHT = Lab(
    "Which correction helps, and which hurts?",
    [
        Slider("stops", "Light in the room", -6, 3, 0.5, -3, " stops"),
        Choice(
            "technique",
            "Technique",
            [
                ("clahe", "CLAHE"),
                ("equalise", "Histogram equalisation"),
                ("adaptive", "Adaptive equalisation"),
                ("gamma", "Gamma"),
                ("own gamma", "Gamma from the mean"),
                ("log", "Logarithm"),
            ],
            "clahe",
        ),
        Choice("where", "Applied to", [("value", "V of HSV"), ("channels", "each channel"), ("grey", "grey")], "value"),
        Slider("clip", "Clip limit", 1, 10, 0.5, 2, only=("technique", "clahe")),
        Slider("gamma", "Exponent", 0.2, 3, 0.1, 0.5, only=("technique", "gamma")),
    ],
    _light,
    quick=True,
)
MOTION = Lab(
    "Can a smear be undone?",
    [
        Slider("length", "Length of the smear", 1, 31, 2, 13, " px"),
        Slider("angle", "Direction of the smear", 0, 170, 10, 20, "°"),
        Slider("grain", "Noise of the camera", 0, 10, 0.5, 1, " levels"),
        Slider("guess", "Length of the smear, as guessed", 1, 31, 2, 13, " px"),
        Slider("noise", "Noise constant K, as a power of ten", -4, 0, 0.25, -2),
    ],
    _motion,
    quick=True,
)
