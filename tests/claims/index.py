"""Claims of the front page."""

from __future__ import annotations

from . import Claim, by_row, value


def spread(network: str) -> float:
    """How many times as often strangers of the worst group of adults are confused as those of the best group."""
    rates = [rate for group, rate in by_row("whom/before and after", f"{network}, plain").items() if not group.startswith("aged")]
    return max(rates) / min(rates)


CLAIMS = [
    Claim(
        "In some groups of people this happens far more often than in others",
        lambda: all(spread(network) > 10 for network in ("MobileFaceNet", "dlib’s ResNet")),
    ),
    Claim(
        "neither is good enough for [small children]",
        lambda: value("whom/fmr aged 0 to 3") > 10 and by_row("whom/before and after", "dlib’s ResNet, plain")["aged 0 to 3"] > 10,
    ),
]
