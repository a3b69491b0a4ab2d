"""Which groups of people the embedder confuses, what a promise to the worst group costs, and what a correction changes.

Strangers come from UTKFace, with the groups as labelled there. Pairs of one person come from lfw100, orl39 and actors6. Rates are
never pooled over these sets, because the cost of a threshold depends on the photos. The demo decides by the plain distance of the
default embedder. The report compares it with dlib's ResNet, and with both networks' distances corrected for crowding.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.cohort import COHORTS, build_cohort, group_of, split
from facelab.calibrate import (
    LEAST_PEOPLE,
    PROMISE,
    SPLITS,
    Strangers,
    duplicate_limit,
    fit_log_odds,
    held_out,
    pairs_of_strangers,
    without_duplicates,
    worst_threshold,
)
from facelab.cohort import Cohort, crowdedness, normalised
from facelab.evaluate import answer_shares, read_doubtful, read_people_seen_twice, separate
from facelab.identify import template
from facelab.models import Embedder
from facelab.runtime import finish
from facelab.verify import distance, probability

from .photos import Seen, look, pairs_within, photos_of, runtime_of
from .report import Axis, Chart, Curve, Report, Table, percent, spread, thinned

Scores = NDArray[np.float64]

DLIB = "dlib-resnet-v1"
NETWORKS = {"MobileFaceNet": None, "dlib’s ResNet": DLIB}  # None: the default embedder
SEEDS = range(1, SPLITS + 1)
FNMR = 0.02
CHILDREN = ("aged 0 to 3", "aged 4 to 12", "aged 13 to 17")
PHOTO_SETS = ("lfw100", "orl39", "actors6")
ENROLLED = 6
DRAWS = 20
CLASS = 30  # pupils: the size of the class in the examples
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

    def of_one_person(self, cohort: Cohort | None) -> Scores:
        """The distances of pairs that show one person."""
        return self.scores(cohort)[self.same]


@dataclass(frozen=True)
class Network:
    """One network's embeddings of all sets. strangers: UTKFace without people seen twice; pairs: by set of photos."""

    embedder: Embedder
    cohort: Cohort
    strangers: Seen
    pairs: Mapping[str, Genuine]


def measure(data: Path) -> Report:
    """The report behind the page "How well it works"."""
    report = Report("python -m tests.experiments whom")
    networks = {label: network(data, name) for label, name in NETWORKS.items()}
    ours = networks["MobileFaceNet"]
    groups = pairs_of_each(ours.strangers, None)
    cleaning(report, ours)
    promise(report, groups, ours)
    in_steps(report, groups, ours)
    four_ways(report, networks)
    confused(report, networks)
    by_group(report, groups, pairs_of_each(networks["dlib’s ResNet"].strangers, None), ours)
    trade_off(report, networks)
    det(report, groups, ours)
    answers(report, groups, ours)
    reliability(report, groups, ours)
    six_enrolled(report, ours)
    accuracy(report, networks)
    return report


def network(data: Path, embedder: str | None) -> Network:
    """A network's embeddings of all sets. embedder: its name, None: the default."""
    runtime = runtime_of(embedder)
    pairs = {name: people(data / name, embedder) for name in PHOTO_SETS}
    return Network(runtime.manifest.embedder, runtime_cohort(embedder), strangers_of(data / "utk9k", embedder), pairs)


def runtime_cohort(embedder: str | None = None) -> Cohort:
    """The cohort that ships with an embedder."""
    return finish(runtime_of(embedder).load_cohort())


def strangers_of(folder: Path, embedder: str | None = None) -> Seen:
    """The labelled faces of UTKFace, without the people known to be in it twice: the same choice as `export.cohort` makes."""
    twice = read_people_seen_twice(SAME_PEOPLE)
    seen = look(photos_of(folder), folder.name, embedder=embedder)
    alone = np.array([photo.name not in twice and group_of(photo.name) != "" for photo in seen.photos])
    seen = seen.take((seen.faces > 0) & alone)
    return seen.take(without_duplicates(seen.embeddings, duplicate_limit(runtime_of(embedder).manifest.embedder)))


def people(folder: Path, embedder: str | None = None) -> Genuine:
    """All pairs of a folder of people. Of actors6 it takes only photos with exactly one face, and no photo twice."""
    seen = look(photos_of(folder), folder.name, embedder=embedder)
    if folder.name == "actors6":
        by_dlib = look(photos_of(folder), folder.name, embedder=DLIB)  # so that all networks are measured on the same photos
        chosen = np.flatnonzero(seen.faces == 1)
        seen = seen.take(chosen[without_duplicates(by_dlib.embeddings[chosen])])
    else:
        seen = seen.take(seen.faces > 0)
    return Genuine(seen, *pairs_within(seen.people))


@cache
def doubtful_pairs() -> frozenset[frozenset[str]]:
    """Pairs that may show one person or two: they do not count."""
    return frozenset(read_doubtful(SAME_PEOPLE))


def pairs_of_each(seen: Seen, cohort: Cohort | None, doubtful: bool = False) -> dict[str, Strangers]:
    """The pairs of strangers of every group. doubtful: whether to include pairs that may show one person."""
    named = np.array([group_of(photo.name) for photo in seen.photos])
    found = {}
    for group in sorted(set(named) - {""}):
        here = np.flatnonzero(named == group)
        strangers = pairs_of_strangers(seen.embeddings[here], cohort)
        places = {seen.photos[index].name: place for place, index in enumerate(here)}
        pairs = [sorted(places[name] for name in pair) for pair in doubtful_pairs() if pair <= places.keys()]
        found[group] = strangers if doubtful else strangers.without([(a, b) for a, b in pairs])
    return found


def adults(groups: Mapping[str, Strangers]) -> dict[str, Strangers]:
    """The groups that set the threshold."""
    return {group: strangers for group, strangers in groups.items() if group not in CHILDREN and strangers.people >= LEAST_PEOPLE}


def ordered(groups: Mapping[str, Strangers]) -> list[str]:
    return [*(group for group in sorted(groups) if group not in CHILDREN), *CHILDREN]


def rate(group: Strangers, threshold: float) -> float:
    return float((group.scores < threshold).mean())


def cleaning(report: Report, ours: Network) -> None:
    """How many close pairs were looked at, and how many remain doubtful."""
    with SAME_PEOPLE.open(newline="", encoding="utf-8") as file:
        verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
    report.values |= {
        "pairs looked at": f"{verdicts.total():,}",
        "pairs of one person": f"{verdicts['same']:,}",
        "pairs doubtful": f"{verdicts['doubtful']:,}",
        "photos left out": f"{len(read_people_seen_twice(SAME_PEOPLE)):,}",
        "people": f"{len(ours.strangers.photos):,}",
        "actors photos": str(len(ours.pairs["actors6"].seen.photos)),
    }
    card = json.loads((COHORTS / f"{ours.embedder.name}.json").read_text())["card"]
    report.values |= {"cohort rows": str(card["rows"]), "cohort people": f"{card['people']:,}"}
    report.values["cohort nearest"] = f"{card['nearest_source_face']:.3f}"


def promise(report: Report, groups: Mapping[str, Strangers], ours: Network) -> None:
    """The calibration that ships, as tables, and its rates on people who were held out."""
    calibration = json.loads((COHORTS / f"{ours.embedder.name}.calibration.json").read_text())
    rates = calibration["rates"]
    genuine = {name: pairs.of_one_person(None) for name, pairs in ours.pairs.items()}
    report.tables["promise"] = Table(
        ["False matches in the worst group", "Distance below", *(f"Missed, {name}" for name in genuine)],
        [
            [
                f"{100 * float(share):g}\N{NO-BREAK SPACE}%",
                f"{at['threshold']:.3f}",
                *(percent(float((scores >= at["threshold"]).mean()), 1) for scores in genuine.values()),
            ]
            for share, at in rates.items()
        ],
    )

    corrected = json.loads((COHORTS / f"{ours.embedder.name}.cohort.calibration.json").read_text())

    def cell(share: str, group: str, of: Mapping[str, Any] = rates) -> str:
        value, low, high = (100 * number for number in of[share]["fmr"][group])
        return f"{value:.3f}\N{NO-BREAK SPACE}% ({low:.3f} to {high:.3f})"

    size = calibration["conditions"]["people"]
    names = ordered(groups)
    report.tables["groups"] = Table(
        ["Group", "People", "at “same”", "at the upper threshold", "corrected, at “same”"],
        [
            [
                group + starred(size[group]),
                f"{size[group]:,}",
                cell("1e-03", group),
                cell("1e-02", group),
                cell("1e-03", group, corrected["rates"]),
            ]
            for group in names
        ],
    )
    for kind in ("good", "poor"):
        for limit, value in calibration[kind].items():
            report.values[f"{kind} {limit}"] = f"{value:.3f}"
    for limit, value in corrected["good"].items():
        report.values[f"corrected {limit}"] = f"{value:.3f}"
    same = calibration["good"]["same_below"]
    for name, scores in genuine.items():
        report.values[f"fnmr {name}"] = percent(float((scores >= same).mean()), 1)
    at_same = {group: rates["1e-03"]["fmr"][group][0] for group in names}
    deciding = {group: at_same[group] for group in adults(groups)}
    report.values["worst"] = percent(max(deciding.values()), 3)
    report.values["worst group"] = max(deciding, key=deciding.__getitem__)
    least = min(value for value in deciding.values() if value > 0)
    report.values["worst to best"] = f"{max(deciding.values()) / least:.0f} to 1"
    for group in CHILDREN:
        report.values[f"fmr {group}"] = percent(at_same[group], 2)
        report.values[f"corrected fmr {group}"] = percent(corrected["rates"]["1e-03"]["fmr"][group][0], 3)
    with_doubtful = adults(pairs_of_each(ours.strangers, None, doubtful=True))
    report.values["worst with doubtful"] = percent(max(rate(group, same) for group in with_doubtful.values()), 2)
    told = held_out(adults(groups), genuine)
    report.values["held-out threshold"] = f"{told['threshold'][0]:.3f} ± {told['threshold'][1]:.3f}"
    report.values["held-out worst"] = mean_and_spread(told["worst"], 3)
    for name in genuine:
        report.values[f"held-out fnmr {name}"] = mean_and_spread(told["fnmr"][name], 1)


def in_steps(report: Report, groups: Mapping[str, Strangers], ours: Network) -> None:
    """How the rate of the group that sets the threshold comes about, the smallest group beside it, and what a class would see."""
    at_same = ours.embedder.calibration.good.same_below
    rates = json.loads((COHORTS / f"{ours.embedder.name}.calibration.json").read_text())["rates"]["1e-03"]["fmr"]
    deciding = adults(groups)
    by_rate = sorted((group for group in deciding if rates[group][0] > 0), key=lambda group: float(rates[group][0]))
    report.values |= {"best group": by_rate[0], "best": percent(rates[by_rate[0]][0], 3)}
    for label, group in (("one group", by_rate[-1]), ("small group", min(deciding, key=lambda group: deciding[group].people))):
        strangers, (_, low, high) = groups[group], rates[group]
        every = pairs_among(strangers.people)
        report.values |= {
            label: group,
            f"{label} low": percent(low, 3),
            f"{label} high": percent(high, 3),
            f"{label} people": f"{strangers.people:,}",
            f"{label} all pairs": f"{every:,}",
            f"{label} doubtful": f"{every - len(strangers.scores):,}",
            f"{label} pairs": f"{len(strangers.scores):,}",
            f"{label} matches": f"{int((strangers.scores < at_same).sum()):,}",
        }
    report.values |= {
        "class pairs": f"{pairs_among(CLASS):,}",
        "class wrong, one group": f"{pairs_among(CLASS) * rates[by_rate[-1]][0]:.1f}",
        "class without a wrong pair": percent((1 - rates[by_rate[-1]][0]) ** pairs_among(CLASS), 0),
        "class wrong, aged 4 to 12": f"{pairs_among(CLASS) * rates['aged 4 to 12'][0]:.0f}",
    }


def pairs_among(people: int) -> int:
    return people * (people - 1) // 2


def starred(people: int) -> str:
    return "" if people >= LEAST_PEOPLE else " *"


def mean_and_spread(values: list[float], digits: int) -> str:
    mean, deviation = values
    return f"{100 * mean:.{digits}f} ± {100 * deviation:.{digits}f}\N{NO-BREAK SPACE}%"


def four_ways(report: Report, networks: Mapping[str, Network]) -> None:
    """Both networks, plain and corrected, at one promise, on held-out people.

    A third of the people makes the cohort, a third sets the threshold, and a third gives the rates. There are five such splits, the
    same for all four ways.
    """
    rows = []
    for label, one in networks.items():
        parts = {seed: thirds(len(one.strangers.photos), seed) for seed in SEEDS}
        cohorts = {seed: half_cohort(one, inside, fitted, seed) for seed, (inside, fitted, _) in parts.items()}
        for way in ("plain", "corrected"):
            found: list[list[float]] = []
            for seed, (_, fitted, told) in parts.items():
                cohort = cohorts[seed] if way == "corrected" else None
                sets, tests = (adults(pairs_of_each(one.strangers.take(part), cohort)) for part in (fitted, told))
                threshold = worst_threshold(sets, PROMISE)
                rates = [rate(group, threshold) for group in tests.values()]
                missed = [float((pairs.of_one_person(cohort) >= threshold).mean()) for pairs in one.pairs.values()]
                found.append([threshold, max(rates), max(rates) / max(min(rates), 1e-5), *missed])
            threshold_, worst, ratio, *missed_ = (list(column) for column in zip(*found, strict=True))
            rows.append(
                [
                    f"{label}, {way}",
                    f"{np.mean(threshold_):.3f}",
                    spread(worst, 3),
                    f"{np.median(ratio):.0f} to 1",
                    *(spread(column, 1) for column in missed_),
                ]
            )
            for name, column in zip(one.pairs, missed_, strict=True):
                report.values[f"{label} {way} {name}"] = spread(column, 1)
    report.tables["four ways"] = Table(
        ["Distance", "Threshold", "Worst held-out group", "Worst to best", *(f"Missed, {name}" for name in PHOTO_SETS)], rows
    )


def outside(one: Network, cohort: Cohort | None) -> Seen:
    """The strangers who are not in the cohort that ships, or all of them without a cohort."""
    if cohort is None:
        return one.strangers
    people: int = json.loads((COHORTS / f"{one.embedder.name}.json").read_text())["card"]["people"]
    count = len(one.strangers.photos)
    return one.strangers.take(split(count, people / count, 1)[1])


def thirds(count: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    order = np.random.default_rng(seed).permutation(count)
    a, b, c = (np.sort(part) for part in np.array_split(order, 3))
    return a, b, c


def half_cohort(one: Network, inside: NDArray[np.intp], others: NDArray[np.intp], seed: int) -> Cohort:
    """A cohort as it ships, of some of the people."""
    embeddings = one.strangers.embeddings
    table, settings = build_cohort(embeddings[inside], embeddings[others], seed, duplicate_limit(one.embedder))
    step = np.float32(settings["step"])
    return Cohort(table.astype(np.float32) * step, settings["neighbours"], settings["weight"], settings["centre"])


def confused(report: Report, networks: Mapping[str, Network]) -> None:
    """False match rates of every group, where each network and way of measuring misses 2 % of the pairs of LFW."""
    columns: dict[str, dict[str, list[float]]] = {}
    for label, one in networks.items():
        for seed in SEEDS:
            inside, outside = split(len(one.strangers.photos), 0.5, seed)
            for way, cohort in (("plain", None), ("corrected", half_cohort(one, inside, outside, seed))):
                at = float(np.quantile(one.pairs["lfw100"].of_one_person(cohort), 1 - FNMR))
                for group, strangers in pairs_of_each(one.strangers.take(outside), cohort).items():
                    columns.setdefault(f"{label}, {way}", {}).setdefault(group, []).append(rate(strangers, at))
    sizes = Counter(group_of(photo.name) for photo in next(iter(networks.values())).strangers.photos)
    names = [*(g for g in sorted(sizes) if g not in CHILDREN), *CHILDREN]
    report.tables["before and after"] = Table(
        ["Group", *columns],
        [[group + starred(sizes[group]), *(_in_brief(column[group]) for column in columns.values())] for group in names],
    )


def _in_brief(rates: Sequence[float]) -> str:
    """Mean and standard deviation, with three digits only where the mean is below one percent."""
    return spread(rates, 1 if np.mean(rates) >= 0.01 else 3)


def by_group(report: Report, groups: Mapping[str, Strangers], by_dlib: Mapping[str, Strangers], ours: Network) -> None:
    """False matches of every group: dlib's network at its author's threshold beside ours at "same"."""
    dlib, same = runtime_of(DLIB).manifest.embedder.plain_threshold, ours.embedder.calibration.good.same_below
    names = ordered(groups)[::-1]
    theirs, own = [rate(by_dlib[group], dlib) for group in names], [rate(groups[group], same) for group in names]
    ends = sorted((share, name) for name, share in zip(names, theirs, strict=True) if name not in CHILDREN)
    report.values["dlib best"], report.values["dlib worst"] = (
        f"{percent(share, 1)} ({name})" for share, name in (ends[0], ends[-1])
    )
    places = [float(place) for place in range(len(names))]
    report.charts["groups"] = Chart(
        "False match rates of ten groups of adults and three ages of children. dlib's network at its author's threshold of 0.6 "
        "spreads them from about one percent to more than thirty; MobileFaceNet at its threshold for “same” keeps all adults near "
        "or below a tenth of a percent.",
        Axis("false match rate", log=True, percent=True, limits=(1e-5, 1)),
        Axis("", names=names),
        [
            Curve("dlib’s ResNet below 0.6", [float(f"{share:.3g}") for share in theirs], places, "points"),
            Curve("MobileFaceNet, “same”", [float(f"{max(share, 1e-5):.3g}") for share in own], places, "points"),
        ],
        {"the promise": PROMISE},
    )


def trade_off(report: Report, networks: Mapping[str, Network]) -> None:
    """What each promise to the worst group costs on actors6: both networks, plain and corrected."""
    rates = np.geomspace(1e-4, 0.2, 60)
    curves = []
    for label, one in networks.items():
        for way, cohort in (("plain", None), ("corrected", one.cohort)):
            deciding = adults(pairs_of_each(outside(one, cohort), cohort))
            thresholds = [worst_threshold(deciding, share) for share in rates]
            scores = one.pairs["actors6"].of_one_person(cohort)
            lost = np.array([(scores >= threshold).mean() for threshold in thresholds])
            curves.append(Curve(f"{label}, {way}", thinned(rates), thinned(lost), "line" if cohort is None else "dashed"))
    report.charts["trade-off actors6"] = Chart(
        "False non-matches on actors6 against false matches in the worst group, four falling curves: MobileFaceNet lies far "
        "below dlib's network, and for each network the corrected distance lies below the plain one.",
        Axis("false match rate in the worst group", log=True, percent=True),
        Axis("false non-match rate", percent=True, limits=(0, 1)),
        curves,
        {"“same”": 1e-3, "“different”": 1e-2},
    )


def det(report: Report, groups: Mapping[str, Strangers], ours: Network) -> None:
    """Both errors at every threshold, a curve for each group."""
    genuine = ours.pairs["lfw100"].of_one_person(None)
    thresholds = np.quantile(genuine, 1 - np.geomspace(2.3e-3, 0.6, 80))
    lost = np.array([(genuine >= threshold).mean() for threshold in thresholds])
    curves = []
    for group, strangers in adults(groups).items():
        matched = np.array([rate(strangers, threshold) for threshold in thresholds])
        shown = (matched > 0) & (lost > 0)
        curves.append(Curve(group, thinned(matched[shown]), thinned(lost[shown])))
    report.charts["det"] = Chart(
        "Detection error trade-off: false non-matches of LFW against false matches, on logarithmic axes, a curve for each group of "
        "adults. All fall from upper left to lower right; White men lie lowest, Black, Indian and Asian women highest.",
        Axis("false match rate", log=True, percent=True, limits=(1e-5, 0.3)),
        Axis("false non-match rate", log=True, percent=True, limits=(2e-3, 0.6)),
        curves,
    )


def answers(report: Report, groups: Mapping[str, Strangers], ours: Network) -> None:
    """How often each answer is given: to pairs of one person, and to strangers of the worst group of adults and of each age."""
    limits = ours.embedder.calibration.good

    def row(label: str, scores: Scores) -> list[str]:
        return [label, *(percent(share) for share in answer_shares(scores, limits).values())]

    rows = [row(f"One person, {name}", pairs.of_one_person(None)) for name, pairs in ours.pairs.items()]
    worst = max(adults(groups), key=lambda group: rate(groups[group], limits.same_below))
    rows += [row(f"Strangers, {group}", groups[group].scores) for group in (worst, *CHILDREN)]
    report.tables["answers"] = Table(["Pair", "“same”", "“unsure”", "“different”"], rows)


def reliability(report: Report, groups: Mapping[str, Strangers], ours: Network) -> None:
    """Predicted against observed share of pairs of one person, on people who had no part in the fit of the log-odds line."""
    genuine = {name: pairs.of_one_person(None) for name, pairs in ours.pairs.items()}
    worst = min(adults(groups).values(), key=lambda group: float(np.quantile(group.scores, PROMISE)))
    first = np.arange(worst.people) < worst.people // 2
    fitted = fit_log_odds(genuine["orl39"], worst.of(first).scores)
    curves = [Curve("as it should be", [0, 1], [0, 1], "dashed")]
    for label, one, two in (
        ("LFW, the worst group", genuine["lfw100"], worst.of(~first).scores),
        ("actors6, Indian men", genuine["actors6"], groups["Indian men"].scores),
    ):
        predicted = np.array([probability(float(score), fitted) for score in (*one, *two)])
        weight = np.concatenate([np.full(len(one), 1 / len(one)), np.full(len(two), 1 / len(two))])
        is_same = np.arange(len(predicted)) < len(one)
        place = np.minimum((predicted * 10).astype(int), 9)
        total = np.bincount(place, weight, 10)
        filled = total > 0
        x, y = (np.bincount(place, weight * part, 10)[filled] / total[filled] for part in (predicted, is_same))
        curves.append(Curve(label, thinned(x), thinned(y)))
    report.charts["reliability"] = Chart(
        "Reliability: the share of pairs of one person among those given a probability, against that probability, for two sets of "
        "photos, beside the diagonal on which both would be equal.",
        Axis("probability that the page states", limits=(0, 1)),
        Axis("pairs that show one person", limits=(0, 1)),
        curves,
    )


WAYS = {
    "one photo": "One photo",
    f"the mean distance to {ENROLLED} photos": "Six: mean distance",
    f"the nearest of {ENROLLED} photos": "Six: nearest",
    f"the mean embedding of {ENROLLED} photos": "Six: mean embedding",
}


def six_enrolled(report: Report, ours: Network) -> None:
    """Misses and false matches on hard photos, with one photo enrolled and with six, for three ways of using the six."""
    with ACTORS_IN_UTK.open(newline="", encoding="utf-8") as file:
        shown = {row["photo"] for row in csv.DictReader(file)}
    actors, named = ours.pairs["actors6"].seen, np.array([group_of(photo.name) for photo in ours.strangers.photos])
    unknown = np.array([photo.name not in shown for photo in ours.strangers.photos])
    probes = {group: ours.strangers.embeddings[(named == group) & unknown] for group in ("Indian men", "Indian women")}
    random = np.random.default_rng(1)
    genuine: dict[str, list[Scores]] = {}
    impostor: dict[str, dict[str, list[Scores]]] = {}
    for person in np.unique(actors.people).repeat(DRAWS):
        indices = random.permutation(np.flatnonzero(actors.people == person))
        enrolled, asked = indices[:ENROLLED], indices[ENROLLED:]
        for way, scores in _ways(actors.embeddings[enrolled], actors.embeddings[asked]).items():
            genuine.setdefault(way, []).append(scores)
        for group, faces in probes.items():
            for way, scores in _ways(actors.embeddings[enrolled], faces).items():
                impostor.setdefault(way, {}).setdefault(group, []).append(scores)
    rows = []
    same = ours.embedder.calibration.good.same_below
    for way, found in genuine.items():
        misses = np.concatenate(found)
        strangers = [np.concatenate(scores) for scores in impostor[way].values()]
        own = min(float(np.quantile(scores, PROMISE, method="lower")) for scores in strangers)
        missed, missed_at_same = (percent(float((misses >= threshold).mean()), 1) for threshold in (own, same))
        matched = max(float((scores < same).mean()) for scores in strangers)
        rows.append([WAYS[way], f"{own:.3f}", missed, missed_at_same, percent(matched, 2)])
        report.values[f"missed, {way}"] = missed
    report.tables["six enrolled"] = Table(["Photos", "Own threshold", "Missed", "Missed at “same”", "Strangers at “same”"], rows)


def _ways(enrolled: NDArray[np.float32], probes: NDArray[np.float32]) -> dict[str, Scores]:
    each = np.stack([distance(probes, e) for e in enrolled])
    mean, _ = template(enrolled, np.zeros(len(enrolled)))
    return {
        "one photo": each[0],
        f"the mean distance to {ENROLLED} photos": each.mean(axis=0),
        f"the nearest of {ENROLLED} photos": each.min(axis=0),
        f"the mean embedding of {ENROLLED} photos": distance(probes, mean),
    }


def accuracy(report: Report, networks: Mapping[str, Network]) -> None:
    """How well each network's plain distance orders the pairs of each set."""
    rows = []
    for name in PHOTO_SETS:
        for label, one in networks.items():
            pairs = one.pairs[name]
            scores = pairs.scores(None)
            told = separate(np.sort(scores[pairs.same]), np.sort(scores[~pairs.same]))
            tars = [told.tar_at_far[far] for far in ("1e-3", "1e-4")]
            rows.append(
                [
                    f"{name}, {label}",
                    f"{len(scores):,}",
                    f"{percent(told.best_accuracy)} at {told.best_threshold:.3f}",
                    *(str(tar).replace(" %", "\N{NO-BREAK SPACE}%") for tar in tars),
                    percent(told.auc.value, 3),
                ]
            )
            report.values[f"tar {name} {label}"] = percent(tars[0].value, 1)
            report.values[f"best {name} {label}"] = percent(told.best_accuracy)
    report.tables["accuracy"] = Table(
        ["Pairs", "How many", "Right at the best threshold", "TAR at FAR 0.1 %", "TAR at FAR 0.01 %", "Area under the ROC"], rows
    )
