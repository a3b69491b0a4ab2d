"""What facelab sees in many photos, looked at once and kept under `build/experiments/`.

Every experiment asks for the same faces; looking takes minutes, and the answer changes only with the models.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.errors import PhotoError
from facelab.native import NativeRuntime, default_runtime, models_folder
from facelab.photos import read_photo
from facelab.quality import measure_quality
from facelab.runtime import Photo, finish

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "experiments"
DATA = ROOT.parent / "shared" / "data"

Pixels = NDArray[np.uint8]
Alteration = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Seen:
    """The largest face of each photo of a list: what the experiments work with.

    faces: [N] how many were found. embeddings: [N, D], zeros where none was. qualities: [N, 4] eyes, sharpness, light, turn.
    scores: [N] of the largest face, 0 where none was found.
    """

    photos: list[Path]
    faces: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    qualities: NDArray[np.float64]
    scores: NDArray[np.float64]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Seen:
        indices = np.arange(len(self.photos))[chosen]
        arrays = self.faces[indices], self.embeddings[indices], self.qualities[indices], self.scores[indices]
        return Seen([self.photos[i] for i in indices], *arrays)

    @property
    def people(self) -> NDArray[np.str_]:
        """Whom each photo shows, where a folder is a person: [N]."""
        return np.array([photo.parent.name for photo in self.photos])


def photos_of(folder: Path) -> list[Path]:
    """The photos of a folder and of those in it, sorted."""
    return sorted(photo for photo in folder.resolve().rglob("*") if photo.suffix.lower() in {".jpg", ".jpeg", ".png"})


@cache
def runtime_of(embedder: str | None) -> NativeRuntime:
    """The runtime with an embedder by name; None: the default one."""
    return NativeRuntime(models_folder(), embedder=embedder) if embedder else default_runtime()


def look(photos: Sequence[Path], name: str, alter: Alteration | None = None, embedder: str | None = None) -> Seen:
    """What facelab sees in photos, each altered first if asked to; kept under a name that tells the alteration."""
    manifest = runtime_of(embedder).manifest
    used = [graph.sha256 for graph in manifest.graphs.values()] + [str(manifest.embedder.template.tolist())]
    listed = hashlib.sha256("\n".join(["".join(used), *map(str, photos)]).encode()).hexdigest()
    kept = KEPT / f"{name}-{listed[:12]}.npz"
    if not kept.exists():
        one = partial(_look, alter=alter, embedder=embedder)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            rows = list(tqdm(pool.map(one, photos, chunksize=16), total=len(photos), desc=name, unit="photo", disable=None))
        faces, embeddings, qualities, scores = (np.array(column) for column in zip(*rows, strict=True))
        KEPT.mkdir(parents=True, exist_ok=True)
        np.savez(kept, faces=faces, embeddings=embeddings.astype(np.float32), qualities=qualities, scores=scores)
    with np.load(kept) as held:
        return Seen(list(photos), held["faces"], held["embeddings"], held["qualities"], held["scores"])


def _look(photo: Path, alter: Alteration | None, embedder: str | None) -> tuple[int, NDArray[np.float32], tuple[float, ...], float]:
    runtime = runtime_of(embedder)
    try:
        opened = read_photo(photo, runtime.manifest.max_side)
    except PhotoError:
        return 0, np.zeros(128, np.float32), (0.0,) * 4, 0.0
    if alter:
        pixels = alter(opened.pixels)
        opened = Photo(pixels, *pixels.shape[:2])
    faces = finish(detect_faces(runtime, opened))
    if not faces:
        return 0, np.zeros(128, np.float32), (0.0,) * 4, 0.0
    (embedded,) = finish(embed_faces(runtime, opened, faces[:1]))
    quality = measure_quality(embedded, runtime.manifest.embedder)
    return len(faces), embedded.embedding, (quality.eyes, quality.sharpness, quality.light, quality.turn), faces[0].score


def pairs_within(people: NDArray[np.str_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Every pair of photos, and whether it shows one person: first, second, same."""
    pairs = np.array(list(combinations(range(len(people)), 2)), np.intp).reshape(-1, 2)
    first, second = pairs.T
    return first, second, people[first] == people[second]
