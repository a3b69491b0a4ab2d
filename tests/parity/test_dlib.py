"""The second embedder, dlib's ResNet, beside dlib itself, on the same chips."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest

from export.sources import DLIB_WEIGHTS, read_source
from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish


def test_embedding_of_a_chip_is_dlibs(samples: Path, tmp_path: Path) -> None:
    runtime = NativeRuntime(models_folder(), embedder="dlib-resnet-v1")
    weights = tmp_path / "resnet.dat"
    weights.write_bytes(read_source(*DLIB_WEIGHTS))
    network = dlib.face_recognition_model_v1(str(weights))
    for path in sorted(samples.glob("*.jpg")):
        photo = read_photo(path, 2048)
        (embedded, *_) = finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))))
        expected = np.array(network.compute_face_descriptor(embedded.chip))
        assert embedded.chip.shape == (150, 150, 3)
        assert embedded.embedding == pytest.approx(expected, abs=1e-4)
