"""The lab of the overview: a face as it would look in the back row of a group photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..align import warp
from ..detect import Face, detect_faces
from ..embed import embed_faces
from ..quality import measure_quality
from ..verify import decide
from ..workspace import Workspace
from .compared import NO_FACE, TONES
from .panels import Box, Fact, Facts, Lab, Panel, Picture, Settings, Slider

Pixels = NDArray[np.uint8]

AROUND = 3.2  # sides of the picture, in sides of the face's box
SHOWN = 320


async def _group_photo(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The face made small, blurred, dark or tilted, and what detection and verification still make of it."""
    faces = await workspace.faces()
    if not faces:
        return [NO_FACE]
    small = _in_the_back(workspace.pixels(), faces[0], float(settings["side"]), float(settings["roll"]))
    small = _worsened(small, float(settings["blur"]), float(settings["stops"]))
    photo = workspace.runtime.photo(small)
    found = (await detect_faces(workspace.runtime, photo, 20))[:1]
    enlarged = SHOWN / len(small)
    boxes = [Box((face.scaled(enlarged).box).tolist(), f"{face.score:.2f}", "good") for face in found]
    shown = warp(small, np.array([[1 / enlarged, 0, 0.5 / enlarged - 0.5], [0, 1 / enlarged, 0.5 / enlarged - 0.5]]), SHOWN, SHOWN)
    picture = Picture(shown, "the face as in a group photo", "The face and its surroundings.", boxes)
    if not found:
        return [picture, Facts([Fact("Face", "not found", "this pupil would be listed as not seen", "bad")])]
    (embedded,) = await embed_faces(workspace.runtime, photo, found)
    embedder = workspace.runtime.manifest.embedder
    quality = measure_quality(embedded, embedder)
    complaints = quality.complaints
    near = await workspace.embedded()
    decision = decide(
        np.asarray(embedded.embedding), np.asarray(near.embedding), embedder, workspace.runtime.cohort, bool(complaints)
    )
    return [
        picture,
        Picture(embedded.chip, "the chip that the embedder gets", "The chip: what the network sees.", small=True),
        Facts(
            [
                Fact("Face", "found", f"score {found[0].score:.3f}", "good"),
                Fact("Between the eyes", f"{quality.eyes:.0f} px"),
                Fact("Quality", ", ".join(complaints) or "good enough", tone="warn" if complaints else "good"),
                Fact(
                    "Compared with the close-up",
                    decision.verdict,
                    f"distance {decision.distance:.3f}",
                    TONES[decision.verdict],
                ),
            ]
        ),
    ]


def _in_the_back(pixels: Pixels, face: Face, side: float, degrees: float) -> Pixels:
    """The face `side` pixels wide, tilted, with its surroundings. Each pixel is the mean of the pixels that it replaces."""
    centre, width = (face.box[:2] + face.box[2:]) / 2, float((face.box[2:] - face.box[:2]).max())
    size = max(20, round(side * AROUND))
    finer = max(1, int(np.ceil(width / side)))  # samples for each pixel, across and down
    a = width / side / finer * np.exp(1j * np.radians(degrees))
    turn = np.array([[a.real, -a.imag], [a.imag, a.real]])
    shift = centre - turn @ np.full(2, size * finer / 2)
    fine = warp(pixels, np.concatenate([turn, shift[:, None]], axis=1), size * finer, size * finer)
    mean: Pixels = fine.reshape(size, finer, size, finer, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    return mean


def _worsened(pixels: Pixels, sigma: float, stops: float) -> Pixels:
    """The small picture blurred (sigma in its pixels), then made brighter or darker by stops."""
    blurred = pixels.astype(float)
    if sigma > 0:
        reach = int(np.ceil(3 * sigma))
        weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
        weights /= weights.sum()
        for axis in (0, 1):
            around = [(0, 0)] * 3
            around[axis] = (reach, reach)
            padded = np.pad(blurred, around, mode="edge")
            blurred = sum(w * np.take(padded, np.arange(i, i + pixels.shape[axis]), axis) for i, w in enumerate(weights))
    result: Pixels = (np.clip((blurred / 255) ** 2.2 * 2.0**stops, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)
    return result


GROUP_PHOTO = Lab(
    "How far back may a pupil stand?",
    [
        Slider("side", "Width of the face", 12, 120, 2, 40, " px"),
        Slider("blur", "Blur", 0, 5, 0.25, 0, " px"),
        Slider("stops", "Light", -6, 3, 0.5, 0, " stops"),
        Slider("roll", "Tilt of the head", -60, 60, 5, 0, "°"),
    ],
    _group_photo,
)
