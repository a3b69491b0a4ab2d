"""Margins for softmax: how a network learns from a list of people, without triplets.

Each training person has a centre of length one. A photo is compared with all centres by the cosine of the angle between them; the
cosines times a scale go into softmax. Without a margin this is a softmax over normalised weights and features. CosFace (Wang and
others, CVPR 2018, arXiv:1801.09414) lowers the cosine to the photo's own centre by a margin. ArcFace (Deng and others, CVPR 2019,
arXiv:1801.07698) widens the angle to it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["softmax", "cosface", "arcface"]
Values = NDArray[np.float64]
People = NDArray[np.integer]

ROUND = 1e-7  # a cosine of exactly 1 or -1 has no slope as a function of the angle


def with_margin(cosines: Values, own: People, kind: Kind, margin: float) -> Values:
    """The cosines [N, C] of N photos to C centres, each photo's own one made worse by the margin.

    own: which centre belongs to each photo [N]. margin: of a cosine for cosface, in radians for arcface; softmax has none.
    """
    harder = np.array(cosines, dtype=np.float64)
    rows = np.arange(len(own))
    if kind == "cosface":
        harder[rows, own] -= margin
    elif kind == "arcface":
        harder[rows, own] = np.cos(_angle(harder[rows, own]) + margin)
    return harder


def margin_loss(cosines: Values, own: People, kind: Kind, margin: float, scale: float) -> float:
    """The mean over photos of -log(probability of the photo's own centre)."""
    chances = _softmax(scale * with_margin(cosines, own, kind, margin))
    return float(-np.log(np.maximum(chances[np.arange(len(own)), own], np.finfo(float).tiny)).mean())


def margin_gradient(cosines: Values, own: People, kind: Kind, margin: float, scale: float) -> Values:
    """The gradient of margin_loss with respect to the cosines [N, C], before the margin."""
    rows = np.arange(len(own))
    gradient = _softmax(scale * with_margin(cosines, own, kind, margin))
    gradient[rows, own] -= 1
    if kind == "arcface":
        angle = _angle(np.asarray(cosines)[rows, own])
        gradient[rows, own] *= np.sin(angle + margin) / np.sin(angle)
    result: Values = gradient * scale / len(own)
    return result


def _angle(cosines: Values) -> Values:
    return np.arccos(np.clip(cosines, -1 + ROUND, 1 - ROUND))


def _softmax(scores: Values) -> Values:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Values = powers / powers.sum(axis=1, keepdims=True)
    return shares
