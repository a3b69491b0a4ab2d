"""`make bench`: how fast, beside others, on this machine in this run. Reports, and gates nothing.

Ours and theirs take turns, each with all photos of a set, so that a machine that slows down slows both; medians are compared.
Not photo by photo: then each would find the other's weights in the cache, and nobody who uses one of them does.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np

from export.sources import DLIB_WEIGHTS, read_source
from facelab.cohort import crowdedness
from facelab.detect import detect_faces
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

    print("milliseconds a photo, median; ours on one thread\n")
    print(f"{'detection':34} {'mtcnn package':>14} {'ours':>8} {'times as fast':>14}")
    from mtcnn import MTCNN

    package = MTCNN()
    for name, photos in sets.items():
        for least in (20, runtime.manifest.detector.min_face):
            theirs, ours = take_turns(
                photos,
                lambda photo: package.detect_faces(photo.pixels),
                lambda photo, least=least: finish(detect_faces(runtime, photo, least)),  # type: ignore[misc]
            )
            print(f"{name + f', smallest face {least:.0f} px':34} {theirs:14.1f} {ours:8.1f} {theirs / ours:14.1f}")

    print(f"\n{'embedding, one thread':34} {'dlib':>14} {'ours':>8} {'times as fast':>14}")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "resnet.dat"
        weights.write_bytes(read_source(*DLIB_WEIGHTS))
        network = dlib.face_recognition_model_v1(str(weights))
    embedded = [finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))[:1]))[0] for photo in samples]
    whole = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)  # the chip is the photo: no warp, as in dlib
    theirs, ours = take_turns(
        [Photo(one.chip, 150, 150) for one in embedded],
        lambda chip: network.compute_face_descriptor(chip.pixels),
        lambda chip: finish(runtime.run("embedder", chip, {"transforms": whole})),
    )
    print(f"{'150 x 150 chip':34} {theirs:14.1f} {ours:8.1f} {theirs / ours:14.1f}")

    if runtime.cohort:
        forty = np.repeat(np.stack([one.embedding for one in embedded]), 10, axis=0)
        _, ours = take_turns([samples[0]], lambda photo: None, lambda photo: crowdedness(forty, runtime.cohort))  # type: ignore[arg-type]
        print(f"\ncrowdedness of 40 faces among {len(runtime.cohort.composites)} composites: {ours:.2f} ms")


def take_turns(photos: list[Photo], theirs: Callable[[Photo], object], ours: Callable[[Photo], object]) -> tuple[float, float]:
    """Median milliseconds of each over all photos and rounds, after one round that does not count."""
    seconds: dict[Callable[[Photo], object], list[float]] = {theirs: [], ours: []}
    for turn in range(ROUNDS + 1):
        for run, times in seconds.items():
            for photo in photos:
                started = time.perf_counter()
                run(photo)
                if turn:
                    times.append(time.perf_counter() - started)
    return tuple(1000 * float(np.median(times)) for times in seconds.values())  # type: ignore[return-value]


if __name__ == "__main__":
    main()
