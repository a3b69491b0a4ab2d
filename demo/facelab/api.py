"""The shortest way in: plain functions on files, for scripts, notebooks and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .detect import Face
from .embed import Embedded, embed_faces
from .enrol import look_at
from .errors import NoFaceError, PhotoError
from .quality import measure_quality, refuse_made_up
from .runtime import Photo, finish
from .upright import upright_faces, upright_largest
from .verify import Comparison, compare

if TYPE_CHECKING:
    from .native import NativeRuntime

PhotoFile = str | Path


@dataclass(frozen=True)
class Verification(Comparison):
    """A comparison and the two faces it compared, in pixels of their files."""

    faces: tuple[Face, Face]

    def as_json(self) -> dict[str, object]:
        """{"verdict", "distance", "threshold", "faces": [a, b]}."""
        return {**super().as_json(), "faces": [face.as_json() for face in self.faces]}


def detect(photo: PhotoFile, min_face: float | None = None) -> list[Face]:
    """All faces of a photo, the largest first, in pixels of the upright file. Raises PhotoError.

    min_face: side of the smallest face looked for, pixels of the file; None: the manifest's.
    """
    runtime, opened = _runtime(), _open(photo)
    faces = finish(upright_faces(runtime, opened, min_face and min_face / opened.shrunk))
    return [face.scaled(opened.shrunk) for face in faces]


def embed(photo: PhotoFile, min_face: float | None = None) -> list[Embedded]:
    """The chip and the embedding of every face of a photo, the largest face first. Raises PhotoError."""
    runtime, opened = _runtime(), _open(photo)
    try:
        seen = finish(look_at(runtime, opened, min_face and min_face / opened.shrunk))
    except PhotoError as error:
        raise PhotoError(f"{photo}: {error}") from None
    return [_in_file(embedded, opened) for embedded in seen.faces]


def verify(a: PhotoFile, b: PhotoFile) -> Verification:
    """Whether the largest faces of two photos show the same person. Raises PhotoError, NoFaceError."""
    first, second = largest_face(a), largest_face(b)
    runtime = _runtime()
    embedder = runtime.manifest.embedder
    poor = any(measure_quality(one, embedder).complaints for one in (first, second))
    comparison = compare(first.embedding, second.embedding, embedder, runtime.cohort, poor)
    return Verification(**vars(comparison), faces=(first.face, second.face))


def largest_face(photo: PhotoFile) -> Embedded:
    """The largest face of a photo, embedded. Raises PhotoError, NoFaceError."""
    runtime, opened = _runtime(), _open(photo)
    faces, _ = finish(upright_largest(runtime, opened))
    if not faces:
        least = runtime.manifest.detector.min_face
        raise NoFaceError(
            f"no face was found in {photo}: use a photo where a face is clearly seen, {least:.0f} pixels wide or more"
        )
    (embedded,) = finish(embed_faces(runtime, opened, faces[:1]))
    try:
        refuse_made_up(embedded, runtime.manifest.embedder)
    except PhotoError as error:
        raise PhotoError(f"{photo}: {error}") from None
    return _in_file(embedded, opened)


def _open(photo: PhotoFile) -> Photo:
    from .photos import read_photo

    return read_photo(photo, _runtime().manifest.max_side)


def _in_file(embedded: Embedded, photo: Photo) -> Embedded:
    return Embedded(embedded.face.scaled(photo.shrunk), embedded.chip, embedded.embedding)


def _runtime() -> NativeRuntime:
    from .native import default_runtime  # imported here because the page has no onnxruntime

    return default_runtime()
