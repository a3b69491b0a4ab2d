"""Claims of the page on speed."""

from __future__ import annotations

from . import Claim, cell

OURS, TINY, SSD = "This demo", "face-api, tiny detector", "face-api, SSD"


def ratio(row: str, peer: str = TINY) -> float:
    """Ours divided by the peer's."""
    return cell("speed/page", row, OURS) / cell("speed/page", row, peer)


CLAIMS = [
    Claim(
        "On a first visit, face-api with the tiny detector is a little faster than this demo.",
        lambda: 1.02 < ratio("first visit, ms") < 1.2,
    ),
    Claim(
        "The next visit takes this demo about half of that page’s time, and one more photo a little more than half.",
        lambda: 0.45 < ratio("next visit, ms") < 0.55 and 0.5 < ratio("one more photo, ms") < 0.6,
    ),
    Claim(
        "In the group photo, SSD finds about half of the faces.",
        lambda: (
            0.45 < cell("speed/page", "faces found in it", SSD) / 40 < 0.55 and cell("speed/page", "faces found in it", OURS) == 40
        ),
    ),
    Claim(
        "It fetches almost half as many bytes again as face-api with the tiny detector.",
        lambda: 1.4 < ratio("fetched before the first answer, MB gzipped") < 1.5,
    ),
    Claim(
        "On a slow network the first visit therefore takes about a tenth longer here.",
        lambda: 1.05 < ratio("first visit over 20 Mbit/s, s") < 1.15,
    ),
]
