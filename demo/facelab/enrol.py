"""Enrolment: the faces of a photo, and whether the photo is good enough to enrol somebody.

The page and the command line share this rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .embed import Embedded, embed_faces
from .errors import PhotoError
from .preprocess import clahe, on_colour
from .quality import DAMAGED, DARKEST, is_made_up, measure_quality
from .runtime import Photo, Runtime
from .upright import upright_faces

ANOTHER = 1 / 4  # as a share of the largest face's area: a second face this large may be the intended one


@dataclass(frozen=True)
class Look:
    """The faces of a photo, the largest first. evened: whether the light had to be evened out to find them."""

    faces: Sequence[Embedded]
    evened: bool = False


async def look_at(runtime: Runtime, photo: Photo, min_face: float | None = None) -> Look:
    """All faces of a photo, embedded, except those that are partly missing in a damaged file.

    A photo that is too dark is looked at a second time, with its light evened out by CLAHE on V. That method found most faces again
    in photos six stops too dark, and costs a little on all other photos (`python -m tests.experiments preprocessing`), so only dark
    photos get it. min_face: in pixels of the photo; None means the manifest's.
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
    """Leaves out faces that are partly missing. Raises PhotoError if none is left."""
    embedder = runtime.manifest.embedder
    seen = await embed_faces(runtime, photo, await upright_faces(runtime, photo, min_face))
    whole = [one for one in seen if not is_made_up(one, embedder)]
    if seen and not whole:
        raise PhotoError(DAMAGED)
    return whole


def unfit(areas: Sequence[float], complaints: Sequence[str]) -> str | None:
    """The reason why a photo should not enrol anybody, as a sentence; None for a good photo.

    areas: those of its faces, the largest first. complaints: about the largest face (see quality).
    """
    if not areas:
        return "no face was found"
    if len(areas) > 1 and areas[1] > ANOTHER * areas[0]:
        return "it shows more than one face; cut it so that one is left"
    if complaints:
        return f"the face is {' and '.join(complaints)}"
    return None
