"""Claims of the introduction."""

from __future__ import annotations

from book.results import read_report

from . import Claim, by_row, value

FAIR = "whom/before and after"  # each network where it misses 2 % of the pairs of one person


def fmr(network: str) -> dict[str, float]:
    """False match rates of the eight groups in the figure, in percent."""
    return {group: rate for group, rate in by_row(FAIR, f"{network}, plain").items() if not group.startswith(("aged", "other"))}


OURS, DLIB = fmr("MobileFaceNet"), fmr("dlib’s ResNet")

CLAIMS = [
    Claim(
        "By this measure the two networks are nearly equal",
        lambda: 0 < value("whom/best lfw100 MobileFaceNet") - value("whom/best lfw100 dlib’s ResNet") < 0.25,
    ),
    Claim(
        "each at the threshold that is best for these pairs",
        lambda: "Right at the best threshold" in read_report("whom")["tables"]["accuracy"]["columns"],
    ),
    Claim(
        "Among Asian women, dlib’s ResNet takes about a third of the pairs of strangers for one person",
        lambda: max(DLIB, key=DLIB.__getitem__) == "Asian women" and 30 < DLIB["Asian women"] < 37,
    ),
    Claim(
        "MobileFaceNet stays below one in a hundred in every group of the figure", lambda: len(OURS) == 8 and max(OURS.values()) < 1
    ),
    Claim(
        "MobileFaceNet makes fewer false matches in every group, but a difference between the groups remains",
        lambda: all(OURS[group] < DLIB[group] for group in DLIB),
    ),
    Claim(
        "For both networks, the rate of the worst group is more than ten times that of the best",
        lambda: all(max(rates.values()) > 10 * min(rates.values()) for rates in (OURS, DLIB)),
    ),
    Claim(
        "The demo therefore uses a stricter threshold, at which {{ value whom/worst }} of the pairs of strangers",
        lambda: value("whom/worst") < max(OURS.values()),
    ),
    Claim(
        "Children remain a problem: between strangers aged 4 to 12 the rate is {{ value whom/fmr aged 4 to 12 }}",
        lambda: value("whom/fmr aged 4 to 12") > 10 * value("whom/worst"),
    ),
]
