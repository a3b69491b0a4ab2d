"""Enrolment: the faces of a photo, and whether it is fit to know a person by. One rule for the page and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .embed import Embedded, embed_faces
from .errors import PhotoError
from .preprocess import clahe, on_colour
from .quality import DAMAGED, DARKEST, is_made_up, measure_quality
from .runtime import Photo, Runtime
from .upright import upright_faces

ANOTHER = 1 / 4  # of the largest face's area: a second face of so much may be the one that is meant


@dataclass(frozen=True)
class Look:
    """What a photo shows. faces: the largest first. evened: whether its light had to be evened out for that."""

    faces: Sequence[Embedded]
    evened: bool = False


async def look_at(runtime: Runtime, photo: Photo, min_face: float | None = None) -> Look:
    """All faces of a photo, embedded, but those that are partly missing in a damaged file.

    A photo that is too dark gets a second look, with its light evened out.

    By CLAHE on V, which brought back most on photos six stops too dark, and costs a little on all others
    (`python -m tests.experiments preprocessing`): so it is for those alone. min_face: pixels of the photo, None: the manifest's.
    """
    faces = await _whole_faces(runtime, photo, min_face)
    if faces and "dark" not in measure_quality(faces[0], runtime.manifest.embedder).complaints:
        return Look(faces)
    pixels = runtime.pixels(photo)
    if not faces and pixels.mean() > DARKEST:
        return Look(faces)
    brighter = runtime.photo(on_colour(pixels, clahe, "value"))
    again = await _whole_faces(runtime, brighter, min_face)
    return Look(again, evened=True) if len(again) >= max(1, len(faces)) else Look(faces)


async def _whole_faces(runtime: Runtime, photo: Photo, min_face: float | None) -> list[Embedded]:
    """Raises PhotoError where all faces are partly missing."""
    embedder = runtime.manifest.embedder
    seen = await embed_faces(runtime, photo, await upright_faces(runtime, photo, min_face))
    whole = [one for one in seen if not is_made_up(one, embedder)]
    if seen and not whole:
        raise PhotoError(DAMAGED)
    return whole


def unfit(areas: Sequence[float], complaints: Sequence[str]) -> str | None:
    """Why a photo is no good for enrolling whom it shows, for a person to read; None for a good one.

    areas: of its faces, the largest first. complaints: about the largest (see quality).
    """
    if not areas:
        return "no face was found"
    if len(areas) > 1 and areas[1] > ANOTHER * areas[0]:
        return "it shows more than one face; cut it so that one is left"
    if complaints:
        return f"the face is {' and '.join(complaints)}"
    return None
