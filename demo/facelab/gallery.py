"""The file of a gallery: people by name, each with the embeddings of their photos. One format for the page and the command line.

JSON, versioned, with a checksum over the people, so that a cut or changed file is refused; tied to the embedder that made it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .models import Manifest

KIND, FORMAT = "facelab gallery", 1


@dataclass(frozen=True)
class Enrolled:
    """One photo of a person. file: its name, for people to read. embedding: float32 [D]. chip: the face, a data URL, or None."""

    file: str
    embedding: NDArray[np.float32]
    chip: str | None = None


def write_gallery(people: Mapping[str, list[Enrolled]], embedder: str) -> str:
    """The text of a gallery's file. embedder: the name of whose embeddings these are."""
    entries = [{"name": name, "photos": [_entry(photo) for photo in photos]} for name, photos in people.items()]
    told = {"kind": KIND, "format": FORMAT, "embedder": embedder, "sha256": _checksum(entries), "people": entries}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def read_gallery(text: str, manifest: Manifest) -> tuple[str, dict[str, list[Enrolled]]]:
    """The name of the embedder that made a gallery's file, and its people.

    Raises InputError where it is none, is damaged, or was made by an embedder that the manifest does not list.
    """
    try:
        told: dict[str, Any] = json.loads(text)
        if told["kind"] != KIND:
            raise KeyError("kind")
        if told["format"] != FORMAT:
            raise InputError(f"this gallery has format {told['format']}, this facelab reads format {FORMAT}: enrol again")
        embedder = told["embedder"]
        if embedder not in manifest.names:
            raise InputError(
                f"this gallery was made with the embedder {embedder}; here there is only {', '.join(manifest.names)}: enrol again"
            )
        if _checksum(told["people"]) != told["sha256"]:
            raise InputError("this gallery is damaged: its checksum does not fit what is in it; take a copy, or enrol again")
        people = {
            person["name"]: [
                Enrolled(photo["file"], _unpacked(photo["embedding"]), photo.get("chip")) for photo in person["photos"]
            ]
            for person in told["people"]
        }
        return embedder, people
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError("this is no gallery: make one with `facelab enrol FOLDER -o GALLERY`") from None


def _entry(photo: Enrolled) -> dict[str, str]:
    entry = {"file": photo.file, "embedding": _packed(photo.embedding)}
    return {**entry, "chip": photo.chip} if photo.chip else entry


def _checksum(entries: object) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _packed(embedding: NDArray[np.float32]) -> str:
    return base64.b64encode(np.asarray(embedding, "<f4").tobytes()).decode()


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
