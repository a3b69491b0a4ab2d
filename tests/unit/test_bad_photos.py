"""Any file that a person may hand over gets the right answer or a sentence: no traceback, no hang, no wrong silent answer."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facelab
from facelab.cli import main
from facelab.photos import read_photo

from ..conftest import SHARED_DATA
from ..odd_photos import READABLE, UNREADABLE


@pytest.mark.parametrize("name", READABLE)
def test_readable_photo_gives_the_answer_of_the_plain_file(name: str, odd_photos: Path, samples: Path) -> None:
    plain, odd = facelab.largest_face(samples / "obama.jpg"), facelab.largest_face(odd_photos / name)
    assert np.abs(odd.face.box - plain.face.box).max() < 12, "the same face, upright, in the same place"
    assert facelab.verify(odd_photos / name, samples / "obama2.jpg").verdict == "same"
    assert facelab.verify(odd_photos / name, samples / "biden.jpg").verdict == "different"


@pytest.mark.parametrize(("name", "said"), UNREADABLE.items())
def test_unreadable_file_exits_2_with_one_line(
    name: str, said: str, odd_photos: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["detect"], ["embed"], ["verify", str(samples / "obama.jpg")]):
        assert main([*arguments, str(odd_photos / name)]) == 2
        output, error = capsys.readouterr()
        assert output == ""
        assert error.count("\n") == 1
        assert said in error


def test_file_that_may_not_be_read_is_said_to_be_so(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is the operating system's own error, raised by hand."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(facelab.PhotoError, match="may not be read"):
        facelab.detect(samples / "obama.jpg")


@pytest.mark.parametrize("name", ["no_face.png", "dot.png"])
def test_photo_without_a_face_is_said_to_have_none(
    name: str, odd_photos: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facelab.detect(odd_photos / name) == []
    assert main(["verify", str(odd_photos / name), str(samples / "obama.jpg")]) == 2
    assert "no face was found in" in capsys.readouterr().err


def test_of_many_faces_the_largest_is_taken(odd_photos: Path, samples: Path) -> None:
    faces = facelab.detect(odd_photos / "many.jpg")
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert facelab.verify(odd_photos / "many.jpg", samples / "obama.jpg").verdict == "same"


def test_huge_photo_is_answered_in_its_own_pixels(odd_photos: Path, samples: Path) -> None:
    verification = facelab.verify(odd_photos / "huge.jpg", samples / "obama.jpg")
    assert verification.verdict == "same"
    plain = facelab.largest_face(samples / "obama.jpg").face.box
    expected = plain * 10 + np.array([3000, 1500, 3000, 1500])
    assert np.abs(verification.faces[0].box - expected).max() < 0.1 * (expected[2] - expected[0])


@contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """No more than so many bytes beside those that the process has."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + more, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    packed = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _gif(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    head = struct.pack("<6sHHBBB", b"GIF89a", *screen, 0x80, 0, 0) + bytes(6)
    return head + struct.pack("<BHHHHB", 0x2C, 0, 0, *frame, 0) + b"\2\0;"


def _tiff(width: int, height: int, tile: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 8, 325: 100}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = zlib.compress(bytes(100_000))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


BOMBS = {
    "screen.png": _png(60_000, 60_000),
    "text.png": _png(8, 8, (b"zTXt", b"a\0\0" + zlib.compress(bytes(300_000_000), 1))),
    "frame.gif": _gif((10, 10), (65_535, 65_535)),
    "screen.gif": _gif((65_535, 65_535), (10, 10)),
    "tile.tif": _tiff(100, 100, 65_536),
    "screen.webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\2\0\0\0\xfe\x3f\0\xfe\x3f\0",
}


@pytest.mark.parametrize("name", BOMBS)
def test_small_file_that_asks_for_much_memory_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BOMBS[name])
    with memory_limit(200_000_000), pytest.raises(facelab.PhotoError):
        read_photo(tmp_path / name, 2048)


def test_large_photo_is_converted_in_bands(tmp_path: Path) -> None:
    """4 bytes a pixel as RGBA, four times over, would be 320 MB."""
    Image.new("P", (5000, 4000)).save(tmp_path / "palette.png", transparency=0)
    with memory_limit(120_000_000):
        photo = read_photo(tmp_path / "palette.png", 1000)
    assert (photo.width, photo.height, photo.shrunk) == (1000, 800, 5)
    assert (photo.pixels == 255).all(), "transparent pixels lie on white"


def _with_exif(exif: bytes) -> bytes:
    """A JPEG of 64 x 48 pixels with this EXIF."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(file, "JPEG", exif=b"Exif\0\0" + exif)
    return file.getvalue()


def _entries(*entries: tuple[int, int, int, bytes]) -> bytes:
    """EXIF of entries: tag, type, count, four bytes."""
    packed = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + packed + bytes(4)


TURNED = (0x0112, 3, 1, b"\0\6\0\0")


@pytest.mark.parametrize(
    ("exif", "side"),
    [
        (_entries(TURNED), 48),
        (_entries(TURNED, (0x011A, 10, 1, b"\xff\xff\xff\xff")), 48),  # a resolution that lies outside the file
        (_entries(TURNED, (0x011A, 4, 2, b"\0\0\0\1")), 48),
        (_entries(TURNED, (0x8769, 4, 1, b"\0\0\0\x08")), 48),  # a directory that contains itself
        (_entries(TURNED, (0x010F, 99, 7, b"abcd")), 48),
        (_entries(TURNED)[:-4], 48),
        (_entries((0x0112, 2, 4, b"six\0")), 64),
        (_entries((0x0112, 3, 1, b"\0\x63\0\0")), 64),
        (b"MM\0*\xff\xff\xff\xff", 64),
        (b"no EXIF", 64),
        (b"", 64),
    ],
)
def test_damaged_exif_stops_no_photo(exif: bytes, side: int, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "photo.jpg").write_bytes(_with_exif(exif))
    photo = read_photo(tmp_path / "photo.jpg", 2048)
    assert (photo.width, photo.height) == (side, 112 - side)
    assert not list(recwarn)


CASES = SHARED_DATA.parent / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the failing inputs are not beside this checkout (../shared/cases)")
def test_photos_that_once_ended_a_batch(capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("exif-resolution-minus-1-over-0.jpg", "exif-two-resolutions.jpg"):
        photo = read_photo(CASES / name, 2048)
        assert (photo.width, photo.height) == (48, 64)
    for name in ("misnamed-avif.jpg", "unknown-pixels.dds"):
        with pytest.raises(facelab.PhotoError):
            read_photo(CASES / name, 2048)
    assert capfd.readouterr() == ("", "")
