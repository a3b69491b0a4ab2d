"""Claims of the chapter on face verification."""

from __future__ import annotations

from . import Claim, by_row, value

SETS = ("orl39", "lfw100", "actors6")
CHILDREN = ("aged 0 to 3", "aged 4 to 12", "aged 13 to 17")
WAYS = ("MobileFaceNet, plain", "MobileFaceNet, corrected", "dlib’s ResNet, plain", "dlib’s ResNet, corrected")
PLAIN, CORRECTED, DLIB_PLAIN, DLIB_CORRECTED = (by_row("whom/before and after", way) for way in WAYS)
ADULTS = [group for group in PLAIN if group not in CHILDREN]


CLAIMS = [
    Claim(
        "A few pairs more or less would change the last digit.",
        lambda: 0.01 < 100 / 4950 < 0.1,  # one pair of 4,950 is 0.02 %
    ),
    Claim(
        "On the 4,950 pairs of the lab, MobileFaceNet answers {{ value whom/best lfw100 MobileFaceNet }} correctly at "
        "its best threshold.",
        lambda: by_row("whom/accuracy", "How many")["lfw100, MobileFaceNet"] == 4950,
    ),
    Claim(
        "of 1,000 pairs of different adults, at most one comes this close, in the worst group that was measured",
        lambda: value("whom/worst") <= 0.1,
    ),
    Claim(
        "It misses {{ value whom/fnmr lfw100 }} in lfw100, press photos, and {{ value whom/fnmr actors6 }} in actors6",
        lambda: value("whom/fnmr orl39") < value("whom/fnmr lfw100") < value("whom/fnmr actors6"),
    ),
    Claim(
        "Among the groups of adults, its FMR at 0.6 goes from {{ value whom/dlib best }} to {{ value whom/dlib worst }}.",
        lambda: value("whom/dlib best") < value("whom/dlib worst"),
    ),
    Claim(
        "If all thirty belong to the second of these groups, more than a hundred of the pairs match.",
        lambda: 435 * value("whom/dlib worst") / 100 > 100,
    ),
    Claim(
        "**MobileFaceNet does much better.** At its threshold for *same*, its worst group of adults has an FMR of {{ "
        "value whom/worst }}.",
        lambda: 10 * value("whom/worst") <= value("whom/dlib best"),
    ),
    Claim("Both networks look alike on lfw100: at their best thresholds", lambda: _apart_on_lfw() < 0.2),
    Claim(
        "To protect its worst group, dlib’s network misses more than half of the pairs of one person in lfw100.",
        lambda: value("whom/dlib’s ResNet plain lfw100") > 50,
    ),
    Claim(
        "In every group, the corrected distance confuses fewer strangers than the plain one, with either network.",
        lambda: all(CORRECTED[group] < PLAIN[group] and DLIB_CORRECTED[group] < DLIB_PLAIN[group] for group in PLAIN),
    ),
    Claim(
        "(With dlib’s network, the two rates for Black men hardly differ.)",
        lambda: [group for group in PLAIN if DLIB_CORRECTED[group] > 0.9 * DLIB_PLAIN[group]] == ["Black men"],
    ),
    Claim(
        "For adults the better network still does more: in every group, its plain distance confuses fewer strangers "
        "than the corrected "
        "distance of dlib’s network.",
        lambda: all(PLAIN[group] < DLIB_CORRECTED[group] for group in ADULTS),
    ),
    Claim(
        "At all three ages, the corrected distance of dlib’s network confuses fewer strangers than the plain distance "
        "of MobileFaceNet.",
        lambda: all(DLIB_CORRECTED[group] < PLAIN[group] for group in CHILDREN),
    ),
    Claim(
        "Of the small, noisy crops of actors6, the threshold for *same* misses",
        lambda: value("whom/fnmr actors6") > 4 * value("whom/fnmr lfw100"),
    ),
    Claim(
        "A better network keeps a promise to its worst group and misses fewer pairs.",
        lambda: all(value(f"whom/MobileFaceNet plain {photos}") < value(f"whom/dlib’s ResNet plain {photos}") for photos in SETS),
    ),
    Claim(
        "With dlib’s network at 0.6, the FMR of adults goes from {{ value whom/dlib best }} to {{ value whom/dlib worst }}.",
        lambda: value("whom/dlib best") < value("whom/dlib worst"),
    ),
]


def _apart_on_lfw() -> float:
    """By how many percentage points the two networks differ in accuracy."""
    return abs(value("whom/best lfw100 MobileFaceNet") - value("whom/best lfw100 dlib’s ResNet"))
