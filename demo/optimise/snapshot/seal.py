"""Compressed files with a mark at their end, by which the page tells versions apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import deflate


def seal(content: bytes, file: Path) -> str:
    """Writes the content, compressed as far as gzip goes, with a mark behind it. Returns the mark, in hexadecimal."""
    mark = hashlib.sha256(content).digest()[:16]
    file.write_bytes(deflate.gzip_compress(content + mark, 12))
    return mark.hex()
