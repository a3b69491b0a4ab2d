"""The reader's workspace: their own photo and the samples, ready for the labs and the chapters' code.

In the page, the worker puts the photos there. Under CPython, the workspace holds the samples that the build made.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .detect import Face
from .embed import Embedded, embed_faces
from .errors import InputError, NoFaceError
from .quality import refuse_made_up
from .runtime import Photo, Runtime
from .upright import upright_faces

Pixels = NDArray[np.uint8]
Made = TypeVar("Made")

MADE_AT_MOST = 12

SAMPLES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
OWN = "yours"


class Workspace:
    """Photos by name, and the faces found in them, each searched once.

    runtime: the engine. photos: name -> photo. The reader's own photo is called "yours" and may be missing.
    """

    def __init__(self, runtime: Runtime, photos: dict[str, Photo]) -> None:
        self.runtime = runtime
        self.photos = photos
        self._faces: dict[str, list[Face]] = {}
        self._embedded: dict[str, Embedded] = {}
        self._made: dict[tuple[object, ...], Any] = {}

    @property
    def chosen(self) -> str:
        """The name of the photo that the chapter works on: the reader's own, or else the first sample."""
        return OWN if OWN in self.photos else next(iter(self.photos))

    def put(self, name: str, photo: Photo) -> None:
        """Puts a photo on the workspace. A photo of the same name is replaced, along with everything found in it."""
        self.remove(name)
        self.photos[name] = photo

    def remove(self, name: str) -> None:
        """Takes a photo off the workspace, along with everything found in it."""
        self.photos.pop(name, None)
        self._faces.pop(name, None)
        self._embedded.pop(name, None)
        self._made.clear()

    def photo(self, name: str | None = None) -> Photo:
        """A photo by its name; None means the one that the chapter works on. Raises InputError for an unknown name."""
        name = name or self.chosen
        if name not in self.photos:
            raise InputError(f"there is no photo called {name} on the workspace: it has {', '.join(self.photos)}")
        return self.photos[name]

    def pixels(self, name: str | None = None) -> Pixels:
        """The pixels of a photo, [height, width, 3] RGB. Raises InputError."""
        return self.runtime.pixels(self.photo(name))

    async def faces(self, name: str | None = None) -> list[Face]:
        """The faces of a photo, the largest first. Raises InputError."""
        name = name or self.chosen
        if name not in self._faces:
            self._faces[name] = await upright_faces(self.runtime, self.photo(name))
        return self._faces[name]

    async def once(self, key: tuple[object, ...], make: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """The value of `make()`, computed once for each key while the photos stay.

        For values that a lab needs at every move of a slider.
        """
        if key not in self._made:
            if len(self._made) >= MADE_AT_MOST:
                self._made.pop(next(iter(self._made)))
            self._made[key] = await make()
        result: Made = self._made[key]
        return result

    async def embedded(self, name: str | None = None) -> Embedded:
        """The largest face of a photo, embedded. Raises InputError, NoFaceError, PhotoError."""
        name = name or self.chosen
        if name not in self._embedded:
            faces = await self.faces(name)
            if not faces:
                raise NoFaceError("no face was found in your photo: choose one where a face is clearly seen")
            (embedded,) = await embed_faces(self.runtime, self.photo(name), faces[:1])
            refuse_made_up(embedded, self.runtime.manifest.embedder)
            self._embedded[name] = embedded
        return self._embedded[name]


_workspace: Workspace | None = None


def set_workspace(workspace: Workspace) -> None:
    """Makes a workspace the one that `current_workspace` returns."""
    global _workspace
    _workspace = workspace


def current_workspace() -> Workspace:
    """The page's workspace. Under CPython, a workspace with the samples of this checkout."""
    if _workspace is None:
        set_workspace(_native_workspace())
        return current_workspace()
    return _workspace


def _native_workspace() -> Workspace:
    from .native import default_runtime  # imported here because the page has no onnxruntime
    from .photos import read_photo

    runtime = default_runtime()
    folder = Path(__file__).resolve().parents[2] / "docs" / "app" / "samples"
    return Workspace(runtime, {name: read_photo(folder / name, runtime.manifest.max_side) for name in SAMPLES})
