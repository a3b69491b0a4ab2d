"""Labs on recognition: all distances between photos, a playground of triplets, and many embeddings in two dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..desk import OWN, Desk
from ..embed import Embedded
from ..errors import ModelError, NoFaceError
from ..triplet import mine, triplet_gradient, triplet_loss
from .compared import NO_FACE, TONES, compare, compare_corrected
from .panels import Button, Chart, Choice, Fact, Facts, Grid, Lab, Line, Panel, Picture, Settings, Slider


async def everyone(desk: Desk) -> dict[str, Embedded]:
    """The largest face of every photo on the desk that has one, by the photo's name."""
    found = {}
    for name in desk.photos:
        try:
            found[name] = await desk.embedded(name)
        except NoFaceError:
            continue
    return found


def short(name: str) -> str:
    return "your photo" if name == OWN else name.removesuffix(".jpg")


async def _distances(desk: Desk, settings: Settings) -> list[Panel]:
    """Every photo of the desk against every other."""
    faces = await everyone(desk)
    if not faces:
        return [NO_FACE]
    corrected = settings["kind"] == "corrected"
    rows, tones = [], []
    for name, a in faces.items():
        row, tone = [short(name)], [""]
        for other, b in faces.items():
            decision = await compare_corrected(desk, a, b) if corrected else compare(desk, a, b)
            row.append("0" if name == other else f"{decision.distance:.3f}")
            tone.append("" if name == other else TONES[decision.verdict])
        rows.append(row)
        tones.append(tone)
    shown = faces[OWN if OWN in faces else next(iter(faces))]
    values = np.asarray(shown.embedding, float)
    return [
        *(Picture(face.chip, f"the chip of {short(name)}", short(name), small=True) for name, face in faces.items()),
        Grid(["Photo", *map(short, faces)], rows, "Green: one person. Yellow: unsure. Red: two people.", tones),  # type: ignore[arg-type]
        Chart(
            "an embedding as 128 bars",
            [Line("", list(range(128)), values.tolist(), "bars")],
            "which of the 128 numbers",
            "value",
            f"One embedding, of {short(OWN if OWN in faces else next(iter(faces)))}: length {np.linalg.norm(values):.2f}.",
        ),
    ]


A_PERSON = 6
NAMES = ("Ada", "Ben", "Cleo")


async def _triplets(desk: Desk, settings: Settings) -> list[Panel]:
    """Points of three people, moved down the gradient of the triplet loss; the same settings give the same movie."""
    margin, rate, steps = float(settings["margin"]), float(settings["rate"]), int(settings["steps"])
    people = np.repeat(np.arange(len(NAMES)), A_PERSON)
    points = np.random.default_rng(int(settings["again"]) + 1).normal(0, 0.7, (len(people), 2))
    start, losses, used = points, [], 0
    for _ in range(steps + 1):
        every = mine(points, people, margin, "all")
        losses.append(triplet_loss(points, every, margin))
        triplets = mine(points, people, margin, str(settings["mining"]))  # type: ignore[arg-type]
        used = len(triplets)
        if len(losses) <= steps:
            points = points - rate * triplet_gradient(points, triplets, margin)
    reach = max(2.0, float(np.abs(points).max()) * 1.1)
    lines = []
    for index, name in enumerate(NAMES):
        mine_ = people == index
        lines.append(Line(name, points[mine_, 0].tolist(), points[mine_, 1].tolist(), "points"))
    every = mine(points, people, margin, "all")
    violating = float((_excess(points, every) + margin > 0).mean())
    return [
        Chart(
            f"points of three people after {steps} steps; loss {losses[-1]:.3f}",
            lines,
            x_limits=(-reach, reach),
            y_limits=(-reach, reach),
            square=True,
        ),
        Chart(
            "the loss, step by step",
            [Line("", list(range(len(losses))), losses)],
            "step",
            "loss over all triplets",
            y_limits=(0, max(losses[0] * 1.05, losses[-1] * 1.05, 0.01)),
            small=True,
        ),
        Facts(
            [
                Fact("Loss", f"{losses[0]:.3f} → {losses[-1]:.3f}", tone="good" if losses[-1] < losses[0] else "bad"),
                Fact("Triplets in the next step", str(used), f"of {len(every)} valid ones"),
                Fact("Triplets within the margin", f"{100 * violating:.0f} %", "these still have a loss"),
                Fact("Points moved by", f"{float(np.linalg.norm(points - start, axis=1).mean()):.2f}", "on average"),
            ]
        ),
    ]


def _excess(points: NDArray[np.floating], triplets: NDArray[np.intp]) -> NDArray[np.floating]:
    a, p, n = (points[triplets[:, i]] for i in range(3))
    excess: NDArray[np.floating] = ((a - p) ** 2).sum(axis=1) - ((a - n) ** 2).sum(axis=1)
    return excess


async def _projection(desk: Desk, settings: Settings) -> list[Panel]:
    """The cohort's composites and the desk's faces, seen along two principal components of the composites."""
    faces = await everyone(desk)
    try:
        cohort = await desk.runtime.load_cohort()
    except ModelError:
        return [Facts([Fact("Cohort", "none", "this site was built without a cohort to show")])]
    centre = cohort.composites.mean(axis=0)
    _, lengths, axes = np.linalg.svd(cohort.composites - centre, full_matrices=False)
    chosen = [int(settings["across"]) - 1, int(settings["up"]) - 1]
    shares = lengths**2 / (lengths**2).sum()
    cloud = (cohort.composites - centre) @ axes[chosen].T
    lines = [Line("composites of the cohort", cloud[:, 0].tolist(), cloud[:, 1].tolist(), "points")]
    if faces:
        own = (np.stack([face.embedding for face in faces.values()]) - centre) @ axes[chosen].T
        lines.append(Line("photos on the desk", own[:, 0].tolist(), own[:, 1].tolist(), "points", labels=[short(n) for n in faces]))
    return [
        Chart(
            "embeddings along two principal components",
            lines,
            f"component {chosen[0] + 1}",
            f"component {chosen[1] + 1}",
            square=True,
        ),
        Chart(
            "share of the variance by component",
            [Line("", list(range(1, 41)), (100 * shares[:40]).tolist(), "bars")],
            "component",
            "% of the variance",
            small=True,
        ),
        Facts(
            [
                Fact("These two show", f"{100 * shares[chosen].sum():.0f} %", "of the variance; the rest is not in the picture"),
                Fact("Half of it takes", f"{int((shares.cumsum() < 0.5).sum()) + 1} components"),
                Fact("95 % of it", f"{int((shares.cumsum() < 0.95).sum()) + 1} components", "of 128"),
            ]
        ),
    ]


DISTANCES = Lab(
    "How far apart are these faces?",
    [Choice("kind", "Distance", [("plain", "plain"), ("corrected", "corrected for crowding")], "plain")],
    _distances,
)
TRIPLETS = Lab(
    "Can three people be taught apart?",
    [
        Slider("steps", "Steps of training", 0, 200, 5, 40),
        Slider("margin", "Margin", 0.1, 2, 0.1, 0.5),
        Choice("mining", "Triplets", [("all", "all"), ("semi-hard", "semi-hard"), ("hard", "hardest")], "all"),
        Slider("rate", "Learning rate", 0.05, 2, 0.05, 0.3),
        Button("again", "Other points"),
    ],
    _triplets,
    wants_photo=False,
)
PROJECTION = Lab(
    "What do 128 dimensions look like in two?",
    [Slider("across", "Component across", 1, 10, 1, 1), Slider("up", "Component up", 1, 10, 1, 2)],
    _projection,
)
