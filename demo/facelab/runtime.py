"""The only seam between the pipeline and an inference engine.

The pipeline awaits `runtime.run(graph, photo, inputs)` and knows nothing else. In the page, onnxruntime-web answers from a worker
(`browser`). Under CPython, onnxruntime answers without waiting (`native`), so that `finish` can run the same coroutines as plain
calls.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .cohort import Cohort
from .models import Embedder, Manifest

Result = TypeVar("Result")


@dataclass(frozen=True)
class Photo:
    """A photo that the engine can reach.

    pixels: what the engine takes as `image`, uint8 [height, width, 3] RGB: an array natively, a handle in the page. shrunk: the
    side of a pixel here in pixels of the file: 1, unless the file was larger than the manifest's max_side.
    """

    pixels: Any
    height: int
    width: int
    shrunk: float = 1.0


Answer = dict[str, NDArray[np.float32]]  # a graph's outputs, by name


class Runtime(Protocol):
    """An inference engine with all graphs.

    manifest: the calibration of its embedder is about the distances that decide. cohort: corrects these distances; None: they are
    plain.
    """

    manifest: Manifest
    cohort: Cohort | None

    async def load_cohort(self, embedder: Embedder | None = None) -> Cohort:
        """The cohort of an embedder (None: the one in use), even if it does not decide. Raises ModelError where there is none."""
        ...

    async def run_with(self, embedder: str, jobs: Sequence[tuple[Photo, NDArray[np.float32]]]) -> list[Answer]:
        """The answers of another embedder of the manifest, for transforms [N, 2, 3] of photos. Raises ModelError."""
        ...

    async def run(self, graph: str, photo: Photo, inputs: Mapping[str, NDArray[Any]]) -> Answer:
        """All outputs of one graph on one photo. Raises ModelError where the graph is missing."""
        ...

    async def run_pyramid(self, photo: Photo, sizes: Sequence[tuple[int, int]]) -> list[Answer]:
        """The outputs of `pnet` on each level of a photo's pyramid; sizes: (height, width), from large to small. Raises ModelError.

        A level is made from the one two steps before, which is twice as large: that is little work, and few steps blur little. The
        levels stay in the engine.
        """
        ...

    def photo(self, pixels: NDArray[np.uint8]) -> Photo:
        """Pixels [height, width, 3] RGB as a photo that the engine can reach."""
        ...

    def pixels(self, photo: Photo) -> NDArray[np.uint8]:
        """The pixels of a photo, [height, width, 3] RGB, for showing and for the chapters that work on them."""
        ...


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never waits. Under CPython, all coroutines of facelab are like that."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("this coroutine waits for something: await it instead")
