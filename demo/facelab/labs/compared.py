"""Compares faces in a lab: the distance that decides, and facts about it in words."""

from __future__ import annotations

import numpy as np

from ..desk import SAMPLES, Desk
from ..embed import Embedded
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


async def other_photo(desk: Desk) -> tuple[Embedded, str]:
    """A second photo to compare with, and its name: another one of the sample person, or else the reader's photo, unchanged."""
    if desk.chosen in SAMPLES:
        return await desk.embedded("obama2.jpg"), "to another photo of him"
    return await desk.embedded(), "to your photo as it was"


NO_FACE = Facts([Fact("Face", "not found", "choose a photo where a face is clearly seen", "bad")])
