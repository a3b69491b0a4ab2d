"""Photo files, read upright as RGB. Pillow does the decoding; what it leaves open is decided here."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import PhotoError
from .runtime import Photo


def read_photo(path: str | Path, max_side: int) -> Photo:
    """The photo in a file of any format that Pillow knows, turned upright by its EXIF orientation.

    Of an animation the first frame. Transparent pixels lie on white; 16-bit pixels are scaled to 8. A photo with a
    side over `max_side` pixels is shrunk to it with an area filter.
    Raises PhotoError where the file cannot be read; the message says why and what to do.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a folder: name a photo in it")
        if path.stat().st_size == 0:
            raise PhotoError(f"{path} is empty: copy the photo again")
        # Pillow warns of large photos, and refuses those twice as large: the refusal is enough.
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning), Image.open(path) as image:
            return _upright(image, max_side)
    except FileNotFoundError:
        raise PhotoError(f"{path} does not exist: check the name") from None
    except PermissionError:
        raise PhotoError(f"{path} may not be read: check its permissions") from None
    except UnidentifiedImageError:
        raise PhotoError(f"{path} is not a photo in a known format: use JPEG, PNG or WebP") from None
    except Image.DecompressionBombError:
        raise PhotoError(f"{path} has more than 178 million pixels: shrink it") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises on damaged files
        raise PhotoError(f"{path} is damaged ({error}): copy or export the photo again") from None


def _upright(image: Image.Image, max_side: int) -> Photo:
    longest = max(image.size)
    if longest > max_side:
        # JPEG decodes at a half, a quarter or an eighth of its size for free; never below twice what is wanted.
        image.draft("RGB", (2 * max_side, 2 * max_side))
    rgb = _rgb(ImageOps.exif_transpose(image))
    if max(rgb.size) > max_side:
        share = max_side / max(rgb.size)
        size = (max(1, round(rgb.width * share)), max(1, round(rgb.height * share)))
        rgb = rgb.resize(size, Image.Resampling.BOX)
    pixels = np.ascontiguousarray(np.asarray(rgb))
    return Photo(pixels, rgb.height, rgb.width, shrunk=longest / max(rgb.size))


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
