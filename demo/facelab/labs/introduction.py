"""The labs of the introduction: four questions that people call face recognition, and the directions in which faces vary most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..cluster import cluster
from ..identify import Gallery, identify
from ..workspace import OWN, Workspace
from .compared import NO_FACE, TONES, compare
from .panels import Box, Choice, Fact, Facts, Grid, Lab, Panel, Picture, Settings, Slider
from .pictures import shrunk
from .recognition import everyone, short

SIDE = 320
ENROLLED = {"Obama": ["obama.jpg", "obama2.jpg"], "Biden": ["biden.jpg"]}
ANSWERS = {"same": "same person", "different": "different people", "unsure": "can’t tell"}

HEIGHT, WIDTH = 40, 32  # of a drawn face, in pixels
PEOPLE, LAMPS, TURNS = 10, 5, 3
FARTHEST_LAMP, FARTHEST_TURN = 60, 30  # degrees to either side
ENLARGED = 5


async def _four_questions(workspace: Workspace, settings: Settings) -> list[Panel]:
    """What goes in and what comes out, for the question that the reader chose."""
    faces = await everyone(workspace)
    if not faces:
        return [NO_FACE]
    question = settings["question"]
    limits = workspace.runtime.manifest.embedder.calibration.good
    asked = OWN if OWN in faces else "obama3.jpg"
    if question == "detection":
        picture = shrunk(workspace.pixels(), SIDE)
        share = len(picture) / len(workspace.pixels())
        found = await workspace.faces()
        boxes = [Box(face.scaled(share).box.tolist(), f"{face.score:.2f}", "good") for face in found]
        count = f"{len(found)} {'face' if len(found) == 1 else 'faces'}"
        return [
            Picture(picture, f"{count} found", "In: one photo. Out: a box around each face, with its score.", boxes),
            Facts(
                [
                    Fact(
                        "Answer",
                        count,
                        "and no name: nothing was compared",
                        "good" if found else "warn",
                    )
                ]
            ),
        ]
    if question == "verification":
        decision = compare(workspace, faces["obama.jpg"], faces[asked])
        return [
            *(Picture(faces[name].chip, f"the face of {short(name)}", short(name), small=True) for name in ("obama.jpg", asked)),
            Facts(
                [
                    Fact("Answer", ANSWERS[decision.verdict], "In: two faces. Out: one answer.", TONES[decision.verdict]),
                    Fact("Distance", f"{decision.distance:.3f}", f"“same person” needs less than {limits.same_below:.3f}"),
                ]
            ),
        ]
    if question == "identification":
        known = {name: np.stack([faces[photo].embedding for photo in photos]) for name, photos in ENROLLED.items()}
        (named,) = identify(Gallery(known, workspace.runtime.cohort, limits), np.asarray(faces[asked].embedding)[None], limits)
        return [
            Picture(faces[asked].chip, "the face that is asked about", f"{short(asked)}: who is this?", small=True),
            Facts(
                [
                    Fact(
                        "Enrolled",
                        " and ".join(f"{name} ({len(photos)})" for name, photos in ENROLLED.items()),
                        "with the number of photos of each",
                    ),
                    Fact("Answer", named.name or "nobody enrolled", named.answer, "good" if named.answer == "sure" else "warn"),
                    Fact("Distance", f"{named.distance:.3f}", f"to {named.nearest}, the nearest person"),
                ]
            ),
        ]
    names = list(faces)
    groups = cluster(np.stack([faces[name].embedding for name in names]), workspace.runtime.cohort, limits.different_from)
    return [
        *(Picture(faces[name].chip, f"the face of {short(name)}", short(name), small=True) for name in names),
        Grid(
            ["Group", "Photos"],
            [[f"{number}", ", ".join(short(names[i]) for i in group)] for number, group in enumerate(groups, 1)],
            "In: faces without names. Out: groups. The lab was told neither the names nor the number of people.",
        ),
    ]


# --- Eigenfaces, of drawn faces -------------------------------------------------


@dataclass(frozen=True)
class DrawnFaces:
    """Faces drawn in every combination of person, lamp and pose: grey values 0 to 1, [PEOPLE, LAMPS, TURNS, HEIGHT, WIDTH]."""

    pixels: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean face, [HEIGHT, WIDTH]."""
        mean: NDArray[np.float64] = self.pixels.mean(axis=(0, 1, 2))
        return mean


@dataclass(frozen=True)
class Direction:
    """A principal component of drawn faces.

    face: of length 1, [HEIGHT, WIDTH]. spread: standard deviation of the faces along it. share: of all variance, 0 to 1.
    causes: the share of the variance along it that each cause explains alone, cause -> 0 to 1.
    """

    face: NDArray[np.float64]
    spread: float
    share: float
    causes: dict[str, float]


def draw_face(person: NDArray[np.float64], lamp: float, turn: float, finer: int = 1) -> NDArray[np.float64]:
    """A shaded ellipsoid with eyes, brows, nose, mouth and hair: grey values 0 to 1, [HEIGHT x finer, WIDTH x finer].

    person: five numbers about 0 that set proportions and skin. lamp, turn: degrees to the right, of the light and of the head.
    """
    columns, rows = (2 * (np.arange(finer * count) + 0.5) / (finer * count) - 1 for count in (WIDTH, HEIGHT))
    x, y = np.meshgrid(columns, 1.2 * rows)
    across, down, deep = 0.72 + 0.05 * person[0], 1.0 + 0.05 * person[1], 0.75
    inside = (x / across) ** 2 + (y / down) ** 2
    z = deep * np.sqrt(np.clip(1 - inside, 0, None))
    normal = np.stack([x / across**2, y / down**2, z / deep**2])
    normal /= np.linalg.norm(normal, axis=0) + 1e-9
    light = np.array([np.sin(np.radians(lamp)), -0.3, np.cos(np.radians(lamp))])
    shade = 0.15 + 0.85 * np.clip(np.tensordot(light / np.linalg.norm(light), normal, 1), 0, None)
    angle = np.radians(turn)
    u = x * np.cos(angle) - z * np.sin(angle)  # where on the head this pixel looks, if the head faced the camera
    skin = (0.8 + 0.06 * person[2]) * np.ones_like(x)
    eye, brow, mouth = 0.28 + 0.03 * person[3], -0.34 + 0.04 * person[4], 0.24 + 0.05 * person[0]
    marks = [(0, 0.26, 0.1, 0.07, 0.4), (0, 0.52 + 0.03 * person[1], mouth, 0.06, 0.6)]
    marks += [(side * eye, -0.14, 0.1, 0.07, 0.8) for side in (-1, 1)] + [(side * eye, brow, 0.16, 0.04, 0.6) for side in (-1, 1)]
    for left, top, wide, high, dark in marks:
        skin *= 1 - dark * np.exp(-(((u - left) / wide) ** 2) - ((y - top) / high) ** 2)
    skin = np.where(y < -0.62 - 0.05 * person[3], 0.25 + 0.05 * person[4], skin)
    return np.where(inside < 1, np.clip(skin * shade, 0, 1), 0.5)


@lru_cache(maxsize=8)
def draw_faces(lamp: float, turn: float) -> DrawnFaces:
    """Every person under every lamp in every pose. lamp, turn: how far they go to either side, in degrees."""
    people = np.clip(np.random.default_rng(4).normal(0, 1, (PEOPLE, 5)), -1.5, 1.5)
    lamps, turns = np.linspace(-lamp, lamp, LAMPS), np.linspace(-turn, turn, TURNS)
    return DrawnFaces(np.array([[[draw_face(person, a, b) for b in turns] for a in lamps] for person in people]))


def find_directions(faces: DrawnFaces, count: int) -> list[Direction]:
    """The directions in which the faces vary most, the most important first (principal component analysis)."""
    flat = faces.pixels.reshape(-1, HEIGHT * WIDTH)
    centred = flat - flat.mean(axis=0)
    squares, coordinates = np.linalg.eigh(centred @ centred.T)  # far smaller than the covariance of the pixels, the same directions
    shares = squares / max(float(squares.sum()), 1e-12)
    found = []
    for share, column in zip(shares[: -count - 1 : -1], coordinates.T[: -count - 1 : -1], strict=True):
        axis = column @ centred
        axis /= max(float(np.linalg.norm(axis)), 1e-12)
        upright = (np.arange(WIDTH) - WIDTH / 2 + 0.3 * (np.arange(HEIGHT)[:, None] - HEIGHT / 2)).ravel()
        face = axis * (
            1 if axis @ upright >= 0 else -1
        )  # an axis has no sign: without this, it could differ from machine to machine
        along = (centred @ face).reshape(PEOPLE, LAMPS, TURNS)
        found.append(Direction(face.reshape(HEIGHT, WIDTH), float(along.std()), float(share), _causes(along)))
    return found


def _causes(along: NDArray[np.float64]) -> dict[str, float]:
    """How much of the variance is that of the means over all else. along: [PEOPLE, LAMPS, TURNS]."""
    total = max(float(along.var()), 1e-12)
    means = {"the lamp": along.mean(axis=(0, 2)), "the pose": along.mean(axis=(0, 1)), "the person": along.mean(axis=(1, 2))}
    return {cause: float(values.var()) / total for cause, values in means.items()}


def show_direction(face: NDArray[np.float64]) -> NDArray[np.float64]:
    """A direction as grey values 0 to 1: middle grey where it changes nothing."""
    return 0.5 + 0.5 * face / max(float(np.abs(face).max()), 1e-12)


def _enlarge(values: NDArray[np.float64], times: int = ENLARGED) -> NDArray[np.uint8]:
    pixels = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


async def _eigenfaces(_workspace: Workspace, settings: Settings) -> list[Panel]:
    """Some of the drawn faces, the direction that the reader chose, and the mean face moved along it."""
    faces = draw_faces(float(settings["lamp"]), float(settings["turn"]))
    rank, step = int(settings["direction"]), float(settings["step"])
    chosen = find_directions(faces, rank)[-1]
    sheet = np.concatenate([np.concatenate(list(faces.pixels[person, ::2, person]), axis=1) for person in (0, 2)], axis=0)
    before_and_after = np.concatenate([faces.mean, faces.mean + step * chosen.spread * chosen.face], axis=1)
    cause, share = max(chosen.causes.items(), key=lambda item: item[1])
    others = ", ".join(f"{name} {100 * part:.0f} %" for name, part in chosen.causes.items() if name != cause)
    return [
        Picture(_enlarge(sheet, 3), "six drawn faces", f"Six of the {faces.pixels[..., 0, 0].size} drawn faces.", small=True),
        Picture(_enlarge(show_direction(chosen.face)), "a direction", f"Direction {rank}. Grey: no change.", small=True),
        Picture(
            _enlarge(before_and_after),
            "the mean face, and the same face moved along the direction",
            "The mean, and after the step.",
            small=True,
        ),
        Facts(
            [
                Fact("Share of all variance", f"{100 * chosen.share:.0f} %", f"along direction {rank}"),
                Fact("It describes", cause, f"{100 * share:.0f} % of the variance along it; {others}"),
            ]
        ),
    ]


FOUR_QUESTIONS = Lab(
    "Which question is being asked?",
    [
        Choice(
            "question",
            "Question",
            [
                ("detection", "Where are the faces? (detection)"),
                ("verification", "Is this the same person? (verification)"),
                ("identification", "Who is this? (identification)"),
                ("clustering", "Which photos belong together? (clustering)"),
            ],
            "verification",
        )
    ],
    _four_questions,
)
EIGENFACES = Lab(
    "What varies most: the person or the lamp?",
    [
        Slider("lamp", "Lamp moves to either side by", 0, FARTHEST_LAMP, 5, FARTHEST_LAMP, "°"),
        Slider("turn", "Head turns to either side by", 0, FARTHEST_TURN, 5, FARTHEST_TURN / 2, "°"),
        Slider("direction", "Direction", 1, 4, 1, 1),
        Slider("step", "Step along it", -2, 2, 0.5, 2, " standard deviations"),
    ],
    _eigenfaces,
    wants_photo=False,
)
