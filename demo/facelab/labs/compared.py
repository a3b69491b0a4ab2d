"""Compares faces in a lab: the distance that decides, and facts about it in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..detect import detect_faces
from ..embed import Embedded, embed_faces
from ..verify import Decision, decide
from ..workspace import SAMPLES, Workspace
from .panels import Fact, Facts, Tone

TONES: dict[str, Tone] = {"same": "good", "different": "bad", "unsure": "warn"}


def compare(workspace: Workspace, a: Embedded, b: Embedded) -> Decision:
    """The decision on two faces, by the distance that the page uses."""
    return decide(np.asarray(a.embedding), np.asarray(b.embedding), workspace.runtime.manifest.embedder, workspace.runtime.cohort)


async def compare_corrected(workspace: Workspace, a: Embedded, b: Embedded) -> Decision:
    """The decision by the corrected distance. Raises ModelError where the site was built without a cohort."""
    embedder = workspace.runtime.manifest.embedder.normalised()
    return decide(np.asarray(a.embedding), np.asarray(b.embedding), embedder, await workspace.runtime.load_cohort())


async def face_in(workspace: Workspace, pixels: NDArray[np.uint8]) -> Embedded | None:
    """The largest face of a picture [H, W, 3] that a lab has made, with its embedding, or None where no face is found."""
    photo = workspace.runtime.photo(pixels)
    faces = await detect_faces(workspace.runtime, photo)
    if not faces:
        return None
    (embedded,) = await embed_faces(workspace.runtime, photo, faces[:1])
    return embedded


async def other_photo(workspace: Workspace) -> tuple[Embedded, str]:
    """A second photo to compare with, and its name: another one of the sample person, or else the reader's photo, unchanged."""
    if workspace.chosen in SAMPLES:
        return await workspace.embedded("obama2.jpg"), "to another photo of him"
    return await workspace.embedded(), "to your photo as it was"


NO_FACE = Facts([Fact("Face", "not found", "choose a photo where a face is clearly seen", "bad")])
