"""The lab on alignment: a photo to turn and scale, landmarks to drag, and the chip that results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..align import Points, apply_transform, chip_to_photo, fit_affine, fit_similarity, invert_transform, warp
from ..detect import Face
from ..embed import Embedded
from ..models import Embedder
from ..workspace import Workspace
from .compared import NO_FACE, TONES, compare, other_photo
from .panels import Choice, Dot, Fact, Facts, Lab, Panel, Picture, Setting, Settings, Slider

STAGE = 320  # side of the picture on which the photo is turned
NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
UNMOVED = -1000.0


async def _alignment(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The turned photo, its chip, and the distance to a second photo."""
    faces = await workspace.faces()
    if not faces:
        return [NO_FACE]
    on_stage = _stage(faces[0], float(settings["turn"]), float(settings["scale"]))
    pixels = warp(workspace.pixels(), invert_transform(on_stage), STAGE, STAGE)
    landmarks = apply_transform(on_stage, faces[0].landmarks)
    for index, name in enumerate(NAMES):
        if float(settings[f"{name}_x"]) > UNMOVED:
            landmarks[index] = float(settings[f"{name}_x"]), float(settings[f"{name}_y"])
    embedder = workspace.runtime.manifest.embedder
    transform = _transform(str(settings["way"]), landmarks, faces[0], on_stage, embedder)
    photo = workspace.runtime.photo(pixels)
    answer = await workspace.runtime.run("embedder", photo, {"transforms": transform[None].astype(np.float32)})
    chip = answer["chips"][0].astype(np.uint8)
    decision = compare(workspace, Embedded(faces[0], chip, answer["embeddings"][0]), (await other_photo(workspace))[0])
    missed = np.sqrt(((apply_transform(invert_transform(transform), landmarks) - embedder.template) ** 2).sum(axis=1).mean())
    dots = [Dot(float(x), float(y), name) for (x, y), name in zip(landmarks, NAMES, strict=True)]
    return [
        Picture(
            pixels,
            "the photo, turned and scaled, with five landmarks",
            "Drag a landmark, or move it with the arrow keys.",
            dots=dots,
        ),
        Picture(
            chip,
            "the chip",
            "The chip. The dots are the reference landmarks.",
            dots=[Dot(float(x), float(y)) for x, y in embedder.template],
        ),
        Facts(
            [
                Fact("Distance", f"{decision.distance:.3f}", (await other_photo(workspace))[1], TONES[decision.verdict]),
                Fact("Landmarks off by", f"{missed:.1f} px", "from the reference landmarks, root mean square"),
                Fact(
                    "Scale", f"{1 / np.sqrt(abs(np.linalg.det(transform[:, :2]))):.2f}", "chip pixels for each pixel of the picture"
                ),
            ]
        ),
    ]


def _stage(face: Face, degrees: float, scale: float) -> NDArray[np.float64]:
    """Photo to stage: the face in the middle, turned there. At scale 1 its box takes up 40 % of the stage."""
    centre = (face.box[:2] + face.box[2:]) / 2
    size = scale * 0.4 * STAGE / float((face.box[2:] - face.box[:2]).max())
    a = size * np.exp(1j * np.radians(degrees))
    turn = np.array([[a.real, -a.imag], [a.imag, a.real]])
    return np.concatenate([turn, (STAGE / 2 - turn @ centre)[:, None]], axis=1)


def _transform(way: str, landmarks: Points, face: Face, on_stage: NDArray[np.float64], embedder: Embedder) -> NDArray[np.float64]:
    """Chip to stage, for the chosen way of alignment."""
    if way == "similarity":
        return chip_to_photo(landmarks, embedder)
    if way == "affine":
        return invert_transform(fit_affine(landmarks, embedder.template, embedder.landmark_weights))
    if way == "eyes":
        return invert_transform(fit_similarity(landmarks[:2], embedder.template[:2]))
    corners = apply_transform(on_stage, face.box.reshape(2, 2))  # without alignment: an upright square about as large as the box
    size = 1.1 * float(np.linalg.norm(corners[1] - corners[0])) / np.sqrt(2)
    scale = size / embedder.chip_size
    x, y = corners.mean(axis=0) - scale * (embedder.chip_size - 1) / 2
    return np.array([[scale, 0, x], [0, scale, y]])


_POINTS: dict[str, Setting] = {f"{name}_{axis}": UNMOVED for name in NAMES for axis in "xy"}

ALIGNMENT = Lab(
    "What does the network see?",
    [
        Slider("turn", "Turn of the photo", -90, 90, 5, 25, "°"),
        Slider("scale", "Scale of the photo", 0.3, 1.6, 0.05, 1),
        Choice(
            "way",
            "Transform",
            [
                ("similarity", "five points, similarity"),
                ("affine", "five points, affine"),
                ("eyes", "two eyes, similarity"),
                ("box", "none: the box"),
            ],
            "similarity",
        ),
    ],
    _alignment,
    extra=_POINTS,
)
