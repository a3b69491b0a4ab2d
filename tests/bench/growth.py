"""`python -m tests.bench.growth [COUNT ...]`: time and memory of identify and cluster as galleries and albums grow. Gates nothing.

The faces are drawn: see `draw_people`. Each line is measured in a process of its own; memory is the most that this process had,
with Python, NumPy and the faces themselves.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from facelab.cluster import cluster, usual_limit
from facelab.gallery import Enrolled, read_gallery, write_gallery
from facelab.identify import Gallery, class_thresholds, identify
from facelab.models import read_manifest
from facelab.native import models_folder

COUNTS = (100, 1_000, 10_000, 100_000)
DIMENSIONS = 128
SPREAD = 24  # of these, those in which people differ
LIKENESS = 0.79  # mean cosine of two photos of one person: their distance is 0.65
ASKED = 5
REPEATS = 7

Answer = TypeVar("Answer")


def draw_people(count: int, photos: NDArray[np.intp], seed: int = 1) -> NDArray[np.float32]:
    """Faces of so many people on the unit sphere, one person's after another: [sum of photos, 128].

    As MobileFaceNet has them: one person's photos lie about 0.65 apart, two people's about 1.4, and one in 1,500 pairs of strangers
    is nearer than the limit of a group (lfw100: one in 4,500; orl39: one in 1,000).
    """
    random = np.random.default_rng(seed)
    centres = np.zeros((count, DIMENSIONS))
    centres[:, :SPREAD] = random.normal(size=(count, SPREAD))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    strays = random.normal(0, DIMENSIONS**-0.5, (int(photos.sum()), DIMENSIONS)).astype(np.float32)
    faces = np.sqrt(LIKENESS) * centres.astype(np.float32).repeat(photos, axis=0) + np.sqrt(1 - LIKENESS) * strays
    unit: NDArray[np.float32] = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return unit


def measure_identify(people: int) -> list[str]:
    """A row: reading the gallery's file, making it ready, five faces asked; the process's memory after each."""
    manifest = read_manifest(models_folder())
    photos = np.random.default_rng(2).integers(1, 4, people)
    faces = draw_people(people, photos)
    ends = np.cumsum(photos)
    enrolled = {f"person {i}": faces[end - of : end] for i, (end, of) in enumerate(zip(ends, photos, strict=True))}
    text = write_gallery({name: [Enrolled("", face) for face in known] for name, known in enrolled.items()}, manifest.embedder.name)
    enrolled.clear()
    read, file = timed(lambda: read_gallery(text, manifest))
    loaded = {name: np.stack([photo.embedding for photo in some]) for name, some in file.people.items()}
    gallery = Gallery(loaded, None, manifest.embedder.calibration.good)
    ready, limits = timed(lambda: class_thresholds(gallery))
    strangers, chosen = draw_people(2, np.array([1, 1]), seed=3), np.linspace(0, len(faces) - 1, ASKED - 2).astype(int)
    asked = np.concatenate([strangers, faces[chosen]])
    identify(gallery, asked, limits)
    each = median(timed(lambda: identify(gallery, asked, limits))[0] for _ in range(REPEATS))
    return [f"{people:,}", f"{len(faces):,}", f"{read:.2f}", f"{ready:.2f}", f"{1000 * each:.1f}", f"{peak() / 1e6:,.0f}"]


def measure_cluster(faces: int) -> list[str]:
    """A row: how long an album of so many faces takes, of people with 1 to 20 photos."""
    limit = usual_limit(read_manifest(models_folder()).embedder)
    sizes = np.random.default_rng(2).integers(1, 21, faces)
    people = int(np.searchsorted(np.cumsum(sizes), faces)) + 1
    embeddings = draw_people(people, sizes[:people])[:faces]
    seconds, groups = timed(lambda: cluster(embeddings, None, limit))
    return [f"{faces:,}", f"{people:,}", f"{len(groups):,}", f"{seconds:.2f}", f"{peak() / 1e6:,.0f}"]


def peak() -> int:
    """The most memory that this process has had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def main() -> None:
    counts = [int(count) for count in sys.argv[1:]] or COUNTS
    tables: tuple[tuple[list[str], Callable[[int], list[str]]], ...] = (
        (["people enrolled", "photos", "reading, s", "making ready, s", f"{ASKED} faces, ms", "memory, MB"], measure_identify),
        (["faces in an album", "people", "groups", "clustering, s", "memory, MB"], measure_cluster),
    )
    for columns, measure in tables:
        print("  ".join(f"{column:>17}" for column in columns), flush=True)
        for count in counts:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                print("  ".join(f"{cell:>17}" for cell in alone.submit(measure, count).result()), flush=True)
        print()


if __name__ == "__main__":
    main()
