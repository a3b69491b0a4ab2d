"""The whole system on class photos with exact truth: who is named correctly, wrongly or not at all, and which strangers are named.

The photos are composed from portraits of orl39 and lfw100 (tests/classroom.py): 10 to 35 enrolled people and some strangers, each
once, with faces of 40 to 200 pixels, turned, lit and blurred. The enrolled photos are never those in the class photo.
tests/classroom.py says what such photos lack.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facelab.cluster import cluster, usual_limit
from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.identify import Gallery, Named, class_thresholds, enrolled_twice, identify, identify_as_the_original
from facelab.native import default_runtime
from facelab.register import Rule
from facelab.runtime import finish

from ..classroom import compose
from .photos import Seen, look, photos_of
from .report import Report, Table, percent

CLASSES = 60
SMALLEST = 24.0  # pixels looked for
ENROLLED = (1, 3, 6)
RULES: tuple[tuple[str, Rule, bool], ...] = (
    ("The demo", "template", False),
    ("The demo, corrected", "template", True),
    ("Nearest photo", "nearest", False),
    ("Nearest photo, corrected", "nearest", True),
    ("Mean distance", "mean", False),
    ("Original rule", "original", False),
)
SIZES = ((40, 60), (60, 100), (100, 200))


@dataclass(frozen=True)
class Lesson:
    """A class photo as the machine saw it. enrolled: name -> nine photos, in order; others: of people who are not in it.

    truth: (true name or "", side) of each face found.
    """

    enrolled: Mapping[str, Sequence[Path]]
    others: Mapping[str, Sequence[Path]]
    placed: Sequence[tuple[str, float]]
    truth: Sequence[tuple[str, float]]
    embeddings: NDArray[np.float32]


def measure(data: Path) -> Report:
    """The report on the roll call, and on clustering."""
    report = Report("python -m tests.experiments rollcall")
    sets = [look(photos_of(data / name), name) for name in ("orl39", "lfw100")]
    people: dict[str, list[Path]] = {}
    for seen in sets:
        for photo in seen.photos:
            people.setdefault(f"{photo.parents[1].name}/{photo.parent.name}", []).append(photo)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        lessons = list(pool.map(_lesson, [people] * CLASSES, range(CLASSES)))
    known = {photo: e for seen in sets for photo, e in zip(seen.photos, seen.embeddings, strict=True)}
    report.values["class photos"] = str(CLASSES)
    report.tables["roll"] = Table(
        ["Photos", "Correct", "Unsure", "Wrong", "Not named", "Strangers named"],
        [_roll(count, lessons, known, (60, 1e9)) for count in ENROLLED],
    )
    report.tables["sizes"] = Table(
        ["Pixels", "Correct", "Unsure", "Wrong", "Not named", "Strangers named"],
        [[f"{low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high}", *_roll(6, lessons, known, (low, high))[1:]] for low, high in SIZES],
    )
    report.tables["rules"] = Table(
        ["Rule", "Correct", "Unsure", "Strangers named", "Another class named"],
        [_by_rule(words, rule, normalised, lessons, known) for words, rule, normalised in RULES],
    )
    report.values["original strangers"] = report.tables["rules"].rows[-1][3]
    report.tables["twice"] = Table(
        ["Photos", "Sure", "Unsure", "Noticed", "Pairs taken for one"],
        [_enrolled_twice(count, lessons, known) for count in (1, 3)],
    )
    report.values["album people"] = str(len(people))
    report.tables["clusters"] = Table(["Photos", "People", "Groups", "Pairwise F1"], _clusters(sets))
    return report


def _lesson(people: Mapping[str, Sequence[Path]], seed: int) -> Lesson:
    random = np.random.default_rng(seed)
    order = [sorted(people)[i] for i in random.permutation(len(people))]
    count = int(random.integers(10, 36))
    shuffled = {name: [people[name][i] for i in random.permutation(len(people[name]))] for name in sorted(people)}
    here = order[: count + max(3, count // 5)]
    pixels, placed = compose([(name, shuffled[name][9]) for name in here], seed)
    runtime = default_runtime()
    photo = runtime.photo(pixels)
    faces = finish(detect_faces(runtime, photo, SMALLEST))
    truth = []
    for face in faces:
        x, y = (face.box[:2] + face.box[2:]) / 2
        hit = [one for one in placed if one.box[0] <= x <= one.box[2] and one.box[1] <= y <= one.box[3]]
        truth.append((hit[0].name, hit[0].side) if hit else ("", 0.0))
    embeddings = np.stack([e.embedding for e in finish(embed_faces(runtime, photo, faces))])
    enrolled = {name: shuffled[name][:9] for name in order[:count]}
    others = {name: shuffled[name][:9] for name in order[len(here) :]}
    return Lesson(enrolled, others, [(one.name, one.side) for one in placed], truth, embeddings)


def _gallery(lesson: Lesson, known: Mapping[Path, NDArray[np.float32]], count: int) -> Gallery:
    runtime = default_runtime()
    photos = {name: np.stack([known[photo] for photo in files[:count]]) for name, files in lesson.enrolled.items()}
    return Gallery(photos, runtime.cohort, runtime.manifest.embedder.calibration.good)


def _roll(
    count: int, lessons: Sequence[Lesson], known: Mapping[Path, NDArray[np.float32]], sizes: tuple[float, float]
) -> list[str]:
    """One row: shares of the pupils in the photos, and of the strangers, with faces of such sides."""
    right = unsure = wrong = pupils = strangers = named = 0
    for lesson in lessons:
        gallery = _gallery(lesson, known, count)
        sized = [(name, side) for name, side in lesson.placed if sizes[0] <= side < sizes[1]]
        pupils += sum(name in lesson.enrolled for name, _ in sized)
        strangers += sum(name not in lesson.enrolled for name, _ in sized)
        answers: list[Named] = identify(gallery, lesson.embeddings, class_thresholds(gallery))
        for answer, (name, side) in zip(answers, lesson.truth, strict=True):
            if not sizes[0] <= side < sizes[1]:
                continue
            if name in lesson.enrolled:
                right += answer.name == name and answer.answer == "sure"
                unsure += answer.name == name and answer.answer == "unsure"
                wrong += answer.name not in (name, None)
            else:
                named += answer.answer == "sure"
    rest = pupils - right - unsure - wrong
    shares = [percent(part / max(pupils, 1), 1) for part in (right, unsure, wrong, rest)]
    return [str(count), *shares, percent(named / max(strangers, 1), 1)]


def _enrolled_twice(count: int, lessons: Sequence[Lesson], known: Mapping[Path, NDArray[np.float32]]) -> list[str]:
    """One row: how the faces of a pupil are answered who, each in turn, is enrolled a second time under another name."""
    sure = both = told = faces = pupils = mistaken = pairs = 0
    for lesson in lessons:
        once = _gallery(lesson, known, count)
        mistaken += len(enrolled_twice(once))
        pairs += len(once.names) * (len(once.names) - 1) // 2
        for name, files in lesson.enrolled.items():
            again = np.stack([known[photo] for photo in files[count : 2 * count]])
            gallery = Gallery({**once.embeddings, "again": again}, once.cohort, once.shipped)
            pupils += 1
            told += {name, "again"} in [{a, b} for a, b, _ in enrolled_twice(gallery)]
            shown = [who == name and side >= 60 for who, side in lesson.truth]
            if any(shown):
                answers = identify(gallery, lesson.embeddings)
                faces += sum(shown)
                sure += sum(one.answer == "sure" for one, here in zip(answers, shown, strict=True) if here)
                both += sum({one.name, one.runner_up} == {name, "again"} for one, here in zip(answers, shown, strict=True) if here)
    return [
        str(count),
        percent(sure / faces, 1),
        percent(both / faces, 1),
        percent(told / pupils, 1),
        f"{mistaken} of {pairs:,}",
    ]


def _by_rule(
    words: str, rule: Rule, normalised: bool, lessons: Sequence[Lesson], known: Mapping[Path, NDArray[np.float32]]
) -> list[str]:
    """One row, for six photos enrolled and faces of 60 pixels and more, which are also asked of a class that is not there."""
    runtime = default_runtime()
    embedder = runtime.manifest.embedder.normalised() if normalised else runtime.manifest.embedder
    cohort, shipped = finish(runtime.load_cohort()) if normalised else None, embedder.calibration.good
    right = unsure = pupils = strangers = named = elsewhere = faces = 0
    for lesson in lessons:
        here, absent = (
            Gallery({name: np.stack([known[photo] for photo in files[:6]]) for name, files in people.items()}, cohort, shipped)
            for people in (lesson.enrolled, lesson.others)
        )
        large = [i for i, (_, side) in enumerate(lesson.truth) if side >= 60]
        answers = _answers(here, lesson.embeddings, rule)
        for answer, name in ((answers[i], lesson.truth[i][0]) for i in large):
            if name in lesson.enrolled:
                right += answer.name == name and answer.answer == "sure"
                unsure += answer.name == name and answer.answer == "unsure"
        pupils += sum(lesson.truth[i][0] in lesson.enrolled for i in large)
        strange = [i for i in large if lesson.truth[i][0] and lesson.truth[i][0] not in lesson.enrolled]
        strangers += len(strange)
        named += sum(answers[i].answer == "sure" for i in strange)
        faces += len(large)
        elsewhere += sum(_answers(absent, lesson.embeddings, rule)[i].answer == "sure" for i in large)
    shares = (right / pupils, unsure / pupils, named / strangers, elsewhere / faces)
    return [words, *(percent(share, 2) for share in shares)]


def _answers(gallery: Gallery, faces: NDArray[np.float32], rule: Rule) -> list[Named]:
    return identify_as_the_original(gallery, faces) if rule == "original" else identify(gallery, faces, way=rule)


def _clusters(sets: Sequence[Seen]) -> list[list[str]]:
    """Clustering without names, with one limit for all sets."""
    runtime = default_runtime()
    limit = usual_limit(runtime.manifest.embedder)
    heaps = {
        "orl39": (sets[0].embeddings, sets[0].people),
        "lfw100": (sets[1].embeddings, sets[1].people),
        "both": (np.concatenate([s.embeddings for s in sets]), np.concatenate([s.people for s in sets])),
    }
    rows = []
    for name, (embeddings, people) in heaps.items():
        groups = cluster(embeddings, runtime.cohort, limit)
        label = np.empty(len(people), np.intp)
        for number, group in enumerate(groups):
            label[group] = number
        first, second = np.triu_indices(len(people), 1)
        together, same = label[first] == label[second], people[first] == people[second]
        score = 2 * (together & same).sum() / (together.sum() + same.sum())
        rows.append([f"{name} ({len(people)})", str(len(set(people))), str(len(groups)), f"{score:.3f}"])
    return rows
