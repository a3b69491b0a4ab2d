"""Claims of the chapter on photos of photos."""

from __future__ import annotations

from . import Claim, by_column, by_row, value

SHARP, SOFT, BLURRED = "0\N{NO-BREAK SPACE}px", "1\N{NO-BREAK SPACE}px", "2\N{NO-BREAK SPACE}px"


def as_well_as_the_scene_itself() -> bool:
    """From 1 pixel of blur on, in each row."""
    rows = [by_column("recaptures/verdicts", row) for row in by_row("recaptures/verdicts", "A screen")]
    soft = [row for row in rows if float(row["Blur of the lens"]) >= 1]
    return len(soft) > 2 and all(abs(row["A screen"] - row["The scene itself"]) <= 1 for row in soft)


CLAIMS = [
    Claim(
        "One honest photo even reaches a score of {{ value recaptures/honest, highest score }}.",
        lambda: value("recaptures/honest, highest score") > 5 * value("recaptures/limit"),
    ),
    Claim(
        "With a sharp lens, the score notices {{ value recaptures/noticed, screen, blur 0 }} of the screens",
        lambda: value("recaptures/noticed, screen, blur 0") > value("recaptures/noticed, screen, blur 1.5") > 0,
    ),
    Claim(
        "A strong pattern from a sharp screen disturbs the network.",
        lambda: (
            by_column("recaptures/verdicts", SHARP)["A screen"] < 0.8 * by_column("recaptures/verdicts", SHARP)["The scene itself"]
        ),
    ),
    Claim(
        "From 1 pixel of blur on, a photo of a screen is called *same* as often as the scene itself under the same lens.",
        as_well_as_the_scene_itself,
    ),
    Claim(
        "With 1 to 2 pixels of blur, the attack works, and the score misses many or all of the photos.",
        lambda: (
            by_column("recaptures/verdicts", SOFT)["A screen"] > 90
            and by_column("recaptures/verdicts", BLURRED)["A screen"] > 80
            and value("recaptures/noticed, screen, blur 1") < 80
            and value("recaptures/noticed, print, blur 1") < 80
            and value("recaptures/noticed, screen, blur 2") == value("recaptures/noticed, print, blur 2") == 0
        ),
    ),
    Claim(
        "So a crude mixture does not pass here.",
        lambda: value("recaptures/mean of the chips, same as both") < 1,
    ),
    Claim(
        "Two strangers stand roughly at a right angle",
        lambda: abs(value("recaptures/strangers, middle distance") - 2**0.5) < 0.05,
    ),
    Claim(
        "That lies below the demo’s threshold for *same*, {{ value whom/good same_below }}.",
        lambda: value("whom/good same_below") > 0.77,
    ),
]
