"""Claims of the chapter on responsible use."""

from __future__ import annotations

from . import Claim, by_row, value

PROMISED = 0.1  # per cent, of comparisons of strangers

CLAIMS = [
    Claim(
        "at most one comparison of strangers in 1,000 is a false match, even in the worst group of adults",
        lambda: value("whom/worst") <= PROMISED,
    ),
    Claim("With such pupils, far more names will be wrong.", lambda: value("whom/fmr aged 4 to 12") > 10 * PROMISED),
    Claim(
        "Of the pairs of photos of one person, {{ value whom/fnmr lfw100 }} are missed on press photos",
        lambda: value("whom/fnmr lfw100") < value("whom/fnmr actors6"),
    ),
    Claim("False non-matches are more frequent.", lambda: value("whom/fnmr lfw100") > 10 * value("whom/worst")),
    Claim(
        "Six enrolled photos help, but some misses remain.",
        lambda: 0 < value("whom/missed, the mean embedding of 6 photos") < value("whom/missed, one photo"),
    ),
    Claim(
        "It also treats groups [far more unequally]",
        lambda: (
            by_row("whom/four ways", "Worst to best")["dlib’s ResNet, plain"]
            > 3 * by_row("whom/four ways", "Worst to best")["MobileFaceNet, plain"]
        ),
    ),
    Claim("For pupils under 13 the same threshold is far too loose.", lambda: value("whom/fmr aged 4 to 12") > 10 * PROMISED),
]
