"""A face of which only its chip is left, read again by another network than the one that the chip was cut for.

The page keeps chips as JPEG files (demo/web/src/people/chips.ts), and reads them again where a class changes its network.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facelab.align import apply_transform, chip_to_chip, chip_to_photo
from facelab.detect import find_largest
from facelab.embed import Embedded, embed_faces, embed_kept_chip
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish
from facelab.verify import distances_between

OWN, DLIB = "mobilefacenet-v1", "dlib-resnet-v1"
QUALITY = 85  # of the page's JPEG files

Vectors = NDArray[np.floating]


@pytest.fixture(scope="module")
def networks() -> Mapping[str, NativeRuntime]:
    return {name: NativeRuntime(models_folder(), embedder=name) for name in (OWN, DLIB)}


@dataclass(frozen=True)
class Faces:
    """The largest face of each of 100 photos of 10 people, as each network sees it: name -> [100]. same: of 4,950 pairs."""

    by: Mapping[str, Sequence[Embedded]]
    same: NDArray[np.bool_]

    def direct(self, name: str) -> Vectors:
        return np.stack([face.embedding for face in self.by[name]])


@pytest.fixture(scope="module")
def faces(networks: Mapping[str, NativeRuntime], lfw100: Path) -> Faces:
    by: dict[str, list[Embedded]] = {name: [] for name in networks}
    people = []
    for path in sorted(lfw100.glob("*/*.jpg")):
        photo = read_photo(path, 2048)
        largest, _ = finish(find_largest(networks[OWN], photo))
        for name, runtime in networks.items():
            by[name] += finish(embed_faces(runtime, photo, largest[:1]))
        people.append(path.parent.name)
    who = np.array(people)
    return Faces(by, (who[:, None] == who)[np.triu_indices(len(who), 1)])


def kept(chip: NDArray[np.uint8], quality: int = QUALITY) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(chip).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def reread(runtime: NativeRuntime, chip: NDArray[np.uint8], cut_for: NativeRuntime) -> Vectors:
    return finish(embed_kept_chip(runtime, runtime.photo(chip), cut_for.manifest.embedder))


def all_distances(vectors: Vectors) -> Vectors:
    apart: Vectors = distances_between(vectors, vectors)[np.triu_indices(len(vectors), 1)]
    return apart


def test_one_networks_chip_lies_on_the_others_by_their_reference_landmarks(networks: Mapping[str, NativeRuntime]) -> None:
    own, dlib = (networks[name].manifest.embedder for name in (OWN, DLIB))
    np.testing.assert_allclose(chip_to_chip(own, own), [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    for to, cut_for in ((own, dlib), (dlib, own)):
        transform = chip_to_chip(to, cut_for)
        np.testing.assert_allclose(transform, chip_to_photo(cut_for.template, to), err_msg="the chip is a photo like any other")
        missed = np.linalg.norm(apply_transform(transform, to.template) - cut_for.template, axis=1)
        assert missed.max() < 0.05 * cut_for.chip_size, "two faces that are cut a little differently, but the same face"


def test_a_kept_chip_of_its_own_network_is_read_as_it_was(networks: Mapping[str, NativeRuntime], faces: Faces) -> None:
    for name, runtime in networks.items():
        for face in faces.by[name][::25]:
            np.testing.assert_allclose(reread(runtime, face.chip, runtime), face.embedding, atol=1e-5)


def test_dlibs_kept_chips_read_by_mobilefacenet_lie_near_the_photos_own(
    networks: Mapping[str, NativeRuntime], faces: Faces
) -> None:
    """They lack a strip of the forehead, and were blurred by two samplings: a third of the threshold, in the median."""
    direct = faces.direct(OWN)
    again = np.stack([reread(networks[OWN], kept(face.chip), networks[DLIB]) for face in faces.by[DLIB]])
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1, atol=1e-5)
    moved = np.linalg.norm(again - direct, axis=1)
    threshold = networks[OWN].manifest.embedder.plain_threshold
    before, after = all_distances(direct), all_distances(again)
    otherwise = int(((before < threshold) != (after < threshold)).sum())
    right = [int(((distances < threshold) == faces.same).sum()) for distances in (before, after)]
    print(f"moved by {np.median(moved):.3f} (median), {np.quantile(moved, 0.95):.3f} (95 %), {moved.max():.3f} at most")
    print(f"of {len(before)} pairs {otherwise} are decided otherwise at {threshold}: {right[0]} were right, {right[1]} are")
    assert np.median(moved) < 0.33 * threshold
    assert np.quantile(moved, 0.95) < 0.45 * threshold
    assert otherwise <= 12
    assert right[1] >= 4930
    assert (distances_between(again, direct).argmin(axis=1) == np.arange(len(direct))).all(), "each is nearest to its own photo"


def test_answers_about_reread_faces_keep_the_promise(networks: Mapping[str, NativeRuntime], faces: Faces) -> None:
    """Of re-read faces among each other, and against fresh ones: no two people are taken for one, and few more pairs are lost."""
    direct = faces.direct(OWN)
    again = np.stack([reread(networks[OWN], kept(face.chip), networks[DLIB]) for face in faces.by[DLIB]])
    same_below = networks[OWN].manifest.embedder.calibration.good.same_below
    mixed = distances_between(again, direct)[np.triu_indices(len(direct), 1)]
    lost = (all_distances(direct)[faces.same] >= same_below).mean()
    for label, distances in (("each other", all_distances(again)), ("fresh ones", mixed)):
        now = (distances[faces.same] >= same_below).mean()
        print(f"re-read faces against {label}: {now:.1%} of the pairs of one person are not called the same, {lost:.1%} before")
        assert (distances[~faces.same] < same_below).sum() == 0
        assert now < lost + 0.05


def test_mobilefacenets_kept_chips_read_by_dlibs_network(networks: Mapping[str, NativeRuntime], faces: Faces) -> None:
    """The other way round: dlib's wider chip has a black border then."""
    direct = faces.direct(DLIB)
    again = np.stack([reread(networks[DLIB], kept(face.chip), networks[OWN]) for face in faces.by[OWN]])
    threshold = networks[DLIB].manifest.embedder.plain_threshold
    moved = np.linalg.norm(again - direct, axis=1)
    otherwise = int(((all_distances(direct) < threshold) != (all_distances(again) < threshold)).sum())
    print(f"moved by {np.median(moved):.3f} (median), {otherwise} of {len(faces.same)} pairs are decided otherwise at {threshold}")
    assert np.median(moved) < 0.25 * threshold
    assert otherwise <= 30


def test_what_jpeg_costs_is_next_to_nothing(networks: Mapping[str, NativeRuntime], faces: Faces) -> None:
    """Of a chip of its own network."""
    runtime = networks[OWN]
    moved = [np.linalg.norm(reread(runtime, kept(face.chip), runtime) - face.embedding) for face in faces.by[OWN]]
    assert np.median(moved) < 0.08
    assert max(moved) < 0.12
