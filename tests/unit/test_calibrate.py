"""Thresholds and odds, on scores whose truth is known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facelab.calibrate import (
    LEAST_PEOPLE,
    Strangers,
    calibrate,
    duplicate_limit,
    false_match_rate,
    fit_log_odds,
    held_out,
    pairs_of_strangers,
    without_duplicates,
    worst_threshold,
)
from facelab.cli import main
from facelab.native import NativeRuntime, models_folder
from facelab.verify import distance, probability

from .conftest import Embeddings


def group(people: int, spread: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (people, 128)).astype(np.float32)


def test_the_worst_group_decides_and_small_groups_do_not() -> None:
    groups = {
        "wide": pairs_of_strangers(group(150, 0.1, 1), None),
        "crowded": pairs_of_strangers(group(150, 0.06, 2), None),
        "few": pairs_of_strangers(group(LEAST_PEOPLE - 1, 0.01, 3), None),
    }
    threshold = worst_threshold(groups, 1e-2)
    assert (groups["crowded"].scores < threshold).mean() == pytest.approx(1e-2, rel=0.05)
    assert (groups["wide"].scores < threshold).mean() == 0
    assert (groups["few"].scores < threshold).mean() == 1


def test_interval_over_people_is_wider_than_over_pairs() -> None:
    """One person who looks like everybody makes many false matches that are not independent."""
    people = group(200, 0.1, 4)
    people[0] *= 0.2
    strangers = pairs_of_strangers(people, None)
    rate, (low, high) = false_match_rate(strangers, float(np.quantile(strangers.scores, 0.01)))
    pairs = len(strangers.scores)
    assert low <= rate <= high
    assert high - low > 4 * 1.96 * np.sqrt(rate * (1 - rate) / pairs)


def test_duplicates_are_left_out_but_for_one() -> None:
    people = group(20, 0.1, 5)
    assert without_duplicates(np.concatenate([people, people[:7] + 0.001])).tolist() == list(range(20))


def test_log_odds_of_two_bells_are_the_line_that_theory_gives() -> None:
    """Two normal distributions of like width: the log-likelihood ratio is a line, slope (m1 - m2) / s^2."""
    random = np.random.default_rng(6)
    genuine, impostor = random.normal(0.4, 0.1, 20000), random.normal(0.8, 0.1, 20000)
    slope, intercept = fit_log_odds(genuine, impostor)
    assert slope == pytest.approx(-40, rel=0.06)
    assert -intercept / slope == pytest.approx(0.6, abs=0.01)
    assert probability(0.6, (slope, intercept)) == pytest.approx(0.5, abs=0.05)
    assert probability(0.2, None) is None


def test_calibration_orders_its_thresholds_and_says_what_they_cost() -> None:
    random = np.random.default_rng(7)
    groups = {"a": pairs_of_strangers(group(300, 0.1, 8), None)}
    genuine = {"sharp": random.normal(0.5, 0.2, 1000), "blurred": random.normal(0.9, 0.3, 400)}
    found = calibrate(groups, groups, genuine)
    at = [found["rates"][rate]["threshold"] for rate in ("1e-04", "1e-03", "1e-02", "1e-01")]
    assert at == sorted(at)
    assert (found["good"]["same_below"], found["good"]["different_from"]) == (at[1], at[2])
    assert (found["poor"]["same_below"], found["poor"]["different_from"]) == (at[0], at[3])
    for rate in found["rates"].values():
        value, low, high = rate["fmr"]["a"]
        assert low <= value <= high
        assert rate["fnmr"] == {
            name: pytest.approx((scores >= rate["threshold"]).mean(), abs=1e-5) for name, scores in genuine.items()
        }
    costs = [[rate["fnmr"][name] for rate in found["rates"].values()] for name in genuine]
    assert all(cost == sorted(cost, reverse=True) for cost in costs), "a looser promise loses fewer pairs of every set"
    assert found["rates"]["1e-03"]["fnmr"]["blurred"] > found["rates"]["1e-03"]["fnmr"]["sharp"]
    assert found["held_out"].keys() == {"splits", "threshold", "worst", "fnmr"}
    assert found["held_out"]["fnmr"].keys() == genuine.keys()


def test_pairs_of_the_chosen_are_those_of_which_both_are_chosen() -> None:
    people = group(9, 0.1, 9)
    strangers = pairs_of_strangers(people, None)
    chosen = np.isin(np.arange(9), [1, 4, 5, 8])
    some = strangers.of(chosen)
    assert some.people == 4
    expected = [float(distance(people[a], people[b])) for a, b in combinations([1, 4, 5, 8], 2)]
    np.testing.assert_allclose(some.scores, expected)
    again = pairs_of_strangers(people[chosen], None)
    np.testing.assert_allclose(some.scores, again.scores)
    assert len(strangers.of(np.zeros(9, bool)).scores) == 0


def test_people_of_a_part_are_numbered_like_those_of_a_whole() -> None:
    """What works on a whole works on a part: rates, and leaving pairs out."""
    people, chosen = group(40, 0.1, 9), np.arange(40) % 2 == 1
    some, alone = pairs_of_strangers(people, None).of(chosen), pairs_of_strangers(people[chosen], None)
    threshold = float(np.median(alone.scores))
    assert false_match_rate(some, threshold) == false_match_rate(alone, threshold)
    for part in (some, some.without([(0, 2)])):
        whole = alone if part is some else alone.without([(0, 2)])
        np.testing.assert_array_equal([part.first, part.second], [whole.first, whole.second])


def test_pairs_left_out_are_gone_and_no_others() -> None:
    strangers = pairs_of_strangers(group(7, 0.1, 10), None)
    left_out = {(0, 6), (2, 3)}
    kept = strangers.without(left_out)
    assert kept.people == 7
    at = {(int(a), int(b)): float(s) for a, b, s in zip(strangers.first, strangers.second, strangers.scores, strict=True)}
    expected = {pair: score for pair, score in at.items() if pair not in left_out}
    assert {(int(a), int(b)): float(s) for a, b, s in zip(kept.first, kept.second, kept.scores, strict=True)} == expected
    assert len(strangers.without([]).scores) == len(strangers.scores)


@pytest.fixture(scope="module")
def two_groups() -> dict[str, Strangers]:
    return {"wide": pairs_of_strangers(group(300, 0.1, 11), None), "crowded": pairs_of_strangers(group(400, 0.06, 12), None)}


def test_a_threshold_set_on_one_half_keeps_about_its_promise_on_the_other(two_groups: dict[str, Strangers]) -> None:
    random = np.random.default_rng(13)
    genuine = {"near": random.normal(0.4, 0.1, 500), "far": random.normal(0.9, 0.2, 500)}
    found = held_out(two_groups, genuine, rate=1e-2)
    (threshold, strays), (worst, spread) = found["threshold"], found["worst"]
    assert found["splits"] == 5
    assert 0.5e-2 < worst < 2e-2
    assert spread < 0.5e-2
    whole = worst_threshold(two_groups, 1e-2)
    assert threshold == pytest.approx(whole, rel=0.02)
    assert 0 < strays < 0.02 * whole
    for name, scores in genuine.items():
        assert found["fnmr"][name][0] == pytest.approx((scores >= threshold).mean(), abs=0.03)
    assert found == held_out(two_groups, genuine, rate=1e-2), "the same splits every time"


def test_nobody_is_in_both_halves(two_groups: dict[str, Strangers], monkeypatch: pytest.MonkeyPatch) -> None:
    halves: list[NDArray[np.bool_]] = []
    honest = Strangers.of

    def watched(self: Strangers, chosen: NDArray[np.bool_]) -> Strangers:
        halves.append(chosen.copy())
        return honest(self, chosen)

    monkeypatch.setattr(Strangers, "of", watched)
    held_out(two_groups, {}, seeds=[3, 4])
    assert [len(half) for half in halves] == [300, 300, 400, 400] * 2
    for fitted, told in zip(halves[::2], halves[1::2], strict=True):
        assert not (fitted & told).any()
        assert (fitted | told).all()
        assert fitted.sum() == len(fitted) // 2
    assert not np.array_equal(halves[0], halves[4]), "each split halves the people otherwise"


def test_a_group_too_small_to_be_halved_sets_no_held_out_threshold(two_groups: dict[str, Strangers]) -> None:
    """A half of fewer than LEAST_PEOPLE neither sets the threshold nor tells a rate."""
    crowd = pairs_of_strangers(group(2 * LEAST_PEOPLE - 2, 0.001, 14), None)
    assert held_out({**two_groups, "crowd": crowd}, {}) == held_out(two_groups, {})


# The command, on made-up faces: each file's embedding is known


PEOPLE = 210  # so that each half has LEAST_PEOPLE


@pytest.fixture
def crowd(made_up_faces: Callable[[Embeddings], None], runtime: NativeRuntime, tmp_path: Path) -> Path:
    """A folder with faces.csv and pairs.csv: 210 people, usual distances apart but for three pairs, who are suspiciously alike.

    Those, p0 and p1, p2 and p3, p4 and p5, lie farther apart than photos that are taken for one person's.
    """
    random = np.random.default_rng(15)
    people = random.normal(0, 1, (PEOPLE, 128))
    people /= np.linalg.norm(people, axis=1, keepdims=True)
    for i in (0, 2, 4):
        people[i + 1] = people[i] + 1.2 * duplicate_limit(runtime.manifest.embedder) * np.eye(128)[i]
    faces = {f"p{i}.jpg": person for i, person in enumerate(people)}
    again = {f"sharp{i}.jpg": person + random.normal(0, 0.03, 128) for i, person in enumerate(people)}
    worse = {f"blurred{i}.jpg": person + random.normal(0, 0.11, 128) for i, person in enumerate(people)}
    made_up_faces({**faces, **again, **worse})
    (tmp_path / "faces.csv").write_text("\n".join(["photo,group", *(f"people/{name},everyone" for name in faces)]))
    pairs = [f"p{i}.jpg,{kind}{i}.jpg,1,{kind}" for kind in ("sharp", "blurred") for i in range(PEOPLE)]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,same,group", *pairs, "p0.jpg,p2.jpg,0,sharp"]))
    (tmp_path / "looked-at.csv").write_text(
        "a,b,verdict\np1.jpg,p0.jpg,doubtful\np2.jpg,p3.jpg,doubtful\np5.jpg,p4.jpg,doubtful\np6.jpg,p9.jpg,different\n"
    )
    return tmp_path


def calibrated(folder: Path, capsys: pytest.CaptureFixture[str], *options: object) -> dict[str, object]:
    files = [str(folder / "faces.csv"), str(folder / "pairs.csv")]
    assert main(["calibrate", "--json", *files, "-o", str(folder / "out.json"), *map(str, options)]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    assert json.loads((folder / "out.json").read_text()) == told
    return told


def test_doubtful_pairs_are_counted_neither_way(crowd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The close pairs set the threshold of the strictest promise; where a look left them doubtful, they do not."""
    every, certain = calibrated(crowd, capsys), calibrated(crowd, capsys, "--doubtful", crowd / "looked-at.csv")
    assert [told["conditions"]["doubtful_pairs"] for told in (every, certain)] == [0, 3]  # type: ignore[index]
    strict, loose = (
        [told["rates"][rate] for told in (every, certain)]  # type: ignore[index]
        for rate in ("1e-04", "1e-01")
    )
    assert strict[0]["threshold"] < 0.6 < 1 < strict[1]["threshold"]
    assert loose[0]["threshold"] == pytest.approx(loose[1]["threshold"], abs=1e-3)
    pairs = PEOPLE * (PEOPLE - 1) // 2
    for told, count in zip(strict, (pairs, pairs - 3), strict=True):
        assert told["fmr"]["everyone"][0] == pytest.approx(2 / count, abs=1e-7), "a third would break the promise"
    conditions: object = every["conditions"]
    assert conditions == {
        "faces": PEOPLE,
        "duplicates_left_out": 0,
        "without_a_face": 0,
        "doubtful_pairs": 0,
        "people": {"everyone": PEOPLE},
        "genuine_pairs": {"blurred": PEOPLE, "sharp": PEOPLE},
        "normalised": False,
    }


def test_a_file_of_verdicts_that_is_none_is_one_line_and_exit_2(crowd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(crowd / "faces.csv"), str(crowd / "pairs.csv")]
    assert main(["calibrate", *files, "--doubtful", str(crowd / "pairs.csv")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "columns a,b,verdict" in line


def test_each_set_of_photos_has_its_own_cost(crowd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = calibrated(crowd, capsys)
    costs = told["rates"]["1e-02"]["fnmr"]  # type: ignore[index]
    assert costs.keys() == told["held_out"]["fnmr"].keys() == {"sharp", "blurred"}  # type: ignore[index]
    assert costs["sharp"] == 0
    assert costs["blurred"] > 0
    assert main(["calibrate", str(crowd / "faces.csv"), str(crowd / "pairs.csv"), "-o", str(crowd / "out.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("FMR 1e-02"))
    assert line.endswith(f"false non-matches {100 * costs['blurred']:.2f} % blurred, 0.00 % sharp")


@pytest.mark.parametrize("embedder", ["mobilefacenet-v1", "dlib-resnet-v1"])
@pytest.mark.parametrize("how", ["none", "cohort"])
def test_thresholds_go_where_they_belong_in_the_manifest(
    embedder: str, how: str, crowd: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of plain distances to the embedder, those of normalised ones to its cohort; nothing else changes."""
    models = crowd / "models"
    shutil.copytree(models_folder(), models)
    monkeypatch.setenv("FACELAB_MODELS", str(models))
    before = json.loads((models / "models.json").read_text())
    files = [str(crowd / "faces.csv"), str(crowd / "pairs.csv")]
    assert main(["--embedder", embedder, "calibrate", "--normalise", how, "--json", *files]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["conditions"]["normalised"] == (how == "cohort")
    after = json.loads((models / "models.json").read_text())
    entry = before["embedder"] if embedder == "mobilefacenet-v1" else before["embedders"][embedder]["embedder"]
    (entry["cohort"] if how == "cohort" else entry)["calibration"] = told
    assert after == before


def test_too_few_people_are_refused(tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "faces.csv").write_text(f"photo,group\n{samples / 'obama.jpg'},x\n{samples / 'biden.jpg'},x\n")
    (tmp_path / "pairs.csv").write_text(f"a,b,same\n{samples / 'obama.jpg'},{samples / 'obama2.jpg'},1\n")
    assert main(["calibrate", str(tmp_path / "faces.csv"), str(tmp_path / "pairs.csv")]) == 2
    assert "too few" in capsys.readouterr().err


def test_evaluation_by_group_and_drawing(tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {n: samples / f"{n}.jpg" for n in ("obama", "obama2", "obama3", "biden")}
    rows = [("obama", "obama2", 1), ("obama", "obama3", 1), ("obama", "biden", 0), ("obama3", "biden", 0)]
    lines = [f"{names[a]},{names[b]},{same},presidents" for a, b, same in rows]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,same,group", *lines]))
    answers = {}
    for how in ("cohort", "none"):
        arguments = ["evaluate", "--json", "--normalise", how, "--det", str(tmp_path / "det.svg"), str(tmp_path / "pairs.csv")]
        assert main(arguments) == 0
        answers[how] = json.loads(capsys.readouterr().out)
    assert answers["cohort"]["groups"]["presidents"]["fmr"][0] == 0
    assert answers["cohort"]["groups"]["presidents"]["fnmr"][0] == 0
    embedder = json.loads((models_folder() / "models.json").read_text())["embedder"]
    shipped = {"cohort": embedder["cohort"]["calibration"], "none": embedder["calibration"]}
    assert {how: answer["threshold"] for how, answer in answers.items()} == {
        how: calibration["good"]["different_from"] for how, calibration in shipped.items()
    }
    assert answers["cohort"]["threshold"] != answers["none"]["threshold"]
    assert "presidents" in (tmp_path / "det.svg").read_text()
