"""How good a small network becomes that learns dlib's answers without names, and how fast it is.

The command below trains the network, which takes an hour on two cores. The experiment exports it and measures it beside its
teacher on two collections that it has not seen: plain distances, all pairs of photos in which a face is found. The photos are
for research only, so the weights are not shipped.
"""

from __future__ import annotations

import csv
import json
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facelab.align import chip_to_photo
from facelab.detect import Face, detect_faces
from facelab.embed import embed_faces
from facelab.errors import InputError
from facelab.evaluate import area_under_curve, best_accuracy, tar_at_far
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import Photo, finish

from .photos import ROOT, photos_of
from .report import Axis, Chart, Curve, Report, Table, percent

STUDENT = ROOT / "build" / "train" / "distilled.keras"
COMMAND = (
    "python -m export.train ../shared/data/utk9k --teacher dlib-resnet-v1 --held-out 0.1 --epochs 80 --patience 80 "
    "-o build/train/distilled.keras"
)
SETS = ("lfw100", "orl39")
TEACHER_MULTIPLY_ADDS = 271e6  # of dlib's ResNet for one face, counted layer by layer
ROUNDS = 60

Distances = NDArray[np.float64]


@dataclass
class Known:
    """A face, and the person whose folder its photo lies in."""

    photo: Photo
    face: Face
    person: str


def measure(data: Path) -> Report:
    """The student's accuracy and time beside its teacher's. Raises InputError if the student has not been trained."""
    if not STUDENT.exists():
        raise InputError(f"{STUDENT} is missing: train it first, `{COMMAND}`")
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        shutil.copytree(models_folder(), models)
        from export.embedders import export_trained  # imports TensorFlow

        export_trained(models, STUDENT, "student")
        teacher, student = (NativeRuntime(models, embedder=name) for name in ("dlib-resnet-v1", "student"))
        return _report(data, teacher, student)


def _report(data: Path, teacher: NativeRuntime, student: NativeRuntime) -> Report:
    report = Report("python -m tests.experiments distillation")
    told = json.loads(STUDENT.with_suffix(".json").read_text())
    rows = []
    for name in SETS:
        faces = _faces(teacher, data / name)
        if name == SETS[0]:
            slow, fast = _times(teacher, student, faces[0])
            common = mean_cosine(_points(teacher, faces))
        for who, runtime in (("teacher", teacher), ("student", student)):
            genuine, impostor = _distances(runtime, faces)
            right = percent(best_accuracy(genuine, impostor)[1], 2)
            tar = report.values[f"{who} found {name}"] = percent(tar_at_far(genuine, impostor, 0.01), 1)
            rows.append([name, who, right, f"{area_under_curve(genuine, impostor):.4f}", tar])
    columns = [
        "Collection",
        "Network",
        "Pairs right",
        "AUC",
        "Found at 1 % false matches",
    ]
    report.tables["verification"] = Table(columns, rows)
    log = list(csv.DictReader((STUDENT.with_suffix(".training") / "log.csv").open()))
    epochs = [float(row["epoch"]) for row in log]
    report.charts["course"] = Chart(
        "The loss falls and the explained share rises, both fast at first, and come to rest at 0.26 and 0.66.",
        Axis("epoch"),
        Axis("share of the teacher's spread", limits=(0, 1)),
        [
            Curve("missed, photos learned from (the loss)", epochs, [float(row["loss"]) for row in log]),
            Curve("explained, photos held out", epochs, [float(row["explained"]) for row in log]),
        ],
    )
    training = told["training"]
    explained = training["best"]["explained"]
    report.values |= {
        "photos": f"{training['photos']:,}",
        "epochs": str(training["epochs"]),
        "explained": percent(explained, 0),
        "missed of those seen": percent(float(log[-1]["loss"]), 0),
        "missed of those held out": percent(1 - explained, 0),
        "common direction": f"{common:.2f}",
        "seconds an epoch": f"{statistics.median(float(row['seconds']) for row in log):.0f}",
        "multiply-adds": f"{told['multiply_adds'] / 1e6:.0f} million",
        "share of the multiply-adds": percent(told["multiply_adds"] / TEACHER_MULTIPLY_ADDS, 0),
        "share of the time": percent(fast / slow, 0),
        "times as fast": f"{slow / fast:.1f}",
    }
    return report


def _faces(runtime: NativeRuntime, folder: Path) -> list[Known]:
    """The largest face of each photo that shows one, with the name of the photo's folder."""
    known = []
    for path in photos_of(folder):
        photo = read_photo(path, runtime.manifest.max_side)
        known += [Known(photo, face, path.parent.name) for face in finish(detect_faces(runtime, photo))[:1]]
    return known


def mean_cosine(points: NDArray[np.float64]) -> float:
    """The mean cosine between each embedding [N, D] and their mean: near 1 if all point nearly one way."""
    mean = points.mean(axis=0)
    return float((points @ mean / np.linalg.norm(points, axis=1) / np.linalg.norm(mean)).mean())


def _points(runtime: NativeRuntime, faces: list[Known]) -> NDArray[np.float64]:
    return np.stack([finish(embed_faces(runtime, one.photo, [one.face]))[0].embedding for one in faces]).astype(np.float64)


def _distances(runtime: NativeRuntime, faces: list[Known]) -> tuple[Distances, Distances]:
    """The distances of all pairs, sorted: those of one person, and those of two."""
    points = _points(runtime, faces)
    people = np.array([one.person for one in faces])
    first, second = np.triu_indices(len(faces), 1)
    distances = np.linalg.norm(points[first] - points[second], axis=1)
    same = people[first] == people[second]
    return np.sort(distances[same]), np.sort(distances[~same])


def _times(teacher: NativeRuntime, student: NativeRuntime, one: Known) -> tuple[float, float]:
    """Seconds for one face, alignment included, of teacher and student: medians of rounds in turns, one thread each."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for runtime, seconds in zip((teacher, student), spent, strict=True):
            transform = chip_to_photo(one.face.landmarks, runtime.manifest.embedder)[None].astype(np.float32)
            begun = time.perf_counter()
            finish(runtime.run("embedder", one.photo, {"transforms": transform}))
            seconds.append(time.perf_counter() - begun)
    return statistics.median(spent[0][10:]), statistics.median(spent[1][10:])
