"""Face recognition: each face becomes a chip, each chip 128 numbers; people are told apart by distance.

The network is dlib's ResNet (see export/dlib_resnet.py); the idea of an embedding trained by comparing faces is
FaceNet's: Schroff, Kalenichenko and Philbin, CVPR 2015 (arXiv:1503.03832).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .align import chip_to_photo
from .detect import Face
from .runtime import Photo, Runtime


@dataclass(frozen=True)
class Embedded:
    """A face as the embedder sees and answers it.

    chip: uint8 [150, 150, 3] RGB, aligned. embedding: float32 [128], not of unit length.
    """

    face: Face
    chip: NDArray[np.uint8]
    embedding: NDArray[np.float32]


async def embed_faces(runtime: Runtime, photo: Photo, faces: Sequence[Face]) -> list[Embedded]:
    """The chip and the embedding of each face of a photo, in the same order."""
    if not faces:
        return []
    transforms = np.stack([chip_to_photo(face.landmarks, runtime.manifest.embedder) for face in faces])
    answer = await runtime.run("embedder", photo, {"transforms": transforms.astype(np.float32)})
    chips = answer["chips"].astype(np.uint8, copy=False)
    return [Embedded(face, chip, vector) for face, chip, vector in zip(faces, chips, answer["embeddings"], strict=True)]
