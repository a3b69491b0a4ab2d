"""The page's files, with weights in fewer bits, against the full ones: nothing that a reader could see may change."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from facelab.detect import Face, detect_faces, overlaps
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish
from facelab.verify import distances_between

EMBEDDERS = ("mobilefacenet-v1", "dlib-resnet-v1")


@pytest.fixture(scope="module")
def compact() -> NativeRuntime:
    return NativeRuntime(models_folder(), compact=True)


def test_page_gets_smaller_files(runtime: NativeRuntime) -> None:
    graphs = {**runtime.manifest.graphs, "second": runtime.manifest.choosing("dlib-resnet-v1").graphs["embedder"]}
    for name, share in {"embedder": 0.29, "second": 0.26, "rnet": 0.55, "onet": 0.52}.items():
        smaller = graphs[name].compact
        assert smaller is not None
        assert smaller.bytes < share * graphs[name].bytes


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_embeddings_stay_where_they_are_and_lfw_comes_out_the_same(embedder: str, lfw100: Path) -> None:
    """Cosine at least 0.999 on each photo; of 4,950 pairs at most two come out otherwise at the plain threshold."""
    runtime, compact = (NativeRuntime(models_folder(), compact=small, embedder=embedder) for small in (False, True))
    full, small, people = [], [], []
    for path in sorted(lfw100.glob("*/*.jpg")):
        photo = read_photo(path, 2048)
        faces = finish(detect_faces(runtime, photo))[:1]
        if not faces:
            continue
        full.append(finish(embed_faces(runtime, photo, faces))[0].embedding)
        small.append(finish(embed_faces(compact, photo, faces))[0].embedding)
        people.append(path.parent.name)
    a, b = np.stack(full), np.stack(small)
    threshold = runtime.manifest.embedder.plain_threshold
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.min() > 0.999
    same = np.array([x == y for x, y in combinations(people, 2)])
    assert len(same) == 4950
    pairs = np.triu_indices(len(people), 1)
    full_says, small_says = (distances_between(e, e)[pairs] < threshold for e in (a, b))
    assert (full_says != small_says).sum() <= 2
    assert abs(int((full_says == same).sum()) - int((small_says == same).sum())) <= 2


def test_the_same_faces_are_found(runtime: NativeRuntime, compact: NativeRuntime, lfw100: Path, samples: Path) -> None:
    """Every face in the same place, to a hundredth of its side, and none besides."""
    for path in [*sorted(samples.glob("*.jpg")), *sorted(lfw100.glob("*/*_0002.jpg"))]:
        photo = read_photo(path, 2048)
        full, small = (sorted(finish(detect_faces(r, photo)), key=where) for r in (runtime, compact))
        assert len(full) == len(small), path.name
        for a, b in zip(full, small, strict=True):
            assert overlaps(a.box[None], b.box[None])[0, 0] > 0.98
            assert np.abs(a.landmarks - b.landmarks).max() < 0.01 * np.sqrt(a.area)


def where(face: Face) -> tuple[float, float]:
    return float(face.box[0]), float(face.box[1])
