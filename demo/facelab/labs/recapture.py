"""A lab on photos of photos: what a screen or a print leaves in the picture, and what the network makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..embed import Embedded
from ..recapture import TILE, Surface, fine_waves, levels, peak_score, retake, spectrum, surroundings
from ..workspace import Workspace
from .compared import TONES, compare, face_in, other_photo
from .panels import Box, Chart, Choice, Fact, Facts, Lab, Line, Panel, Picture, Settings, Slider
from .pictures import shrunk

Pixels = NDArray[np.uint8]

SIDE = 420
CROP = 72  # pixels of the new photo that are shown enlarged
LARGER = 4
DECADES = 6.0  # of power between black and white in the picture of the spectrum
NOTICEABLE = 25.0  # a peak this many times its surroundings is easily seen in the spectrum


async def _recapture(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The photo taken again from a screen or a print, a part of it enlarged, its spectrum, and what the network says."""
    honest = shrunk(workspace.pixels(), SIDE)
    surface: Surface | None = {"screen": "screen", "print": "print"}.get(str(settings["surface"]))  # type: ignore[assignment]
    retaken = retake(
        honest,
        surface,
        float(settings["pitch"]),
        float(settings["degrees"]),
        float(settings["blur"]),
        float(settings["noise"]),
    )
    new = shrunk(retaken, round(max(retaken.shape[:2]) * float(settings["size"]) / 100))
    before, power = await workspace.once(("peak score", workspace.chosen), lambda: _honest_score(honest)), spectrum(new)
    after = peak_score(power)
    what = f"a photo of a {surface}" if surface else "the scene itself"
    if settings.get("quick"):
        return [Picture(new, what, f"The new photo: {what}."), _detail(new, None), _waves(power, after), _row(power)]
    seen = await face_in(workspace, new)
    boxes = [Box(seen.face.box.tolist(), f"{seen.face.score:.3f}")] if seen else []
    return [
        Picture(new, what, f"The new photo: {what}.", boxes),
        _detail(new, seen),
        _waves(power, after),
        _row(power),
        Facts([_score(before, after), *await _distances(workspace, seen)]),
    ]


def _detail(new: Pixels, seen: Embedded | None) -> Picture:
    """A square of the new photo, enlarged: about the landmarks, or about the middle where there is no face."""
    height, width = new.shape[:2]
    x, y = seen.face.landmarks.mean(axis=0) if seen else (width / 2, height / 3)
    left = int(np.clip(x - CROP / 2, 0, max(0, width - CROP)))
    top = int(np.clip(y - CROP / 2, 0, max(0, height - CROP)))
    part = new[top : top + CROP, left : left + CROP]
    large = part.repeat(LARGER, axis=0).repeat(LARGER, axis=1)
    return Picture(large, "a part of the photo, enlarged", f"A part of it, {LARGER} times as large.")


def _waves(power: NDArray[np.float64], score: float) -> Picture:
    level = np.log10(power + 1)
    grey = np.clip(1 - (level.max() - level) / DECADES, 0, 1)
    pixels = (255 * grey).round().astype(np.uint8).repeat(LARGER, axis=0).repeat(LARGER, axis=1)
    alt = f"the spectrum; its strongest fine peak is {score:.0f} times as strong as its surroundings"
    return Picture(pixels, alt, "Its spectrum: coarse waves in the middle, fine ones outside. A grid makes dots.", small=True)


def _row(power: NDArray[np.float64]) -> Chart:
    """The row of the spectrum in which the strongest fine peak lies, and its surroundings."""
    level, usual = levels(power), surroundings(power)
    row = int(np.where(fine_waves(), level - usual, -np.inf).max(axis=1).argmax())
    waves = (np.arange(TILE) - TILE // 2).tolist()
    lines = [Line("surroundings", waves, usual[row].tolist(), "dashed"), Line("strength", waves, level[row].tolist())]
    height = (level - usual)[row].max()
    alt = f"the row of the spectrum with the highest peak: up to {height:.1f} powers of ten above its surroundings"
    return Chart(
        alt,
        lines,
        f"waves in {TILE} pixels",
        "strength, powers of ten",
        "The row of the spectrum with the highest peak.",
        small=True,
    )


async def _honest_score(honest: Pixels) -> float:
    return peak_score(spectrum(honest))


def _score(before: float, after: float) -> Fact:
    note = f"times its surroundings; in the photo as it was, {before:.0f} times"
    return Fact("Strongest peak", f"{after:.0f}", note, "warn" if after > NOTICEABLE else "")


async def _distances(workspace: Workspace, seen: Embedded | None) -> list[Fact]:
    """From the new photo to the photo that it shows, and to another one of the same person where there is one."""
    if not seen:
        return [Fact("Face", "not found", "in the new photo", "bad")]
    facts = []
    shown = await workspace.once(("recapture", workspace.chosen), lambda: face_in(workspace, shrunk(workspace.pixels(), SIDE)))
    if shown:
        decision = compare(workspace, shown, seen)
        facts.append(
            Fact("Distance to the photo shown", f"{decision.distance:.3f}", f"“{decision.verdict}”", TONES[decision.verdict])
        )
    other, to_whom = await other_photo(workspace)
    decision = compare(workspace, other, seen)
    facts.append(Fact(f"Distance {to_whom}", f"{decision.distance:.3f}", f"“{decision.verdict}”", TONES[decision.verdict]))
    return facts


RECAPTURE = Lab(
    "When does a photo of a photo show?",
    [
        Choice(
            "surface",
            "The camera looks at",
            [("screen", "a screen"), ("print", "a print"), ("none", "the scene itself")],
            "screen",
        ),
        Slider("pitch", "Camera pixels per dot", 0.8, 5, 0.1, 1.9, " px", only=("surface", ("screen", "print"))),
        Slider("degrees", "Angle between the two grids", 0, 45, 1, 4, "°", only=("surface", ("screen", "print"))),
        Slider("blur", "Blur of the lens", 0, 3, 0.1, 0, " px"),
        Slider("noise", "Noise of the camera", 0, 12, 0.5, 2, " levels"),
        Slider("size", "Shrunk afterwards to", 40, 100, 5, 100, " %"),
    ],
    _recapture,
    quick=True,
)
