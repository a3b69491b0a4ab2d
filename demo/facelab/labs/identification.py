"""The lab on identification: a simulated gallery, its two error rates, and the names that one photo gets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..identify import assign
from ..verify import distances_between
from ..workspace import Workspace
from .panels import Chart, Fact, Facts, Grid, Lab, Line, Panel, Settings, Slider, Tone

Points = NDArray[np.float64]

MOST_PEOPLE, MOST_PHOTOS, STRANGERS = 500, 8, 500
SIZES = (5, 10, 20, 30, 50, 100, 150, 200, 300, 400, 500)
SHOWN = 5  # enrolled people in the photo of the third panel; the strangers beside them are fewer
HARD, ALIKE = 3, 1  # places of the enrolled person with a hard photo, and of the stranger with a look-alike
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve")
# Chosen so that distances spread about as those of MobileFaceNet do: 0.7 ± 0.1 for one person, 1.3 ± 0.1 for two.
DIMENSIONS, COMMON, NOISE, NOISE_SPREAD = 44, 0.38, 0.53, 0.35


@dataclass(frozen=True)
class World:
    """Simulated embeddings of length one.

    enrolled: [people, photos, D]. probes: one more of each enrolled person, [people, D]. strangers: one of each, [N, D].
    """

    enrolled: Points
    probes: Points
    strangers: Points


@cache
def simulated_world() -> World:
    """The same people every time: Dan’s probe is a hard photo, and one stranger looks like one of the 101st to 200th enrolled."""
    random = np.random.default_rng(7)
    people = random.normal(size=(MOST_PEOPLE + STRANGERS, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    people[:, 0] += COMMON
    people = _unit(people)
    photos = MOST_PHOTOS + 1
    spread = NOISE * np.exp(NOISE_SPREAD * random.normal(size=(len(people), photos, 1)))
    noise = random.normal(size=(len(people), photos, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    taken = _unit(people[:, None] + spread * noise)
    enrolled, probes = taken[:MOST_PEOPLE, :MOST_PHOTOS], taken[:MOST_PEOPLE, MOST_PHOTOS]
    strangers = taken[MOST_PEOPLE:, 0]
    hard = int(np.linalg.norm(probes - enrolled[:, 0], axis=1).argmax())
    for known in (enrolled, probes):
        known[[HARD, hard]] = known[[hard, HARD]]
    alike = int(distances_between(strangers, enrolled[100:200].mean(axis=1)).min(axis=1).argmin())
    strangers[[ALIKE, alike]] = strangers[[alike, ALIKE]]
    return World(enrolled, probes, strangers)


def _unit(points: Points) -> Points:
    return np.asarray(points / np.linalg.norm(points, axis=-1, keepdims=True), np.float64)


@cache
def _distances(photos: int) -> tuple[Points, Points]:
    """Of the enrolled people's probes and of the strangers, to every template made of so many photos: [N, people] each."""
    world = simulated_world()
    templates = world.enrolled[:, :photos].mean(axis=1)
    return distances_between(world.probes, templates), distances_between(world.strangers, templates)


async def _gallery(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Both error rates for one gallery, how FPIR grows with its size, and who is named in one photo."""
    size, photos, limit = int(settings["size"]), int(settings["photos"]), float(settings["threshold"])
    inside, outside = _distances(photos)
    mated, others = inside[:size, :size], outside[:, :size]
    own, nearest = np.diag(mated), mated.min(axis=1)
    first = own <= nearest
    cuts = np.linspace(0.5, 1.2, 71)
    strangers_nearest = others.min(axis=1)
    fpir = np.array([(strangers_nearest < cut).mean() for cut in cuts])
    fnir = np.array([1 - (first & (own < cut)).mean() for cut in cuts])
    here, missed = float((strangers_nearest < limit).mean()), float(1 - (first & (own < limit)).mean())
    wrong = float((~first & (nearest < limit)).mean())
    fmr = float((outside < limit).mean())
    sizes = [s for s in SIZES if s <= MOST_PEOPLE]
    grown = [100 * float((outside[:, :s].min(axis=1) < limit).mean()) for s in sizes]
    formula = [100 * (1 - (1 - fmr) ** s) for s in sizes]
    return [
        Chart(
            f"both error rates against the threshold; here FPIR {here:.3f}, FNIR {missed:.3f}",
            [
                Line("FPIR: strangers who get a name", cuts.tolist(), (100 * fpir).tolist(), "line", "bad"),
                Line("FNIR: enrolled people who do not get theirs", cuts.tolist(), (100 * fnir).tolist(), "line", "good"),
            ],
            "threshold",
            "% of the probes",
            f"{size} people, {photos} {'photo' if photos == 1 else 'photos'} each.",
            x_limits=(0.5, 1.2),
            y_limits=(0, 100),
            marks=[("yours", limit)],
        ),
        Chart(
            f"FPIR against the size of the gallery at a threshold of {limit:.2f}",
            [
                Line("FPIR", sizes, grown, "line", "bad"),
                Line("by the formula", sizes, formula, "dashed"),
                Line("yours", [size], [100 * here], "points"),
            ],
            "enrolled people",
            "FPIR, %",
            x_log=True,
            small=True,
        ),
        _photo(inside, outside, size, limit),
        Facts(
            [
                Fact("False positives, FPIR", f"{100 * here:.1f} %", f"of {STRANGERS} strangers get a name"),
                Fact("False negatives, FNIR", f"{100 * missed:.1f} %", f"of {size} enrolled people do not get their name"),
                Fact("Wrong names", f"{100 * wrong:.1f} %", "of the enrolled get somebody else’s; part of the FNIR"),
                Fact("FMR of one comparison", f"{100 * fmr:.3f} %", "a stranger and one template"),
            ]
        ),
    ]


def _photo(inside: Points, outside: Points, size: int, limit: float) -> Grid:
    """Who gets which name where five enrolled people and three strangers stand in one photo."""
    strangers = ("stranger 1", "look-alike", "stranger 2")
    table = np.concatenate([inside[:SHOWN, :size], outside[: len(strangers), :size]])
    faces = [f"{name} (dark)" if i == HARD else name for i, name in enumerate(NAMES)]
    rows: list[list[str]] = []
    tones: list[list[Tone]] = []
    for i, (truth, given) in enumerate(zip([*faces, *strangers], assign(table, limit), strict=True)):
        at = int(table[i].argmin()) if given is None else given
        known, right = i < SHOWN, given == i if i < SHOWN else given is None
        tone: Tone = "good" if right else "warn" if known and given is None else "bad"
        rows.append([truth, f"{_name(at)}, {table[i, at]:.2f}", "nobody" if given is None else _name(given)])
        tones.append(["", "", tone])
    return Grid(
        ["Face", "Nearest, distance", "Name"],
        rows,
        "Eight faces of one photo; the last three are not enrolled. Green: correct. Yellow: missed. Red: a wrong name.",
        tones,
    )


def _name(person: int) -> str:
    return NAMES[person] if person < len(NAMES) else f"Pupil {person + 1}"


GALLERY = Lab(
    "How large may the gallery grow?",
    [
        Slider("size", "People in the gallery", 5, MOST_PEOPLE, 5, 50),
        Slider("photos", "Photos enrolled of each person", 1, MOST_PHOTOS, 1, 3),
        Slider("threshold", "Threshold", 0.5, 1.2, 0.01, 0.92),
    ],
    _gallery,
    wants_photo=False,
)
