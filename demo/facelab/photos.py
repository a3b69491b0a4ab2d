"""Reads photo files upright, as RGB. Pillow decodes; the choices that Pillow leaves open are made here."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import PhotoError
from .files import open_plain, why
from .runtime import Photo

# What cameras, phones, scanners and websites write. Pillow knows 30 more formats, and starts another program for some of them.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")

# The largest photo: decoders need up to 16 bytes a pixel, except JPEG's, which can shrink a photo while decoding.
MOST_BYTES = 500_000_000
MOST_PIXELS = 100_000_000
MOST_JPEG_PIXELS = 178_000_000

ORIENTATION = 0x0112  # the number of EXIF's orientation tag
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BAND = 64  # rows of the shrunk photo that are converted at a time

logging.getLogger("PIL").addHandler(logging.NullHandler())  # without a handler, the warnings would go to standard error


def read_photo(path: str | Path, max_side: int) -> Photo:
    """The photo in a file of one of FORMATS, turned upright by its EXIF orientation.

    Of an animation, the first frame is read. Transparent pixels become white; 16-bit pixels are scaled to 8 bits. A photo with a
    side over `max_side` pixels is shrunk to it with an area filter. Raises PhotoError with the reason and the remedy where the file
    cannot be read.
    """
    path = Path(path)
    with open_plain(path, PhotoError) as file:
        _refuse_by_length(path, file)
        try:
            with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as image:
                _refuse_by_size(path, image)
                with _without_standard_error() if image.format == "TIFF" else nullcontext():
                    return _upright(image, max_side)
        except PhotoError:
            raise
        except UnidentifiedImageError:
            raise PhotoError(f"{path} is not a photo in a known format: use JPEG, PNG or WebP") from None
        except Image.DecompressionBombError:
            raise PhotoError(_too_large(path, MOST_PIXELS)) from None
        except MemoryError:
            raise PhotoError(f"{path} asks for more memory than there is: shrink it") from None
        except Exception as error:  # a damaged file can make a decoder raise nearly anything
            raise PhotoError(f"{path} is damaged ({why(error)}): copy or export the photo again") from None


def _refuse_by_length(path: Path, file: BinaryIO) -> None:
    length = os.fstat(file.fileno()).st_size
    if length == 0:
        raise PhotoError(f"{path} is empty: copy the photo again")
    if length > MOST_BYTES:
        raise PhotoError(f"{path} has {length / 1e6:,.0f} MB, more than a photo of {MOST_BYTES / 1e6:.0f} MB: export it as JPEG")


def _refuse_by_size(path: Path, image: Image.Image) -> None:
    most = MOST_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MOST_PIXELS
    if image.width * image.height > most:
        raise PhotoError(_too_large(path, most))


@contextmanager
def _without_standard_error() -> Iterator[None]:
    """Silences standard error while libtiff decodes: it writes its complaints there, and Pillow does not stop it."""
    if not sys.stderr:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _too_large(path: Path, most: int) -> str:
    return f"{path} has more than {most // 1_000_000} million pixels: shrink it"


def _upright(image: Image.Image, max_side: int) -> Photo:
    longest = max(image.size)
    if longest > max_side:
        # JPEG decodes at a half, a quarter or an eighth of its size for free. The result must stay at least twice as large as
        # wanted.
        image.draft("RGB", (2 * max_side, 2 * max_side))
    image.load()
    rgb = _rgb_by_bands(image, max(1, max(image.size) // (2 * max_side)))
    if (turn := TURNS.get(_orientation(image))) is not None:
        rgb = rgb.transpose(turn)
    if max(rgb.size) > max_side:
        share = max_side / max(rgb.size)
        size = (max(1, round(rgb.width * share)), max(1, round(rgb.height * share)))
        rgb = rgb.resize(size, Image.Resampling.BOX)
    pixels = np.ascontiguousarray(np.asarray(rgb))
    return Photo(pixels, rgb.height, rgb.width, shrunk=longest / max(rgb.size))


def _orientation(image: Image.Image) -> int:
    """The orientation by EXIF or XMP; 1 where neither can be read. Only this tag is looked at, as others may be damaged."""
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _rgb_by_bands(image: Image.Image, shrink: int) -> Image.Image:
    """A photo as RGB, shrunk by a whole number. A large photo is converted band by band, to save memory."""
    if shrink == 1:
        return _rgb(image)
    small = Image.new("RGB", (-(-image.width // shrink), -(-image.height // shrink)))
    for top in range(0, small.height, BAND):
        bottom = min((top + BAND) * shrink, image.height)
        small.paste(_rgb(image.crop((0, top * shrink, image.width, bottom))).reduce(shrink), (0, top))
    return small


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):  # 32 bits a pixel: Pillow opens a PNG with 16-bit grey like this
        return Image.fromarray(np.clip(np.asarray(image) / 256, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")
