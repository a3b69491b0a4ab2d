"""Claims of README.md: GitHub shows it as it is, so its numbers are typed there and compared with the results here."""

from __future__ import annotations

from book.results import read_report

from . import Claim, value


def words(name: str) -> str:
    """A value of a report, as it is printed."""
    report, _, key = name.partition("/")
    found: str = read_report(report)["values"][key]
    return found.replace("\N{NO-BREAK SPACE}", " ")


CLAIMS = [
    Claim(
        "true accept rate at a false accept rate of 0.1 % | 98.9 % |",
        lambda: (
            words("whom/tar lfw100 MobileFaceNet") == "98.9 %"
            and read_report("whom")["tables"]["accuracy"]["rows"][0][1] == "4,950"
        ),
    ),
    Claim(
        "pairs of different adults called *same*, worst group, people held out | 0.096 ± 0.028 % |",
        lambda: words("whom/held-out worst") == "0.096 ± 0.028 %",
    ),
    Claim(
        "pairs of different children aged 4 to 12 called *same* | 2.06 % |",
        lambda: words("whom/fmr aged 4 to 12") == "2.06 %",
    ),
    Claim(
        "press photos, studio portraits, hard photos from the web | 4.4 %, 1.0 %, 40.3 % |",
        lambda: [words(f"whom/fnmr {name}") for name in ("lfw100", "orl39", "actors6")] == ["4.4 %", "1.0 %", "40.3 %"],
    ),
    Claim(
        "first visit to the demo until its answer, on two cores | 702 ms |",
        lambda: words("speed/cold visit to the first verdict, ms") == "702",
    ),
    Claim("| next visit | 250 ms |", lambda: words("speed/second visit to the first verdict, ms") == "250"),
    Claim(
        "They look alike to the network (see the table).",
        lambda: value("whom/fmr aged 0 to 3") > value("whom/fmr aged 4 to 12") > 10 * value("whom/worst"),
    ),
]
