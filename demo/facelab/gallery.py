"""The file of a gallery: people by name, each with the embeddings of their photos. One format for the page and the command line.

The file is JSON with a version, the name of the embedder, and a checksum over the people, so that a cut or changed file is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .embed import fault_of
from .errors import InputError
from .models import Manifest

KIND, FORMAT = "facelab gallery", 1
PICTURE = re.compile(r"data:image/(jpeg|png|webp);base64,[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Enrolled:
    """One photo of a person. file: its name. embedding: float32 [D]. chip: the face as a data URL, or None."""

    file: str
    embedding: NDArray[np.float32]
    chip: str | None = None


@dataclass(frozen=True)
class GalleryFile:
    """The contents of a gallery's file.

    embedder: the name of the embedder that made it. people: by normal_name. name: of the class or folder, "" for none.
    remarks: sentences for the user about whatever was changed while reading.
    """

    embedder: str
    people: Mapping[str, Sequence[Enrolled]]
    name: str = ""
    remarks: Sequence[str] = field(default=())


def normal_name(name: str) -> str:
    """The form in which a name is stored and compared: NFC, without outer spaces, with single spaces inside.

    "Zo\\u00eb" and "Zoe\\u0308" look the same and become one name. Case counts. Half of a surrogate pair becomes U+FFFD.
    """
    whole = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(unicodedata.normalize("NFC", whole).split())


def write_gallery(people: Mapping[str, Sequence[Enrolled]], embedder: str, name: str = "") -> str:
    """The text of a gallery's file. embedder: the name of the embedder that made the embeddings. name: of the class or folder.

    Raises InputError if an embedding cannot be compared with the others.
    """
    dimensions = next((len(photo.embedding) for photos in people.values() for photo in photos), 0)
    for person, photos in people.items():
        for photo in photos:
            if fault := fault_of(photo.embedding, dimensions):
                raise InputError(f"no gallery is written: {photo.file} of {person} has {fault}; enrol that photo again")
    entries = [{"name": normal_name(person), "photos": [_entry(photo) for photo in photos]} for person, photos in people.items()]
    told = {"kind": KIND, "format": FORMAT, "embedder": embedder, "sha256": _checksum(entries), "people": entries}
    if name:
        told["name"] = normal_name(name)
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_gallery(text: str, manifest: Manifest) -> GalleryFile:
    """The contents of a gallery's file. Entries of one name are one person; a chip that is no picture within the file is left out.

    Raises InputError, and nothing else, if the text is no gallery, is damaged, was made by an embedder that the manifest does not
    list, or holds numbers that are no embeddings of that embedder.
    """
    try:
        told: dict[str, Any] = json.loads(text, parse_constant=_refuse)
        if told["kind"] != KIND:
            raise KeyError("kind")
        if (version := int(told["format"])) != FORMAT:
            raise InputError(f"this gallery has format {version}, this facelab reads format {FORMAT}: enrol again")
        embedder = normal_name(told["embedder"])
        if embedder not in manifest.names:
            raise InputError(
                f"this gallery was made with the embedder {embedder}; here there is only {', '.join(manifest.names)}: enrol again"
            )
        if _checksum(told["people"]) != told["sha256"]:
            raise InputError("this gallery is damaged: its checksum does not fit what is in it; take a copy, or enrol again")
        dimensions = manifest.choosing(embedder).embedder.dimensions
        people: dict[str, list[Enrolled]] = {}
        remarks: list[str] = []
        for person in told["people"]:
            name = normal_name(person["name"])
            if not name:
                raise InputError("this gallery has a person without a name: give them one, or enrol again")
            if name in people:
                remarks.append(f"{name} is in the file more than once: all photos are of one person now")
            people.setdefault(name, []).extend(_photo(entry, name, embedder, dimensions, remarks) for entry in person["photos"])
        remarks += under_two_names(people)
        return GalleryFile(embedder, people, normal_name(told.get("name", "")), remarks)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InputError("this is no gallery: choose a file that facelab enrol or the roll call’s Export has written") from None


def under_two_names(people: Mapping[str, Sequence[Enrolled]]) -> list[str]:
    """A sentence about each photo that is enrolled for two people, recognised by its equal embedding."""
    first: dict[bytes, tuple[str, str]] = {}
    found = []
    for name, photos in people.items():
        for photo in photos:
            numbers = hashlib.sha256(photo.embedding.tobytes()).digest()  # a hash, because a gallery may be large
            file, whose = first.setdefault(numbers, (photo.file, name))
            if whose != name:
                found.append(f"{photo.file} of {name} is the same photo as {file} of {whose}: take it from one of them")
    return found


def _photo(entry: Mapping[str, Any], name: str, embedder: str, dimensions: int, remarks: list[str]) -> Enrolled:
    file, embedding, chip = normal_name(entry["file"]), _unpacked(entry["embedding"]), entry.get("chip")
    if fault := fault_of(embedding, dimensions):
        raise InputError(f"this gallery cannot be used with {embedder}: {file} of {name} has {fault}; enrol again")
    if chip and not (isinstance(chip, str) and PICTURE.fullmatch(chip)):
        remarks.append(f"the picture of {file} of {name} does not lie in the file itself, so it is left out")
        chip = None
    return Enrolled(file, embedding, chip or None)


def _entry(photo: Enrolled) -> dict[str, str]:
    entry = {"file": normal_name(photo.file), "embedding": _packed(photo.embedding)}
    return {**entry, "chip": photo.chip} if photo.chip else entry


def _checksum(entries: object) -> str:
    compact = json.dumps(entries, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(compact.encode()).hexdigest()


def _packed(embedding: NDArray[np.float32]) -> str:
    return base64.b64encode(np.asarray(embedding, "<f4").tobytes()).decode()


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON's")
