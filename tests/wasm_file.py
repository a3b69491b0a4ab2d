"""A WebAssembly file taken apart as far as tests ask: its sections, and the bodies of its functions."""

from __future__ import annotations

CODE = 10  # the section that holds the bodies
DATA = 11


def sections(file: bytes) -> dict[int, bytes]:
    """Of a wasm file by their numbers, without custom ones."""
    found, at = {}, 8
    while at < len(file):
        kind = file[at]
        length, at = leb(file, at + 1)
        if kind:
            found[kind] = file[at : at + length]
        at += length
    return found


def bodies(section: bytes) -> list[bytes]:
    """Of the functions of a code section, each with its length ahead."""
    count, at = leb(section, 0)
    found = []
    for _ in range(count):
        length, start = leb(section, at)
        found.append(section[at : start + length])
        at = start + length
    return found


def data(file: bytes) -> dict[int, int]:
    """The bytes that a file writes into the memory as it starts, by address. Every segment lies at a constant."""
    section = sections(file).get(DATA, bytes(1))
    count, at = leb(section, 0)
    found: dict[int, int] = {}
    for _ in range(count):
        assert section[at : at + 2] == b"\0\x41"
        address, at = leb(section, at + 2)
        length, at = leb(section, at + 1)
        found.update(enumerate(section[at : at + length], address))
        at += length
    return found


def leb(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
