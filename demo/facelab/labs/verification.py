"""Labs on verification: the crowd around a face, and a threshold on real distances."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError
from ..verify import distance
from ..workspace import Workspace
from .compared import NO_FACE, TONES, compare
from .panels import Chart, Choice, Fact, Facts, Lab, Line, Panel, Settings, Slider
from .recognition import everyone, short

FMR_SHOWN, FNMR_SHOWN = (0.01, 10.0), (0.1, 10.0)  # the axes of a detection error trade-off, in per cent
CUT_OFF = "Zero is drawn at the left or lower edge, more than 10 % at the right or upper edge."


async def _crowding(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Two faces among the cohort's composites: their nearest neighbours, and the plain and the corrected distance."""
    faces = await everyone(workspace)
    if not faces:
        return [NO_FACE]
    try:
        cohort, limits = await workspace.runtime.load_cohort(), workspace.runtime.manifest.embedder.normalised().calibration.good
    except ModelError:
        return [Facts([Fact("Cohort", "none", "this site was built without a cohort to show")])]
    first = workspace.chosen if workspace.chosen in faces else next(iter(faces))
    other = str(settings["other"]) if settings["other"] in faces else next(iter(faces))
    count = int(settings["neighbours"])
    lines, crowded = [], []
    for name in dict.fromkeys([first, other]):
        to_all = np.sort(distance(cohort.composites, np.asarray(faces[name].embedding)))
        crowded.append(float(to_all[:count].mean()))
        lines.append(Line(short(name), list(range(1, 201)), to_all[:200].tolist()))
    decision = compare(workspace, faces[first], faces[other])
    around = (crowded[0] + crowded[-1]) / 2
    corrected = decision.plain_distance - float(settings["weight"]) * (around - cohort.centre)
    verdict = "same" if corrected < limits.same_below else "unsure" if corrected < limits.different_from else "different"
    return [
        Chart(
            "distances to the composites, nearest first",
            lines,
            "composites, the nearest first",
            "distance",
            "How far the cohort’s composites lie from each face. A low curve means that many are near: the face lies in a crowd.",
            marks=[(f"{count} nearest", count)],
        ),
        Facts(
            [
                Fact("Plain distance", f"{decision.plain_distance:.3f}", f"{short(first)} to {short(other)}"),
                Fact(
                    "Crowdedness",
                    " and ".join(f"{value:.3f}" for value in crowded),
                    f"mean distance to the {count} nearest: a larger number means fewer people nearby; "
                    f"for {cohort.neighbours} neighbours, {cohort.centre:.3f} is usual",
                ),
                Fact(
                    "Corrected distance",
                    f"{corrected:.3f}",
                    "with your settings; the colour holds for five neighbours and weight 1",
                    TONES[verdict],
                ),
            ]
        ),
    ]


@cache
def stored_pairs() -> NDArray[np.uint16]:
    """The table that tests/experiments/distances.py writes, [5, 4950]."""
    with files(__package__).joinpath("lfw100-distances.npy").open("rb") as file:
        table: NDArray[np.uint16] = np.load(file)
    return table


@cache
def _lfw100() -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """For 4,950 pairs: whether each shows one person, and the plain and corrected distances of MobileFaceNet."""
    table = stored_pairs()
    return table[0] > 0, table[1] / 1e4, table[2] / 1e4


def trade_off(name: str, fmr: ArrayLike, fnmr: ArrayLike, style: Literal["line", "points"] = "line") -> Line:
    """A curve or a point of a detection error trade-off, from rates 0 to 1. A rate beyond an axis lies on its edge."""
    x, y = (100 * np.atleast_1d(rates) for rates in (fmr, fnmr))
    return Line(name, np.clip(x, *FMR_SHOWN).tolist(), np.clip(y, *FNMR_SHOWN).tolist(), style)


async def _threshold(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Both error rates and what follows from them, at one threshold."""
    same, plain, corrected = _lfw100()
    distances = plain if settings["kind"] == "plain" else corrected
    at = float(settings["threshold"])
    accepted = distances < at
    fmr, fnmr = float(accepted[~same].mean()), float((~accepted[same]).mean())
    right = float((accepted == same).mean())
    precision = float(same[accepted].mean()) if accepted.any() else 1.0
    edges = np.linspace(0, 1.6, 65)
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    share = [100 * np.histogram(distances[who], edges)[0] / who.sum() for who in (same, ~same)]
    cuts = np.linspace(0, 1.6, 321)
    fmrs = np.array([(distances[~same] < cut).mean() for cut in cuts])
    fnmrs = np.array([(distances[same] >= cut).mean() for cut in cuts])
    equal = int(np.abs(fmrs - fnmrs).argmin())
    return [
        Chart(
            "histograms of the distances of both kinds of pairs",
            [
                Line("one person", middles, share[0].tolist(), "line", "good"),
                Line("two people", middles, share[1].tolist(), "line", "bad"),
            ],
            "distance",
            "% of the pairs",
            x_limits=(0, 1.6),
            marks=[("threshold", at)],
        ),
        Chart(
            f"detection error trade-off; here FMR {fmr:.4f}, FNMR {fnmr:.4f}",
            [trade_off("every threshold", fmrs, fnmrs), trade_off("yours", fmr, fnmr, "points")],
            "FMR, %",
            "FNMR, %",
            CUT_OFF,
            x_log=True,
            y_log=True,
            x_limits=FMR_SHOWN,
            y_limits=FNMR_SHOWN,
            small=True,
        ),
        Facts(
            [
                Fact(
                    "False matches, FMR",
                    f"{100 * fmr:.2f} %",
                    f"{int(accepted[~same].sum()):,} of {int((~same).sum()):,} pairs of two people",
                ),
                Fact(
                    "False non-matches, FNMR",
                    f"{100 * fnmr:.2f} %",
                    f"{int((~accepted[same]).sum())} of {int(same.sum())} pairs of one person",
                ),
                Fact("Accuracy", f"{100 * right:.2f} %", "of all pairs, of which 9 in 10 show two people"),
                Fact("Precision", f"{100 * precision:.2f} %", "of the pairs that match show one person"),
                Fact(
                    "Equal error rate",
                    f"{50 * (fmrs[equal] + fnmrs[equal]):.2f} %",
                    f"at {cuts[equal]:.3f}, where FMR and FNMR meet",
                ),
            ]
        ),
    ]


CROWDING = Lab(
    "How crowded is it around a face?",
    [
        Choice("other", "Compared with", [(f"{name}.jpg", name) for name in ("obama2", "obama3", "biden")], "biden.jpg"),
        Slider("neighbours", "Neighbours that count", 1, 100, 1, 5),
        Slider("weight", "Weight of the correction", 0, 1.5, 0.05, 1),
    ],
    _crowding,
)
THRESHOLD = Lab(
    "Where would you draw the line?",
    [
        Slider("threshold", "Threshold", 0, 1.6, 0.005, 0.9),
        Choice("kind", "Distance", [("plain", "plain"), ("corrected", "corrected for crowding")], "plain"),
    ],
    _threshold,
    wants_photo=False,
)
