"""The chapters' labs: what the reader moves, and what answers. A lab computes; the page draws (see panels)."""

from __future__ import annotations

from .alignment import ALIGNMENT
from .detection import CASCADE, SUPPRESSION
from .introduction import FOUR_QUESTIONS
from .light import LIGHT, MOTION
from .networks import NETWORKS
from .overview import GROUP_PHOTO
from .panels import Lab
from .pipeline import FLOW
from .recapture import RECAPTURE
from .recognition import DISTANCES, PROJECTION, TRIPLETS
from .verification import CROWDING, THRESHOLD

LABS: dict[str, Lab] = {
    "flow": FLOW,
    "group-photo": GROUP_PHOTO,
    "four-questions": FOUR_QUESTIONS,
    "light": LIGHT,
    "motion": MOTION,
    "cascade": CASCADE,
    "suppression": SUPPRESSION,
    "alignment": ALIGNMENT,
    "distances": DISTANCES,
    "triplets": TRIPLETS,
    "projection": PROJECTION,
    "crowding": CROWDING,
    "threshold": THRESHOLD,
    "networks": NETWORKS,
    "recapture": RECAPTURE,
}
