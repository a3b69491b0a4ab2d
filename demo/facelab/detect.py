"""Face detection with MTCNN: three networks, each of which looks more closely at the boxes that passed the one before.

Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", 2016
(arXiv:1604.02878). The networks are graphs that take the photo. This module decides what to do with their answers.

Frame: pixels of the photo, origin top left, x right, y down; the centre of the first pixel is at 0.
Boxes are [N, 4] float, x1 y1 x2 y2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .models import Detector
from .runtime import Photo, Runtime

Floats = NDArray[np.floating]

LARGE = 1 / 5  # of the photo's shorter side: the smallest face in the first search
SAFELY = 1.25  # times as large as that: at least one level of the first search finds such a face and every larger one
ON_A_FACE = 0.3  # a box that overlaps a known face by more than this belongs to that face


@dataclass(frozen=True)
class Face:
    """A face in a photo.

    box: [4] x1 y1 x2 y2. score: O-Net's probability of "face", 0 to 1.
    landmarks: [5, 2] x y of left eye, right eye, nose, left and right mouth corner; left as seen in the photo.
    turned: degrees by which the photo was turned clockwise to find the face (see upright): 0, 90, 180 or 270.
    """

    box: Floats
    score: float
    landmarks: Floats
    turned: int = 0

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        width, height = self.box[2:] - self.box[:2]
        return float(width * height)

    def scaled(self, factor: float) -> Face:
        """The same face in a photo that is `factor` times as large."""
        # Pixel centres are at whole numbers, so the photo's corner is at -0.5, and that corner stays in place.
        return replace(self, box=(self.box + 0.5) * factor - 0.5, landmarks=(self.landmarks + 0.5) * factor - 0.5)

    def as_json(self) -> dict[str, object]:
        """{"box", "score", "landmarks", "turned"} in plain numbers."""
        return {"box": self.box.tolist(), "score": self.score, "landmarks": self.landmarks.tolist(), "turned": self.turned}


async def detect_faces(runtime: Runtime, photo: Photo, min_face: float | None = None) -> list[Face]:
    """All faces of a photo, the largest first; an empty list where there is none.

    min_face: side of the smallest face to find, in pixels of the photo. Half of it means four times as many pixels for P-Net.
    None: the manifest's, in two searches, the first for large faces, so that the result agrees with `find_largest`.
    """
    known = await large_faces(runtime, photo) if min_face is None else []
    return await _further_faces(runtime, photo, known, min_face or runtime.manifest.detector.min_face)


async def find_largest(runtime: Runtime, photo: Photo) -> tuple[list[Face], bool]:
    """Faces with the largest first, sooner than `detect_faces`, and whether these are all faces of the photo."""
    large = await large_faces(runtime, photo)
    return (large, False) if large else (await _further_faces(runtime, photo, large, runtime.manifest.detector.min_face), True)


async def large_faces(runtime: Runtime, photo: Photo) -> list[Face]:
    """Faces that fill a large part of the photo, the largest first.

    They are found on the small levels of the pyramid, which take little time. Faces close to the limit are left out, so that no
    later search can find a face larger than the first one here.
    """
    least = min(photo.height, photo.width) * LARGE
    proposals = await propose(runtime, photo, runtime.manifest.detector.min_face, least)
    faces = await confirm(runtime, photo, await refine(runtime, photo, proposals))
    return sorted((face for face in faces if face.area > (SAFELY * least) ** 2), key=lambda face: -face.area)


async def _further_faces(runtime: Runtime, photo: Photo, known: Sequence[Face], min_face: float) -> list[Face]:
    """The known faces and all others, the largest first. R-Net and O-Net skip proposals on known faces."""
    boxes = np.array([face.box for face in known]).reshape(-1, 4)
    proposals = await propose(runtime, photo, min_face)
    proposals = proposals[overlaps(proposals, boxes).max(axis=1, initial=0) < ON_A_FACE]
    faces = await confirm(runtime, photo, await refine(runtime, photo, proposals))
    fresh = [face for face in faces if overlaps(face.box[None], boxes, of_smaller=True).max(initial=0) < 0.7]  # as in `confirm`
    return sorted([*known, *fresh], key=lambda face: -face.area)


async def propose(runtime: Runtime, photo: Photo, min_face: float, least: float = 0) -> Floats:
    """Stage 1. P-Net slides a 12 x 12 window over every level of the pyramid: square boxes [N, 4].

    least: levels on which a face of this size, in pixels of the photo, is larger than the window are skipped.
    """
    detector = runtime.manifest.detector
    scales = [scale for scale in pyramid_scales(photo.height, photo.width, min_face, detector) if least * scale <= detector.cell]
    if not scales:
        return np.empty((0, 4))
    sizes = [(int(photo.height * scale), int(photo.width * scale)) for scale in scales]
    answers = await runtime.run_pyramid(photo, sizes)
    # All levels together from here on: NumPy takes as long for the few boxes of one level as for all.
    places = [np.nonzero(answer["scores"] > detector.thresholds[0]) for answer in answers]
    row, column = np.concatenate(places, axis=1)
    level = np.repeat(np.arange(len(scales)), [len(rows) for rows, _ in places])
    offsets = np.concatenate([answer["offsets"][place] for answer, place in zip(answers, places, strict=True)])
    # Ranked by log-odds: float32 rounds many probabilities near 1 to the same number, and such ties have no fixed order.
    scores = np.concatenate([answer["log_odds"][place] for answer, place in zip(answers, places, strict=True)])
    boxes = window_boxes(row, column, offsets, np.array(scales)[level, None], detector)
    kept = suppress(boxes, scores, 0.5, level)
    boxes, scores = boxes[kept], scores[kept]
    return squared(boxes[suppress(boxes, scores, 0.7)])


async def refine(runtime: Runtime, photo: Photo, boxes: Floats) -> Floats:
    """Stage 2. R-Net looks at each box in 24 x 24 pixels: fewer and more exact square boxes [N, 4]."""
    if not len(boxes):
        return boxes
    answer = await runtime.run("rnet", photo, {"boxes": boxes.astype(np.float32)})
    likely = answer["scores"] > runtime.manifest.detector.thresholds[1]
    moved = calibrated(boxes, answer["offsets"])[likely]
    return squared(moved[suppress(moved, answer["scores"][likely], 0.7)])


async def confirm(runtime: Runtime, photo: Photo, boxes: Floats) -> list[Face]:
    """Stage 3. O-Net looks at each box in 48 x 48 pixels, twice: the faces, with landmarks.

    The second look takes the boxes that the first has corrected. The paper stops after the first. But if R-Net leaves a box off
    centre, the landmarks of the first look are off too, and some other things pass for a face only while they are off centre.
    """
    detector = runtime.manifest.detector
    found, scores, _ = await look_closely(runtime, photo, boxes)
    likely = scores > detector.thresholds[2]
    found, scores = found[likely], scores[likely]
    # A small box inside a large one has a small intersection over union, so the smaller area is used.
    kept = suppress(found, scores, 0.7, of_smaller=True)
    found, scores = found[kept], scores[kept]
    _, second_scores, landmarks = await look_closely(runtime, photo, squared(found))
    return [Face(found[i], float(scores[i]), landmarks[i]) for i in np.flatnonzero(second_scores > detector.second_look)]


async def look_closely(runtime: Runtime, photo: Photo, boxes: Floats) -> tuple[Floats, Floats, Floats]:
    """O-Net on square boxes [N, 4]: the boxes corrected [N, 4], scores [N], landmarks [N, 5, 2]."""
    if not len(boxes):
        return boxes, np.empty(0), np.empty((0, 5, 2))
    answer = await runtime.run("onet", photo, {"boxes": boxes.astype(np.float32)})
    sides = boxes[:, None, 2:] - boxes[:, None, :2] + 1
    return calibrated(boxes, answer["offsets"]), answer["scores"], boxes[:, None, :2] - 1 + answer["landmarks"] * sides


def pyramid_scales(height: int, width: int, min_face: float, detector: Detector) -> Iterator[float]:
    """The scale of each pyramid level, from fine to coarse.

    The first level shrinks a face of `min_face` pixels to P-Net's window.
    The last one is the last that holds half a window; padding adds the rest.
    """
    least = max(detector.cell - detector.padding, 1)
    scale = detector.cell / min_face
    while min(height, width) * scale >= least:
        yield scale
        scale *= detector.pyramid_factor


def window_boxes(
    row: NDArray[np.intp], column: NDArray[np.intp], offsets: Floats, scale: float | Floats, detector: Detector
) -> Floats:
    """Boxes [N, 4] in the photo for windows at (row, column) of P-Net's map of a level, moved by the offsets [N, 4].

    scale: the level's, or each window's [N, 1].
    """
    corner = np.stack([column, row], axis=1) * detector.stride - detector.padding
    window = np.concatenate([corner + 1, corner + detector.cell], axis=1)
    return (window + offsets * (detector.cell - 1)) / scale


def calibrated(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes [N, 4] moved by a network's offsets [N, 4]. The offsets are in units of the box's sides."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sides, 2)


def squared(boxes: Floats) -> Floats:
    """Boxes [N, 4] grown to squares around the same centres, because the networks take squares."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def overlaps(boxes: Floats, others: Floats, of_smaller: bool = False) -> Floats:
    """Intersection over union of N boxes with M others: [N, M], 0 to 1. of_smaller: over the smaller of the two areas instead."""
    left, top, right, bottom = boxes.T[:, :, None]
    other_left, other_top, other_right, other_bottom = others.T[:, None, :]
    width = np.minimum(right, other_right) - np.maximum(left, other_left)
    height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (right - left) * (bottom - top)
    other_area = (other_right - other_left) * (other_bottom - other_top)
    whole = np.minimum(area, other_area) if of_smaller else area + other_area - shared
    share: Floats = shared / np.maximum(whole, 1e-9)
    return share


def suppress(
    boxes: Floats, scores: Floats, most: float, group: NDArray[np.intp] | None = None, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Non-maximum suppression: indices of the boxes to keep, best first.

    A box is dropped if any better box overlaps it by more than `most`,
    even if that better box is dropped itself. So all pairs can be compared
    at once. The greedy rule would keep a few more boxes; the mtcnn package
    drops them too. group: boxes of different groups are not compared; the
    numbers rise from box to box.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    order = np.argsort(-scores, kind="stable") if group is None else np.lexsort([-scores, group])
    first = np.zeros(len(boxes), np.intp) if group is None else np.searchsorted(group, group)  # of the box's group
    ranked, rank = boxes[order], np.arange(len(boxes))
    block = 64  # rows compared at a time, to save memory
    kept = []
    for start in range(0, len(boxes), block):
        rows, others = slice(start, start + block), slice(first[start], start + block)
        shared = overlaps(ranked[rows], ranked[others], of_smaller)
        better = (rank[others] < rank[rows, None]) & (rank[others] >= first[rows, None])
        kept.append(order[rows][~((shared > most) & better).any(axis=1)])
    return np.concatenate(kept)
