"""Many photo files at once, natively: their faces, found in parallel, and remembered by what is in the file.

What was found lies in a small database (SQLite) in the user's cache folder, by the hash of the file's content and of the models, so
that a long run can be broken off and taken up again. It holds embeddings, which are personal data: `facelab forget` deletes it.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import easy, enrol
from .detect import Face
from .errors import InputError, PhotoError
from .native import default_runtime
from .quality import measure_quality

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
AHEAD = 64  # photos handed to the workers before their answers are taken: more would only fill memory


@dataclass(frozen=True)
class Found:
    """A face in a file: where, its embedding [D] float32, and what is wrong with it, in words."""

    face: Face
    embedding: NDArray[np.float32]
    complaints: tuple[str, ...]


def photos_in(folder: Path) -> list[Path]:
    """All photo files in a folder and the folders in it, sorted. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name a folder of photos")
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not photos:
        raise InputError(f"{folder} holds no photos: JPEG, PNG or WebP files are looked for, in the folders within it too")
    return photos


def find_faces(
    photos: Iterable[Path], min_face: float | None = None, remember: bool = True
) -> Iterator[tuple[Path, list[Found] | str]]:
    """For each photo, in order, its faces (the largest first), or a sentence that says why it cannot be read."""
    with (
        closing(_Memory(min_face) if remember else _Memory(min_face, ":memory:")) as memory,
        ProcessPoolExecutor(os.cpu_count()) as pool,
    ):
        waiting: list[tuple[Path, str | None, list[Found] | Future[list[Found] | str] | str]] = []
        for photo in photos:
            waiting.append((photo, *_ask(photo, min_face, memory, pool)))
            if len(waiting) >= AHEAD:
                yield _take(waiting.pop(0), memory)
        while waiting:
            yield _take(waiting.pop(0), memory)


def _ask(
    photo: Path, min_face: float | None, memory: _Memory, pool: ProcessPoolExecutor
) -> tuple[str | None, list[Found] | Future[list[Found] | str] | str]:
    try:
        content = hashlib.sha256(photo.read_bytes()).hexdigest()
    except OSError as error:
        return None, f"{photo} cannot be read ({error.strerror})"
    known = memory.recall(content)
    return content, known if known is not None else pool.submit(_look, photo, min_face)


def _take(
    asked: tuple[Path, str | None, list[Found] | Future[list[Found] | str] | str], memory: _Memory
) -> tuple[Path, list[Found] | str]:
    photo, content, answer = asked
    if isinstance(answer, Future):
        try:
            answer = answer.result()
        except BrokenProcessPool:
            raise InputError(f"{photo} or one near it took more memory than there is: leave it out, then run again") from None
        if content and not isinstance(answer, str):
            memory.keep(content, answer)
    return photo, answer


def _look(photo: Path, min_face: float | None) -> list[Found] | str:
    """In a worker."""
    try:
        embedder = default_runtime().manifest.embedder
        return [Found(e.face, e.embedding, measure_quality(e, embedder).complaints) for e in easy.embed(photo, min_face)]
    except PhotoError as error:
        return str(error)


def unfit(found: list[Found] | str) -> str | None:
    """Why a photo is no good for enrolling whom it shows, for a person to read; None for a good one."""
    if isinstance(found, str):
        return found
    return enrol.unfit([one.face.area for one in found], found[0].complaints if found else ())


def memory_file() -> Path:
    """Where what was found is remembered: FACELAB_CACHE, or faces.sqlite in the user's cache folder."""
    if named := os.environ.get("FACELAB_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "facelab" / "faces.sqlite"


def forget() -> bool:
    """Delete all that is remembered; whether there was anything."""
    there = memory_file().exists()
    memory_file().unlink(missing_ok=True)
    return there


class _Memory:
    """Faces by the hash of the file, for one set of models and one smallest face."""

    def __init__(self, min_face: float | None, place: str | None = None) -> None:
        if place is None:
            file = memory_file()
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                place = str(file)
            except OSError:
                place = ":memory:"  # nothing is remembered where nothing can be written
        self._setting = f"{_models()} {min_face}"
        try:
            self._open(place)
        except sqlite3.DatabaseError:  # damaged, or not ours: begin anew
            Path(place).unlink(missing_ok=True)
            self._open(place)

    def _open(self, place: str) -> None:
        self._base = sqlite3.connect(place, timeout=30)
        self._base.execute(
            "create table if not exists faces (content text, setting text, found blob, primary key (content, setting))"
        )

    def recall(self, content: str) -> list[Found] | None:
        row = self._base.execute("select found from faces where content = ? and setting = ?", (content, self._setting)).fetchone()
        return _unpacked(row[0]) if row else None

    def keep(self, content: str, found: list[Found]) -> None:
        with self._base:
            self._base.execute("insert or replace into faces values (?, ?, ?)", (content, self._setting, _packed(found)))

    def close(self) -> None:
        self._base.close()


def _models() -> str:
    return hashlib.sha256("".join(graph.sha256 for graph in default_runtime().manifest.graphs.values()).encode()).hexdigest()


def _packed(found: list[Found]) -> bytes:
    file = io.BytesIO()
    np.savez(
        file,
        boxes=np.array([f.face.box for f in found]).reshape(-1, 4),
        scores=np.array([f.face.score for f in found]),
        landmarks=np.array([f.face.landmarks for f in found]).reshape(-1, 5, 2),
        embeddings=np.array([f.embedding for f in found], np.float32),
        complaints=np.array([",".join(f.complaints) for f in found], str),
    )
    return file.getvalue()


def _unpacked(packed: bytes) -> list[Found]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        return [
            Found(Face(box, float(score), landmarks), embedding, tuple(filter(None, str(complaints).split(","))))
            for box, score, landmarks, embedding, complaints in zip(
                held["boxes"], held["scores"], held["landmarks"], held["embeddings"], held["complaints"], strict=True
            )
        ]
