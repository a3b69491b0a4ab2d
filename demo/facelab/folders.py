"""Finds the faces of many photo files, in parallel and natively, and remembers them by the content of each file.

Because they are remembered (see memory), a long run can be interrupted and continued.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from . import api, enrol
from .errors import FacelabError, PhotoError
from .files import open_plain, why
from .memory import Found, Memory, memory_file
from .native import default_runtime
from .quality import measure_quality

AHEAD = 64  # photos that wait in the workers' queue; a longer queue would only fill memory


def find_faces(
    photos: Iterable[Path],
    min_face: float | None = None,
    remember: bool = True,
    say: Callable[[str], None] = warnings.warn,
) -> Iterator[tuple[Path, list[Found] | str]]:
    """For each photo, in order: its faces, the largest first, or a sentence that says why the photo cannot be read.

    say: called with a sentence if nothing can be remembered.
    """
    memory = Memory(memory_file() if remember else None, default_runtime().manifest, min_face, say)
    with closing(memory), closing(_Workers(min_face)) as workers:
        waiting: deque[_Asked] = deque()
        for photo in photos:
            waiting.append(_ask(photo, memory, workers))
            if len(waiting) >= AHEAD:
                yield _take(waiting, memory, workers)
        while waiting:
            yield _take(waiting, memory, workers)


@dataclass
class _Asked:
    """A photo, the hash of its content, and the result: its faces, a sentence, or the promise of a worker."""

    photo: Path
    content: str | None
    answer: list[Found] | str | Future[list[Found] | str]


def _ask(photo: Path, memory: Memory, workers: _Workers) -> _Asked:
    try:
        with open_plain(photo, PhotoError) as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except PhotoError as error:
        return _Asked(photo, None, str(error))
    except OSError as error:
        return _Asked(photo, None, f"{photo} cannot be read: {why(error)}")
    known = memory.recall(content)
    return _Asked(photo, content, known if known is not None else workers.look(photo))


def _take(waiting: deque[_Asked], memory: Memory, workers: _Workers) -> tuple[Path, list[Found] | str]:
    first = waiting.popleft()
    if isinstance(first.answer, Future):
        try:
            first.answer = first.answer.result()
        except BrokenProcessPool:
            first.answer = workers.look_again(first.photo, waiting)
        if first.content and not isinstance(first.answer, str):
            memory.keep(first.content, first.answer)
    return first.photo, first.answer


class _Workers:
    """Processes that look at photos. If one dies, by lack of memory or by force, only the photo it was looking at is lost."""

    def __init__(self, min_face: float | None) -> None:
        self._min_face = min_face
        self._pool = ProcessPoolExecutor(os.cpu_count(), initializer=_start)

    def look(self, photo: Path) -> Future[list[Found] | str]:
        try:
            return self._pool.submit(_look, photo, self._min_face)
        except BrokenProcessPool as error:  # a worker has just died; this photo is asked for again with the others
            broken: Future[list[Found] | str] = Future()
            broken.set_exception(error)
            return broken

    def look_again(self, photo: Path, waiting: Iterable[_Asked]) -> list[Found] | str:
        """The result for a photo whose worker died: a single new worker looks at it alone, and the pool is replaced."""
        self.close()
        with ProcessPoolExecutor(1, initializer=_start) as alone:
            try:
                answer = alone.submit(_look, photo, self._min_face).result()
            except BrokenProcessPool:
                answer = f"{photo} ends the process that reads it, perhaps for lack of memory"
        self._pool = ProcessPoolExecutor(os.cpu_count(), initializer=_start)
        for other in waiting:
            if isinstance(other.answer, Future) and (other.answer.cancelled() or other.answer.exception()):
                other.answer = self.look(other.photo)
        return answer

    def close(self) -> None:
        """Ends all workers at once. A worker that meets Ctrl+C while it starts would otherwise be waited for forever."""
        processes = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


def _start() -> None:
    """Runs first in each worker: ends the worker when its parent has ended, in any way, and leaves Ctrl+C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _look(photo: Path, min_face: float | None) -> list[Found] | str:
    """Runs in a worker: looks at one photo."""
    try:
        embedder = default_runtime().manifest.embedder
        return [Found(e.face, e.embedding, measure_quality(e, embedder).complaints) for e in api.embed(photo, min_face)]
    except PhotoError as error:
        return str(error)
    except FacelabError:
        raise
    except Exception as error:  # one odd photo must not end the run
        return f"{photo} cannot be looked at ({type(error).__name__}: {why(error)})"


def unfit(found: list[Found] | str) -> str | None:
    """Why a photo is no good for enrolling whom it shows, for a person to read; None for a good one."""
    if isinstance(found, str):
        return found
    return enrol.unfit([one.face.area for one in found], found[0].complaints if found else ())
