"""Reads an embedder from a single file: an ONNX graph whose metadata says how faces are cut for it.

`python -m export --embedder` writes the embedder's entry of models.json into that metadata, so that the page needs no other file.
Reading it takes no ONNX library: a protobuf message is a list of numbered fields, each with its length.
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import InputError, ModelError
from .models import Embedder, parse_embedder

KEY = "facelab.embedder"
# numbers of the fields of ModelProto and StringStringEntryProto (onnx.proto3)
IR_VERSION, METADATA, MAP_KEY, MAP_VALUE = 1, 14, 1, 2


def read_embedder(data: bytes) -> Embedder:
    """The embedder's entry in an ONNX file's metadata. Raises InputError for other files, and for files without that entry."""
    try:
        model = list(_fields(data))
        metadata = {}
        for number, value in model:
            if number == METADATA and isinstance(value, bytes):
                entry = dict(_fields(value))
                metadata[entry[MAP_KEY]] = entry[MAP_VALUE]
        if IR_VERSION not in dict(model):
            raise ValueError
    except (ValueError, IndexError, KeyError, TypeError):
        raise InputError(
            "This is no ONNX file, or only a part of one: choose it again, or copy it again from where it came."
        ) from None
    text = metadata.get(KEY.encode())
    if not isinstance(text, bytes):
        raise InputError(
            "This network does not say how faces are cut for it: export it with `python -m export --embedder`, which adds that."
        )
    try:
        return parse_embedder(text.decode())
    except (ModelError, UnicodeDecodeError):
        raise InputError("What this file says of how faces are cut is damaged: export it again with `python -m export`.") from None


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a protobuf message: number and content. Raises ValueError or IndexError for anything else."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        length, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
        if not number or length < 0 or at + length > len(data):
            raise ValueError("no message")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer (seven bits a byte, the lowest first), and the place behind it."""
    value = 0
    for place in range(10):
        byte = data[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("no number")
