"""The sample photos: portraits by the US government from the face_recognition source package, shrunk for the page."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from PIL import Image, ImageOps

LIST = Path(__file__).parents[1] / "web" / "src" / "samples.json"
"""Which, and whose they are: a part of the page's scripts."""
PACKAGE = "face_recognition-1.3.0"
LONGEST_SIDE = 640
THUMBNAIL = 112
"""Pixels a side: twice what a sample's button shows, for dense screens."""


def write_samples(downloads: Path, folder: Path) -> None:
    """Writes the photos, at most 640 pixels a side, and thumbnails.webp, a row of their faces."""
    folder.mkdir(parents=True)
    names = json.loads(LIST.read_text())["photos"]
    thumbnails = Image.new("RGB", (THUMBNAIL * len(names), THUMBNAIL))
    with tarfile.open(downloads / f"{PACKAGE}.tar.gz") as tar:
        for i, name in enumerate(names):
            member = tar.extractfile(f"{PACKAGE}/tests/test_images/{name}")
            assert member is not None, f"{name} is a file of {PACKAGE}"
            photo = ImageOps.exif_transpose(Image.open(io.BytesIO(member.read()))).convert("RGB")
            photo.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BOX)
            photo.save(folder / name, quality=90)
            # A portrait has its face near the top.
            thumbnail = ImageOps.fit(photo, (THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS, centering=(0.5, 0.08))
            thumbnails.paste(thumbnail, (THUMBNAIL * i, 0))
    thumbnails.save(folder / "thumbnails.webp", quality=80, method=6)
