"""Files: only plain files are opened, and a file is written completely or not at all."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
from pathlib import Path

from .errors import InputError


def open_plain(path: Path, error: type[Exception] = InputError) -> io.BufferedReader:
    """A plain file, open for reading.

    For anything else, such as a folder, a pipe or a name too long, raises `error` with a sentence.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise error(f"{path} is a folder: name a file in it")
        if not stat.S_ISREG(mode):  # opening a pipe would wait forever if nobody writes into it
            raise error(f"{path} is a pipe or a device: copy what it gives into a file, and name that")
        return path.open("rb")
    except FileNotFoundError:
        raise error(f"{path} does not exist: check the name") from None
    except PermissionError:
        raise error(f"{path} may not be read: check its permissions") from None
    except (OSError, ValueError) as problem:  # ValueError: the name contains a NUL
        raise error(f"{path} cannot be read: {why(problem)}") from None


def read_plain(path: Path, error: type[Exception] = InputError) -> bytes:
    """The content of a plain file. Raises `error` as `open_plain` does."""
    try:
        with open_plain(path, error) as file:
            return file.read()
    except (OSError, MemoryError) as problem:
        raise error(f"{path} cannot be read: {why(problem)}") from None


def check_writable(path: Path, error: type[Exception] = InputError) -> Path:
    """The file that `write_whole` would replace, with links followed. Raises `error` where writing would obviously fail."""
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise error(f"{path} cannot be written: it is a folder; name a file in it")
        if not target.parent.is_dir():
            raise error(f"{path} cannot be written: there is no folder {target.parent}")
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise error(f"{path} cannot be written: check the permissions")
        return target
    except (OSError, ValueError) as problem:
        raise error(f"{path} cannot be written: {why(problem)}") from None


def write_whole(path: Path, content: str | bytes, error: type[Exception] = InputError) -> None:
    """Writes a file so that it ends up with either all of the new content or all of the old.

    Raises `error` where it cannot be written.

    Permissions stay as they are, and a link stays a link.
    """
    target = check_writable(path, error)
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if target.exists() and not target.is_file():  # /dev/stdout or a pipe has no old content to keep
            target.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as problem:
        raise error(f"{path} cannot be written: {why(problem)}") from None


def _replace(target: Path, data: bytes) -> None:
    beside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def why(problem: BaseException) -> str:
    """The reason for an exception, on one line."""
    reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return " ".join(str(reason).split())
