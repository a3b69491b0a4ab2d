"""Labs on recognition: distances between photos, training by triplets and by margins, many embeddings in two dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..embed import Embedded
from ..errors import ModelError, NoFaceError
from ..margins import Kind, margin_gradient, margin_loss
from ..triplet import mine, triplet_gradient, triplet_loss
from ..workspace import OWN, Workspace
from .compared import NO_FACE, TONES, compare, compare_corrected
from .panels import Button, Chart, Choice, Fact, Facts, Grid, Lab, Line, Panel, Picture, Settings, Slider


async def everyone(workspace: Workspace) -> dict[str, Embedded]:
    """The largest face of each photo on the workspace that shows one, by the photo’s name."""
    found = {}
    for name in workspace.photos:
        try:
            found[name] = await workspace.embedded(name)
        except NoFaceError:
            continue
    return found


def short(name: str) -> str:
    return "your photo" if name == OWN else name.removesuffix(".jpg")


async def _distances(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The distance between each photo of the workspace and each other one."""
    faces = await everyone(workspace)
    if not faces:
        return [NO_FACE]
    corrected = settings["kind"] == "corrected"
    rows, tones = [], []
    for name, a in faces.items():
        row, tone = [short(name)], [""]
        for other, b in faces.items():
            decision = await compare_corrected(workspace, a, b) if corrected else compare(workspace, a, b)
            row.append("0" if name == other else f"{decision.distance:.3f}")
            tone.append("" if name == other else TONES[decision.verdict])
        rows.append(row)
        tones.append(tone)
    shown = faces[OWN if OWN in faces else next(iter(faces))]
    values = np.asarray(shown.embedding, float)
    return [
        *(Picture(face.chip, f"the aligned face of {short(name)}", short(name), small=True) for name, face in faces.items()),
        Grid(["Photo", *map(short, faces)], rows, "Green: same person. Yellow: unsure. Red: different people.", tones),  # type: ignore[arg-type]
        Chart(
            "an embedding as 128 bars",
            [Line("", list(range(128)), values.tolist(), "bars")],
            "which of the 128 numbers",
            "value",
            f"The embedding of {short(OWN if OWN in faces else next(iter(faces)))}. Its length is {np.linalg.norm(values):.2f}.",
        ),
    ]


A_PERSON = 6
MOST_STEPS = 200  # of training with triplets
NAMES = ("Ada", "Ben", "Cleo")


async def _triplets(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Points of three people, moved down the gradient of the triplet loss; the same settings give the same result."""
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
            "mean loss of all triplets",
            x_limits=(0, MOST_STEPS),
            y_limits=(0, max(losses[0] * 1.05, losses[-1] * 1.05, 0.01)),
            small=True,
        ),
        Facts(
            [
                Fact("Loss", f"{losses[0]:.3f} → {losses[-1]:.3f}", tone="good" if losses[-1] < losses[0] else "bad"),
                Fact("Triplets in the next step", str(used), f"chosen from {len(every)}"),
                Fact(
                    "Triplets with a loss",
                    f"{100 * violating:.0f} %",
                    "with a stranger closer than the margin allows",
                ),
                Fact("Distance moved", f"{float(np.linalg.norm(points - start, axis=1).mean()):.2f}", "mean over all points"),
            ]
        ),
    ]


def _excess(points: NDArray[np.floating], triplets: NDArray[np.intp]) -> NDArray[np.floating]:
    a, p, n = (points[triplets[:, i]] for i in range(3))
    excess: NDArray[np.floating] = ((a - p) ** 2).sum(axis=1) - ((a - n) ** 2).sum(axis=1)
    return excess


CIRCLE = ("Ada", "Ben", "Cleo", "Dev", "Eve")
STEP = 0.3  # of training on the circle, in radians, divided by the scale: the gradient grows with it
BIN = 10  # degrees


async def _margins(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Photos and centres of five people on a circle, moved down the gradient of a softmax with a margin."""
    kind, margin, scale = str(settings["kind"]), float(settings["margin"]), float(settings["scale"])
    own = np.repeat(np.arange(len(CIRCLE)), A_PERSON)
    photos, centres = _on_circle(own, int(settings["again"]))
    for _ in range(int(settings["steps"])):
        between = photos[:, None] - centres
        gradient = margin_gradient(np.cos(between), own, kind, margin, scale)  # type: ignore[arg-type]
        push = STEP / scale * len(own) * gradient * np.sin(between)
        photos, centres = photos + push.sum(axis=1), centres - push.sum(axis=0) / A_PERSON
    cosines = np.cos(photos[:, None] - centres)
    first, second = np.triu_indices(len(own), 1)
    apart = np.degrees(np.arccos(np.clip(np.cos(photos[first] - photos[second]), -1, 1)))
    same = own[first] == own[second]
    widest, closest = apart[same].max(), apart[~same].min()
    loss = margin_loss(cosines, own, kind, margin, scale)  # type: ignore[arg-type]
    right = float((cosines.argmax(axis=1) == own).mean())
    return [
        Chart(
            f"photos of five people on a circle; the widest person spans {widest:.0f} degrees",
            [*_people_on_circle(photos, centres, own), *_decision_lines(centres, kind, margin)],  # type: ignore[arg-type]
            caption="On the circle: photos. Outside, with a name: each person’s centre. Dashed: halfway between two centres.",
            x_limits=(-1.75, 1.75),
            y_limits=(-1.75, 1.75),
            square=True,
        ),
        Chart(
            "angles between pairs of photos",
            [_share_by_angle("same person", apart[same], "good"), _share_by_angle("different people", apart[~same], "bad")],
            "angle between two photos, degrees",
            "% of pairs",
            small=True,
        ),
        Facts(
            [
                Fact(
                    "Nearest centre is right",
                    f"{100 * right:.0f} %",
                    f"of photos; loss {loss:.3f}",
                ),
                Fact("Widest person", f"{widest:.0f}°", "largest angle between two photos"),
                Fact("Closest strangers", f"{closest:.0f}°", "smallest angle between two people"),
                Fact(
                    "One threshold for all pairs",
                    "exists" if widest < closest else "does not exist",
                    tone="good" if widest < closest else "bad",
                ),
            ]
        ),
    ]


def _on_circle(own: NDArray[np.intp], again: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where training begins, in radians: the photos [N] scattered about five evenly spaced places, the centres [C] near them."""
    random = np.random.default_rng(again + 1)
    places = np.arange(len(CIRCLE)) * 2 * np.pi / len(CIRCLE)
    centres = places + np.radians(random.normal(0, 8, len(CIRCLE)))
    return places[own] + np.radians(random.normal(0, 20, len(own))), centres


def _people_on_circle(photos: NDArray[np.float64], centres: NDArray[np.float64], own: NDArray[np.intp]) -> list[Line]:
    lines = []
    for index, name in enumerate(CIRCLE):
        angles = [*photos[own == index], centres[index]]
        reach = [*np.ones(len(angles) - 1), 1.4]
        x, y = (np.multiply(reach, of(angles)).tolist() for of in (np.cos, np.sin))
        lines.append(Line("", x, y, "points", labels=[*[""] * (len(angles) - 1), name]))
    return lines


def _decision_lines(centres: NDArray[np.float64], kind: Kind, margin: float) -> list[Line]:
    """Rays halfway between neighbouring centres, and the rays within which the loss asks the photos to stay."""
    around = np.sort(centres % (2 * np.pi))
    gaps = np.diff([*around, around[0] + 2 * np.pi])
    lines = _rays("halfway between two centres", around + gaps / 2, "dashed", "warn")
    if kind == "softmax" or not margin:
        return lines
    fine = np.linspace(0, 1, 401)
    edges = []
    for centre, gap in zip(around, gaps, strict=True):
        asked = np.cos(fine * gap + margin) if kind == "arcface" else np.cos(fine * gap) - margin
        held = fine[asked >= np.cos((1 - fine) * gap)]
        if len(held):
            edges += [centre + held[-1] * gap, centre + (1 - held[-1]) * gap]
    return lines + _rays("as far as the margin allows", edges, "line", "good")


def _rays(name: str, angles: Iterable[float], style: Literal["line", "dashed"], tone: Literal["good", "warn"]) -> list[Line]:
    """Lines from the middle of the circle out along each angle; the first has the name."""
    return [
        Line("" if place else name, [0, float(np.cos(angle))], [0, float(np.sin(angle))], style, tone)
        for place, angle in enumerate(angles)
    ]


def _share_by_angle(name: str, angles: NDArray[np.float64], tone: Literal["good", "bad"]) -> Line:
    counts, _ = np.histogram(angles, np.arange(0, 181, BIN))
    return Line(name, list(np.arange(BIN // 2, 180, BIN).tolist()), (100 * counts / counts.sum()).tolist(), "bars", tone)


async def _projection(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The cohort’s composites and the workspace’s faces, seen along two principal components of the composites."""
    faces = await everyone(workspace)
    try:
        cohort = await workspace.runtime.load_cohort()
    except ModelError:
        return [Facts([Fact("Cohort", "none", "this site was built without a cohort to show")])]
    centre = cohort.composites.mean(axis=0)
    _, lengths, axes = np.linalg.svd(cohort.composites - centre, full_matrices=False)
    chosen = [int(settings["across"]) - 1, int(settings["up"]) - 1]
    shares = lengths**2 / (lengths**2).sum()
    cloud = (cohort.composites - centre) @ axes[chosen].T
    lines = [Line("other people (composites)", cloud[:, 0].tolist(), cloud[:, 1].tolist(), "points")]
    if faces:
        own = (np.stack([face.embedding for face in faces.values()]) - centre) @ axes[chosen].T
        lines.append(Line("these photos", own[:, 0].tolist(), own[:, 1].tolist(), "points", labels=[short(n) for n in faces]))
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
                Fact("Shown here", f"{100 * shares[chosen].sum():.0f} %", "of the variance"),
                Fact("Half of the variance", f"{int((shares.cumsum() < 0.5).sum()) + 1} components"),
                Fact("95 % of the variance", f"{int((shares.cumsum() < 0.95).sum()) + 1} components", "of 128"),
            ]
        ),
    ]


DISTANCES = Lab(
    "How far apart are these faces?",
    [Choice("kind", "Distance", [("plain", "plain"), ("corrected", "corrected for crowding")], "plain")],
    _distances,
)
TRIPLETS = Lab(
    "Training three people with triplets",
    [
        Slider("steps", "Steps of training", 0, MOST_STEPS, 5, 40, play=True),
        Slider("margin", "Margin", 0.1, 2, 0.1, 0.5),
        Choice("mining", "Triplets", [("all", "all"), ("semi-hard", "semi-hard"), ("hard", "hardest")], "all"),
        Slider("rate", "Learning rate", 0.05, 2, 0.05, 0.3),
        Button("again", "Other points"),
    ],
    _triplets,
    wants_photo=False,
)
MARGINS = Lab(
    "Softmax, CosFace and ArcFace on a circle",
    [
        Choice("kind", "Loss", [("softmax", "softmax, no margin"), ("cosface", "CosFace"), ("arcface", "ArcFace")], "softmax"),
        Slider("steps", "Steps of training", 0, 200, 5, 60),
        Slider("margin", "Margin (cosine or radians)", 0, 0.8, 0.05, 0.5, only=("kind", ("cosface", "arcface"))),
        Slider("scale", "Scale", 4, 64, 4, 32),
        Button("again", "Other points"),
    ],
    _margins,
    wants_photo=False,
)
PROJECTION = Lab(
    "128 dimensions, seen in two",
    [Slider("across", "Component across", 1, 10, 1, 1), Slider("up", "Component up", 1, 10, 1, 2)],
    _projection,
)
