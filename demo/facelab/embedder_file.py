"""An embedder in one file: an ONNX graph that says itself how faces are cut for it.

`python -m export --embedder` writes the embedder's entry of models.json into the graph's metadata, so that the page can take the
file alone. To read it no ONNX library is needed: a protobuf message is a list of numbered fields, each with its length.
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import InputError, ModelError
from .models import Embedder, parse_embedder

KEY = "facelab.embedder"
IR_VERSION, METADATA, MAP_KEY, MAP_VALUE = 1, 14, 1, 2  # fields of ModelProto, and of StringStringEntryProto (onnx.proto3)


def read_embedder(data: bytes) -> Embedder:
    """What an ONNX file says of itself. Raises InputError where it is no ONNX file, or does not say it."""
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
    """The fields of a message: number and content. Raises ValueError or IndexError where it is none."""
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
    """A number written in sevens of bits, the lowest first; where it ends."""
    value = 0
    for place in range(10):
        byte = data[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("no number")
