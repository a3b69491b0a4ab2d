"""The lab of the introduction: four questions that are easily taken for one."""

from __future__ import annotations

import numpy as np

from ..cluster import cluster
from ..desk import OWN, Desk
from ..identify import Gallery, identify
from .compared import NO_FACE, TONES, compare
from .panels import Box, Choice, Fact, Facts, Grid, Lab, Panel, Picture, Settings
from .pictures import shrunk
from .recognition import everyone, short

SIDE = 320
ENROLLED = {"Obama": ["obama.jpg", "obama2.jpg"], "Biden": ["biden.jpg"]}


async def _four_questions(desk: Desk, settings: Settings) -> list[Panel]:
    """What goes in and what comes out, for each of the four."""
    faces = await everyone(desk)
    if not faces:
        return [NO_FACE]
    question = settings["question"]
    limits = desk.runtime.manifest.embedder.calibration.good
    asked = OWN if OWN in faces else "obama3.jpg"
    if question == "detection":
        picture = shrunk(desk.pixels(), SIDE)
        share = len(picture) / len(desk.pixels())
        found = await desk.faces()
        boxes = [Box(face.scaled(share).box.tolist(), f"{face.score:.2f}", "good") for face in found]
        return [
            Picture(picture, f"{len(found)} faces found", "Where are faces? A photo goes in, boxes come out.", boxes),
            Facts(
                [
                    Fact(
                        "Out",
                        f"{len(found)} {'box' if len(found) == 1 else 'boxes'}",
                        "and no names: it compares nothing with nothing",
                    )
                ]
            ),
        ]
    if question == "verification":
        decision = compare(desk, faces["obama.jpg"], faces[asked])
        return [
            *(Picture(faces[name].chip, f"the face of {short(name)}", short(name), small=True) for name in ("obama.jpg", asked)),
            Facts(
                [
                    Fact("Out", decision.verdict, "two faces go in, one answer comes out", TONES[decision.verdict]),
                    Fact("Distance", f"{decision.distance:.3f}", f"same below {limits.same_below:.3f}"),
                ]
            ),
        ]
    if question == "identification":
        known = {name: np.stack([faces[photo].embedding for photo in photos]) for name, photos in ENROLLED.items()}
        (named,) = identify(Gallery(known, desk.runtime.cohort, limits), np.asarray(faces[asked].embedding)[None], limits)
        return [
            Picture(faces[asked].chip, "the face that is asked about", f"{short(asked)}: who is this?", small=True),
            Facts(
                [
                    Fact(
                        "Enrolled",
                        " and ".join(f"{name} ({len(photos)})" for name, photos in ENROLLED.items()),
                        "people by name, with photos",
                    ),
                    Fact("Out", named.name or "nobody enrolled", named.answer, "good" if named.answer == "sure" else "warn"),
                    Fact("Distance", f"{named.distance:.3f}", f"to {named.nearest}, who is nearest"),
                ]
            ),
        ]
    names = list(faces)
    groups = cluster(np.stack([faces[name].embedding for name in names]), desk.runtime.cohort, limits.different_from)
    return [
        *(Picture(faces[name].chip, f"the face of {short(name)}", short(name), small=True) for name in names),
        Grid(
            ["Person", "Photos"],
            [[f"{number}", ", ".join(short(names[i]) for i in group)] for number, group in enumerate(groups, 1)],
            "Who belongs together? A heap of faces goes in, groups come out; nobody told a name, or how many people there are.",
        ),
    ]


FOUR_QUESTIONS = Lab(
    "Which question is being asked?",
    [
        Choice(
            "question",
            "Question",
            [
                ("detection", "Where are faces? (detection)"),
                ("verification", "Same person? (verification)"),
                ("identification", "Who is this? (identification)"),
                ("clustering", "Who belongs together? (clustering)"),
            ],
            "verification",
        )
    ],
    _four_questions,
)
