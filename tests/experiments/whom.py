"""Whom the embedder confuses, before and after its distances are normalised, and what a promise to the worst group costs.

Strangers come from UTKFace (a photo a person, groups as labelled there), pairs of one person from lfw100, orl39 and actors6.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.cohort import COHORTS, build_cohort, group_of, split
from facelab.calibrate import LEAST_PEOPLE, Strangers, fit_log_odds, pairs_of_strangers, without_duplicates, worst_threshold
from facelab.cohort import Cohort, crowdedness, normalised
from facelab.evaluate import best_accuracy, summarise
from facelab.identify import template
from facelab.native import default_runtime
from facelab.verify import distance, probability

from .photos import Seen, look, pairs_within, photos_of
from .report import Axis, Chart, Curve, Report, Table, percent, spread, thinned

Scores = NDArray[np.float64]

SEEDS = range(1, 6)
FNMR = 0.02
CHILDREN = ("aged 0 to 3", "aged 4 to 9", "aged 10 to 17")
ENROLLED = 6
DRAWS = 20
SAME_PEOPLE = COHORTS / "utk9k-same-people.csv"
ACTORS_IN_UTK = Path(__file__).parent / "utk9k-shows-actors6.csv"


@dataclass(frozen=True)
class Genuine:
    """All pairs of a folder of people."""

    seen: Seen
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    same: NDArray[np.bool_]

    def scores(self, cohort: Cohort | None) -> Scores:
        """The distance of every pair, plain without a cohort."""
        plain = distance(self.seen.embeddings[self.first], self.seen.embeddings[self.second])
        if cohort is None:
            return plain
        around = crowdedness(self.seen.embeddings, cohort)
        return normalised(plain, around[self.first], around[self.second], cohort)


def measure(data: Path) -> Report:
    """The report behind the page "How well it works"."""
    report = Report("python -m tests.experiments whom")
    strangers = strangers_of(data / "utk9k")
    pairs = {name: people(data / name) for name in ("lfw100", "orl39", "actors6")}
    name = default_runtime().manifest.embedder.name
    card = json.loads((COHORTS / f"{name}.json").read_text())["card"]
    report.values |= {"cohort rows": str(card["rows"]), "cohort people": f"{card['people']:,}"}
    report.values["cohort nearest"] = f"{card['nearest_source_face']:.3f}"
    report.values["people"] = f"{len(strangers.photos):,}"
    report.values["actors photos"] = str(len(pairs["actors6"].seen.photos))
    before_and_after(report, strangers, pairs)
    runtime = default_runtime()
    assert runtime.cohort
    rest = strangers.take(split(len(strangers.photos), runtime_people() / len(strangers.photos), 1)[1])
    groups = {name: pairs_of_each(rest, cohort) for name, cohort in (("plain", None), ("normalised", runtime.cohort))}
    promise(report)
    by_group(report, groups)
    trade_off(report, groups, pairs, runtime.cohort)
    errors_at_each_answer(report, groups["normalised"], pairs, runtime.cohort)
    reliability(report, groups["normalised"], pairs, runtime.cohort)
    six_enrolled(report, rest, pairs["actors6"].seen, runtime.cohort)
    accuracy(report, pairs, runtime.cohort)
    return report


def strangers_of(folder: Path) -> Seen:
    """The faces of UTKFace, one photo a person as far as is known: as `export.cohort` takes them."""
    with SAME_PEOPLE.open(newline="", encoding="utf-8") as file:
        known = {row["b"] for row in csv.DictReader(file)}
    seen = look(photos_of(folder), folder.name)
    seen = seen.take((seen.faces > 0) & np.array([photo.name not in known for photo in seen.photos]))
    return seen.take(without_duplicates(seen.embeddings))


def people(folder: Path) -> Genuine:
    """All pairs of a folder of people; of actors6 only photos with exactly one face, and no photo twice."""
    seen = look(photos_of(folder), folder.name)
    if folder.name == "actors6":
        seen = seen.take(seen.faces == 1)
        seen = seen.take(without_duplicates(seen.embeddings))
    else:
        seen = seen.take(seen.faces > 0)
    return Genuine(seen, *pairs_within(seen.people))


def runtime_people() -> int:
    """How many people went into the cohort that ships."""
    name = default_runtime().manifest.embedder.name
    count: int = json.loads((COHORTS / f"{name}.json").read_text())["card"]["people"]
    return count


def pairs_of_each(seen: Seen, cohort: Cohort | None) -> dict[str, Strangers]:
    """The pairs of strangers of every group."""
    named = np.array([group_of(photo.name) for photo in seen.photos])
    return {group: pairs_of_strangers(seen.embeddings[named == group], cohort) for group in sorted(set(named) - {""})}


def adults(groups: Mapping[str, Strangers]) -> dict[str, Strangers]:
    """The groups that decide."""
    return {group: strangers for group, strangers in groups.items() if group not in CHILDREN and strangers.people >= LEAST_PEOPLE}


def ordered(groups: Mapping[str, Strangers]) -> list[str]:
    return [*(group for group in sorted(groups) if group not in CHILDREN), *CHILDREN]


def before_and_after(report: Report, strangers: Seen, pairs: Mapping[str, Genuine]) -> None:
    """Half of the people make a cohort, half are the test, several times; plain and normalised at equal cost."""
    fmr: dict[str, dict[str, list[float]]] = {"plain": {}, "normalised": {}}
    cost: dict[str, list[list[float]]] = {"plain": [], "normalised": []}
    for seed in SEEDS:
        inside, outside = split(len(strangers.photos), 0.5, seed)
        table, settings = build_cohort(strangers.embeddings[inside], strangers.embeddings[outside], seed)
        shipped = table[: 150_000 // table.shape[1]]  # what fits into the size that ships
        step = np.float32(settings["step"])
        cohort = Cohort(shipped.astype(np.float32) * step, settings["neighbours"], settings["weight"], settings["centre"])
        for name, used in (("plain", None), ("normalised", cohort)):
            groups = pairs_of_each(strangers.take(outside), used)
            genuine = {key: pairs[key].scores(used)[pairs[key].same] for key in pairs}
            at = float(np.quantile(np.concatenate([genuine["lfw100"], genuine["orl39"]]), 1 - FNMR))
            for group, found in groups.items():
                fmr[name].setdefault(group, []).append(float((found.scores < at).mean()))
            strict = worst_threshold(adults(groups), 1e-3)
            cost[name].append([float((scores >= strict).mean()) for scores in genuine.values()])
    report.tables["before and after"] = Table(
        ["Group", "People", "Plain distance", "Corrected distance"],
        [
            [
                group + ("" if groups[group].people >= LEAST_PEOPLE else " *"),
                str(groups[group].people),
                spread(fmr["plain"][group], 3),
                spread(fmr["normalised"][group], 3),
            ]
            for group in ordered(groups)
        ],
    )
    report.tables["cost"] = Table(
        ["Score", "lfw100", "orl39", "actors6"],
        [
            [label, *(spread(column, 1) for column in zip(*cost[name], strict=True))]
            for label, name in (("Plain distance", "plain"), ("Corrected distance", "normalised"))
        ],
    )


def promise(report: Report) -> None:
    """The calibration that ships, as tables."""
    name = default_runtime().manifest.embedder.name
    calibration = json.loads((COHORTS / f"{name}.calibration.json").read_text())
    rates, conditions = calibration["rates"], calibration["conditions"]
    report.tables["promise"] = Table(
        ["False matches in the worst group", "Corrected distance below", "False non-matches"],
        [
            [f"{100 * float(rate):g}\N{NO-BREAK SPACE}%", f"{at['threshold']:.3f}", percent(at["fnmr"])]
            for rate, at in rates.items()
        ],
    )

    def cell(rate: str, group: str) -> str:
        value, low, high = (100 * share for share in rates[rate]["fmr"][group])
        return f"{value:.3f}\N{NO-BREAK SPACE}% ({low:.3f} to {high:.3f})"

    groups = [*(g for g in conditions["people"] if g not in CHILDREN), *CHILDREN]
    report.tables["groups"] = Table(
        ["Group", "People", "at “same”", "at the upper threshold"],
        [
            [
                group + ("" if conditions["people"][group] >= LEAST_PEOPLE else " *"),
                f"{conditions['people'][group]:,}",
                cell("1e-03", group),
                cell("1e-02", group),
            ]
            for group in groups
        ],
    )
    for kind in ("good", "poor"):
        for limit, value in calibration[kind].items():
            report.values[f"{kind} {limit}"] = f"{value:.3f}"
    report.values["fnmr"] = percent(rates["1e-03"]["fnmr"], 1)
    deciding = [rates["1e-03"]["fmr"][g][0] for g in groups if g not in CHILDREN and conditions["people"][g] >= LEAST_PEOPLE]
    report.values["worst"] = percent(max(deciding), 3)
    report.values["worst to best"] = f"{max(deciding) / min(deciding):.0f} to 1"
    report.values["genuine pairs"] = f"{conditions['genuine_pairs']:,}"


def by_group(report: Report, groups: Mapping[str, Mapping[str, Strangers]]) -> None:
    """False matches of every group: the customary threshold on plain distances beside "same" on corrected ones."""
    embedder = default_runtime().manifest.embedder
    names = ordered(groups["plain"])[::-1]
    plain, corrected = (
        [float((groups[kind][group].scores < threshold).mean()) for group in names]
        for kind, threshold in (("plain", embedder.plain_threshold), ("normalised", embedder.calibration.good.same_below))
    )
    ends = sorted((rate, name) for name, rate in zip(names, plain, strict=True) if name not in CHILDREN)
    report.values["plain best"], report.values["plain worst"] = (
        f"{percent(rate, 1)} ({name})" for rate, name in (ends[0], ends[-1])
    )
    places = [float(place) for place in range(len(names))]
    report.charts["groups"] = Chart(
        "False-match rates of ten groups of adults and three ages of children. The plain distance at 0.6 spreads them from under "
        "one percent to more than forty; the corrected distance at its threshold keeps all near or below a tenth of a percent.",
        Axis("false-match rate", log=True, percent=True, limits=(1e-5, 1)),
        Axis("", names=names),
        [
            Curve("plain distance below 0.6", [float(f"{rate:.3g}") for rate in plain], places, "points"),
            Curve("corrected distance, “same”", [float(f"{max(rate, 1e-5):.3g}") for rate in corrected], places, "points"),
        ],
        {"the promise": 1e-3},
    )


def trade_off(report: Report, groups: Mapping[str, Mapping[str, Strangers]], pairs: Mapping[str, Genuine], cohort: Cohort) -> None:
    """What each promise to the worst group costs, on easy photos and on hard ones; and the errors of every group."""
    rates = np.geomspace(1e-4, 0.2, 60)
    curves = []
    for label, names in (("LFW and ORL", ("lfw100", "orl39")), ("actors6", ("actors6",))):
        for kind, used in (("normalised", cohort), ("plain", None)):
            deciding = adults(groups[kind])
            genuine = np.concatenate([pairs[name].scores(used)[pairs[name].same] for name in names])
            lost = np.array([(genuine >= worst_threshold(deciding, rate)).mean() for rate in rates])
            word = "corrected" if kind == "normalised" else "plain"
            curves.append(Curve(f"{word}, {label}", thinned(rates), thinned(lost), "line" if used else "dashed"))
    report.charts["trade-off"] = Chart(
        "Four falling curves: false non-matches against false matches in the worst group. At equal false matches the corrected "
        "distance loses far fewer pairs of one person than the plain one, on LFW and ORL and on the harder photos of actors6.",
        Axis("false-match rate in the worst group", log=True, percent=True),
        Axis("false-non-match rate", percent=True, limits=(0, 1)),
        curves,
        {"“same”": 1e-3, "“different”": 1e-2},
    )
    genuine = np.concatenate([pairs[name].scores(cohort)[pairs[name].same] for name in ("lfw100", "orl39")])
    thresholds = np.quantile(genuine, 1 - np.geomspace(4.5e-4, 0.6, 80))
    lost = np.array([(genuine >= threshold).mean() for threshold in thresholds])
    curves = []
    for group in adults(groups["normalised"]):
        matched = np.array([(groups["normalised"][group].scores < threshold).mean() for threshold in thresholds])
        shown = (matched > 0) & (lost > 0)
        curves.append(Curve(group, thinned(matched[shown]), thinned(lost[shown])))
    report.charts["det"] = Chart(
        "Detection error trade-off: false non-matches against false matches on logarithmic axes, a curve for each group of adults. "
        "All fall from upper left to lower right; White men lie lowest, Asian and Indian men highest.",
        Axis("false-match rate", log=True, percent=True, limits=(1e-5, 0.3)),
        Axis("false-non-match rate", log=True, percent=True, limits=(5e-4, 0.6)),
        curves,
    )


def errors_at_each_answer(report: Report, groups: Mapping[str, Strangers], pairs: Mapping[str, Genuine], cohort: Cohort) -> None:
    """How often each answer is given, to pairs of one person and to strangers."""
    limits = default_runtime().manifest.embedder.calibration.good

    def row(label: str, scores: Scores) -> list[str]:
        same, different = (scores < limits.same_below).mean(), (scores >= limits.different_from).mean()
        return [label, percent(float(same)), percent(float(1 - same - different)), percent(float(different))]

    rows = [row(f"One person, {name}", pairs[name].scores(cohort)[pairs[name].same]) for name in pairs]
    worst = max(adults(groups).items(), key=lambda group: float((group[1].scores < limits.same_below).mean()))
    rows.append(row(f"Strangers, {worst[0]} (the worst group)", worst[1].scores))
    rows.append(row("Strangers, all adults, each within the group", np.concatenate([g.scores for g in adults(groups).values()])))
    rows.append(row("Strangers, children, each within the age", np.concatenate([groups[g].scores for g in CHILDREN])))
    report.tables["answers"] = Table(["Pair", "“same”", "“unsure”", "“different”"], rows)


def reliability(report: Report, groups: Mapping[str, Strangers], pairs: Mapping[str, Genuine], cohort: Cohort) -> None:
    """Predicted against observed share of pairs of one person; the log-odds line was fitted to other people than it is shown on."""
    worst = min(adults(groups).items(), key=lambda group: float(np.quantile(group[1].scores, 1e-3)))[1]
    curves = [Curve("as it should be", [0, 1], [0, 1], "dashed")]
    half = worst.people // 2
    fitted = fit_log_odds(
        pairs["orl39"].scores(cohort)[pairs["orl39"].same], worst.scores[(worst.first < half) & (worst.second < half)]
    )
    unseen = worst.scores[(worst.first >= half) & (worst.second >= half)]
    shown = {
        "LFW, the same group": (pairs["lfw100"].scores(cohort)[pairs["lfw100"].same], unseen),
        "actors6, Indian men": (pairs["actors6"].scores(cohort)[pairs["actors6"].same], groups["Indian men"].scores),
    }
    for label, (genuine, impostor) in shown.items():
        predicted = np.array([probability(float(score), fitted) for score in (*genuine, *impostor)])
        weight = np.concatenate([np.full(len(genuine), 1 / len(genuine)), np.full(len(impostor), 1 / len(impostor))])
        is_same = np.arange(len(predicted)) < len(genuine)
        place = np.minimum((predicted * 10).astype(int), 9)
        total = np.bincount(place, weight, 10)
        filled = total > 0
        x, y = (np.bincount(place, weight * part, 10)[filled] / total[filled] for part in (predicted, is_same))
        curves.append(Curve(label, thinned(x), thinned(y)))
    report.charts["reliability"] = Chart(
        "Reliability: share of pairs of one person among those given a probability, against that probability. The curve of LFW "
        "runs near the diagonal; that of actors6 lies above it: there the page says less than it could.",
        Axis("probability that is told", limits=(0, 1)),
        Axis("share that is of one person", limits=(0, 1)),
        curves,
    )


def six_enrolled(report: Report, rest: Seen, actors: Seen, cohort: Cohort) -> None:
    """Misses and false matches on hard photos, with one and with six photos enrolled, by ways of using the six."""
    with ACTORS_IN_UTK.open(newline="", encoding="utf-8") as file:
        shown = {row["photo"] for row in csv.DictReader(file)}
    named = np.array([group_of(photo.name) if photo.name not in shown else "" for photo in rest.photos])
    limits = default_runtime().manifest.embedder.calibration.good
    random = np.random.default_rng(1)
    around = crowdedness(actors.embeddings, cohort)
    genuine: dict[str, list[Scores]] = {}
    impostor: dict[str, dict[str, list[Scores]]] = {}
    probes = {group: rest.embeddings[named == group] for group in ("Indian men", "Indian women")}
    for person in np.unique(actors.people).repeat(DRAWS):
        indices = random.permutation(np.flatnonzero(actors.people == person))
        enrolled, asked = indices[:ENROLLED], indices[ENROLLED:]
        for way, scores in _ways(actors.embeddings[enrolled], around[enrolled], actors.embeddings[asked], cohort).items():
            genuine.setdefault(way, []).append(scores)
        for group, faces in probes.items():
            for way, scores in _ways(actors.embeddings[enrolled], around[enrolled], faces, cohort).items():
                impostor.setdefault(way, {}).setdefault(group, []).append(scores)
    rows = []
    for way, found in genuine.items():
        misses = np.concatenate(found)
        row = [way]
        for threshold in (limits.same_below, limits.different_from):
            matched = max(float((np.concatenate(scores) < threshold).mean()) for scores in impostor[way].values())
            row += [percent(float((misses >= threshold).mean()), 1), percent(matched, 2)]
        rows.append(row)
    report.tables["six enrolled"] = Table(
        ["Compared with", "missed at “same”", "strangers taken", "missed at the upper threshold", "strangers taken"], rows
    )


def _ways(
    enrolled: NDArray[np.float32], around: NDArray[np.float64], probes: NDArray[np.float32], cohort: Cohort
) -> dict[str, Scores]:
    crowded = crowdedness(probes, cohort)
    each = np.stack([normalised(distance(probes, e), crowded, m, cohort) for e, m in zip(enrolled, around, strict=True)])
    mean, of_mean = template(enrolled, around)
    return {
        "one photo": each[0],
        f"the mean distance to {ENROLLED} photos": each.mean(axis=0),
        f"the nearest of {ENROLLED} photos": each.min(axis=0),
        f"the mean embedding of {ENROLLED} photos": normalised(distance(probes, mean), crowded, of_mean, cohort),
    }


def accuracy(report: Report, pairs: Mapping[str, Genuine], cohort: Cohort) -> None:
    """Shares of pairs that are answered rightly, where one threshold makes two answers of it."""
    rows = []
    for name, set_of in pairs.items():
        for label, used in (("plain", None), ("corrected", cohort)):
            scores = set_of.scores(used)
            best = best_accuracy(np.sort(scores[set_of.same]), np.sort(scores[~set_of.same]))
            measured = summarise(scores, set_of.same, default_runtime().manifest.embedder.plain_threshold)
            at = str(measured.accuracy) if used is None else ""
            rows.append(
                [f"{name}, {label}", f"{len(scores):,}", at, f"{percent(best[1])} at {best[0]:.3f}", percent(measured.auc.value, 3)]
            )
    report.tables["accuracy"] = Table(
        ["Pairs", "How many", "Right at 0.6", "Right at the best threshold", "Area under the ROC"], rows
    )
