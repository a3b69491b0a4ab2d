"""Simulated photos of photos: whether their grid shows, and whether the network minds. And faces mixed of two people.

The photos of lfw100 are taken again from a screen or a print by `facelab.recapture`, with pitches and angles drawn at random.
Nothing here was photographed, so no rate says how a real attack would fare.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.detect import Face, detect_faces
from facelab.embed import Embedded, embed_faces
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.recapture import Surface, peak_score, retake, spectrum
from facelab.runtime import finish
from facelab.verify import distance

from .photos import Pixels, photos_of
from .report import Axis, Chart, Curve, Report, Table, percent

BLURS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
SURFACES: tuple[Surface, ...] = ("screen", "print")
AS_IT_IS = -1.0  # in place of a blur: the photo as its file has it
PITCHES = (1.3, 4.0)  # camera pixels from one screen pixel or dot to the next: drawn between these
ANGLES = (0.0, 20.0)  # degrees between the two grids
NOISE = 2.0
FALSE_ALARMS = 0.05  # of the honest photos, at the score from which a photo counts as a photo of a photo


@dataclass(frozen=True)
class Taken:
    """One photo, honest (surface None) or taken again: its peak score, and its largest face (None: none found)."""

    photo: Path
    surface: Surface | None
    blur: float
    score: float
    face: Embedded | None


def measure(data: Path) -> Report:
    """The report on simulated photos of photos."""
    report = Report("python -m tests.experiments recaptures")
    photos = photos_of(data / "lfw100")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        looked = tqdm(pool.map(_look, photos, chunksize=4), total=len(photos), desc="recaptures", unit="photo", disable=None)
        taken = [one for several in looked for one in several]
    honest = [one for one in taken if one.blur == AS_IT_IS]
    report.values["photos"] = str(len(honest))
    _scores(report, honest, taken)
    _verdicts(report, honest, taken)
    _mixed(report, honest)
    return report


def _look(photo: Path) -> list[Taken]:
    """A photo as it is, and with each blur: of the scene itself, and taken again from each surface."""
    random = np.random.default_rng(zlib.crc32(photo.name.encode()))
    pixels = read_photo(photo, default_runtime().manifest.max_side).pixels
    found = [_seen(photo, None, AS_IT_IS, pixels)]
    for surface in (None, *SURFACES):
        pitch, degrees = random.uniform(*PITCHES), random.uniform(*ANGLES)
        found += [_seen(photo, surface, blur, retake(pixels, surface, pitch, degrees, blur, NOISE)) for blur in BLURS]
    return found


def _seen(photo: Path, surface: Surface | None, blur: float, pixels: Pixels) -> Taken:
    runtime = default_runtime()
    opened = runtime.photo(pixels)
    faces = finish(detect_faces(runtime, opened))
    embedded = finish(embed_faces(runtime, opened, faces[:1]))
    return Taken(photo, surface, blur, peak_score(spectrum(pixels)), embedded[0] if embedded else None)


def _scores(report: Report, honest: Sequence[Taken], taken: Sequence[Taken]) -> None:
    """The score that few honest photos reach, and the share of recaptured photos above it, by blur."""
    bare = np.array([one.score for one in honest])
    limit = float(np.quantile(bare, 1 - FALSE_ALARMS))
    report.values["honest, highest score"] = f"{bare.max():.0f}"
    report.values["limit"] = f"{limit:.0f}"
    curves = []
    for surface in SURFACES:
        noticed = []
        for blur in BLURS:
            scores = np.array([one.score for one in taken if one.surface == surface and one.blur == blur])
            noticed.append(float((scores > limit).mean()))
            report.values[f"noticed, {surface}, blur {blur:g}"] = percent(noticed[-1], 0)
        curves.append(Curve(surface, BLURS, noticed))
    report.charts["noticed"] = Chart(
        f"the share of recaptured photos that the score notices falls from {curves[0].y[0]:.0%} to {curves[0].y[-1]:.0%} with blur",
        Axis("blur of the lens, camera pixels"),
        Axis("noticed", percent=True, limits=(0, 1)),
        curves,
    )


def _verdicts(report: Report, honest: Sequence[Taken], taken: Sequence[Taken]) -> None:
    """Each photo against the next one of the same person: the share called "same", with each blur, of the scene and taken again."""
    same_below = default_runtime().manifest.embedder.calibration.good.same_below
    following = {}
    for one in honest:
        others = [other for other in honest if other.photo.parent == one.photo.parent]
        following[one.photo] = others[(others.index(one) + 1) % len(others)]

    def share(surface: Surface | None, blur: float) -> float:
        chosen = [one for one in taken if one.surface == surface and one.blur == blur]
        return float(np.mean([_apart(one, following[one.photo]) < same_below for one in chosen]))

    rows = [
        [f"{blur:g}\N{NO-BREAK SPACE}px", *(percent(share(surface, blur), 0) for surface in (None, *SURFACES))] for blur in BLURS
    ]
    report.tables["verdicts"] = Table(["Blur of the lens", "The scene itself", "A screen", "A print"], rows)


def _apart(a: Taken, b: Taken) -> float:
    return float(distance(a.face.embedding, b.face.embedding)) if a.face and b.face else np.inf


def _mixed(report: Report, honest: Sequence[Taken]) -> None:
    """The first photos of two people mixed half and half, against these photos, and against the second photo of each."""
    same_below = default_runtime().manifest.embedder.calibration.good.same_below
    people: dict[str, list[Embedded]] = {}
    for one in honest:
        if one.face:
            people.setdefault(one.photo.parent.name, []).append(one.face)
    pairs = list(combinations(people.values(), 2))
    ways: dict[str, Callable[[Embedded, Embedded], NDArray[np.float32]]] = {
        "embeddings": _middle,
        "chips": _mixed_face,
    }
    rows = []
    for name, way in ways.items():
        mixed = [way(first[0], second[0]) for first, second in pairs]
        apart = [
            np.array(
                [[float(distance(one, person[photo].embedding)) for person in pair] for one, pair in zip(mixed, pairs, strict=True)]
            )
            for photo in (0, 1)
        ]
        both = float((apart[1] < same_below).all(axis=1).mean())
        rows.append([name, *(f"{np.median(of):.2f}" for of in apart), percent(both, 0)])
        report.values[f"mean of the {name}, same as both"] = percent(both, 0)
    report.values["mixed pairs"] = str(len(pairs))
    strangers = [float(distance(first[0].embedding, second[1].embedding)) for first, second in pairs]
    report.values["strangers, middle distance"] = f"{np.median(strangers):.2f}"
    report.tables["mixed"] = Table(["Mean of the", "To the photos mixed", "To new photos", "“Same” as both"], rows)


def _middle(a: Embedded, b: Embedded) -> NDArray[np.float32]:
    mean = a.embedding + b.embedding
    middle: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return middle


def _mixed_face(a: Embedded, b: Embedded) -> NDArray[np.float32]:
    """The embedding of the mean of two chips: the crudest morph, without any warping but the alignment."""
    runtime = default_runtime()
    chip = ((a.chip.astype(np.float64) + b.chip) / 2).round().astype(np.uint8)
    template = runtime.manifest.embedder.template
    face = Face(np.array([0.0, 0, *chip.shape[1::-1]]), 1.0, template)
    (embedded,) = finish(embed_faces(runtime, runtime.photo(chip), [face]))
    return embedded.embedding
