"""Photos that are not upright: the detector turns them by quarters until their faces are upright.

A camera notes in the file (EXIF) how it was held. If the note is lost, the photo may lie on its side. MTCNN knows upright faces
only: it then finds no face, or takes folds and hair for one. Such false faces have a low score, lean, or have eyes that lie close
together in a wide box (`python -m tests.experiments turns`). Only in these cases are the other three turns tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .detect import Face, Floats, detect_faces, find_largest
from .runtime import Photo, Runtime

SURE = 0.95  # a face with this score of O-Net needs no other turn
LIKELY = 0.9  # lowest score of a face that counts for another turn
LEAST_EYES = 0.34  # smallest distance between the eyes of an upright face, in units of the box's side
LARGEST_LEAN = 30.0  # degrees

TURNED_IN_WORDS = {
    90: "lay on its side, so it was read turned to the right",
    180: "stood on its head, so it was read turned round",
    270: "lay on its side, so it was read turned to the left",
}


async def upright_faces(runtime: Runtime, photo: Photo, min_face: float | None = None) -> list[Face]:
    """The faces of a photo, whichever way up it is, the largest first.

    Positions are in the photo as it is given; each face's `turned` says how the photo was turned to find it. min_face: see
    `detect_faces`.
    """
    faces = await detect_faces(runtime, photo, min_face)
    return faces if looks_upright(faces) else await _best_turn(runtime, photo, faces, min_face)


async def upright_largest(runtime: Runtime, photo: Photo) -> tuple[list[Face], bool]:
    """The faces of `find_largest`, whichever way up the photo is. An upright photo takes no longer than there."""
    faces, complete = await find_largest(runtime, photo)
    if looks_upright(faces):
        return faces, complete
    if not complete:
        faces = await detect_faces(runtime, photo)
    return await _best_turn(runtime, photo, faces, None), True


def looks_upright(faces: Sequence[Face]) -> bool:
    """Whether the first face shows that the photo is upright."""
    return bool(faces) and faces[0].score >= SURE and _lean(faces[0]) <= LARGEST_LEAN and _eyes(faces[0]) >= LEAST_EYES


async def _best_turn(runtime: Runtime, photo: Photo, faces: list[Face], min_face: float | None) -> list[Face]:
    """The faces of the turn with the most evidence. faces: those of the photo as it is."""
    best, most = faces, _evidence(faces)
    pixels = runtime.pixels(photo)
    for degrees in TURNED_IN_WORDS:
        turned = runtime.photo(np.rot90(pixels, -degrees // 90))
        found = await detect_faces(runtime, turned, min_face)
        evidence = _evidence([face for face in found if face.score >= LIKELY and _lean(face) <= LARGEST_LEAN])
        if evidence > most:
            best, most = [_turned_back(face, degrees, photo) for face in found], evidence
    return best


def _evidence(faces: Sequence[Face]) -> float:
    """How much the faces speak for a turn. Larger faces count more, because most false faces are small."""
    return sum(face.score * _eyes(face) * float(face.area**0.25) for face in faces)


def _eyes(face: Face) -> float:
    """Distance between the eyes, in units of the box's side."""
    left, right = face.landmarks[:2]
    return float(np.hypot(*(right - left)) / np.sqrt(max(face.area, 1e-6)))


def _lean(face: Face) -> float:
    """Angle between the line from mouth to eyes and the vertical, 0 to 180 degrees."""
    x, y = face.landmarks[:2].mean(axis=0) - face.landmarks[3:].mean(axis=0)
    return float(np.degrees(np.abs(np.arctan2(x, -y))))


def _turned_back(face: Face, degrees: int, photo: Photo) -> Face:
    """A face found in the turned photo, in pixels of the photo as it is given. degrees: clockwise turn of the photo."""
    corners = _points_back(face.box.reshape(2, 2), degrees, photo)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return replace(face, box=box, landmarks=_points_back(face.landmarks, degrees, photo), turned=degrees)


def _points_back(points: Floats, degrees: int, photo: Photo) -> Floats:
    """Points [K, 2] of the turned photo in the photo as it is given."""
    x, y = points.T
    right, bottom = photo.width - 1, photo.height - 1
    back = {90: (y, bottom - x), 180: (right - x, bottom - y), 270: (right - y, x)}
    return np.stack(back[degrees], axis=1)
