"""Face recognition: each face becomes a chip, and each chip becomes an embedding of 128 numbers.

The network is MobileFaceNet (export/mobilefacenet.py), or another one that the manifest chooses, such as dlib's ResNet
(export/dlib_resnet.py). Embeddings whose distances compare people come from FaceNet: Schroff, Kalenichenko and Philbin, CVPR 2015
(arXiv:1503.03832).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .align import chip_to_chip, chip_to_photo
from .detect import Face
from .errors import ModelError
from .models import Embedder
from .runtime import Photo, Runtime


@dataclass(frozen=True)
class Embedded:
    """A face with its aligned chip and its embedding.

    chip: uint8 [chip_size, chip_size, 3] RGB, the input of the embedder. embedding: float32 [D]; MobileFaceNet's has length 1.
    """

    face: Face
    chip: NDArray[np.uint8]
    embedding: NDArray[np.float32]


async def embed_faces(runtime: Runtime, photo: Photo, faces: Sequence[Face]) -> list[Embedded]:
    """The chip and the embedding of each face of a photo, in the same order.

    Raises ModelError where the network returns numbers that cannot be embeddings.
    """
    if not faces:
        return []
    transforms = np.stack([chip_to_photo(face.landmarks, runtime.manifest.embedder) for face in faces])
    answer = await runtime.run("embedder", photo, {"transforms": transforms.astype(np.float32)})
    chips = answer["chips"].astype(np.uint8, copy=False)
    if fault := fault_of(answer["embeddings"], runtime.manifest.embedder.dimensions):
        raise ModelError(f"The network {runtime.manifest.embedder.name} does not work here: a face has {fault}.")
    return [Embedded(face, chip, vector) for face, chip, vector in zip(faces, chips, answer["embeddings"], strict=True)]


async def embed_kept_chip(runtime: Runtime, chip: Photo, kept: Embedder) -> NDArray[np.float32]:
    """The embedding [D] of a face from a stored chip, which was cut for the embedder `kept`."""
    transform = chip_to_chip(runtime.manifest.embedder, kept).astype(np.float32)
    answer = await runtime.run("embedder", chip, {"transforms": transform[None]})
    embedding: NDArray[np.float32] = answer["embeddings"][0]
    return embedding


def fault_of(embeddings: NDArray[np.floating], dimensions: int) -> str | None:
    """What is wrong with embeddings [D] or [N, D], in words that can follow "has"; None where they can be compared.

    All code that compares, stores or reads embeddings checks them here. dimensions: the D of their embedder.
    """
    if embeddings.shape[-1] != dimensions:
        return f"an embedding of {embeddings.shape[-1]} numbers instead of {dimensions}"
    numbers = np.asarray(embeddings, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.einsum("...i,...i", numbers, numbers)
    if not ((lengths > 0) & (lengths < np.inf)).all():
        return "an embedding with infinite or invalid numbers, or with zeros alone"
    return None
