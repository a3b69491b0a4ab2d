"""What a worse photo costs: each photo is compared with a blurred, shrunk, darkened, turned, cut or compressed copy of itself.

UTKFace has one photo of each person, so nobody knows how often people of each group are missed. A photo and its damaged copy stand
in for two photos of one person. This proxy is too kind, because age, expression and hair do not differ. The strangers are real:
damaged copies of different people are compared with each other.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from export.cohort import group_of
from facelab.native import default_runtime
from facelab.verify import distance

from .photos import Alteration, Pixels, Seen, look
from .report import Report, Table, percent
from .whom import CHILDREN, ordered, pairs_of_each, strangers_of

NBSP = "\N{NO-BREAK SPACE}"
A_GROUP = 120
ENOUGH = 60  # people of a group with a face found: fewer show no rate
EYES = 78.0  # pixels between the eyes in UTKFace's crops, about


def measure(data: Path) -> Report:
    """The report on damaged photos."""
    report = Report("python -m tests.experiments proxies")
    everyone = strangers_of(data / "utk9k")
    groups = np.array([group_of(photo.name) for photo in everyone.photos])
    chosen = np.sort(np.concatenate([np.flatnonzero(groups == group)[:A_GROUP] for group in sorted(set(groups) - {""})]))
    good, groups = look([everyone.photos[i] for i in chosen], "worse-not"), groups[chosen]
    worsened = {label: look(good.photos, f"worse-{label.replace(' ', '-')}", alter) for label, alter in ALTERATIONS.items()}
    _misses_by_group(report, good, groups, worsened)
    _by_strength(report, good, groups, worsened)
    return report


def _scores(good: Seen, worse: Seen) -> NDArray[np.float64]:
    """Distance of each photo to its damaged copy, infinite where the detector finds no face in the copy."""
    return np.where(worse.faces > 0, distance(good.embeddings, worse.embeddings), np.inf)


def _misses_by_group(report: Report, good: Seen, groups: NDArray[np.str_], worsened: dict[str, Seen]) -> None:
    limit = default_runtime().manifest.embedder.calibration.good.same_below
    missed = {label: _scores(good, worsened[label]) >= limit for label in BY_GROUP}
    names = ordered(pairs_of_each(good, None))
    rows = [
        [
            group,
            str(int((groups == group).sum())),
            *(percent(float(missed[label][groups == group].mean()), 1) for label in BY_GROUP),
        ]
        for group in names
    ]
    report.tables["by group"] = Table(["Group", "Photos", *BY_GROUP], [[row[0].replace(" ", NBSP), *row[1:]] for row in rows])


def _by_strength(report: Report, good: Seen, groups: NDArray[np.str_], worsened: dict[str, Seen]) -> None:
    """For each kind of damage and its strength: what facelab.quality measures, what is missed, and the false matches."""
    runtime = default_runtime()
    limit, upper = runtime.manifest.embedder.calibration.good.same_below, runtime.manifest.embedder.calibration.poor.same_below
    rows = []
    for label, worse in {"as they are": good, **worsened}.items():
        found = worse.faces > 0
        scores = _scores(good, worse)
        strangers = pairs_of_each(worse.take(found), None)
        enough = [group for name, group in strangers.items() if name not in CHILDREN and group.people >= ENOUGH]
        taken, still = (max((float((g.scores < at).mean()) for g in enough), default=None) for at in (limit, upper))
        eyes, sharpness, light, turn = np.median(worse.qualities[found], axis=0)
        rows.append(
            [
                label.replace(" ", NBSP),
                f"{eyes:.0f}",
                f"{sharpness:.1f}",
                f"{light:.0f}",
                f"{turn:.2f}",
                percent(float((~found).mean()), 1),
                percent(float((scores >= limit).mean()), 1),
                told(taken),
                told(still),
            ]
        )
    report.tables["by strength"] = Table(
        ["Damage", "Eyes", "Sharpness", "Light", "Turn", "No face", "Missed", "False matches", "stricter threshold"], rows
    )


def told(rate: float | None) -> str:
    return "–" if rate is None else percent(rate, 2)


def _image(alter: Callable[[Image.Image], Image.Image], pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(np.asarray(alter(Image.fromarray(pixels))))


def blur(image: Image.Image, sigma: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma))


def shrink(image: Image.Image, eyes: float) -> Image.Image:
    """Shrink a photo until this many pixels lie between the eyes."""
    side = max(20, round(image.width * eyes / EYES))
    return image.resize((side, side), Image.Resampling.BOX)


def expose(image: Image.Image, stops: float) -> Image.Image:
    """Change the exposure by this many stops, in linear light (a gamma of 2.2 stands for sRGB)."""
    linear = (np.asarray(image, np.float32) / 255) ** 2.2 * 2.0**stops
    return Image.fromarray((np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8))


def compress(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def roll(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC)


def turn(image: Image.Image, share: float) -> Image.Image:
    """Squeeze one half of the face by a perspective, as a stand-in for a turned head."""
    w, h = image.size
    target = [(0, 0), (w * (1 - share), h * share / 2), (w * (1 - share), h * (1 - share / 2)), (0, h)]
    source = [(0, 0), (w, 0), (w, h), (0, h)]
    rows = []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    coefficients = np.linalg.solve(np.array(rows), np.array(source).reshape(-1))
    return image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC)


def cut(image: Image.Image, share: float) -> Image.Image:
    """Cut off the lowest part, mouth and chin, as if a scarf or another child hid it."""
    return image.crop((0, 0, image.width, round(image.height * (1 - share))))


def _of(alter: Callable[..., Image.Image], strength: float) -> Alteration:
    return partial(_image, partial(alter, **{alter.__code__.co_varnames[1]: strength}))


ALTERATIONS: dict[str, Alteration] = {
    **{f"shrunk to {eyes} px": _of(shrink, eyes) for eyes in (30, 24, 20, 16, 13, 10)},
    **{f"blurred by {sigma} px": _of(blur, sigma) for sigma in (1, 2, 3, 4, 6)},
    **{f"light {stops:+} stops": _of(expose, stops) for stops in (-6, -4, -2, 1, 2, 3)},
    **{f"turned, {100 * share:.0f} %": _of(turn, share) for share in (0.15, 0.3, 0.45)},
    **{f"JPEG at {quality}": _of(compress, quality) for quality in (30, 10, 5)},
    **{f"rolled by {degrees}°": _of(roll, degrees) for degrees in (10, 20, 30)},
    **{f"cut by {100 * share:.0f} %": _of(cut, share) for share in (0.1, 0.2, 0.3)},
}
BY_GROUP = ("shrunk to 16 px", "blurred by 3 px", "light -4 stops", "turned, 30 %", "JPEG at 10", "cut by 20 %")
