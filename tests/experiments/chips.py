"""Where the reference landmarks lie, and how a chip is sampled: the effect of each choice on MobileFaceNet.

The reference landmarks are ArcFace's, or others near them: the medians of our detector's landmarks after they were fitted to
ArcFace's, larger and smaller copies, copies moved up and down, and landmarks with other weights in the fit. The chip is sampled
bilinearly or bicubically, after a linear or a cubic filter has shrunk the photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.align import apply_transform, fit_similarity, invert_transform
from facelab.detect import detect_faces
from facelab.evaluate import tar_at_far
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.runtime import finish
from facelab.verify import distance

from .photos import pairs_within
from .report import Report, Table, percent
from .whom import PHOTO_SETS, people

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
SAMPLING = (("bilinear", "linear"), ("bilinear", "cubic"), ("bicubic", "linear"), ("bicubic", "cubic"))


@dataclass(frozen=True)
class Faces:
    """The largest face of each photo of a set."""

    photos: list[NDArray[np.uint8]]
    landmarks: NDArray[np.float64]  # [N, 5, 2]
    people: NDArray[np.str_]


def measure(data: Path) -> Report:
    """The report on reference landmarks and sampling."""
    report = Report("python -m tests.experiments chips")
    runtime = default_runtime()
    sets = {name: _faces(data / name) for name in PHOTO_SETS}
    shipped, model = runtime.manifest.embedder.template, runtime.folder / runtime.manifest.graphs["embedder"].file
    session = _session(model, "bilinear", "cubic")
    laid = [apply_transform(fit_similarity(points, ARCFACE), points) for points in sets["lfw100"].landmarks]
    middle = ARCFACE.mean(axis=0)
    tried: dict[str, tuple[NDArray[np.float64], tuple[int, ...]]] = {
        "ArcFace’s": (ARCFACE, (1, 1, 1, 1, 1)),
        "medians of the detector’s landmarks, laid on ArcFace’s": (np.median(laid, axis=0), (1, 1, 1, 1, 1)),
        "3 % smaller": ((ARCFACE - middle) * 0.97 + middle, (1, 1, 1, 1, 1)),
        "3 % larger": ((ARCFACE - middle) * 1.03 + middle, (1, 1, 1, 1, 1)),
        "1 pixel higher": (ARCFACE - np.array([0, 1]), (1, 1, 1, 1, 1)),
        "2 pixels lower": (ARCFACE + np.array([0, 2]), (1, 1, 1, 1, 1)),
        "3 % larger and 1 pixel higher (the demo’s)": (shipped, (1, 1, 1, 1, 1)),
        "the demo’s, weights 3 for eyes, 2 for the nose": (shipped, (3, 3, 2, 1, 1)),
        "the demo’s, weight 2 for the nose": (shipped, (1, 1, 2, 1, 1)),
    }
    rows = [[label, *_row(session, template, np.array(weights), sets)] for label, (template, weights) in tqdm(tried.items())]
    columns = [f"{name}, TAR at FAR {far}\N{NO-BREAK SPACE}%" for name in PHOTO_SETS for far in ("0.1", "0.01")]
    report.tables["landmarks"] = Table(["Reference landmarks", *columns], rows)
    report.tables["sampling"] = Table(
        ["Sampled", "Shrunk by", *columns],
        [[grid, shrinking, *_row(_session(model, grid, shrinking), shipped, np.ones(5), sets)] for grid, shrinking in SAMPLING],
    )
    return report


def _faces(folder: Path) -> Faces:
    runtime = default_runtime()
    photos, landmarks, names = [], [], []
    for path in people(folder).seen.photos:
        photo = read_photo(path, runtime.manifest.max_side)
        photos.append(photo.pixels)
        landmarks.append(finish(detect_faces(runtime, photo))[0].landmarks)
        names.append(path.parent.name)
    return Faces(photos, np.array(landmarks), np.array(names))


def _session(file: Path, grid: str, shrinking: str) -> onnxruntime.InferenceSession:
    """A session of the embedder's graph, with other sampling."""
    model = onnx.load(file)
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    modes = {"GridSample": grid, "Resize": shrinking}
    for node in next(attribute.g for attribute in loop.attribute if attribute.name == "body").node:
        for attribute in node.attribute if node.op_type in modes else ():
            if attribute.name == "mode":
                attribute.s = modes[node.op_type].encode()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _row(
    session: onnxruntime.InferenceSession, template: NDArray[np.floating], weights: NDArray[np.floating], sets: Mapping[str, Faces]
) -> list[str]:
    """A row of cells: TAR at both FARs on every set."""
    cells = []
    for faces in sets.values():
        embeddings = np.array(
            [
                session.run(["embeddings"], {"image": pixels, "transforms": _transform(points, template, weights)})[0][0]
                for pixels, points in zip(faces.photos, faces.landmarks, strict=True)
            ]
        )
        first, second, same = pairs_within(faces.people)
        scores = distance(embeddings[first], embeddings[second])
        genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])
        cells += [percent(tar_at_far(genuine, impostor, far)) for far in (1e-3, 1e-4)]
    return cells


def _transform(points: NDArray[np.floating], template: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.float32]:
    return invert_transform(fit_similarity(points, template, weights))[None].astype(np.float32)
