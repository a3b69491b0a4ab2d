"""Masks and dark glasses: how often they are noticed, which answers covered faces get, how often bare faces are suspected.

The coverings are drawn on real faces by their landmarks. They are opaque, have the usual colours, and are shaded like cloth and
lenses. The weights that `facelab.coverings` uses are fitted here and written to `facelab/covering_weights.py`. The fit is made
twice, each time without one half of the people, and that half is measured.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from tqdm import tqdm

import facelab.coverings
from facelab.align import apply_transform, chip_to_photo
from facelab.coverings import LEAST_COVERED
from facelab.detect import find_largest
from facelab.embed import embed_faces
from facelab.models import Embedder
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.runtime import finish
from facelab.verify import distances_between

from .photos import Pixels, photos_of
from .report import Report, Table, percent

Outline = Sequence[tuple[float, float]]

CHIP = 112.0  # pixels of the chip in whose frame the outlines are drawn
FINER = 4  # edges are drawn on a canvas this many times as large, and smoothed when it is shrunk
EVERY = {"lfw100": 1, "orl39": 4, "actors6": 3, "utk9k": 2}  # 4: every fourth photo is taken
PADDED = ("utk9k",)  # its crops have no room around the face
MARGIN = 60  # black pixels around those
RIDGE = 0.1  # of the fit, for numbers scaled to a standard deviation of 1


@dataclass(frozen=True)
class Covering:
    """outlines: polygons in the frame of MobileFaceNet's chip. colour: RGB. folds: depth of its shading, a share of its light."""

    outlines: Sequence[Outline]
    colour: tuple[int, int, int]
    folds: float


def ellipse(x: float, y: float, across: float, down: float) -> Outline:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return [(x + across * float(np.cos(angle)), y + down * float(np.sin(angle))) for angle in angles]


MASK = [[(56, 60), (70, 66), (97, 62), (95, 88), (80, 110), (56, 120), (32, 110), (17, 88), (15, 62), (42, 66)]]
GLASSES = [
    ellipse(38, 53, 16, 12),
    ellipse(74, 53, 16, 12),
    [(50, 47), (62, 47), (62, 51), (50, 51)],
    [(8, 47), (24, 47), (24, 51), (8, 50)],
    [(88, 47), (104, 47), (104, 50), (88, 51)],
]

COVERINGS = {
    "white mask": Covering(MASK, (225, 228, 230), 0.12),
    "blue mask": Covering(MASK, (120, 170, 205), 0.12),
    "black mask": Covering(MASK, (30, 30, 33), 0.3),
    "red mask": Covering(MASK, (150, 45, 50), 0.2),
    "skin-coloured mask": Covering(MASK, (205, 165, 140), 0.12),
    "black glasses": Covering(GLASSES, (15, 15, 18), 0.5),
    "brown glasses": Covering(GLASSES, (60, 38, 25), 0.5),
    "blue glasses": Covering(GLASSES, (40, 55, 90), 0.5),
}


def covered(pixels: Pixels, landmarks: NDArray[np.floating], covering: Covering, embedder: Embedder, seed: int = 0) -> Pixels:
    """A photo [H, W, 3] with a covering on the face of these landmarks [5, 2]."""
    random = np.random.default_rng(seed)
    to_photo = chip_to_photo(landmarks, embedder)
    height, width = pixels.shape[:2]
    mask = Image.new("L", (width * FINER, height * FINER))
    pen = ImageDraw.Draw(mask)
    for outline in covering.outlines:
        jittered = np.array(outline) * embedder.chip_size / CHIP + random.normal(0, 0.8, (len(outline), 2))
        pen.polygon([(float(x), float(y)) for x, y in (apply_transform(to_photo, jittered) + 0.5) * FINER], fill=255)
    share = np.asarray(mask.resize((width, height), Image.Resampling.BOX), np.float32)[:, :, None] / 255
    # Broad folds and highlights, and fine grain, as cloth and lenses have them.
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    rough = Image.fromarray(random.integers(0, 256, (height, width)).astype(np.uint8))
    broad = np.asarray(rough.filter(ImageFilter.GaussianBlur(max(eyes / 6, 1))), np.float32)
    shade = 1 + covering.folds * ((broad - broad.mean()) / max(float(broad.std()), 1e-6)).clip(-2, 2)[:, :, None] / 2
    grain = random.normal(0, 2, (height, width, 1))
    cloth = np.array(covering.colour, np.float32) * shade + grain
    mixed: Pixels = (pixels * (1 - share) + cloth * share).clip(0, 255).round().astype(np.uint8)
    return mixed


@dataclass(frozen=True)
class Seen:
    """One photo with one covering, or none (""): the set, the person, and the largest face's embedding [D]."""

    photo: Path
    name: str
    covering: str
    embedding: NDArray[np.float32]

    @property
    def person(self) -> str:
        """UTKFace has no names: each photo shows another person."""
        return self.photo.name if self.name == "utk9k" else f"{self.name}/{self.photo.parent.name}"

    @property
    def half(self) -> int:
        return zlib.crc32(self.person.encode()) % 2


def measure(data: Path) -> Report:
    """The report on covered faces. Writes the weights, too."""
    report = Report("python -m tests.experiments coverings")
    jobs = [(photo, name, i) for name, every in EVERY.items() for i, photo in enumerate(photos_of(data / name)[::every])]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        looked = tqdm(pool.map(_look, jobs, chunksize=16), total=len(jobs), desc="coverings", unit="photo", disable=None)
        seen = [one for several in looked for one in several]
    answers = np.empty((len(seen), len(KINDS)))
    embeddings = np.stack([one.embedding for one in seen])
    halves = np.array([one.half for one in seen])
    for half in (0, 1):
        weights = _fit([one for one in seen if one.half != half])
        answers[halves == half] = embeddings[halves == half] @ weights[:, :-1].T + weights[:, -1]
    noticed = answers.max(axis=1) > LEAST_COVERED
    _noticed(report, seen, noticed)
    _suspected(report, seen, noticed)
    _promised(report, seen, noticed)
    _write(_fit(seen))
    return report


KINDS = ("mask", "glasses")


def _look(job: tuple[Path, str, int]) -> list[Seen]:
    """A photo bare, with a mask and with glasses. lfw100 gets every covering; of UTKFace only every third photo is covered."""
    photo, name, number = job
    runtime = default_runtime()
    pixels = read_photo(photo, runtime.manifest.max_side).pixels
    margin = MARGIN if name in PADDED else 0
    pixels = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)))
    faces, _ = finish(find_largest(runtime, runtime.photo(pixels)))
    if not faces:
        return []
    kinds = [[label for label in COVERINGS if kind in label] for kind in KINDS]
    chosen = list(COVERINGS) if name == "lfw100" else [labels[number // 3 % len(labels)] for labels in kinds]
    if name == "utk9k" and number % 3:
        chosen = []
    found = []
    for label in ("", *chosen):
        drawn = covered(pixels, faces[0].landmarks, COVERINGS[label], runtime.manifest.embedder, number) if label else pixels
        opened = runtime.photo(drawn)
        largest, _ = finish(find_largest(runtime, opened))
        if largest:
            (embedded,) = finish(embed_faces(runtime, opened, largest[:1]))
            found.append(Seen(photo, name, label, embedded.embedding))
    return found


def _fit(seen: Sequence[Seen]) -> NDArray[np.float64]:
    """Weights [2, D + 1] for masks and for glasses, the last of each a constant: least squares, bare and covered weighted equally.

    The bare faces of actors6 are left out, because one in ten of its photos shows real dark glasses.
    """
    bare = np.stack([one.embedding for one in seen if not one.covering and one.name != "actors6"]).astype(np.float64)
    rows = []
    for kind in KINDS:
        hidden = np.stack([one.embedding for one in seen if kind in one.covering]).astype(np.float64)
        points = np.concatenate([bare, hidden])
        target = np.repeat([-1.0, 1.0], [len(bare), len(hidden)])
        say = np.repeat([0.5 / len(bare), 0.5 / len(hidden)], [len(bare), len(hidden)])[:, None]
        mean, deviation = points.mean(axis=0), points.std(axis=0)
        scaled = np.concatenate([(points - mean) / deviation, np.ones((len(points), 1))], axis=1)
        fitted = np.linalg.solve(scaled.T @ (say * scaled) + RIDGE * np.eye(scaled.shape[1]), scaled.T @ (say[:, 0] * target))
        rows.append([*(fitted[:-1] / deviation), fitted[-1] - fitted[:-1] @ (mean / deviation)])
    return np.array(rows)


def _write(weights: NDArray[np.float64]) -> None:
    name = default_runtime().manifest.embedder.name
    told = [f"        ({', '.join(f'{value:.4g}' for value in row)}),\n" for row in weights]
    text = (
        '"""Weights of an embedding\'s numbers, and a constant, for masks and for dark glasses; see coverings.\n\n'
        'Written by `python -m tests.experiments coverings`.\n"""\n\n# fmt: off\n# ruff: noqa: E501\n'
        f'WEIGHTS: dict[str, tuple[tuple[float, ...], ...]] = {{\n    "{name}": (\n{"".join(told)}    ),\n}}\n'
    )
    Path(facelab.coverings.__file__).with_name("covering_weights.py").write_text(text, encoding="utf-8")


def _noticed(report: Report, seen: Sequence[Seen], noticed: NDArray[np.bool_]) -> None:
    rows = []
    for label in COVERINGS:
        of = [(one, bool(found)) for one, found in zip(seen, noticed, strict=True) if one.covering == label]
        rows.append([label, str(len(of)), percent(float(np.mean([found for _, found in of])), 1)])
    report.tables["noticed"] = Table(["Covering", "Faces", "Noticed"], rows)


def _suspected(report: Report, seen: Sequence[Seen], noticed: NDArray[np.bool_]) -> None:
    """The share of bare faces taken for covered ones, in two sets."""
    for name, digits in (("utk9k", 2), ("actors6", 0)):
        of = [bool(found) for one, found in zip(seen, noticed, strict=True) if one.name == name and not one.covering]
        report.values[f"{name} suspected"] = percent(float(np.mean(of)), digits)


def _promised(report: Report, seen: Sequence[Seen], noticed: NDArray[np.bool_]) -> None:
    """How often two covered faces are called the same, for two people and for one: at the usual threshold, and by the demo."""
    calibration = default_runtime().manifest.embedder.calibration
    usual, careful = calibration.good.same_below, calibration.poor.same_below
    rows = []
    for kind in KINDS:
        for name in ("lfw100", "actors6"):
            of = np.array([i for i, one in enumerate(seen) if kind in one.covering and one.name == name])
            first, second = (of[places] for places in np.triu_indices(len(of), 1))
            people, photos = (np.array([str(getattr(seen[i], what)) for i in range(len(seen))]) for what in ("person", "photo"))
            embeddings = np.stack([seen[i].embedding for i in of])
            apart = distances_between(embeddings, embeddings)[np.triu_indices(len(of), 1)]
            limit = np.where(noticed[first] | noticed[second], careful, usual)
            two = people[first] != people[second]
            one = (people[first] == people[second]) & (photos[first] != photos[second])
            shares = [float((apart[which] < at).mean()) for which in (two, one) for at in (usual, limit[which])]
            rows.append(
                [
                    kind,
                    name,
                    f"{int(two.sum()):,}",
                    *(percent(share, digits) for share, digits in zip(shares, (3, 3, 0, 0), strict=True)),
                ]
            )
            report.values[f"{kind} {name} before"], report.values[f"{kind} {name} now"] = rows[-1][3], rows[-1][4]
    columns = [
        "Both behind",
        "Set",
        "Pairs of two people",
        "Called same, usual threshold",
        "Called same by the demo",
        "One person: usual threshold",
        "One person: the demo",
    ]
    report.tables["promised"] = Table(columns, rows)
