"""Compares faces in a lab: the distance that decides, and facts about it in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..desk import SAMPLES, Desk
from ..detect import detect_faces
from ..embed import Embedded, embed_faces
from ..verify import Decision, decide
from .panels import Fact, Facts, Tone

TONES: dict[str, Tone] = {"same": "good", "different": "bad", "unsure": "warn"}


def compare(desk: Desk, a: Embedded, b: Embedded) -> Decision:
    """The decision on two faces, by the distance that the page uses."""
    return decide(np.asarray(a.embedding), np.asarray(b.embedding), desk.runtime.manifest.embedder, desk.runtime.cohort)


async def compare_corrected(desk: Desk, a: Embedded, b: Embedded) -> Decision:
    """The decision by the corrected distance. Raises ModelError where the site was built without a cohort."""
    embedder = desk.runtime.manifest.embedder.normalised()
    return decide(np.asarray(a.embedding), np.asarray(b.embedding), embedder, await desk.runtime.load_cohort())


async def face_in(desk: Desk, pixels: NDArray[np.uint8]) -> Embedded | None:
    """The largest face of a picture [H, W, 3] that a lab has made, with its embedding, or None where no face is found."""
    photo = desk.runtime.photo(pixels)
    faces = await detect_faces(desk.runtime, photo)
    if not faces:
        return None
    (embedded,) = await embed_faces(desk.runtime, photo, faces[:1])
    return embedded


async def other_photo(desk: Desk) -> tuple[Embedded, str]:
    """A second photo to compare with, and its name: another one of the sample person, or else the reader's photo, unchanged."""
    if desk.chosen in SAMPLES:
        return await desk.embedded("obama2.jpg"), "to another photo of him"
    return await desk.embedded(), "to your photo as it was"


NO_FACE = Facts([Fact("Face", "not found", "choose a photo where a face is clearly seen", "bad")])
