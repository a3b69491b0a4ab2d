"""What the unit tests share beside tests/conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facelab import api
from facelab.detect import Face
from facelab.embed import Embedded
from facelab.errors import NoFaceError
from facelab.native import EMBEDDER_VARIABLE, NORMALISE_VARIABLE

Embeddings = Mapping[str, NDArray[np.floating]]


@pytest.fixture(autouse=True)
def _own_choice_of_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """`facelab.cli.main` sets these variables for worker processes: no test may choose the network of the next one."""
    for variable in (EMBEDDER_VARIABLE, NORMALISE_VARIABLE):
        monkeypatch.setenv(variable, "")


@pytest.fixture
def made_up_faces(monkeypatch: pytest.MonkeyPatch) -> Callable[[Embeddings], None]:
    """Makes `facelab evaluate` and `facelab calibrate` find these embeddings in photos that need not exist, by the file's name.

    The arithmetic behind them can then be checked on distances that are known.
    """

    def install(embeddings: Embeddings) -> None:
        def largest_face(photo: api.PhotoFile) -> Embedded:
            if Path(photo).name not in embeddings:
                raise NoFaceError(f"no face was found in {photo}")
            face = Face(np.array([0.0, 0, 100, 100]), 1.0, np.zeros((5, 2)))
            return Embedded(face, np.zeros((112, 112, 3), np.uint8), np.asarray(embeddings[Path(photo).name], np.float32))

        monkeypatch.setattr(api, "largest_face", largest_face)

    return install
