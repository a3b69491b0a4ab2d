"""Cuts the chips that a network is trained on, and keeps them in a folder, each under a hash of its photo.

Each photo gives its largest face in one or more views. The first is the aligned chip. The others show the same face as another
camera would: turned, nearer or farther, or beside the middle, and every second one mirrored. All views are cut from the photo
itself by the front end of the exported graph, so that training sees the same pixels as use. A teacher answers each view from a
chip of its own size.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.align import chip_to_photo
from facelab.detect import detect_faces
from facelab.errors import PhotoError
from facelab.models import Embedder
from facelab.native import NativeRuntime
from facelab.photos import read_photo
from facelab.runtime import finish

from ..errors import ExportError
from ..front_ends import chip_front_end

FORMAT = 1  # of the files in the cache; another number makes old ones invalid

TURN, ZOOM, SHIFT = 10.0, 0.1, 0.04  # most of the other views' turn in degrees, change of scale, and shift as a share of the chip


@dataclass(frozen=True)
class Cut:
    """How chips are cut. side: of a chip, in pixels. models: the folder of a manifest, whose detector finds the faces.

    teacher: the name of the embedder that answers the views; "" for none.
    """

    side: int
    views: int
    models: Path
    teacher: str = ""


@dataclass(frozen=True)
class Chips:
    """The views of one face from each photo. photos: [N]. pixels: uint8 [N, V, S, S, 3].

    answers: the teacher's, float32 [N, V, D]; D is 0 without a teacher.
    """

    photos: list[Path]
    pixels: NDArray[np.uint8]
    answers: NDArray[np.float32]

    def take(self, indices: NDArray[np.intp]) -> Chips:
        return Chips([self.photos[i] for i in indices], self.pixels[indices], self.answers[indices])


@dataclass(frozen=True)
class LeftOut:
    """A photo that gave no chip, and the reason in a sentence."""

    photo: Path
    why: str


def cut_chips(photos: Sequence[Path], cut: Cut, kept: Path, workers: int | None = None) -> tuple[Chips, list[LeftOut]]:
    """The chips of photos, in the order of the photos, and a list of the photos that gave none.

    Chips that were cut before are read from the folder `kept`. Raises ExportError if that folder cannot be written, ModelError if
    the models are missing.
    """
    _tools(cut)  # If the models are damaged, this reports it once, before every worker would.
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{kept} cannot be written ({error.strerror}): name another folder with --cache") from None
    files: list[Path | str] = []
    try:
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            done = pool.map(partial(_cut, cut=cut, kept=kept), photos, chunksize=8)
            files.extend(tqdm(done, total=len(photos), desc="faces", unit="photo", disable=None))
    except BrokenProcessPool:
        raise ExportError(
            f"a photo after {photos[len(files)]} took more memory than there is: leave it out, then run again"
        ) from None
    left_out = [LeftOut(photo, file) for photo, file in zip(photos, files, strict=True) if isinstance(file, str)]
    there = [(photo, file) for photo, file in zip(photos, files, strict=True) if isinstance(file, Path)]
    pixels = np.empty((len(there), cut.views, cut.side, cut.side, 3), np.uint8)
    answers = []
    for row, (_, file) in zip(pixels, there, strict=True):
        with np.load(file) as held:
            row[:] = held["pixels"]
            answers.append(held["answers"])
    return Chips([photo for photo, _ in there], pixels, np.array(answers, np.float32)), left_out


def template(embedder: Embedder, side: int) -> NDArray[np.float64]:
    """An embedder's reference landmarks in a chip of another size: [5, 2], in pixels of that chip."""
    places: NDArray[np.float64] = (embedder.template + 0.5) * (side / embedder.chip_size) - 0.5
    return places


def other_views(views: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Random transforms [V, 3, 3] from a view to the chip, in shares of the side from the middle. The first changes nothing."""
    made = np.tile(np.eye(3), (views, 1, 1))
    for view in range(1, views):
        angle = np.radians(random.uniform(-TURN, TURN))
        scale = np.exp(random.uniform(-ZOOM, ZOOM))
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        made[view, :2, :2] = turn @ np.diag([-1 if view % 2 else 1, 1])
        made[view, :2, 2] = random.uniform(-SHIFT, SHIFT, 2)
    return made


def from_middle(side: int) -> NDArray[np.float64]:
    """The transform [3, 3] from shares of a chip's side, from its middle, to pixels, with the first pixel's centre at 0."""
    return np.array([[side, 0, (side - 1) / 2], [0, side, (side - 1) / 2], [0, 0, 1]])


def _cut(photo: Path, cut: Cut, kept: Path) -> Path | str:
    """The file that holds a photo's chips, or the reason why it has none. Runs in a worker process."""
    runtime, front, setting = _tools(cut)
    try:
        content = hashlib.sha256(photo.read_bytes()).digest()
        file = kept / f"{hashlib.sha256(setting + content).hexdigest()[:32]}.npz"
        if not _is_whole(file):
            opened = read_photo(photo, runtime.manifest.max_side)
            faces = finish(detect_faces(runtime, opened))[:1]
            pixels = np.zeros((0, cut.side, cut.side, 3), np.uint8)
            answers = np.zeros((0, 0), np.float32)
            for face in faces:
                embedder = runtime.manifest.embedder
                own = from_middle(embedder.chip_size)
                to_photo = np.vstack([chip_to_photo(face.landmarks, embedder), [0, 0, 1]]) @ own
                views = to_photo @ other_views(cut.views, np.random.default_rng(list(content)))
                (pixels,) = front.run(["chips"], {"image": opened.pixels, "transforms": _rows(views, cut.side)})
                if cut.teacher:
                    asked = finish(runtime.run("embedder", opened, {"transforms": _rows(views, embedder.chip_size)}))
                    answers = asked["embeddings"]
                else:
                    answers = np.zeros((cut.views, 0), np.float32)
            partial_file = file.with_suffix(f".{os.getpid()}.part")
            with partial_file.open("wb") as out:
                np.savez(out, pixels=pixels, answers=answers)
            partial_file.replace(file)
        with np.load(file) as held:
            return file if len(held["pixels"]) else f"{photo} shows no face that is found"
    except PhotoError as error:
        return str(error)
    except OSError as error:
        return f"{photo} cannot be read ({error.strerror})"


def _rows(views: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """The transforms from chip to photo [V, 2, 3] that the graphs take, from those of shares to photo [V, 3, 3]."""
    return (views @ np.linalg.inv(from_middle(side)))[:, :2].astype(np.float32)


def _is_whole(file: Path) -> bool:
    try:
        with np.load(file) as held:
            return {"pixels", "answers"} <= set(held.files)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False


@cache
def _tools(cut: Cut) -> tuple[NativeRuntime, Any, bytes]:
    """The models, the front end, and a hash of everything that decides how a photo is cut."""
    runtime = NativeRuntime(cut.models, embedder=cut.teacher or None)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    front = chip_front_end(cut.side).SerializeToString()
    graphs = runtime.manifest.graphs
    used = [graphs[name].sha256 for name in ("pnet", "rnet", "onet", *(["embedder"] if cut.teacher else []))]
    told = [str(FORMAT), str(cut.side), str(cut.views), str((TURN, ZOOM, SHIFT)), str(runtime.manifest.embedder.template), *used]
    setting = hashlib.sha256("\n".join(told).encode() + front).digest()
    return runtime, onnxruntime.InferenceSession(front, options, providers=["CPUExecutionProvider"]), setting
