"""A small database (SQLite) of the faces found in photo files, so that no file has to be looked at twice.

Its key is the hash of a file's content together with the hash of the models. It holds embeddings, which are personal data:
`facelab forget` deletes it. Where the database cannot be used, facelab works without it. facelab changes no file that it has not
made.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .detect import Face
from .errors import InputError
from .files import open_plain, why
from .models import Manifest

APPLICATION = 0x464C4142  # "FLAB", in the header of a database that facelab has made
TABLE = "create table faces (content text, setting text, found blob, primary key (content, setting))"
PATIENCE = 5.0  # seconds that another process may hold the database
Answer = TypeVar("Answer")

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True)
class Found:
    """A face in a file: its place, its embedding [D] float32, and complaints about its quality, in words (see quality)."""

    face: Face
    embedding: NDArray[np.float32]
    complaints: tuple[str, ...]


def memory_file() -> Path:
    """The path of the database: FACELAB_CACHE, or faces.sqlite in the user's cache folder."""
    if named := os.environ.get("FACELAB_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "facelab" / "faces.sqlite"


def forget() -> bool:
    """Delete the database. False where there was none. Raises InputError for a file that facelab has not made."""
    file = Path(os.path.realpath(memory_file()))
    if not file.exists():
        return False
    if not _is_ours(file):
        raise InputError(f"{file} was not made by facelab, so it stays as it is: check FACELAB_CACHE")
    try:
        _delete(file)
    except OSError as error:
        raise InputError(f"{file} cannot be deleted: {why(error)}") from None
    return True


class Memory:
    """Faces by the hash of their file, for one set of models and one smallest face.

    file: the database; None: remember nothing. min_face: pixels, as for detect_faces. say: is called with a sentence for the user
    where the database cannot be used, or was damaged and is made anew.
    """

    def __init__(self, file: Path | None, manifest: Manifest, min_face: float | None, say: Callable[[str], None]) -> None:
        hashes = "".join(graph.sha256 for graph in manifest.graphs.values())
        self._setting = f"{hashlib.sha256(hashes.encode()).hexdigest()} {min_face}"
        self._dimensions = manifest.embedder.dimensions
        self._say = say
        self._base: sqlite3.Connection | None = None
        self._is_new = False
        if file:
            self._file = Path(os.path.realpath(file))
            self._open()

    def recall(self, content: str) -> list[Found] | None:
        """The faces of a file with this hash; None where the file has not been looked at."""
        question = "select found from faces where content = ? and setting = ?"
        row = self._attempt(lambda base: base.execute(question, (content, self._setting)).fetchone())
        return _unpacked(row[0], self._dimensions) if row else None

    def keep(self, content: str, found: list[Found]) -> None:
        """Remember the faces of a file with this hash."""

        def insert(base: sqlite3.Connection) -> None:
            with base:
                base.execute("insert or replace into faces values (?, ?, ?)", (content, self._setting, _packed(found)))

        self._attempt(insert)

    def close(self) -> None:
        """Close the database."""
        if self._base:
            self._base.close()
        self._base = None

    def _open(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                _create(self._file)
            if not _is_ours(self._file):
                self._say(f"{self._file} was not made by facelab, so nothing is remembered: check FACELAB_CACHE")
                return
            self._opened = self._file.stat()
            self._base = _connect(self._file, "mode=rw")
        except (OSError, ValueError, sqlite3.Error) as error:
            self._give_up(error)
            return
        self._attempt(_mark)

    def _attempt(self, action: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
        """The action's answer; None where the database fails. A damaged database is made anew, any other failure ends its use."""
        if not self._base:
            return None
        try:
            return action(self._base)
        except sqlite3.Error as error:
            self.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED and not self._is_new:
                self._make_anew()
            else:
                self._give_up(error)
            return None

    def _make_anew(self) -> None:
        self._is_new = True  # a second damage is the disk's fault, and making the file anew would not help
        try:
            if os.path.samestat(self._file.stat(), self._opened):  # otherwise another process has made it anew already
                _delete(self._file)
                self._say(f"{self._file} was damaged: what it remembered is looked for again")
        except OSError as error:
            self._give_up(error)
            return
        self._open()

    def _give_up(self, error: Exception) -> None:
        self._say(f"{self._file} cannot be used ({why(error)}), so nothing more is remembered")


def _connect(file: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?{how}", timeout=PATIENCE, uri=True)


def _create(file: Path) -> None:
    """Make a new database. It is moved into place when it is complete, and never replaces another file."""
    with TemporaryDirectory(dir=file.parent, prefix=".facelab-") as folder:
        made = Path(folder, file.name)
        with closing(sqlite3.connect(made)) as base, base:
            base.execute(TABLE)
            _mark(base)
        try:
            os.link(made, file)
        except FileExistsError:  # another process made it in the meantime
            pass
        except OSError:  # a file system without hard links
            made.rename(file)


def _mark(base: sqlite3.Connection) -> None:
    if base.execute("pragma application_id").fetchone() != (APPLICATION,):
        base.execute(f"pragma application_id = {APPLICATION}")


def _is_ours(file: Path) -> bool:
    """Whether facelab has made a file: its header has facelab's mark, or has no mark and the file has facelab's table."""
    try:
        with open_plain(file) as opened:
            header = opened.read(100)
        if not header.startswith(b"SQLite format 3\0"):
            return False
        mark = int.from_bytes(header[68:72], "big")
        return mark == APPLICATION or (mark == 0 and _schema(file) == [TABLE.casefold()])
    except (InputError, OSError, sqlite3.Error):
        return False


def _schema(file: Path) -> list[str]:
    """The statements that made a database's tables, read without locks or changes: the file may belong to another program."""
    with closing(_connect(file, "immutable=1")) as base:
        return [sql.casefold() for (sql,) in base.execute("select sql from sqlite_master where sql is not null")]


def _delete(file: Path) -> None:
    for suffix in ("-journal", "-wal", "-shm", ""):  # a journal holds faces too, and SQLite would apply it to the next database
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def _packed(found: list[Found]) -> bytes:
    file = io.BytesIO()
    np.savez(
        file,
        boxes=np.array([f.face.box for f in found]).reshape(-1, 4),
        scores=np.array([f.face.score for f in found]),
        landmarks=np.array([f.face.landmarks for f in found]).reshape(-1, 5, 2),
        turned=np.array([f.face.turned for f in found], int),
        embeddings=np.array([f.embedding for f in found], np.float32),
        complaints=np.array([",".join(f.complaints) for f in found], str),
    )
    return file.getvalue()


def _unpacked(packed: Any, dimensions: int) -> list[Found] | None:
    """The faces that _packed wrote; None for a damaged row or embeddings of another length: that photo is looked at again."""
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as held:
            rows = {name: held[name] for name in ("boxes", "scores", "landmarks", "turned", "embeddings", "complaints")}
        count = len(rows["scores"])
        shapes = {
            "boxes": (count, 4),
            "landmarks": (count, 5, 2),
            "turned": (count,),
            "embeddings": (count, dimensions) if count else (0,),
        }
        if any(rows[name].shape != shape for name, shape in shapes.items()):
            return None
        if not all(np.isfinite(rows[name]).all() for name in ("scores", *shapes)):
            return None
        return [
            Found(Face(box, float(score), landmarks, int(turned)), embedding, tuple(filter(None, str(complaints).split(","))))
            for box, score, landmarks, turned, embedding, complaints in zip(*rows.values(), strict=True)
        ]
    except Exception:  # on a damaged file NumPy can raise almost any exception
        return None
