"""The sample photos: US government portraits out of the face_recognition source package, made small enough for a page."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from PIL import Image, ImageOps

PACKAGE = "face_recognition-1.3.0"
LONGEST_SIDE = 640

PHOTOS = {
    "obama.jpg": "Barack Obama, official portrait, arms crossed",
    "obama2.jpg": "Barack Obama smiling, head tilted",
    "obama3.jpg": "Barack Obama in front of flags",
    "biden.jpg": "Joe Biden, official portrait",
}
PAIRS = [
    ("obama.jpg", "obama2.jpg", "Two photos of Barack Obama"),
    ("obama.jpg", "biden.jpg", "Barack Obama and Joe Biden"),
    ("obama2.jpg", "obama3.jpg", "Two more of Barack Obama"),
]
CREDIT = "Portraits by the government of the United States, in the public domain; from the Python package face_recognition 1.3.0."


def write_samples(downloads: Path, folder: Path) -> None:
    """The photos, at most 640 pixels a side, and samples.json, which names them and the pairs to try."""
    folder.mkdir(parents=True)
    photos = []
    with tarfile.open(downloads / f"{PACKAGE}.tar.gz") as tar:
        for name, alt in PHOTOS.items():
            member = tar.extractfile(f"{PACKAGE}/tests/test_images/{name}")
            assert member is not None, f"{name} is a file of {PACKAGE}"
            photo = ImageOps.exif_transpose(Image.open(io.BytesIO(member.read()))).convert("RGB")
            photo.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BOX)
            photo.save(folder / name, quality=90)
            size = (folder / name).stat().st_size
            photos.append({"file": name, "alt": alt, "width": photo.width, "height": photo.height, "bytes": size})
    pairs = [{"a": a, "b": b, "label": label} for a, b, label in PAIRS]
    (folder / "samples.json").write_text(json.dumps({"credit": CREDIT, "photos": photos, "pairs": pairs}, indent=1) + "\n")
