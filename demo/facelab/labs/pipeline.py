"""The lab of the front page: one photo on its way through the whole pipeline."""

from __future__ import annotations

import numpy as np

from ..detect import propose
from ..workspace import Workspace
from .compared import NO_FACE, TONES, compare
from .panels import Box, Chart, Dot, Fact, Facts, Lab, Line, Panel, Picture, Settings, Slider
from .pictures import shrunk

SIDE = 440
STAGES = 6
ANSWERS = {"same": "yes", "different": "no", "unsure": "can’t tell"}


async def _flow(workspace: Workspace, settings: Settings) -> list[Panel]:
    """What the photo has become at the stage that the slider chose."""
    stage = int(settings["stage"])
    pixels = workspace.pixels()
    picture = shrunk(pixels, SIDE)
    share = len(picture) / len(pixels)
    if stage == 1:
        height, width = pixels.shape[:2]
        return [
            Picture(picture, "the photo", "Stage 1: the photo, as the file holds it."),
            Facts(
                [
                    Fact("Shape", f"{height} × {width} × 3", "rows × columns × red, green and blue"),
                    Fact("Numbers", f"{pixels.size:,}", "each from 0 to 255"),
                ]
            ),
        ]
    if stage == 2:
        smallest = workspace.runtime.manifest.detector.min_face
        boxes = await workspace.once(("flow", workspace.chosen), lambda: propose(workspace.runtime, workspace.photo(), smallest))
        return [
            Picture(
                picture,
                "candidates",
                "Stage 2: every place that might be a face, at every size.",
                [Box((box * share).tolist(), tone="warn", faint=True) for box in boxes],
            ),
            Facts(
                [Fact("Candidates", f"{len(boxes):,}", "found by the first network; two more networks reject nearly all of them")]
            ),
        ]
    faces = await workspace.faces()
    if not faces:
        return [Picture(picture, "the photo", "No face was found."), NO_FACE]
    if stage == 3:
        on_picture = faces[0].scaled(share)
        return [
            Picture(
                picture,
                "a face and its landmarks",
                "Stage 3: a box and five landmarks: the eyes, the nose and the corners of the mouth.",
                [Box(face.scaled(share).box.tolist(), f"{face.score:.2f}", "good") for face in faces],
                [Dot(float(x), float(y)) for x, y in on_picture.landmarks],
            ),
            Facts([Fact("Faces", str(len(faces))), Fact("Score of the largest", f"{faces[0].score:.3f}")]),
        ]
    face = await workspace.embedded()
    if stage == 4:
        return [
            Picture(face.chip, "the chip", "Stage 4: the chip. The face is turned upright, scaled and cut out."),
            Facts(
                [
                    Fact(
                        "Shape",
                        f"{len(face.chip)} × {len(face.chip)} × 3",
                        "for a photo of any size; the next network sees only this",
                    )
                ]
            ),
        ]
    values = np.asarray(face.embedding, float)
    bars = Chart(
        "the embedding",
        [Line("", list(range(1, 129)), values.tolist(), "bars")],
        "number 1 to 128",
        "value",
        "Stage 5: the embedding. A single number means nothing; only distances count.",
    )
    if stage == 5:
        return [
            bars,
            Facts(
                [
                    Fact("In", f"{face.chip.size:,} numbers", "the chip"),
                    Fact("Out", "128 numbers", f"a point at distance {np.linalg.norm(values):.2f} from the origin"),
                ]
            ),
        ]
    panels: list[Panel] = []
    for name in ("obama3.jpg", "biden.jpg"):
        other = await workspace.embedded(name)
        decision = compare(workspace, face, other)
        label = name.removesuffix(".jpg").rstrip("23").capitalize()
        panels.append(Picture(other.chip, f"a photo of {label}", f"A photo of {label}", small=True))
        panels.append(
            Facts(
                [Fact(f"Is it {label}?", ANSWERS[decision.verdict], f"distance {decision.distance:.3f}", TONES[decision.verdict])]
            )
        )
    return [
        Picture(face.chip, "the face", "Stage 6: this face is compared with two others.", small=True),
        panels[0],
        panels[2],
        panels[1],
        panels[3],
    ]


FLOW = Lab(
    "From a photo to an answer",
    [Slider("stage", "Stage", 1, STAGES, 1, 3, f" of {STAGES}")],
    _flow,
)
