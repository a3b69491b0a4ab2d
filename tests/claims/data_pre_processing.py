"""Claims of the chapter on data pre-processing."""

from __future__ import annotations

from collections.abc import Callable

from . import Claim, by_row, value

NONE, WIENER = "none", "Wiener"
AS_THEY_ARE = "as they are"
CLAHE_ON_V, CLAHE_ON_GREY, EQUALISED = "CLAHE on V", "CLAHE on grey", "equalisation of V"


def right(damage: str) -> dict[str, float]:
    return by_row("preprocessing/light", damage)


def found(damage: str) -> dict[str, float]:
    return by_row("preprocessing/light-found", damage)


def best(column: Callable[[str], dict[str, float]], damage: str) -> str:
    return max(column(damage), key=column(damage).__getitem__)


def helps_in_the_dark() -> bool:
    return all(found("−6 stops")[one] == value("preprocessing/photos") for one in (EQUALISED, CLAHE_ON_V, "CLAHE on each channel"))


def smeared(length: int) -> dict[str, float]:
    return by_row("preprocessing/smear", f"smeared by {length} px, right")


def wiener_alone_helps() -> bool:
    others = [(one, length) for length in (9, 17) for one in smeared(length) if one not in (WIENER, NONE)]
    return all(smeared(length)[one] <= smeared(length)[NONE] for one, length in others) and all(
        smeared(length)[WIENER] > smeared(length)[NONE] for length in (9, 17)
    )


CLAIMS = [
    Claim(
        "Nearly all the wrong answers at −6 stops come from faces that are not found",
        lambda: value("preprocessing/possible at -6 stops") - right("−6 stops")[NONE] < 1,
    ),
    Claim(
        "Only these pairs can be answered correctly.",
        lambda: right("−6 stops")[NONE] <= value("preprocessing/possible at -6 stops"),
    ),
    Claim(
        "The logarithm costs most, because it hides faces from the detector",
        lambda: (
            min(right(AS_THEY_ARE), key=right(AS_THEY_ARE).__getitem__) == "logarithm"
            and min(found(AS_THEY_ARE), key=found(AS_THEY_ARE).__getitem__) == "logarithm"
        ),
    ),
    Claim(
        "Without any correction, the detector still finds every face, and no correction gets more pairs right.",
        lambda: found("−4 stops")[NONE] == value("preprocessing/photos") and best(right, "−4 stops") == NONE,
    ),
    Claim(
        "Here corrections help: equalisation of V, CLAHE on V and CLAHE on each channel find every face again.",
        lambda: helps_in_the_dark() and right("−6 stops")[CLAHE_ON_V] > right("−6 stops")[NONE] + 10,
    ),
    Claim(
        "With the gamma from the mean, the detector finds even fewer faces than without a correction.",
        lambda: found("−6 stops")["gamma from the mean"] < found("−6 stops")[NONE],
    ),
    Claim(
        "CLAHE on grey finds more faces than any other technique.",
        lambda: best(found, "+2 stops") == best(right, "+2 stops") == CLAHE_ON_GREY,
    ),
    Claim(
        "every technique stays far below the first column",
        lambda: max(right("+2 stops").values()) < right(AS_THEY_ARE)[NONE] - 10,
    ),
    Claim(
        "Why does CLAHE help an overexposed photo on grey and not on V?",
        lambda: (
            right("+2 stops")[CLAHE_ON_V] < right("+2 stops")[NONE] < right("+2 stops")[CLAHE_ON_GREY]
            and found("+2 stops")[CLAHE_ON_V] < found("+2 stops")[NONE]
        ),
    ),
    Claim(
        "The detector finds almost no face without help, and equalisation of V finds them all.",
        lambda: (
            found("a tenth of the contrast")[NONE] < 5
            and found("a tenth of the contrast")[EQUALISED] == value("preprocessing/photos")
        ),
    ),
    Claim(
        "One curve for the whole photo does better here than CLAHE",
        lambda: best(right, "a tenth of the contrast") == EQUALISED,
    ),
    Claim(
        "The Wiener filter gets more pairs right than every other technique.",
        lambda: all(max(smeared(length), key=smeared(length).__getitem__) == WIENER for length in (9, 17)),
    ),
    Claim("No other technique improves on the uncorrected photos.", wiener_alone_helps),
    Claim(
        "in deep darkness, in glaring light and in fog, not on ordinary photos",
        lambda: (
            best(right, AS_THEY_ARE) in (NONE, "gamma from the mean")
            and all(best(right, damage) != NONE for damage in ("−6 stops", "+2 stops", "a tenth of the contrast"))
        ),
    ),
    Claim(
        "In lfw100 the first faces are lost between −4 and −6 stops",
        lambda: found("−4 stops")[NONE] == value("preprocessing/photos") > found("−6 stops")[NONE],
    ),
]
