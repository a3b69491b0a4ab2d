"""Claims of the page on how well the demo works."""

from __future__ import annotations

from typing import Any

from book.results import read_report

from . import Claim, by_column, by_row, cell, value

ADULTS = "whom/groups"
NOT_SAME = ("“unsure”", "“different”")
DAMAGES = ("shrunk to 16 px", "blurred by 3 px", "light -4 stops", "turned, 30 %", "JPEG at 10", "cut by 20 %")
DARK, YOUNGEST = "light -4 stops", "aged 0 to 3"
SPACE = "\N{NO-BREAK SPACE}"
SETS = ("lfw100", "orl39", "actors6")


def words(name: str) -> str:
    report, _, key = name.partition("/")
    found: str = read_report(report)["values"][key]
    return found


def adults(column: str = "at “same”") -> dict[str, float]:
    return {group: rate for group, rate in by_row(ADULTS, column).items() if not group.startswith("aged")}


def damaged(damage: str) -> dict[str, float]:
    return {group.replace(SPACE, " "): rate for group, rate in by_row("proxies/by group", damage).items()}


def strength(column: str) -> dict[str, float]:
    return {row.replace(SPACE, " "): rate for row, rate in by_row("proxies/by strength", column).items()}


def darkness_costs_most() -> bool:
    groups = [group for group in damaged(DARK) if group != YOUNGEST]
    return all(damaged(DARK)[group] >= max(damaged(damage)[group] for damage in DAMAGES) for group in groups)


def youngest_suffer_most() -> bool:
    others = [damage for damage in DAMAGES if damage != DARK]
    return all(max(damaged(damage), key=damaged(damage).__getitem__) == YOUNGEST for damage in others) and (
        max(damaged(DARK), key=damaged(DARK).__getitem__) != YOUNGEST
    )


def promised() -> list[dict[str, float]]:
    """The rows of the table of covered faces: column -> number."""
    table: dict[str, Any] = read_report("coverings")["tables"]["promised"]
    return [
        {column: float(text.split(SPACE)[0].replace(",", "")) for column, text in zip(table["columns"][2:], row[2:], strict=True)}
        for row in table["rows"]
    ]


def reliability() -> list[tuple[float, float]]:
    """The points of both curves: what the page states, what is true."""
    curves = read_report("whom")["charts"]["reliability"]["curves"]
    return [point for curve in curves if curve["name"] != "as it should be" for point in zip(curve["x"], curve["y"], strict=True)]


def reliability_of(name: str) -> float:
    """How far a curve lies above the diagonal, on average."""
    (curve,) = (curve for curve in read_report("whom")["charts"]["reliability"]["curves"] if curve["name"] == name)
    gaps: list[float] = [y - x for x, y in zip(curve["x"], curve["y"], strict=True)]
    return sum(gaps) / len(gaps)


def correction_halves(name: str) -> bool:
    return value(f"whom/MobileFaceNet corrected {name}") <= value(f"whom/MobileFaceNet plain {name}") / 2


CLAIMS = [
    Claim(
        "On good photos, the answer is *same* below {{ value whom/good same_below }} and *different* from",
        lambda: value("whom/poor same_below") < value("whom/good same_below") < value("whom/good different_from"),
    ),
    Claim(
        "When the demo sees one of the two faces poorly, it uses more careful thresholds",
        lambda: (
            value("whom/poor same_below") < value("whom/good same_below")
            and value("whom/poor different_from") > value("whom/good different_from")
        ),
    ),
    Claim(
        "The highest of these rates is about forty times the lowest.",
        lambda: 36 < value("whom/fnmr actors6") / value("whom/fnmr orl39") < 44,
    ),
    Claim(
        "On poor photos they are the first and the last row.",
        lambda: (
            list(by_row("whom/promise", "Distance below").values())
            == [
                value(f"whom/{limit}")
                for limit in ("poor same_below", "good same_below", "good different_from", "poor different_from")
            ]
        ),
    ),
    Claim(
        "The rate lies just below the promise because the threshold was chosen that way.",
        lambda: 0.09 < value("whom/worst") <= 0.1,
    ),
    Claim(
        "{{ value whom/one group matches }} divided by {{ value whom/one group pairs }} is {{ value whom/worst }}.",
        lambda: round(100 * value("whom/one group matches") / value("whom/one group pairs"), 3) == value("whom/worst"),
    ),
    Claim(
        "They do not count, so {{ value whom/one group pairs }} pairs remain.",
        lambda: value("whom/one group all pairs") - value("whom/one group doubtful") == value("whom/one group pairs"),
    ),
    Claim(
        "{{ value whom/class pairs }} is {{ value whom/class wrong, one group }}, the average number of wrong pairs.",
        lambda: round(value("whom/class pairs") * value("whom/worst") / 100, 1) == value("whom/class wrong, one group"),
    ),
    Claim(
        "The worst group of new people may lie a little below the promise, or a little above it.",
        lambda: 0.05 < value("whom/held-out worst") < 0.1 < value("whom/held-out worst") + 0.028 < 0.15,
    ),
    Claim(
        "On the hard photos of actors6, two pairs of one person in five are not called *same*.",
        lambda: 38 < sum(by_column("whom/answers", "One person, actors6")[column] for column in NOT_SAME) < 42,
    ),
    Claim(
        "Most of these are even called *different*.",
        lambda: (
            cell("whom/answers", "One person, actors6", "“different”") > cell("whom/answers", "One person, actors6", "“unsure”")
        ),
    ),
    Claim(
        "Adult strangers are hardly ever called *same*, but small children are.",
        lambda: (
            max(rate for row, rate in by_row("whom/answers", "“same”").items() if "men" in row) <= 0.1
            and cell("whom/answers", "Strangers, aged 4 to 12", "“same”") > 2
        ),
    ),
    Claim(
        "Of the groups of adults, {{ value whom/worst group }} have the highest rate ({{ value whom/worst }})",
        lambda: (
            max(adults(), key=adults().__getitem__) == words("whom/worst group")
            and min(adults(), key=adults().__getitem__) == words("whom/best group")
        ),
    ),
    Claim(
        "The smallest group, {{ value whom/small group }}, has",
        lambda: (
            by_row(ADULTS, "People")[words("whom/small group")]
            == min(n for group, n in by_row(ADULTS, "People").items() if group in adults())
        ),
    ),
    Claim("well beyond the promise.", lambda: value("whom/small group high") > 0.2),
    Claim(
        "This is the worst group, the one that sets the threshold.",
        lambda: words("whom/one group") == words("whom/worst group"),
    ),
    Claim(
        "The ratio is {{ value whom/worst to best }}.",
        lambda: 23 < value("whom/worst to best") < 27 and 20 < value("whom/worst") / value("whom/best") < 30,
    ),
    Claim(
        "Every group of adults here has at least 100 people",
        lambda: all(people >= 100 for people in by_row(ADULTS, "People").values()),
    ),
    Claim("Both curves lie above it, so the page is too cautious", lambda: all(y > x for x, y in reliability())),
    Claim(
        "On the hard photos of actors6 it is the most cautious.",
        lambda: reliability_of("actors6, Indian men") > reliability_of("LFW, the worst group"),
    ),
    Claim(
        "Only the oldest of the three groups meets the promise for adults on the plain distance.",
        lambda: value("whom/fmr aged 13 to 17") < 0.1 < value("whom/fmr aged 4 to 12") < value("whom/fmr aged 0 to 3"),
    ),
    Claim(
        "calls about {{ value whom/class wrong, aged 4 to 12 }} pairs of classmates one person.",
        lambda: round(value("whom/class pairs") * value("whom/fmr aged 4 to 12") / 100) == value("whom/class wrong, aged 4 to 12"),
    ),
    Claim(
        "**The correction separates small children better.**",
        lambda: all(value(f"whom/corrected fmr {age}") < value(f"whom/fmr {age}") for age in ("aged 0 to 3", "aged 4 to 12")),
    ),
    Claim(
        "If all of them showed strangers, the FMR of the worst group would be {{ value whom/worst with doubtful }}.",
        lambda: value("whom/worst with doubtful") > value("whom/worst"),
    ),
    Claim(
        "So neither is better on both sets, although each correction helps its own network on every set.",
        lambda: (
            value("whom/MobileFaceNet plain lfw100") < value("whom/dlib’s ResNet corrected lfw100")
            and value("whom/MobileFaceNet plain actors6") > value("whom/dlib’s ResNet corrected actors6")
            and all(
                value(f"whom/{network} corrected {name}") < value(f"whom/{network} plain {name}")
                for network in ("MobileFaceNet", "dlib’s ResNet")
                for name in SETS
            )
        ),
    ),
    Claim(
        "For MobileFaceNet, lfw100 and orl39 meet the condition, and actors6 does not.",
        lambda: correction_halves("lfw100") and correction_halves("orl39") and not correction_halves("actors6"),
    ),
    Claim(
        "For [children](#children) the option is worth more.",
        lambda: (
            value("whom/corrected fmr aged 4 to 12") < value("whom/fmr aged 4 to 12") / 10
            and value("whom/MobileFaceNet corrected actors6") > value("whom/MobileFaceNet plain actors6") / 10
        ),
    ),
    Claim(
        "By accuracy, the share of right answers at the best threshold, the two networks look nearly equal.",
        lambda: all(
            abs(value(f"whom/best {name} MobileFaceNet") - value(f"whom/best {name} dlib’s ResNet")) < 0.25 for name in SETS
        ),
    ),
    Claim(
        "At a strict FAR, MobileFaceNet accepts more pairs of one person on all three sets.",
        lambda: all(
            cell("whom/accuracy", f"{name}, MobileFaceNet", column) > cell("whom/accuracy", f"{name}, dlib’s ResNet", column)
            for name in SETS
            for column in ("TAR at FAR 0.1 %", "TAR at FAR 0.01 %")
        ),
    ),
    Claim(
        "In the dark (a sixteenth of the light), Black men have the highest rate.",
        lambda: max(damaged(DARK), key=damaged(DARK).__getitem__) == "Black men",
    ),
    Claim(
        "Of the six kinds of damage, darkness costs most in every group except the youngest children.",
        lambda: darkness_costs_most() and damaged(DARK)[YOUNGEST] < damaged("turned, 30 %")[YOUNGEST],
    ),
    Claim(
        "The youngest children are missed more often than anybody else in every column but the dark one.",
        youngest_suffer_most,
    ),
    Claim(
        "In dark or tiny photos the two are nearly equal",
        lambda: all(
            strength("Missed")[row] < 1.1 * strength("No face")[row]
            for row in ("light -6 stops", "light -4 stops", "shrunk to 13 px", "shrunk to 10 px")
        ),
    ),
    Claim(
        "Nearly all faces are found, but of all rows the heaviest blur has the most false matches.",
        lambda: (
            strength("No face")["blurred by 6 px"] < 3
            and max(strength("False matches"), key=strength("False matches").__getitem__) == "blurred by 6 px"
            and max(strength("stricter threshold"), key=strength("stricter threshold").__getitem__) == "blurred by 6 px"
        ),
    ),
    Claim("That is more than the promised 0.1 %.", lambda: value("coverings/mask actors6 before") > 0.1),
    Claim(
        "Then {{ value coverings/mask actors6 now }} of the pairs are called *same*.",
        lambda: value("coverings/mask actors6 now") < 0.1,
    ),
    Claim(
        "Covered pairs of one person get *same* less often than uncovered ones",
        lambda: all(
            row["One person: usual threshold"] < 100 - value(f"whom/fnmr {name}")
            for row, name in zip(promised(), ("lfw100", "actors6") * 2, strict=True)
        ),
    ),
    Claim(
        "the careful thresholds roughly halve their share again.",
        lambda: all(0.35 < row["One person: the demo"] / row["One person: usual threshold"] < 0.7 for row in promised()),
    ),
    Claim(
        "All kinds are noticed in more than nine cases of ten, masks in the colour of skin least often.",
        lambda: (
            min(by_row("coverings/noticed", "Noticed").values()) > 90
            and min(by_row("coverings/noticed", "Noticed"), key=by_row("coverings/noticed", "Noticed").__getitem__)
            == "skin-coloured mask"
        ),
    ),
    Claim(
        "and {{ value whom/fnmr actors6 }} of hard photos.",
        lambda: value("whom/fnmr actors6") > value("whom/fnmr orl39"),
    ),
]
