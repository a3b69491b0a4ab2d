"""Photos as people really have them, made from the samples: every mode and orientation, and files that are none."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

# All of them show obama.jpg's face: each must give the same answer as the plain file.
READABLE = (
    "grey.png",
    "grey_alpha.png",
    "rgba.png",
    "palette.png",
    "palette.gif",
    "sixteen_bit_grey.png",
    "sixteen_bit.png",
    "cmyk.jpg",
    "animated.gif",
    "animated.webp",
    *(f"orientation_{n}.jpg" for n in range(1, 9)),
)

# A name and what the message must speak of.
UNREADABLE = {
    "text.jpg": "not a photo",
    "empty.jpg": "empty",
    "truncated.jpg": "damaged",
    "truncated.png": "damaged",
    "folder.jpg": "folder",
    "missing.jpg": "does not exist",
}

# How each EXIF orientation must be stored so that it is seen upright.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def write_odd_photos(samples: Path, folder: Path) -> None:
    """All files of READABLE and UNREADABLE (but missing.jpg), and others.

    no_face.png, dot.png (1 x 1), many.jpg, huge.jpg, cut.webp, sideways.jpg; filled.jpg, of which the decoder makes up half a face.
    """
    photo = Image.open(samples / "obama.jpg")
    photo.load()
    other = Image.open(samples / "biden.jpg").convert("RGB")
    opaque = Image.new("L", photo.size, 255)

    photo.convert("L").save(folder / "grey.png")
    Image.merge("LA", (photo.convert("L"), opaque)).save(folder / "grey_alpha.png")
    photo.convert("RGBA").save(folder / "rgba.png")
    photo.quantize(256).save(folder / "palette.png")
    photo.quantize(256).save(folder / "palette.gif")
    sixteen = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    Image.fromarray(sixteen).save(folder / "sixteen_bit_grey.png")
    _write_sixteen_bit_rgb(photo, folder / "sixteen_bit.png")
    photo.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    frames = [photo, other.resize(photo.size)]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:], duration=100)
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:], duration=100, quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = photo.transpose(STORED[orientation]) if orientation in STORED else photo
        stored.save(folder / f"orientation_{orientation}.jpg", quality=95, exif=exif)

    (folder / "text.jpg").write_text("this is no photo\n" * 100)
    (folder / "empty.jpg").touch()
    whole = (samples / "obama.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 3])
    whole = (folder / "rgba.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 3])
    (folder / "folder.jpg").mkdir()
    (folder / "filled.jpg").write_bytes(cut_in_the_face(samples / "obama.jpg"))
    whole = (folder / "animated.webp").read_bytes()
    (folder / "cut.webp").write_bytes(whole[: len(whole) * 2 // 3])
    photo.rotate(90, expand=True).save(folder / "sideways.jpg", quality=95)

    noise = np.random.default_rng(1).integers(90, 130, (300, 400, 3)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "no_face.png")
    Image.new("RGB", (1, 1), "red").save(folder / "dot.png")
    wide = Image.new("RGB", (photo.width + other.width // 2, photo.height), "grey")
    wide.paste(photo, (0, 0))
    wide.paste(other.resize((other.width // 2, other.height // 2)), (photo.width, 100))
    wide.save(folder / "many.jpg", quality=95)
    huge = Image.new("RGB", (12_000, 9_000), "grey")
    huge.paste(photo.resize((photo.width * 10, photo.height * 10)), (3000, 1500))
    huge.save(folder / "huge.jpg", quality=80)


def ended_early(jpeg: bytes, percent: int) -> bytes:
    """A JPEG whose end mark comes after so much of it: decoders fill in the rest, and none complains."""
    return jpeg[: len(jpeg) * percent // 100] + b"\xff\xd9"


def cut_in_the_face(photo: Path) -> bytes:
    """A sample as a JPEG that ends at about the nose."""
    file = io.BytesIO()
    Image.open(photo).convert("RGB").save(file, "JPEG", quality=90)
    return ended_early(file.getvalue(), 25)


def _write_sixteen_bit_rgb(photo: Image.Image, path: Path) -> None:
    """A PNG of 16 bits a channel, which Pillow reads but does not write."""

    pixels = np.asarray(photo.convert("RGB")).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", photo.width, photo.height, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b"")]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
