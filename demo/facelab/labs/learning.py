"""Labs on how a network learns: a tiny network that is trained in the page, and kernels laid over a photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..workspace import Workspace
from .panels import Chart, Choice, Fact, Facts, Grid, Lab, Line, Panel, Picture, Settings, Slider, Switch, Tone
from .pictures import shrunk

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# --- a tiny network ------------------------------------------------------------

EPOCHS = 200
STEP = 5  # epochs between two places of the slider
BATCHES = 4  # in each epoch
HELD_OUT = 200  # points that are never trained on
HELD_OUT_SHOWN = 60
SEED = 3
REACH = 1.8  # the plane is drawn from -REACH to REACH
SIDE = 240  # of its picture, in pixels
ORANGE, BLUE = np.array([209.0, 101, 31]), np.array([45.0, 120, 190])
HIGHEST_LOSS = 3.0  # that the chart shows
TOO_LARGE = 1e6  # weights beyond this mean that the steps were too long


@dataclass(frozen=True)
class Training:
    """What a training left behind, for each of its places 0, STEP, 2 STEP ... epochs.

    losses, accuracies: [EPOCHS + 1, 2], of the training points and of the held-out points. diverged: the epoch at which the
    weights grew without limit, or None.
    """

    points: Array
    sides: Array
    held_out: Array
    held_out_sides: Array
    losses: Array
    accuracies: Array
    networks: list[Network]
    diverged: int | None


@dataclass(frozen=True)
class Network:
    """Two hidden layers and one number out: above 0 for one shape, below 0 for the other. bend: "none", "relu" or "tanh"."""

    weights: list[Array]
    biases: list[Array]
    bend: str

    @classmethod
    def begin(cls, neurons: int, bend: str, random: np.random.Generator) -> Network:
        """Random weights, so that no two neurons are alike."""
        sizes = [2, neurons, neurons, 1]
        weights = [random.normal(0, np.sqrt(2 / inputs), (inputs, outputs)) for inputs, outputs in pairwise(sizes)]
        biases = [random.normal(0, 0.5, size) for size in sizes[1:-1]]
        return cls(weights, [*biases, np.zeros(1)], bend)

    def scores(self, points: Array) -> Array:
        """[N, 2] -> [N]."""
        score: Array = (self._layers(points)[-1] @ self.weights[-1] + self.biases[-1])[:, 0]
        return score

    def step(self, points: Array, sides: Array, rate: float) -> Network:
        """The network after one step down the gradient of the loss over these points."""
        layers = self._layers(points)
        score = (layers[-1] @ self.weights[-1] + self.biases[-1])[:, 0]
        slope = ((_probability(score) - sides) / len(points))[:, None]
        weights, biases = list(self.weights), list(self.biases)
        for i in reversed(range(len(weights))):
            weights[i] = self.weights[i] - rate * layers[i].T @ slope
            biases[i] = self.biases[i] - rate * slope.sum(axis=0)
            if i:
                slope = (slope @ self.weights[i].T) * self._steepness(layers[i])
        return Network(weights, biases, self.bend)

    @property
    def size(self) -> int:
        return sum(array.size for array in (*self.weights, *self.biases))

    @property
    def is_sound(self) -> bool:
        return all(bool(np.abs(array).max() < TOO_LARGE) for array in (*self.weights, *self.biases))

    def _layers(self, points: Array) -> list[Array]:
        layers = [points]
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            sums = layers[-1] @ weights + biases
            layers.append({"none": sums, "relu": np.maximum(sums, 0)}[self.bend] if self.bend != "tanh" else np.tanh(sums))
        return layers

    def _steepness(self, outputs: Array) -> Array | float:
        """The derivative of the bend, by what came out of it."""
        if self.bend == "none":
            return 1.0
        steepness: Array = (outputs > 0).astype(float) if self.bend == "relu" else 1 - outputs**2
        return steepness


def _probability(scores: Array) -> Array:
    probability: Array = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    return probability


def _examined(network: Network, points: Array, sides: Array) -> tuple[float, float]:
    """Mean loss, and the share of the points that lie on the right side."""
    scores = network.scores(points)
    return float((np.logaddexp(0, scores) - sides * scores).mean()), float(((scores > 0) == (sides > 0.5)).mean())


def _shapes(shape: str, count: int, noise: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Points in the plane, and to which of two shapes each belongs, 0 or 1."""
    sides = (np.arange(count) % 2).astype(float)
    first, along = sides[:, None] == 1, random.random(count)
    if shape == "blobs":
        points = random.normal(0, 0.25, (count, 2)) + np.where(first, [0.65, 0.5], [-0.65, -0.5])
    elif shape == "rings":
        radius = np.where(sides == 1, 1.25, 0.5 * np.sqrt(random.random(count)))
        points = radius[:, None] * _directions(2 * np.pi * along)
    elif shape == "moons":
        moon = _directions(np.pi * along)
        points = np.where(first, [0.5, 0.25] - moon, moon - [0.5, 0.25])
    else:
        angle = 0.5 + 2.5 * np.pi * np.sqrt(along)
        points = (1.4 * angle / (0.5 + 2.5 * np.pi))[:, None] * _directions(angle + np.pi * sides)
    return points + random.normal(0, 1, (count, 2)) * noise, sides


def _directions(angles: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@lru_cache(maxsize=4)
def trained(shape: str, count: int, noise: float, neurons: int, rate: float, bend: str) -> Training:
    """A whole training of EPOCHS epochs. It is kept, so that moving to another epoch costs nothing."""
    points, sides = _shapes(shape, count, noise, np.random.default_rng(SEED))
    others, other_sides = _shapes(shape, HELD_OUT, noise, np.random.default_rng(SEED + 1))
    random = np.random.default_rng(SEED + 2)
    network = Network.begin(neurons, bend, random)
    found, networks, diverged = [], [], None
    for epoch in range(EPOCHS + 1):
        found.append([_examined(network, points, sides), _examined(network, others, other_sides)])
        if epoch % STEP == 0:
            networks.append(network)
        before = network
        for batch in np.array_split(random.permutation(count), BATCHES):
            network = network.step(points[batch], sides[batch], rate)
        if not network.is_sound:
            network, diverged = before, diverged or epoch + 1
    figures = np.array(found)
    return Training(points, sides, others, other_sides, figures[..., 0], figures[..., 1], networks, diverged)


async def _learning(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The plane as the network sees it, and how its loss came down."""
    epochs = int(settings["epochs"])
    done = trained(
        str(settings["shape"]),
        int(settings["points"]),
        float(settings["noise"]),
        int(settings["neurons"]),
        float(settings["rate"]),
        str(settings["bend"]),
    )
    network = done.networks[epochs // STEP]
    learnt, held_out = done.accuracies[epochs]
    plane = _plane(network)
    for (x, y), side in zip(done.held_out[:HELD_OUT_SHOWN], done.held_out_sides, strict=False):
        _dot(plane, x, y, ORANGE if side else BLUE, hollow=True)
    for (x, y), side in zip(done.points, done.sides, strict=True):
        _dot(plane, x, y, ORANGE if side else BLUE, hollow=False)
    losses = np.minimum(done.losses[: epochs + 1], HIGHEST_LOSS)
    if done.diverged is not None and epochs >= done.diverged:
        gap = Fact("Training", "diverged", "the steps are too long: the weights grew without limit", "bad")
    else:
        lead = round(100 * (learnt - held_out))
        note, tone = ("overfitting: better on what it has seen", "bad") if lead > 10 else ("the difference of the two shares", "")
        gap = Fact("Training minus held-out", f"{_signed(lead)} %", note, tone)  # type: ignore[arg-type]
    return [
        Picture(
            plane.round().astype(np.uint8),
            f"The plane after {epochs} epochs: {100 * held_out:.0f} % of the held-out points lie on the side of their colour.",
            "Background: the network’s answer. Filled dots: training points. Rings: some of the held-out points.",
        ),
        Chart(
            f"the loss over {epochs} epochs: {losses[-1, 0]:.2f} on training points, {losses[-1, 1]:.2f} on held-out points",
            [
                Line("training points", list(range(epochs + 1)), losses[:, 0].tolist()),
                Line("held-out points", list(range(epochs + 1)), losses[:, 1].tolist(), "dashed"),
            ],
            "epoch",
            "loss",
            x_limits=(0, EPOCHS),
            y_limits=(0, max(1.0, float(losses.max()))),
            small=True,
        ),
        Facts(
            [
                Fact("Right, training points", f"{100 * learnt:.0f} %", f"of {len(done.points)}"),
                Fact(
                    "Right, held-out points", f"{100 * held_out:.0f} %", f"of {HELD_OUT} that it never saw", _tone(float(held_out))
                ),
                gap,
                Fact(
                    "Weights and biases",
                    str(network.size),
                    f"of 2 × {settings['neurons']} neurons, and of one for the answer",
                ),
            ]
        ),
    ]


def _tone(accuracy: float | np.floating) -> Tone:
    return "good" if accuracy > 0.9 else "warn" if accuracy > 0.75 else "bad"


def _plane(network: Network) -> Array:
    """[SIDE, SIDE, 3], 0 to 255: orange and blue by how probable the network finds each shape; computed at every third pixel."""
    middles = np.linspace(-REACH, REACH, SIDE // 3)
    x, y = np.meshgrid(middles, -middles)
    share = _probability(network.scores(np.stack([x.ravel(), y.ravel()], axis=1))).reshape(x.shape)[..., None]
    colour = np.where(share > 0.5, ORANGE, BLUE)
    field = 255 - (255 - colour) * (0.12 + 0.43 * np.abs(2 * share - 1))
    plane: Array = field.repeat(3, axis=0).repeat(3, axis=1)
    return plane


def _dot(plane: Array, x: float, y: float, colour: Array, hollow: bool) -> None:
    """Paint one point on the picture of the plane; what lies outside is left out."""
    column, row = ((1 + x / REACH) * SIDE / 2, (1 - y / REACH) * SIDE / 2)
    left, top = int(column) - 5, int(row) - 5
    if not (0 <= left < SIDE - 11 and 0 <= top < SIDE - 11):
        return
    rows, columns = np.mgrid[top : top + 11, left : left + 11]
    away = np.hypot(rows + 0.5 - row, columns + 0.5 - column)
    part = plane[top : top + 11, left : left + 11]
    if hollow:
        ring = np.clip(1.4 - np.abs(away - 2.4), 0, 1)[..., None]
        part[:] = part * (1 - ring) + colour * ring
    else:
        rim, disc = (np.clip(radius - away, 0, 1)[..., None] for radius in (4.7, 3.7))
        part[:] = part * (1 - rim) + 255 * rim
        part[:] = part * (1 - disc) + colour * disc


LEARNING = Lab(
    "Can a tiny network tell two shapes apart?",
    [
        Slider("epochs", "Epochs of training", 0, EPOCHS, STEP, 60, play=True),
        Choice(
            "shape",
            "Shapes",
            [("blobs", "two blobs"), ("rings", "a disc in a ring"), ("moons", "two moons"), ("spiral", "two spirals")],
            "moons",
        ),
        Slider("neurons", "Neurons in each hidden layer", 1, 16, 1, 6),
        Choice("bend", "Activation function", [("none", "none"), ("relu", "ReLU"), ("tanh", "tanh")], "tanh"),
        Slider("rate", "Learning rate", 0.05, 5, 0.05, 0.3),
        Slider("points", "Training points", 10, 200, 10, 80),
        Slider("noise", "Noise", 0, 0.5, 0.05, 0.15),
    ],
    _learning,
    wants_photo=False,
)

# --- kernels -------------------------------------------------------------------

PHOTO_SIDE = 300
ROWS, COLUMNS = ("upper row", "middle row", "lower row"), ("left", "middle", "right")
PLACES = {f"w{i}{j}": f"{row.capitalize()}, {column}" for i, row in enumerate(ROWS, 1) for j, column in enumerate(COLUMNS, 1)}
KERNELS: dict[str, tuple[str, list[list[float]]]] = {
    "upright": ("edges, vertical", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "level": ("edges, horizontal", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "outline": ("edges, all", [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "blur": ("blur", [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
    "sharpen": ("sharpen", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "emboss": ("emboss", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}
OWN_KERNEL = "own"


async def _kernel(workspace: Workspace, settings: Settings) -> list[Panel]:
    """A photo in grey, and the map that a kernel makes of it."""
    photo = shrunk(workspace.pixels(), PHOTO_SIDE).astype(np.float64) @ [0.299, 0.587, 0.114]
    if settings["kernel"] == OWN_KERNEL:
        kernel = np.array([float(settings[place]) for place in PLACES]).reshape(3, 3)
    else:
        kernel = np.array(KERNELS[str(settings["kernel"])][1], float)
    total = float(kernel.sum())
    answers = _laid_over(photo, kernel)
    if settings["relu"]:
        answers = np.maximum(answers, 0)
    shown = answers / total if total > 0 else 128 + answers / max(float(np.abs(kernel).sum()) / 4, 1)
    positive = float((answers > 0).mean())
    return [
        Picture(_as_bytes(photo), "the photo in grey", "The photo, in grey."),
        Picture(
            _as_bytes(shown),
            "what the kernel answers at each place",
            "The kernel’s answer at every place."
            + ("" if total > 0 else f" Middle grey is 0, white is positive{'' if settings['relu'] else ', black is negative'}."),
        ),
        Grid(
            ["Kernel", *COLUMNS],
            [[name, *map(_signed, row)] for name, row in zip(ROWS, kernel, strict=True)],
        ),
        Facts(
            [
                Fact("Sum of the weights", _signed(total), _about(total)),
                Fact("Places with a positive answer", f"{100 * positive:.0f} %"),
                Fact("Weights", "9", "the same at every place of the photo"),
            ]
        ),
    ]


def _signed(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _about(total: float) -> str:
    if total > 0:
        return "for display, each answer is divided by it"
    return "an even area gives 0" if total == 0 else "an even area gives a negative answer"


def _laid_over(photo: Array, kernel: Array) -> Array:
    """The sum of kernel times pixels at each place; the rim of the photo is repeated outwards."""
    padded = np.pad(photo, 1, mode="edge")
    height, width = photo.shape
    answers = np.zeros_like(photo)
    for row in range(3):
        for column in range(3):
            answers += kernel[row, column] * padded[row : row + height, column : column + width]
    return answers


def _as_bytes(values: Array) -> Pixels:
    pixels: Pixels = np.clip(values, 0, 255).round().astype(np.uint8)
    return pixels


KERNEL = Lab(
    "What does a kernel see?",
    [
        Choice(
            "kernel",
            "Kernel",
            [*((key, label) for key, (label, _) in KERNELS.items()), (OWN_KERNEL, "your own nine weights")],
            "upright",
        ),
        Switch("relu", "Keep positive answers only (ReLU)", False),
        *(
            Slider(place, label, -4, 4, 1, start, only=("kernel", OWN_KERNEL))
            for (place, label), start in zip(PLACES.items(), (-1, 0, 1, -2, 0, 2, -1, 0, 1), strict=True)
        ),
    ],
    _kernel,
)
