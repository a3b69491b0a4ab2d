"""Photos on their side or upside down: how often they are read right, and how much longer upright photos take.

Every photo is turned by quarters. It is read right if its face is found in the right place and the detector chose the right turn.
Pictures without a face are corners of photos that no face of the upright photo reaches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from facelab.detect import Face, detect_faces, find_largest, overlaps
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.runtime import Photo, finish
from facelab.upright import TURNED_IN_WORDS, looks_upright, upright_faces, upright_largest

from .photos import Pixels, photos_of
from .report import Report, Table, percent

LYING = (0, *TURNED_IN_WORDS)
EVERY = {"lfw100": 1, "orl39": 10, "actors6": 6, "utk9k": 80}  # one photo in so many is used
PADDED = ("utk9k",)  # its crops have no room around the face
MARGIN = 60  # pixels of grey around those
TILE = 0.45  # of a photo's side


@dataclass(frozen=True)
class Read:
    """plainly, turning: whether the photo was read right without and with the other turns, for each turn of the photo.

    again: whether the upright photo was looked at again. seconds: for the upright photo, without and with. false: faces found in
    each corner that shows none, without and with.
    """

    plainly: tuple[bool, ...]
    turning: tuple[bool, ...]
    again: bool
    seconds: tuple[float, float]
    false: tuple[tuple[int, int], ...]


def measure(data: Path) -> Report:
    """The report on turned photos."""
    report = Report("python -m tests.experiments turns")
    rows, corners, again, upright = [], [], [], []
    for name, every in EVERY.items():
        photos = photos_of(data / name)[::every]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            one = partial(_read, margin=MARGIN if name in PADDED else 0)
            read = [r for r in tqdm(pool.map(one, photos, chunksize=8), total=len(photos), desc=name, disable=None) if r]
        plainly, turning = (np.mean([getattr(r, which) for r in read], axis=0) for which in ("plainly", "turning"))
        rows.append([f"{name} ({len(read)})", *(f"{100 * a:.1f} → {percent(b, 1)}" for a, b in zip(plainly, turning, strict=True))])
        report.values[f"{name} on its side as it lies"] = percent(plainly[1], 1)
        report.values[f"{name} on its side turned"] = percent(turning[1], 1)
        corners += [corner for r in read for corner in r.false]
        again += [r.again for r in read]
        upright += [r.seconds for r in read if not r.again]
    report.tables["read right"] = Table(["Set (photos)", "upright", *(f"by {degrees}°" for degrees in TURNED_IN_WORDS)], rows)
    without, with_turns = np.array(corners).sum(axis=0)
    report.values["upright looked at again"] = percent(float(np.mean(again)), 1)
    report.values["pictures without a face"] = f"{len(corners):,}"
    report.values["faces found there as they lie"] = str(without)
    report.values["faces found there with turns"] = str(with_turns)
    plain, turning_too = np.median(upright, axis=0)
    report.values["milliseconds as it lies"], report.values["milliseconds upright"] = (
        f"{1000 * plain:.1f}",
        f"{1000 * turning_too:.1f}",
    )
    return report


def _read(path: Path, margin: int) -> Read | None:
    """None where the upright photo shows no face."""
    runtime = default_runtime()
    pixels = read_photo(path, runtime.manifest.max_side).pixels
    pixels = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), constant_values=128)
    upright = runtime.photo(pixels)
    known = finish(detect_faces(runtime, upright))
    if not known:
        return None
    plainly, turning = [], []
    for degrees in LYING:
        photo = runtime.photo(np.rot90(pixels, degrees // 90))
        plainly.append(_is_right(finish(find_largest(runtime, photo))[0], degrees, known[0], photo, turned=0))
        turning.append(_is_right(finish(upright_largest(runtime, photo))[0], degrees, known[0], photo, turned=degrees))
    started = perf_counter()
    finish(find_largest(runtime, upright))
    between = perf_counter()
    finish(upright_largest(runtime, upright))
    seconds = between - started, perf_counter() - between
    again = not looks_upright(finish(find_largest(runtime, upright))[0])
    return Read(tuple(plainly), tuple(turning), again, seconds, tuple(_corners(pixels, known)))


def _corners(pixels: Pixels, known: list[Face]) -> Iterator[tuple[int, int]]:
    """Number of faces found in each corner that no known face reaches, without and with the other turns."""
    runtime = default_runtime()
    height, width = pixels.shape[:2]
    down, across = round(height * TILE), round(width * TILE)
    for top in (0, height - down):
        for left in (0, width - across):
            tile = np.array([[left, top, left + across, top + down]], float)
            if not overlaps(tile, np.array([face.box for face in known])).any():
                photo = runtime.photo(pixels[top : top + down, left : left + across])
                yield len(finish(detect_faces(runtime, photo))), len(finish(upright_faces(runtime, photo)))


def _is_right(faces: list[Face], lies: int, known: Face, photo: Photo, turned: int) -> bool:
    """Whether the first face is the known one of the upright photo, read at the right turn."""
    if not faces or faces[0].turned != turned:
        return False
    x, y = faces[0].landmarks.T
    right, bottom = photo.width - 1, photo.height - 1
    back = {0: (x, y), 90: (bottom - y, x), 180: (right - x, bottom - y), 270: (y, right - x)}[lies]
    return bool(np.abs(np.stack(back, axis=1) - known.landmarks).max() < 0.3 * np.sqrt(known.area))
