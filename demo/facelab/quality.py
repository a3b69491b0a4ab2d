"""Whether a face can be judged with confidence: its size, sharpness, light and turn, and whether it is covered.

Sharpness and light are measured in the chip that the embedder sees. Beyond each limit, one of two things happens: more than about
one photo in twenty does not match its own undamaged version, or strangers match ten times as often as promised
(`python -m tests.experiments proxies`; for the turn, between photos of actors6). There the answer is more careful (see verify).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .coverings import BARE, LEAST_COVERED, covering
from .embed import Embedded
from .errors import PhotoError
from .models import Embedder

SMALLEST_EYES = 15.0  # pixels of the photo between the eyes
EYES_IN_CHIP = 36.3  # the same in MobileFaceNet's chip, in whose pixels sharpness is given
AROUND = 0.5  # the margin around the reference landmarks that is measured, in distances between the eyes
LEAST_SHARPNESS = 3.5
DARKEST, BRIGHTEST = 45.0, 190.0
LARGEST_TURN = 0.3
FILLER = 128  # the grey level that decoders put where a damaged JPEG or AVIF file lacks data
MOST_FILLER = 0.1  # share of the chip; ordinary photos stay below 0.06
DAMAGED = "This photo is damaged: part of the face is missing in the file. Copy or download the photo again."


@dataclass(frozen=True)
class Quality:
    """eyes: their distance in pixels of the photo. sharpness: standard deviation of the chip's Laplacian, grey levels.

    light: mean grey of the chip, 0 to 255. turn: how far the nose lies from the middle between the eyes, along the line through
    them, in distances between the eyes. covered: see coverings.covering.
    """

    eyes: float
    sharpness: float
    light: float
    turn: float
    covered: float = BARE

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong with the face, in words for a person to read; empty for a good face."""
        found = {
            "small": self.eyes < SMALLEST_EYES,
            "blurred": self.sharpness < LEAST_SHARPNESS,
            "dark": self.light < DARKEST,
            "overexposed": self.light > BRIGHTEST,
            "turned": self.turn > LARGEST_TURN,
            "partly covered": self.covered > LEAST_COVERED,
        }
        return tuple(word for word, is_so in found.items() if is_so)


def measure_quality(embedded: Embedded, embedder: Embedder) -> Quality:
    """The quality of a face, from its landmarks and from the middle of its chip, which every face fills."""
    left, right, nose = embedded.face.landmarks[:3]
    across = right - left
    eyes = float(np.hypot(*across))
    red, green, blue = np.moveaxis(embedded.chip[_part(embedder)].astype(np.float32), 2, 0)
    middle = (red + green + blue) / 3  # four times as fast as NumPy's mean over so short an axis
    finer = _eyes_apart(embedder) / EYES_IN_CHIP  # in a larger chip the same edge has more, smaller steps
    return Quality(
        eyes=eyes,
        sharpness=float(_laplacian(middle).std()) * finer,
        light=float(middle.mean()),
        turn=float(abs((nose - (left + right) / 2) @ across)) / max(eyes, 1e-6) ** 2,
        covered=covering(embedded.embedding, embedder),
    )


def is_made_up(embedded: Embedded, embedder: Embedder) -> bool:
    """Whether a large part of the face is missing from the file, so that the decoder silently filled it in."""
    off = np.abs(embedded.chip[_part(embedder)].astype(np.int16) - FILLER)
    return bool((off <= 1).all(axis=2).mean() > MOST_FILLER)


def refuse_made_up(embedded: Embedded, embedder: Embedder) -> None:
    """Raises PhotoError where a large part of the face is missing from the file."""
    if is_made_up(embedded, embedder):
        raise PhotoError(DAMAGED)


def _part(embedder: Embedder) -> tuple[slice, slice]:
    """Rows and columns of the chip: the box around the reference landmarks, with a margin."""
    margin = AROUND * _eyes_apart(embedder)
    (left, top), (right, bottom) = embedder.template.min(axis=0) - margin, embedder.template.max(axis=0) + margin
    x1, y1, x2, y2 = (round(float(edge)) for edge in (max(left, 0), max(top, 0), right, bottom))
    return slice(y1, y2 + 1), slice(x1, x2 + 1)


def _eyes_apart(embedder: Embedder) -> float:
    return float(np.hypot(*(embedder.template[1] - embedder.template[0])))


def _laplacian(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    centre = grey[1:-1, 1:-1]
    return 4 * centre - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
