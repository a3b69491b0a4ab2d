"""Labs on face detection: the boxes that pass each network of MTCNN, and the boxes that suppression keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..detect import Floats, confirm, propose, pyramid_scales, refine, suppress, window_boxes
from ..models import Detector, Embedder
from ..runtime import Answer, Photo, Runtime
from ..workspace import Workspace
from .panels import Box, Chart, Fact, Facts, Lab, Line, Panel, Picture, Settings, Slider, Tone
from .pictures import shrunk

SIDE = 480
LEAST = 0.3  # lowest score that the lab on suppression offers
WHOLE = 5  # shortest axis of counts: the ticks of a shorter one would fall between whole numbers
DRAWN = 150  # most boxes drawn on one picture; more would hide it


class _Adjusted:
    """The engine, with the thresholds of the lab in its manifest."""

    def __init__(self, runtime: Runtime, detector: Detector) -> None:
        self._runtime = runtime
        self.manifest = replace(runtime.manifest, detector=detector)
        self.cohort = runtime.cohort

    async def load_cohort(self, embedder: Embedder | None = None) -> Cohort:
        return await self._runtime.load_cohort(embedder)

    async def run_with(self, embedder: str, jobs: Sequence[tuple[Photo, NDArray[np.float32]]]) -> list[Answer]:
        return await self._runtime.run_with(embedder, jobs)

    async def run(self, graph: str, photo: Photo, inputs: Mapping[str, NDArray[Any]]) -> Answer:
        return await self._runtime.run(graph, photo, inputs)

    async def run_pyramid(self, photo: Photo, sizes: Sequence[tuple[int, int]]) -> list[Answer]:
        return await self._runtime.run_pyramid(photo, sizes)

    def photo(self, pixels: NDArray[np.uint8]) -> Photo:
        return self._runtime.photo(pixels)

    def pixels(self, photo: Photo) -> NDArray[np.uint8]:
        return self._runtime.pixels(photo)


async def _cascade(workspace: Workspace, settings: Settings) -> list[Panel]:
    """The boxes after each network, and their number."""
    picture = shrunk(workspace.pixels(), SIDE)
    photo = workspace.runtime.photo(picture)
    thresholds = (float(settings["p"]), float(settings["r"]), float(settings["o"]))
    runtime = _Adjusted(workspace.runtime, replace(workspace.runtime.manifest.detector, thresholds=thresholds))
    smallest = float(settings["min_face"])
    key = ("cascade", workspace.chosen, smallest, thresholds[0])
    proposed = await workspace.once(key, lambda: propose(runtime, photo, smallest))
    refined = await refine(runtime, photo, proposed)
    faces = await confirm(runtime, photo, refined)
    scales = list(pyramid_scales(photo.height, photo.width, smallest, runtime.manifest.detector))
    windows = sum(_windows(photo, scale, runtime.manifest.detector) for scale in scales)
    found = f"O-Net: {len(faces)} {'face' if len(faces) == 1 else 'faces'}"
    return [
        _boxes(picture, proposed, "P-Net", "warn"),
        _boxes(picture, refined, "R-Net", "warn"),
        Picture(
            picture,
            found,
            found,
            [Box(face.box.tolist(), f"{face.score:.2f}", "good") for face in faces],
        ),
        _sides(proposed, scales, runtime.manifest.detector),
        Facts(
            [
                Fact("Windows P-Net sees", f"{windows:,}", f"on {len(scales)} levels of the pyramid"),
                Fact("After P-Net", f"{len(proposed):,}"),
                Fact("After R-Net", f"{len(refined):,}"),
                Fact("Faces", str(len(faces)), tone="good" if faces else "bad"),
            ]
        ),
    ]


def _windows(photo: Photo, scale: float, detector: Detector) -> int:
    """The number of windows for which P-Net answers on one level."""
    rows, columns = (
        (int(side * scale) + 2 * detector.padding - detector.cell) // detector.stride + 1 for side in (photo.height, photo.width)
    )
    return max(rows, 0) * max(columns, 0)


def _boxes(picture: NDArray[np.uint8], boxes: Floats, name: str, tone: Tone) -> Picture:
    drawn = [Box(box.tolist(), tone=tone, faint=len(boxes) > 20) for box in boxes[:DRAWN]]
    told = f"{name}: {len(boxes):,} {'box' if len(boxes) == 1 else 'boxes'}"
    return Picture(picture, told, told + (f" (the {DRAWN} best are drawn)" if len(boxes) > DRAWN else ""), drawn)


def _sides(boxes: Floats, scales: Sequence[float], detector: Detector) -> Chart:
    """The number of proposals from each level, told apart by the width of the face that fills P-Net's window there."""
    sides = [detector.cell / scale for scale in scales] or [detector.cell]
    edges = np.array([0, *np.sqrt(np.array(sides[:-1]) * sides[1:]), np.inf])
    counts = np.histogram(boxes[:, 2] - boxes[:, 0], edges)[0].tolist() if len(boxes) else [0] * len(sides)
    levels = [float(level) for level in range(1, len(sides) + 1)]
    alt = "proposals of each level of the pyramid: " + ", ".join(
        f"{count} of about {side:.0f} px" for count, side in zip(counts, sides, strict=True)
    )
    return Chart(
        alt,
        [Line("", levels, counts, "bars")],
        "level of the pyramid, from fine to coarse",
        "boxes",
        x_limits=(0.5, max(len(levels), WHOLE) + 0.5),
        y_limits=(0, max(*counts, WHOLE)),
        small=True,
    )


async def _suppression(workspace: Workspace, settings: Settings) -> list[Panel]:
    """P-Net's boxes on the photo, before and after suppression."""
    picture = shrunk(workspace.pixels(), SIDE)
    photo = workspace.runtime.photo(picture)
    boxes, scores = await workspace.once(("raw", workspace.chosen), lambda: _raw(workspace.runtime, photo, LEAST))
    likely = scores > float(settings["least"])
    boxes, scores = boxes[likely], scores[likely]
    kept = suppress(boxes, scores, float(settings["most"]))
    return [
        _boxes(picture, boxes[np.argsort(-scores, kind="stable")], "Before", "warn"),
        _boxes(picture, boxes[kept], "After", "good"),
        Facts(
            [
                Fact("Boxes", f"{len(boxes):,} → {len(kept):,}"),
                Fact("Highest score", f"{scores.max():.3f}" if len(scores) else "–"),
            ]
        ),
    ]


async def _raw(runtime: Runtime, photo: Photo, least: float) -> tuple[Floats, Floats]:
    """All windows of all levels that P-Net takes for a face, before suppression: boxes [N, 4], scores [N]."""
    detector = runtime.manifest.detector
    boxes: list[Floats] = [np.empty((0, 4))]
    scores: list[Floats] = [np.empty(0)]
    for scale in pyramid_scales(photo.height, photo.width, detector.min_face, detector):
        size = np.array([photo.height * scale, photo.width * scale]).astype(np.int64)
        answer = await runtime.run("pnet", photo, {"size": size})
        row, column = np.nonzero(answer["scores"] > least)
        boxes.append(window_boxes(row, column, answer["offsets"][row, column], scale, detector))
        scores.append(answer["scores"][row, column])
    return np.concatenate(boxes), np.concatenate(scores)


CASCADE = Lab(
    "Which boxes pass each network?",
    [
        Slider("min_face", "Smallest face", 16, 160, 4, 40, " px"),
        Slider("p", "P-Net’s threshold", 0.1, 0.99, 0.01, 0.6),
        Slider("r", "R-Net’s threshold", 0.1, 0.99, 0.01, 0.7),
        Slider("o", "O-Net’s threshold", 0.1, 0.99, 0.01, 0.8),
    ],
    _cascade,
)
SUPPRESSION = Lab(
    "Which boxes does suppression keep?",
    [
        Slider("most", "Allowed overlap", 0.05, 0.95, 0.05, 0.5),
        Slider("least", "Lowest score", LEAST, 0.99, 0.01, 0.6),
    ],
    _suppression,
)
