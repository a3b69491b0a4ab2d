"""Claims of the chapter on how a network learns: about its lab, whose trainings are repeated here."""

from __future__ import annotations

import numpy as np

from facelab.labs.learning import REACH, STEP, trained

from . import Claim


def _is_straight() -> bool:
    """Without a bend, the score is a plane: the middle of two points has the mean of their scores."""
    network = trained("spiral", 80, 0.15, 16, 0.3, "none").networks[-1]
    a, b = np.random.default_rng(1).normal(size=(2, 50, 2))
    return bool(np.allclose(network.scores((a + b) / 2), (network.scores(a) + network.scores(b)) / 2))


def _lead(points: int, neurons: int) -> float:
    """By how much the network is better on training points than on held-out ones."""
    learnt, held_out = trained("moons", points, 0.4, neurons, 0.3, "tanh").accuracies[-1]
    return float(learnt - held_out)


def _right_on_spirals(neurons: int) -> float:
    return float(trained("spiral", 80, 0.15, neurons, 0.3, "tanh").accuracies[-1, 0])


def _strong_corners() -> int:
    """Corners of the lab's plane, as it opens, where the network is surer than 95 %."""
    network = trained("moons", 80, 0.15, 6, 0.3, "tanh").networks[60 // STEP]
    ends = REACH * np.array([-1, 1])
    scores = network.scores(np.array([(x, y) for x in ends for y in ends]))
    return int((np.abs(scores) > np.log(0.95 / 0.05)).sum())


def _jumps(bend: str) -> bool:
    done = trained("spiral", 80, 0.15, 6, 5.0, bend)
    return done.diverged is not None or float(np.diff(done.losses[:, 0]).max()) > 0.5


CLAIMS = [
    Claim("However long it trains, the border stays a straight line.", _is_straight),
    Claim("With 2 neurons, the border cannot follow the spirals.", lambda: _right_on_spirals(2) < 0.85),
    Claim("With 16, it nearly does.", lambda: 0.95 < _right_on_spirals(16) < 1),
    Claim("still three of the four corners have a strong colour", lambda: _strong_corners() == 3),
    Claim("The loss jumps about, or the training breaks down.", lambda: all(map(_jumps, ("none", "relu", "tanh")))),
    Claim(
        "With 10 points, the network is right on all of them and fails on many new ones. "
        "From 40 points on, the two accuracies are close",
        lambda: _lead(10, 16) > 0.2 and max(_lead(points, 16) for points in (40, 80, 160, 200)) < 0.06,
    ),
    Claim("With 10 points, even so small a network overfits.", lambda: _lead(10, 2) > 0.2),
]
