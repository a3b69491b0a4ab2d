"""Claims of the chapter on face verification."""

from __future__ import annotations

from . import Claim, value

CLAIMS = [
    Claim(
        "It misses {{ value whom/fnmr lfw100 }} of lfw100",
        lambda: value("whom/fnmr orl39") < value("whom/fnmr lfw100") < value("whom/fnmr actors6"),
    ),
]
