"""Claims of the chapter on identification."""

from __future__ import annotations

from book.results import read_report

from . import Claim, by_row, cell, value

CORRECT = {count: by_row("classifiers/actors with strangers", f"{count} enrolled") for count in (1, 3, 6)}
MEAN, PHOTO, REGRESSION, SVM = "Nearest mean", "Nearest photo", "Logistic regression", "Linear SVM"
ORIGINAL = "Original rule"
FPIR, FORMULA, FNIR = (
    by_row("classifiers/growth", column) for column in ("FPIR, measured", "FPIR, by the formula", "FNIR, measured")
)
LARGE = ("500", "1,000", "2,000", "4,000")
WAYS = ("one photo", "the mean distance to 6 photos", "the nearest of 6 photos", "the mean embedding of 6 photos")
MISSED = {way: value(f"whom/missed, {way}") for way in WAYS}


CLAIMS = [
    Claim("No other way misses fewer.", lambda: min(MISSED, key=lambda way: MISSED[way]) == "the mean embedding of 6 photos"),
    Claim(
        "the mean of six embeddings misses only {{ value whom/missed, the mean embedding of 6 photos }}",
        lambda: MISSED["the mean embedding of 6 photos"] < 0.5 * MISSED["one photo"],
    ),
    Claim(
        "the mean lets more strangers pass than was promised",
        lambda: cell("whom/six enrolled", "Six: mean embedding", "Strangers at “same”") > 0.1,
    ),
    Claim("though the FMR is only {{ value classifiers/growth fmr }}", lambda: value("classifiers/growth fmr") < 0.01),
    Claim("In the large galleries the measured rate stays below the formula.", lambda: all(FPIR[n] < FORMULA[n] for n in LARGE)),
    Claim(
        "False matches cluster: some strangers have several look-alikes, and most have none.",
        lambda: FPIR["4,000"] < 50 and 4000 * value("classifiers/growth fmr") > FPIR["4,000"],
    ),
    Claim("FNIR grows far more slowly", lambda: FNIR["4,000"] / FNIR["100"] < 0.1 * FPIR["4,000"] / FPIR["100"]),
    Claim(
        "As long as all probes show enrolled people, the choice hardly matters on the portraits of orl39 and lfw100. "
        "With 1, 3 or 6 photos enrolled of each person, "
        "each of the five names at least {{ value classifiers/class least }} of the other photos correctly on average.",
        lambda: value("classifiers/class least") >= 99.5,
    ),
    Claim(
        "With one photo, the two classifiers that learn fall behind",
        lambda: max(CORRECT[1][REGRESSION], CORRECT[1][SVM]) < min(CORRECT[1][MEAN], CORRECT[1][PHOTO]),
    ),
    Claim(
        "With three and six photos, the nearest mean has the highest share, though its lead over the nearest photo is "
        "smaller than the "
        "spread between the draws.",
        lambda: all(
            max(shares, key=lambda way: shares[way]) == MEAN and shares[MEAN] - shares[PHOTO] < spread_of_mean(count)
            for count, shares in CORRECT.items()
            if count > 1
        ),
    ),
    Claim(
        "{{ value rollcall/original strangers }} of the strangers among classmates get a name; with thresholds set by the "
        "class, none do.",
        lambda: all((share == 0) == (rule != ORIGINAL) for rule, share in by_row("rollcall/rules", "Strangers named").items()),
    ),
    Claim(
        "No pupil gets a wrong name, and no stranger gets any.",
        lambda: all(
            not any(by_row(f"rollcall/{table}", column).values())
            for table in ("roll", "sizes")
            for column in ("Wrong", "Strangers named")
        ),
    ),
    Claim(
        "The smallest faces are unsure most often.",
        lambda: (
            max(unsure := by_row("rollcall/sizes", "Unsure"), key=lambda side: unsure[side])
            == "40\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}60"
        ),
    ),
    Claim(
        "it names fewer faces of another class than the demo does",
        lambda: (elsewhere := by_row("rollcall/rules", "Another class named"))[ORIGINAL] < elsewhere["The demo"],
    ),
    Claim(
        "These are portraits, and the result is nearly perfect.",
        lambda: min(by_row("rollcall/clusters", "Pairwise F1").values()) > 0.98,
    ),
]


def spread_of_mean(count: int) -> float:
    """The standard deviation of the nearest mean's share over the draws, on hard photos."""
    table = read_report("classifiers")["tables"]["actors with strangers"]
    (row,) = (row for row in table["rows"] if row[0] == MEAN)
    return float(row[table["columns"].index(f"{count} enrolled")].split("± ")[1].split("\N{NO-BREAK SPACE}")[0])
