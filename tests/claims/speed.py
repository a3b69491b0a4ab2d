"""Claims of the page on speed."""

from __future__ import annotations

from . import Claim, cell

OURS, TINY, SSD = "This demo", "face-api, tiny detector", "face-api, SSD"


def ratio(row: str, peer: str = TINY) -> float:
    """Ours divided by the peer's."""
    return cell("speed/page", row, OURS) / cell("speed/page", row, peer)


CLAIMS = [
    Claim(
        "With the tiny detector, face-api needs about as long as this demo for a first visit.",
        lambda: 0.85 < ratio("first visit, ms") < 1.15,
    ),
    Claim(
        "The next visit takes this demo less than half of that page’s time, and so does one more photo.",
        lambda: ratio("next visit, ms") < 0.5 and ratio("one more photo, ms") < 0.5,
    ),
    Claim(
        "In the group photo, SSD finds about half of the faces.",
        lambda: (
            0.45 < cell("speed/page", "faces found in it", SSD) / 40 < 0.55 and cell("speed/page", "faces found in it", OURS) == 40
        ),
    ),
    Claim(
        "It fetches nearly twice as many bytes as face-api with the tiny detector.",
        lambda: 1.8 < ratio("fetched before the first answer, MB gzipped") < 2.1,
    ),
]
