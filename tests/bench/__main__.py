"""`make bench`: how fast, beside others, on this machine in this run. Reports, and gates nothing.

Ours and theirs take turns, each with all photos of a set, so that a machine that slows down slows both; medians are compared.
Not photo by photo: then each would find the other's weights in the cache, and nobody who uses one of them does.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import dlib
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx.utils import Extractor

from export.manifest import DLIB_RESNET
from export.sources import DLIB_WEIGHTS, read_source
from facelab.cohort import crowdedness
from facelab.detect import Face, detect_faces
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import Photo, finish

from ..conftest import ROOT, SHARED_DATA

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

ROUNDS = 5


def main() -> None:
    runtime = NativeRuntime(models_folder(), threads=1)
    samples = [read_photo(path, 2048) for path in sorted((ROOT / "docs" / "app" / "samples").glob("*.jpg"))]
    sets = {"samples, 640 px": samples}
    if (lfw := SHARED_DATA / "lfw100").is_dir():
        sets["lfw100, 250 px"] = [read_photo(path, 2048) for path in sorted(lfw.glob("*/*[13].jpg"))]
        sets["both"] = [photo for photos in sets.values() for photo in photos]

    print("milliseconds a photo, median; ours on one thread")
    header("detection", "mtcnn package", "ours")
    from mtcnn import MTCNN

    package = MTCNN()
    for name, photos in sets.items():
        for least in (20, runtime.manifest.detector.min_face):
            turns = take_turns(
                photos,
                lambda photo: package.detect_faces(photo.pixels),
                lambda photo, least=least: finish(detect_faces(runtime, photo, least)),  # type: ignore[misc]
            )
            row(f"{name}, smallest face {least:.0f} px", *turns)

    second = NativeRuntime(models_folder(), threads=1, embedder=DLIB_RESNET["name"])
    faces = {name: faces_of(runtime, second, photos) for name, photos in sets.items()}
    in_dlib, alone, second_alone = DlibEmbedder(), network_alone(runtime), network_alone(second)

    header(
        "embedding by two different networks: dlib's own, and our default one; one thread", "ResNet, dlib", "MobileFaceNet, ours"
    )
    for name, found in faces.items():
        row(
            f"{name}, photo and landmarks",
            *take_turns(found, in_dlib.embed, lambda one: finish(embed_faces(runtime, one.photo, [one.face]))),
        )
    for name, found in faces.items():
        row(
            f"{name}, chips of 150 and 112 px",
            *take_turns(found, lambda one: in_dlib.embed_chip(one.dlib_chip), lambda one: alone(one.chip)),
        )

    header("embedding by one network, dlib's, in dlib and as our second embedder; one thread", "ResNet, dlib", "ResNet, ours")
    for name, found in faces.items():
        row(
            f"{name}, photo and landmarks",
            *take_turns(found, in_dlib.embed, lambda one: finish(embed_faces(second, one.photo, [one.face]))),
        )
    for name, found in faces.items():
        row(
            f"{name}, chips of 150 px",
            *take_turns(found, lambda one: in_dlib.embed_chip(one.dlib_chip), lambda one: second_alone(one.dlib_chip)),
        )

    if runtime.manifest.embedder.cohort:
        cohort = finish(runtime.load_cohort())
        embeddings = [finish(embed_faces(runtime, one.photo, [one.face]))[0].embedding for one in next(iter(faces.values()))]
        forty = np.resize(np.stack(embeddings), (40, len(embeddings[0])))
        _, ours = take_turns([forty], lambda some: None, lambda some: crowdedness(some, cohort))
        print(f"\ncrowdedness of {len(forty)} faces among {len(cohort.composites)} composites: {ours:.2f} ms")


@dataclass(frozen=True)
class Found:
    """The largest face of a photo, and its chips: uint8 [112, 112, 3] for the default embedder, [150, 150, 3] for dlib's."""

    photo: Photo
    face: Face
    chip: NDArray[np.uint8]
    dlib_chip: NDArray[np.uint8]


def faces_of(runtime: NativeRuntime, second: NativeRuntime, photos: Sequence[Photo]) -> list[Found]:
    """Of each photo that has a face."""
    found = []
    for photo in photos:
        for face in finish(detect_faces(runtime, photo))[:1]:
            own, dlibs = (finish(embed_faces(one, photo, [face]))[0] for one in (runtime, second))
            found.append(Found(photo, face, own.chip, dlibs.chip))
    return found


class DlibEmbedder:
    """dlib's own way from a face to 128 numbers: its network, on a chip that it cuts for its own reference landmarks."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".dat") as file:
            file.write(read_source(*DLIB_WEIGHTS))
            file.flush()
            self._network = dlib.face_recognition_model_v1(file.name)
        self._template = dlib.dpoints([dlib.dpoint(x, y) for x, y in DLIB_RESNET["template"]])

    def embed(self, found: Found) -> object:
        """Fits its landmarks to the template, cuts out the chip there, and embeds that."""
        landmarks = dlib.dpoints([dlib.dpoint(x, y) for x, y in found.face.landmarks])
        side = DLIB_RESNET["chip_size"]
        place = dlib.chip_details(self._template, landmarks, dlib.chip_dims(side, side))
        return self.embed_chip(dlib.extract_image_chip(found.photo.pixels, place))

    def embed_chip(self, chip: NDArray[np.uint8]) -> object:
        return self._network.compute_face_descriptor(chip)


def network_alone(runtime: NativeRuntime) -> Callable[[NDArray[np.uint8]], object]:
    """A runtime's embedder from the chip on, as dlib's network takes one too: without the front end, that cuts it out."""
    model = onnx.load(runtime.folder / runtime.manifest.graphs["embedder"].file)
    (chip,) = (node.output[0] for node in model.graph.node if node.op_type == "Round")  # float32 [1, 3, side, side], 0 to 255
    network = Extractor(onnx.shape_inference.infer_shapes(model)).extract_model([chip], ["embeddings"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {chip: pixels.transpose(2, 0, 1)[None].astype(np.float32)})


def header(title: str, theirs: str, ours: str) -> None:
    print(f"\n{title}\n{'':42} {theirs:>14} {ours:>20} {'times as fast':>14}")


def row(name: str, theirs: float, ours: float) -> None:
    print(f"{name:42} {theirs:14.1f} {ours:20.1f} {theirs / ours:14.1f}")


Item = TypeVar("Item")


def take_turns(items: Sequence[Item], theirs: Callable[[Item], object], ours: Callable[[Item], object]) -> tuple[float, float]:
    """Median milliseconds of each over all items and rounds, after one round that does not count."""
    seconds: dict[Callable[[Item], object], list[float]] = {theirs: [], ours: []}
    for turn in range(ROUNDS + 1):
        for run, times in seconds.items():
            for item in items:
                started = time.perf_counter()
                run(item)
                if turn:
                    times.append(time.perf_counter() - started)
    return tuple(1000 * float(np.median(times)) for times in seconds.values())  # type: ignore[return-value]


if __name__ == "__main__":
    main()
