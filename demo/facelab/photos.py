"""Photo files, read upright as RGB. Pillow does the decoding; what it leaves open is decided here."""

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

# What cameras, phones, scanners and the web write. Pillow knows 30 formats more; to read some, it starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")

# The most that a file may ask for: decoders need up to 16 bytes a pixel, but JPEG's shrinks the photo as it decodes.
MOST_BYTES = 500_000_000
MOST_PIXELS = 100_000_000
MOST_JPEG_PIXELS = 178_000_000

ORIENTATION = 0x0112  # the EXIF tag
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

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or it writes to standard error where nobody has set up logging


def read_photo(path: str | Path, max_side: int) -> Photo:
    """The photo in a file of one of FORMATS, turned upright by its EXIF orientation.

    Of an animation the first frame. Transparent pixels lie on white; 16-bit pixels are scaled to 8. A photo with a
    side over `max_side` pixels is shrunk to it with an area filter.
    Raises PhotoError where the file cannot be read; the message says why and what to do.
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
        except Exception as error:  # a damaged file makes a decoder raise nearly anything
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
    """While libtiff decodes: it writes its complaints there itself, and Pillow does not ask it to stop."""
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
        # JPEG decodes at a half, a quarter or an eighth of its size for free; never below twice what is wanted.
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
    """As EXIF or XMP tell it, 1 where neither can be read. The rest of EXIF may be damaged: it is not looked at."""
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _rgb_by_bands(image: Image.Image, shrink: int) -> Image.Image:
    """A photo as RGB, shrunk by a whole number. Of a large photo the conversions copy only a band at a time."""
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
    if image.mode in ("I", "F"):  # 32 bits a pixel: PNG with 16 bits of grey comes so
        return Image.fromarray(np.clip(np.asarray(image) / 256, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")
