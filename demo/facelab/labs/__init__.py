"""The chapters' labs: what the reader moves, and what answers. A lab computes; the page draws (see panels)."""

from __future__ import annotations

from .alignment import ALIGNMENT
from .detection import CASCADE, SUPPRESSION
from .identification import GALLERY
from .introduction import EIGENFACES, FOUR_QUESTIONS
from .learning import KERNEL, LEARNING
from .light import LIGHT, MOTION
from .networks import NETWORKS
from .overview import GROUP_PHOTO
from .panels import Lab
from .pipeline import FLOW
from .recapture import RECAPTURE
from .recognition import DISTANCES, MARGINS, PROJECTION, TRIPLETS
from .verification import CROWDING, THRESHOLD

LABS: dict[str, Lab] = {
    "flow": FLOW,
    "group-photo": GROUP_PHOTO,
    "four-questions": FOUR_QUESTIONS,
    "eigenfaces": EIGENFACES,
    "light": LIGHT,
    "motion": MOTION,
    "cascade": CASCADE,
    "suppression": SUPPRESSION,
    "alignment": ALIGNMENT,
    "learning": LEARNING,
    "kernel": KERNEL,
    "distances": DISTANCES,
    "triplets": TRIPLETS,
    "margins": MARGINS,
    "projection": PROJECTION,
    "crowding": CROWDING,
    "threshold": THRESHOLD,
    "networks": NETWORKS,
    "gallery": GALLERY,
    "recapture": RECAPTURE,
}
