"""Lists a folder on disk for `layout`, and finds out who is on its photos."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError
from .files import why
from .layout import EMPTY, FILES, NAMED, Entry, Sifted, read_layout, sift
from .names import ending_of, is_system
from .output import readable


def list_folder(folder: Path) -> list[tuple[Entry, Path]]:
    """All files and folders in a folder, for `layout`, and where each lies. Paths begin with the folder’s own name.

    Links are followed. Entries that cannot be opened are listed with the reason. Raises InputError where there is no such folder.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 — pathlib raises for a name that is too long
        raise InputError(f"{folder} is no folder: name a folder of photos")
    name = readable(folder.resolve().name)
    listed: list[tuple[Entry, Path]] = []
    waiting = [(folder, name if name and not is_system(name) else "photos", frozenset[tuple[int, int]]())]
    while waiting:
        here, path, above = waiting.pop()
        if above and is_system(here.name):
            listed.append((Entry(path), here))
            continue
        entry = Entry(path)
        try:
            status = here.stat()
            own = (status.st_dev, status.st_ino)
            if stat.S_ISDIR(status.st_mode):
                entry = Entry(path, folder=True, trouble="a link back to a folder that it lies in" if own in above else None)
                inside = [] if entry.trouble else list(here.iterdir())
                waiting += [(one, f"{path}/{readable(one.name)}", above | {own}) for one in inside]
            elif not stat.S_ISREG(status.st_mode):
                entry = Entry(path, trouble="neither a file nor a folder")
        except OSError as error:
            lost = isinstance(error, FileNotFoundError) and here.is_symlink()
            trouble = "a link that leads nowhere" if lost else f"it cannot be opened ({why(error)})"
            entry = Entry(path, folder=not ending_of(path), trouble=trouble)
        listed.append((entry, here))
    return listed


def photos_in(folder: Path) -> tuple[list[Path], list[str]]:
    """All photo files in a folder and in the folders within it, in the order in which people count, and what is left out.

    A sentence describes each thing left out. Raises InputError where there are no photos.
    """
    listed = list_folder(folder)
    sifted = sift([entry for entry, _ in listed])
    return [listed[i][1] for i in sifted.photos], _told(sifted, listed, folder)


@dataclass(frozen=True)
class People:
    """Who is on the photos of a folder.

    whose: the name of the person on each photo. empty: people whose folders hold no photo. left_out, remarks: sentences.
    """

    whose: dict[Path, str]
    empty: list[str]
    left_out: list[str]
    remarks: list[str]


def people_in(folder: Path, people_at: int | None = None) -> People:
    """Who is on the photos of a folder (see layout.read_layout). Of identical files of one person, only the first is kept.

    Raises InputError where there are no photos, and with the layout's question where the folders leave it open.
    """
    listed = list_folder(folder)
    layout = read_layout([entry for entry, _ in listed], people_at)
    left_out = _told(layout, listed, folder)
    if layout.question:
        options = [
            f"--people-at {'files' if level == FILES else level} ({words})" for level, words in layout.question.answers.items()
        ]
        ways = " or ".join(options)
        raise InputError(
            f"{folder}: {layout.question.words} Answer with {ways}, or make a folder for each person, named after them"
        )
    if not layout.people:
        raise InputError(f"{folder}: no photo is anybody’s with --people-at {people_at}; {left_out[0]}")
    left_out += [f"{name}: {EMPTY}" for name in layout.empty]
    whose = {listed[i][1]: name for name, photos in layout.people.items() for i in photos}
    for photo, first in same_content(whose).items():
        if whose[photo] == whose[first]:
            left_out.append(f"{photo}: it is the same photo as {first}")
            del whose[photo]
    return People(whose, layout.empty, left_out, layout.notes)


def _told(sifted: Sifted, listed: Sequence[tuple[Entry, Path]], folder: Path) -> list[str]:
    """A sentence for each thing left out. Raises InputError where nothing remains."""
    left_out = [f"{listed[i][1]}: {reason}" for i, reason in sifted.left_out]
    if sifted.system:
        left_out.append(sifted.system)
    if not sifted.photos:
        others = f"; left out: {'; '.join(left_out[:NAMED])}" if left_out else ""
        raise InputError(f"{folder} holds no photos: JPEG, PNG or WebP files are looked for, in the folders within it too{others}")
    return left_out


def same_content(photos: Iterable[Path]) -> dict[Path, Path]:
    """Photos that are copies of an earlier one, byte by byte, each with the earlier one. Unreadable files count as no copies."""
    by_size: dict[int, list[Path]] = {}
    for photo in photos:
        with suppress(OSError):
            by_size.setdefault(photo.stat().st_size, []).append(photo)
    copies: dict[Path, Path] = {}
    for alike in by_size.values():
        firsts: dict[bytes, Path] = {}
        for photo in alike if len(alike) > 1 else []:
            with suppress(OSError), photo.open("rb") as file:
                first = firsts.setdefault(hashlib.file_digest(file, "sha256").digest(), photo)
                if first is not photo:
                    copies[photo] = first
    return copies
