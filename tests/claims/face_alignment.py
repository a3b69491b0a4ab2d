"""Claims of the chapter on face alignment."""

from __future__ import annotations

from book.results import read_report

from . import Claim, by_column, by_row, cell, first_number, value

WITHOUT = ("The photo's middle", "The detector's box")
SIMILAR = "Five points, similarity"
WITH = ("Two eyes, similarity", SIMILAR, "Five points, affine")
DEMO = "3 % larger and 1 pixel higher (the demo’s)"
EYES_AND_NOSE, NOSE_ALONE = "the demo’s, weights 3 for eyes, 2 for the nose", "the demo’s, weight 2 for the nose"
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


def gains(weighted: str) -> list[float]:
    """Against the demo's reference landmarks without weights, in each column."""
    ours, theirs = by_column("chips/landmarks", weighted), by_column("chips/landmarks", DEMO)
    return [ours[column] - theirs[column] for column in theirs if column != "Reference landmarks"]


def won_and_lost(weighted: str) -> tuple[int, int]:
    """In how many columns the weights do better, and in how many worse."""
    return sum(gain > 0 for gain in gains(weighted)), sum(gain < 0 for gain in gains(weighted))


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
        "Weights for the eyes and the nose win two of the six columns and lose four. A weight for the nose alone wins four and"
        " loses one, but the differences are small",
        lambda: (
            won_and_lost(EYES_AND_NOSE) == (2, 4) and won_and_lost(NOSE_ALONE) == (4, 1) and max(map(abs, gains(NOSE_ALONE))) < 0.7
        ),
    ),
    Claim(
        "The cubic filter does at least as well as the linear one in every column.",
        lambda: all(
            a >= b for grid in ("bilinear", "bicubic") for a, b in zip(sampled(grid, "cubic"), sampled(grid, "linear"), strict=True)
        ),
    ),
    Claim(
        "With the cubic filter, bicubic samples do slightly better than bilinear ones in all columns but one, by a few tenths of a"
        " percentage point at most.",
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
