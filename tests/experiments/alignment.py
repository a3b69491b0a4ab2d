"""What alignment buys: the same photos and the same network, with the chip cut in five ways.

Each way is another transform from chip to photo; the graph does the rest. The photos are those of lfw100, which have a face in the
middle, so that even a chip without alignment has a chance. They are taken as they are, and rolled about their centre by a random
angle of up to 30 degrees to either side. Face and landmarks are detected anew in the rolled photo.

The two ways without landmarks get the best square of several that were tried: its width, and its place below the middle, are those
that get the most upright pairs right. Each threshold is the best for the pairs that it is measured on. A photo in which no face is
found is in no pair.

There are 4,950 pairs of 100 photos of 10 people: a hundredth of a percent is half a pair, and differences below half a percent may
be chance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facelab.align import Points, chip_to_photo, fit_similarity, invert_transform
from facelab.detect import Face, detect_faces
from facelab.evaluate import best_accuracy, tar_at_far
from facelab.models import Embedder
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.runtime import Photo, finish
from facelab.verify import distance

from .photos import pairs_within, photos_of
from .proxies import roll
from .report import Axis, Chart, Curve, Report, Table, percent, thinned

Transform = NDArray[np.float64]
Way = Callable[[Photo, Face, Embedder], Transform]
Key = TypeVar("Key")
Embeddings = NDArray[np.float32]  # [N, D], NaN where no face was found

SHARES = (0.35, 0.4, 0.45, 0.5, 0.6, 0.8)  # of the photo's shorter side
MARGINS = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5)  # of the box's longer side
LOWER = (0.0, 0.05, 0.1, 0.15)  # of the square's side, below the middle
MOST = 30.0  # degrees of roll
ANGLES = (0, 5, 10, 15, 20, 25, 30, 35, 40)
FAR = 1e-3
SEED = 1


def measure(data: Path) -> Report:
    """The report on the five ways."""
    report = Report("python -m tests.experiments alignment")
    photos = photos_of(data / "lfw100")
    people = np.array([photo.parent.name for photo in photos])
    random = np.random.default_rng(SEED)
    rolls, sides = random.uniform(-MOST, MOST, len(photos)), random.choice([-1.0, 1.0], len(photos))
    middle, box = (_best_of(tried, photos, people) for tried in (MIDDLES, BOXES))
    ways = {"The photo's middle": middle, "The detector's box": box} | BY_POINTS
    upright = embed_by(ways, photos, np.zeros(len(photos)))
    rolled = embed_by(ways, photos, rolls)
    report.tables["upright"] = _table(people, upright)
    report.tables["rolled"] = _table(people, rolled)
    report.values |= {"photos": str(len(photos)), "pairs": f"{len(photos) * (len(photos) - 1) // 2:,}"}
    _by_angle(report, people, upright, [embed_by(ways, photos, sides * angle) for angle in ANGLES])
    return report


@dataclass(frozen=True)
class Middle:
    """A square around the photo's middle, `width` times its shorter side wide."""

    width: float
    lower: float

    def __call__(self, photo: Photo, face: Face, embedder: Embedder) -> Transform:
        size = np.array([photo.width, photo.height])
        return square((size - 1) / 2, self.width * size.min(), self.lower, embedder)


@dataclass(frozen=True)
class Box:
    """A square around the middle of the detector's box, `width` times its longer side wide."""

    width: float
    lower: float

    def __call__(self, photo: Photo, face: Face, embedder: Embedder) -> Transform:
        low, high = face.box[:2], face.box[2:]
        return square((low + high) / 2, self.width * (high - low).max(), self.lower, embedder)


def square(centre: Points, side: float, lower: float, embedder: Embedder) -> Transform:
    """Chip to photo, for an upright square of the photo whose middle lies below a centre by a share of its side."""
    scale, middle = side / embedder.chip_size, (embedder.chip_size - 1) / 2
    x, y = centre + np.array([0, lower * side]) - scale * middle
    return np.array([[scale, 0, x], [0, scale, y]])


def eyes_only(photo: Photo, face: Face, embedder: Embedder) -> Transform:
    """The similarity that lays both eyes exactly on their reference landmarks."""
    return invert_transform(fit_similarity(face.landmarks[:2], embedder.template[:2]))


def five_similar(photo: Photo, face: Face, embedder: Embedder) -> Transform:
    """The similarity that facelab uses."""
    return chip_to_photo(face.landmarks, embedder)


def five_affine(photo: Photo, face: Face, embedder: Embedder) -> Transform:
    """The affine transform, with the same weights: it may also shear, and stretch one way more than the other."""
    weight = np.sqrt(embedder.landmark_weights)[:, None]
    source = np.concatenate([face.landmarks, np.ones((len(face.landmarks), 1))], axis=1)
    fitted, *_ = np.linalg.lstsq(weight * source, weight * embedder.template, rcond=None)
    return invert_transform(fitted.T)


BY_POINTS: dict[str, Way] = {
    "Two eyes, similarity": eyes_only,
    "Five points, similarity": five_similar,
    "Five points, affine": five_affine,
}
MIDDLES = {(width, lower): Middle(width, lower) for width in SHARES for lower in LOWER}
BOXES = {(width, lower): Box(width, lower) for width in MARGINS for lower in LOWER}


def embed_by(ways: Mapping[Key, Way], photos: Sequence[Path], rolls: NDArray[np.float64]) -> dict[Key, Embeddings]:
    """For each way, the embeddings of the largest face of each photo, which is first rolled by its number of degrees."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = np.stack(list(pool.map(partial(_embed, tuple(ways.values())), photos, rolls, chunksize=10)))
    return {key: rows[:, index] for index, key in enumerate(ways)}


def _embed(ways: Sequence[Way], path: Path, degrees: float) -> Embeddings:
    runtime = default_runtime()
    photo = read_photo(path, runtime.manifest.max_side)
    if degrees:
        photo = runtime.photo(np.asarray(roll(Image.fromarray(photo.pixels), degrees)))
    faces = finish(detect_faces(runtime, photo))
    if not faces:
        return np.full((len(ways), runtime.manifest.embedder.dimensions), np.nan, np.float32)
    transforms = np.stack([way(photo, faces[0], runtime.manifest.embedder) for way in ways])
    return finish(runtime.run("embedder", photo, {"transforms": transforms.astype(np.float32)}))["embeddings"]


def _distances(people: NDArray[np.str_], a: Embeddings, b: Embeddings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sorted distances of genuine and of impostor pairs of photos of a with later ones of b, where both have a face."""
    first, second, same = pairs_within(people)
    found = distance(a[first], b[second])
    known = ~np.isnan(found)
    return np.sort(found[same & known]), np.sort(found[~same & known])


def equal_error(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> float:
    """The error at the threshold where as large a share of genuine pairs is refused as of impostor pairs accepted. Both sorted."""
    cuts = np.concatenate([genuine, impostor])
    refused = 1 - np.searchsorted(genuine, cuts) / len(genuine)
    accepted = np.searchsorted(impostor, cuts) / len(impostor)
    best = np.abs(refused - accepted).argmin()
    return float(refused[best] + accepted[best]) / 2


def _best_of(tried: Mapping[tuple[float, float], Way], photos: Sequence[Path], people: NDArray[np.str_]) -> Way:
    """The way that gets the most upright pairs right."""
    embedded = embed_by(tried, photos, np.zeros(len(photos)))
    right = {key: best_accuracy(*_distances(people, chips, chips))[1] for key, chips in embedded.items()}
    return tried[max(right, key=right.__getitem__)]


def _table(people: NDArray[np.str_], embedded: Mapping[str, Embeddings]) -> Table:
    rows = []
    for way, chips in embedded.items():
        genuine, impostor = _distances(people, chips, chips)
        threshold, right = best_accuracy(genuine, impostor)
        tar, error = tar_at_far(genuine, impostor, FAR), equal_error(genuine, impostor)
        rows.append([way, percent(right), f"{threshold:.3f}", percent(tar, 1), percent(error)])
    return Table(["Chip cut by", "Right", "at the best threshold", f"TAR at FAR {100 * FAR:g}\N{NO-BREAK SPACE}%", "EER"], rows)


def _by_angle(
    report: Report, people: NDArray[np.str_], upright: Mapping[str, Embeddings], rolled: Sequence[Mapping[str, Embeddings]]
) -> None:
    """The chart: one photo of each pair as it is, the other rolled by an angle, to a random side."""
    curves = []
    for way in upright:
        rates = np.array([tar_at_far(*_distances(people, upright[way], chips[way]), FAR) for chips in rolled])
        curves.append(Curve(way, thinned(np.array(ANGLES)), thinned(rates)))
    report.charts["roll"] = Chart(
        "Pairs of one person accepted, against the roll of one of the two photos. With two eyes or five points the curves stay "
        "level up to forty degrees; the photo's middle and the detector's box fall steeply, almost to nothing.",
        Axis("roll of one of the two photos, degrees"),
        Axis(f"TAR at FAR {100 * FAR:g}\N{NO-BREAK SPACE}%", percent=True, limits=(0, 1.02)),
        curves,
    )
