"""Claims of the chapter on face alignment."""

from __future__ import annotations

from book.results import read_report

from . import Claim, by_column, by_row, cell, first_number, value

WITHOUT = ("The photo's middle", "The detector's box")
SIMILAR = "Five points, similarity"
WITH = ("Two eyes, similarity", SIMILAR, "Five points, affine")
DEMO = "3 % larger and 1 pixel higher (the demo’s)"
WEIGHTED = ("the demo’s, weights 3 for eyes, 2 for the nose", "the demo’s, weight 2 for the nose")
TAR = "TAR at FAR 0.1\N{NO-BREAK SPACE}%"


def tar(table: str, way: str) -> float:
    return cell(f"alignment/{table}", way, TAR)


def apart_in_pairs(table: str) -> float:
    right = [by_row(f"alignment/{table}", "Right")[way] for way in WITH]
    return (max(right) - min(right)) / 100 * value("alignment/pairs")


def at_least(better: str, worse: str) -> bool:
    """In every column of the table of reference landmarks."""
    ours, theirs = by_column("chips/landmarks", better), by_column("chips/landmarks", worse)
    return all(ours[column] >= theirs[column] for column in theirs if column != "Reference landmarks")


def wins_and_loses(weighted: str) -> bool:
    """Against the demo's reference landmarks without weights."""
    ours, theirs = by_column("chips/landmarks", weighted), by_column("chips/landmarks", DEMO)
    gains = [ours[column] - theirs[column] for column in theirs if column != "Reference landmarks"]
    return min(gains) < 0 < max(gains)


def sampled(grid: str, shrinking: str) -> list[float]:
    rows = read_report("chips")["tables"]["sampling"]["rows"]
    (row,) = (row for row in rows if row[:2] == [grid, shrinking])
    return [first_number(text) for text in row[2:]]


def by_angle(way: str) -> list[float]:
    (curve,) = (curve for curve in read_report("alignment")["charts"]["roll"]["curves"] if curve["name"] == way)
    values: list[float] = curve["y"]
    return values


def differences() -> list[float]:
    return [a - b for a, b in zip(sampled("bicubic", "cubic"), sampled("bilinear", "cubic"), strict=True)]


CLAIMS = [
    Claim(
        "their TAR drops to less than a fifth of what it was",
        lambda: all(tar("rolled", way) < tar("upright", way) / 5 for way in WITHOUT),
    ),
    Claim(
        "The three ways with landmarks stay within a few pairs of each other, and such small differences may be chance.",
        lambda: apart_in_pairs("upright") < 5 and apart_in_pairs("rolled") < 5,
    ),
    Claim(
        "The photo’s middle does better than the detector’s box on upright photos.",
        lambda: all(
            by_row("alignment/upright", column)[WITHOUT[0]] > by_row("alignment/upright", column)[WITHOUT[1]]
            for column in ("Right", TAR)
        ),
    ),
    Claim(
        "Without landmarks, every five degrees cost pairs. With landmarks, the angle hardly matters: the three upper curves lie on"
        " each other.",
        lambda: (
            all(a > b for way in WITHOUT for a, b in zip(by_angle(way), by_angle(way)[1:], strict=False))
            and all(min(by_angle(way)) > max(by_angle(way)) - 0.02 for way in WITH)
        ),
    ),
    Claim(
        "They do at least as well as ArcFace’s in every column.",
        lambda: at_least(DEMO, "ArcFace’s"),
    ),
    Claim(
        "The weights in the last two rows win some columns and lose others",
        lambda: all(wins_and_loses(weighted) for weighted in WEIGHTED),
    ),
    Claim(
        "The cubic filter does at least as well as the linear one in every column.",
        lambda: all(
            a >= b for grid in ("bilinear", "bicubic") for a, b in zip(sampled(grid, "cubic"), sampled(grid, "linear"), strict=True)
        ),
    ),
    Claim(
        "With the cubic filter, bicubic samples do slightly better than bilinear ones in all columns but one, by a few tenths of a"
        " percent at most.",
        lambda: sum(one > 0 for one in differences()) == len(differences()) - 1 and max(map(abs, differences())) < 0.4,
    ),
    Claim(
        "Without landmarks, a roll of a few degrees already costs pairs of one person. With landmarks it costs hardly any.",
        lambda: (
            all(by_angle(way)[1] < by_angle(way)[0] - 0.03 for way in WITHOUT)
            and all(by_angle(way)[1] > by_angle(way)[0] - 0.005 for way in WITH)
        ),
    ),
]
