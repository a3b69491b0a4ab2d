"""facelab outside the page: a runtime on top of onnxruntime, which works with files and never waits.

No other module knows onnxruntime.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .cohort import Cohort, read_cohort
from .errors import ModelError
from .files import why
from .known_answer import TRANSFORM, is_known, known_picture
from .models import CohortFile, Embedder, GraphFile, Manifest, read_manifest
from .runtime import Answer, Photo, finish

EMBEDDER_VARIABLE = "FACELAB_EMBEDDER"
NORMALISE_VARIABLE = "FACELAB_NORMALISE"  # "cohort": distances are corrected; any other value: they are plain


class NativeRuntime:
    """The graphs of a folder of models in onnxruntime, on the CPU. Each graph is loaded on its first use.

    threads: for one graph. One thread is fastest for networks as small as these on a small machine; 0 means one for each core.
    compact: whether to use the page's files, which are smaller or faster there. embedder: one of the manifest's names; None means
    its default. normalise: whether distances are corrected by the embedder's cohort; raises ModelError where it has none.
    """

    def __init__(
        self, folder: Path, threads: int = 1, compact: bool = False, embedder: str | None = None, normalise: bool = False
    ) -> None:
        self.folder = folder
        self.threads = threads
        self.compact = compact
        manifest = read_manifest(folder)
        self.manifest: Manifest = manifest.choosing(embedder) if embedder else manifest
        self.cohort: Cohort | None = None
        if normalise:
            self.manifest = replace(self.manifest, embedder=self.manifest.embedder.normalised())
            self.cohort = finish(self.load_cohort())
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    async def load_cohort(self, embedder: Embedder | None = None) -> Cohort:
        """See Runtime.load_cohort."""
        embedder = embedder or self.manifest.embedder
        if embedder.cohort is None:
            raise ModelError(f"the embedder {embedder.name} has no cohort here: a checkout's `make models` makes one")
        return read_cohort(self._read(embedder.cohort), embedder.cohort)

    async def run_with(self, embedder: str, jobs: Sequence[tuple[Photo, NDArray[np.float32]]]) -> list[Answer]:
        """See Runtime.run_with."""
        other = NativeRuntime(self.folder, self.threads, self.compact, embedder)
        return [await other.run("embedder", photo, {"transforms": transforms}) for photo, transforms in jobs]

    async def run(self, graph: str, photo: Photo, inputs: Mapping[str, NDArray[Any]]) -> Answer:
        """See Runtime.run."""
        session = self._sessions.get(graph) or self._load(graph)
        values = session.run(None, {"image": photo.pixels, **inputs})
        return dict(zip((output.name for output in session.get_outputs()), values, strict=True))

    async def run_pyramid(self, photo: Photo, sizes: Sequence[tuple[int, int]]) -> list[Answer]:
        """See Runtime.run_pyramid."""
        levels, answers = [photo, photo], []
        for size in sizes:
            answers.append(await self.run("pnet", levels[-2], {"size": np.array(size, np.int64)}))
            # for parity with the mtcnn package, which makes each level from the photo
            pixels = answers[-1].pop("level", photo.pixels)
            levels.append(Photo(pixels, *pixels.shape[:2]))
        return answers

    def photo(self, pixels: NDArray[np.uint8]) -> Photo:
        """See Runtime.photo."""
        return Photo(np.ascontiguousarray(pixels), *pixels.shape[:2])

    def pixels(self, photo: Photo) -> NDArray[np.uint8]:
        """See Runtime.pixels."""
        return photo.pixels  # type: ignore[no-any-return]

    def _load(self, graph: str) -> onnxruntime.InferenceSession:
        if graph not in self.manifest.graphs:
            raise ModelError(f"the model {graph} is missing in {self.folder}: run `make models`")
        entry = self.manifest.graphs[graph]
        if self.compact:
            entry = entry.compact or entry
        data = self._read(entry)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen kinds of exceptions whose only common base is Exception
            raise ModelError(f"ONNX Runtime cannot use {entry.file} ({why(error)}): run `make models`") from error
        if entry.known is not None:
            (embedding,) = session.run(["embeddings"], {"image": known_picture(), "transforms": TRANSFORM[None]})[0]
            if not is_known(embedding, entry.known):
                raise ModelError(
                    f"{entry.file} does not give here the answer that it gave where it was made: install onnxruntime again, "
                    "in the version that facelab asks for; if that does not help, run `make models`"
                )
        self._sessions[graph] = session
        return session

    def _read(self, entry: GraphFile | CohortFile) -> bytes:
        try:
            data = (self.folder / entry.file).read_bytes()
        except OSError:
            raise ModelError(f"{entry.file} is missing in {self.folder}: run `make models`") from None
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise ModelError(f"{self.folder / entry.file} is not the file that models.json names: run `make models`")
        return data


def models_folder() -> Path:
    """The folder of the models: FACELAB_MODELS if it is set, else the wheel's own, else build/models of this checkout."""
    if named := os.environ.get("FACELAB_MODELS"):
        return Path(named)
    here = Path(__file__).resolve()
    carried = here.with_name("weights")
    return carried if carried.is_dir() else here.parents[2] / "build" / "models"


def default_runtime() -> NativeRuntime:
    """The runtime that the synchronous functions share. Raises ModelError where there are no models.

    The variable FACELAB_EMBEDDER names its embedder, and FACELAB_NORMALISE says which distances decide. They are variables of the
    environment because worker processes inherit it.
    """
    return _runtime(models_folder(), os.environ.get(EMBEDDER_VARIABLE) or None, os.environ.get(NORMALISE_VARIABLE) == "cohort")


@cache
def _runtime(folder: Path, embedder: str | None, normalise: bool) -> NativeRuntime:
    return NativeRuntime(folder, embedder=embedder, normalise=normalise)
