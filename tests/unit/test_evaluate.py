"""The figures of an evaluation, against counting by hand; the command's answers; and files that cannot be used."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facelab.cli import main
from facelab.errors import InputError
from facelab.evaluate import (
    Pair,
    accuracy,
    answer_shares,
    area_under_curve,
    best_accuracy,
    rates_by_group,
    read_doubtful,
    read_pairs,
    read_people_seen_twice,
    separate,
    summarise,
    tar_at_far,
)
from facelab.models import Thresholds
from facelab.native import NativeRuntime

from .conftest import Embeddings

GENUINE = np.array([0.2, 0.3, 0.4, 0.7])
IMPOSTOR = np.array([0.5, 0.6, 0.8, 0.9, 1.0])


def test_figures_by_hand() -> None:
    assert accuracy(GENUINE, IMPOSTOR, 0.65) == 6 / 9  # wrong: 0.7, and 0.5 and 0.6
    threshold, best = best_accuracy(GENUINE, IMPOSTOR)
    assert 0.4 < threshold <= 0.5
    assert best == 8 / 9
    assert area_under_curve(GENUINE, IMPOSTOR) == pytest.approx(18 / 20)  # of 20 pairs of pairs, 0.7 is behind 0.5 and 0.6
    assert tar_at_far(GENUINE, IMPOSTOR, 0.2) == 3 / 4  # one impostor of five may pass: the threshold is 0.6
    assert tar_at_far(GENUINE, IMPOSTOR, 0.01) == 3 / 4


def test_figures_against_brute_force() -> None:
    random = np.random.default_rng(3)
    genuine, impostor = np.sort(random.normal(0.4, 0.15, 300)), np.sort(random.normal(0.8, 0.15, 2000))
    assert area_under_curve(genuine, impostor) == pytest.approx((genuine[:, None] < impostor).mean())
    cuts = np.concatenate([genuine, impostor]) + 1e-9
    assert best_accuracy(genuine, impostor)[1] == pytest.approx(max(accuracy(genuine, impostor, cut) for cut in cuts))
    allowed = [cut for cut in cuts if (impostor < cut).mean() <= 1e-2]
    assert tar_at_far(genuine, impostor, 1e-2) == pytest.approx((genuine < max(allowed)).mean(), abs=1 / 300)


def test_tar_at_one_in_ten_thousand() -> None:
    """Of 20,000 impostor pairs two may pass; below one in the number of pairs, none."""
    impostor = np.concatenate([[0.31, 0.41, 0.51], np.linspace(0.8, 1.2, 19_997)])
    genuine = np.array([0.3, 0.4, 0.5, 0.6])
    assert tar_at_far(genuine, impostor, 1e-4) == 3 / 4, "the threshold is 0.51"
    assert tar_at_far(genuine, impostor, 1e-3) == 1
    assert tar_at_far(genuine, impostor[:9_999], 1e-4) == 1 / 4, "the threshold is 0.31"
    found = separate(genuine, impostor).tar_at_far
    assert {far: tar.value for far, tar in found.items()} == {"1e-2": 1, "1e-3": 1, "1e-4": 3 / 4}


def test_shares_of_the_three_answers_by_hand() -> None:
    limits = Thresholds(same_below=0.4, different_from=0.8)
    assert answer_shares(np.array([0.1, 0.39, 0.4, 0.79, 0.8]), limits) == pytest.approx(
        {"same": 2 / 5, "unsure": 2 / 5, "different": 1 / 5}
    )
    assert answer_shares(np.array([0.1]), Thresholds(0.6, 0.6)) == {"same": 1, "unsure": 0, "different": 0}


def test_rates_of_each_group_by_hand() -> None:
    """At the upper threshold; pairs of no group are in none, and what a group lacks is None, not zero."""
    distances = np.array([0.1, 0.5, 0.9, 0.3, 0.9, 0.9, 0.2, 0.1])
    same = np.array([1, 1, 1, 0, 0, 0, 1, 0], bool)
    rates = rates_by_group(distances, same, ["b", "b", "b", "b", "b", "b", "a", ""], Thresholds(0.4, 0.8))
    assert list(rates) == ["a", "b"]
    b = rates["b"]
    assert b.pairs == 6
    assert b.fmr is not None
    assert b.fnmr is not None
    assert (b.fmr.value, b.fnmr.value) == (1 / 3, 1 / 3)
    assert b.one_person == pytest.approx({"same": 1 / 3, "unsure": 1 / 3, "different": 1 / 3})
    assert b.two_people == pytest.approx({"same": 1 / 3, "unsure": 0, "different": 2 / 3})
    a = rates["a"]
    assert (a.pairs, a.fmr, a.two_people) == (1, None, None)
    assert a.one_person == {"same": 1, "unsure": 0, "different": 0}


@pytest.fixture
def line_up(made_up_faces: Callable[[Embeddings], None], runtime: NativeRuntime, tmp_path: Path) -> Path:
    """A file of pairs whose distances lie below, between and above the shipped thresholds: of two groups, and of none."""
    limits = runtime.manifest.embedder.calibration.good
    near, between, far = limits.same_below / 2, (limits.same_below + limits.different_from) / 2, 1.2 * limits.different_from
    places = {"a": 0.0, "b": near, "c": between, "d": far}
    made_up_faces({f"{name}.jpg": np.eye(1, 128)[0] * place for name, place in places.items()})
    rows = ["a,b,1,young", "a,c,1,young", "a,d,0,young", "a,d,0,young", "a,c,0,old", "a,d,1,", "a,nobody,1,old"]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["a,b,same,group", *(row.replace(",", ".jpg,", 2) for row in rows)]) + "\n")
    return path


def test_the_command_tells_the_three_answers_of_each_group(line_up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--json", str(line_up)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["one_person"] == pytest.approx({"same": 1 / 3, "unsure": 1 / 3, "different": 1 / 3})
    assert answer["two_people"] == pytest.approx({"same": 0, "unsure": 1 / 3, "different": 2 / 3})
    assert answer["tar_at_far"].keys() == answer["intervals"]["tar_at_far"].keys() == {"1e-2", "1e-3", "1e-4"}
    assert answer["failed"] == ["nobody.jpg"]
    young, old = answer["groups"]["young"], answer["groups"]["old"]
    assert answer["groups"].keys() == {"young", "old"}
    assert young["one_person"] == pytest.approx({"same": 1 / 2, "unsure": 1 / 2, "different": 0})
    assert young["two_people"] == pytest.approx({"same": 0, "unsure": 0, "different": 1})
    assert (young["fmr"][0], young["fnmr"][0], old["fmr"][0]) == (0, 0, 1)
    assert (old["one_person"], old["fnmr"]) == (None, None)
    assert old["two_people"] == pytest.approx({"same": 0, "unsure": 1, "different": 0})


def test_the_command_says_the_same_in_words(line_up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(line_up)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "pairs of one person 3 33.33 %, 33.33 %, 33.33 %" in lines
    assert "pairs of two people 3 0.00 %, 33.33 %, 66.67 %" in lines
    assert any(line.startswith("TAR at FAR 1e-4") for line in lines)
    young = next(i for i, line in enumerate(lines) if line.startswith("young FMR 0.00 %"))
    assert lines[young + 1 : young + 3] == ["one person 50.00 %, 50.00 %, 0.00 %", "two people 0.00 %, 0.00 %, 100.00 %"]
    old = next(i for i, line in enumerate(lines) if line.startswith("old FMR 100.00 %"))
    assert lines[old].endswith("FNMR no pairs")
    assert lines[old + 1] == "two people 0.00 %, 100.00 %, 0.00 %"


@pytest.mark.parametrize(("kind", "other"), [("one_person", "two_people"), ("two_people", "one_person")])
def test_pairs_of_one_kind_tell_what_they_can(
    kind: str, other: str, line_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *rows = line_up.read_text().splitlines()
    label = str(int(kind == "one_person"))
    line_up.write_text("\n".join([header, *(row for row in rows if row.split(",")[2] == label), ""]))
    curves = tmp_path / "det.svg"
    assert main(["evaluate", "--json", "--det", str(curves), str(line_up)]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert not curves.exists()
    assert "det.svg was not drawn: it takes pairs of one person and pairs of two" in captured.err
    assert (answer["pairs"], answer["genuine"]) == (3, 3 if kind == "one_person" else 0)
    assert (answer["best"], answer["auc"], answer["tar_at_far"], answer[other]) == (None,) * 4
    assert answer["accuracy"] == pytest.approx(2 / 3)
    assert sum(answer[kind].values()) == pytest.approx(1)
    assert all(rates[kind] and not rates[other] for rates in answer["groups"].values())
    assert answer["intervals"]["accuracy"][0] <= answer["accuracy"] <= answer["intervals"]["accuracy"][1]
    assert main(["evaluate", str(line_up)]) == 0
    told = capsys.readouterr().out
    words = kind.replace("_", " ")
    assert f"All pairs are of {words}: for the best threshold, the ROC curve and" in told
    assert f"pairs of {words}" in told
    assert f"pairs of {other.replace('_', ' ')}" not in told


def test_an_embedder_without_thresholds_has_no_unsure_answers() -> None:
    """Then one threshold, its author's, takes the part of both."""
    shares = answer_shares(np.random.default_rng(1).uniform(0, 2, 999), Thresholds(1.1, 1.1))
    assert shares["unsure"] == 0
    assert math.isclose(sum(shares.values()), 1)


def test_verdicts_of_a_look_are_read(tmp_path: Path) -> None:
    path = tmp_path / "looked-at.csv"
    path.write_text("a,b,verdict\np.jpg,q.jpg,doubtful\nr.jpg,s.jpg,same\nt.jpg,u.jpg,different\n")
    assert read_doubtful(path) == {frozenset(("p.jpg", "q.jpg"))}
    assert read_people_seen_twice(path) == {"r.jpg", "s.jpg"}
    path.write_text("a,b\np.jpg,q.jpg\n")
    with pytest.raises(InputError, match="columns a,b,verdict"):
        read_doubtful(path)
    with pytest.raises(InputError, match="does not exist"):
        read_doubtful(tmp_path / "none.csv")


def test_interval_holds_the_value_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(4)
    same = np.arange(600) % 5 == 0
    distances = np.where(same, random.normal(0.4, 0.12, 600), random.normal(0.8, 0.12, 600))
    first, second = (summarise(distances, same, 0.6) for _ in range(2))
    assert first == second
    assert first.separation
    for measured in (first.accuracy, first.separation.auc, *first.separation.tar_at_far.values()):
        assert measured.interval[0] <= measured.value <= measured.interval[1]
        assert measured.interval[0] < measured.interval[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y\n1,2\n", "columns a,b,same"),
        ("a,b,same\n", "no pairs"),
        ("a,b,same\np.jpg,q.jpg,1\np.jpg,q.jpg,perhaps\n", "line 3"),
        ("a,b,same\np.jpg,,1\n", "line 2"),
        ("a,b,same\np.jpg\n", "line 2"),
        (b"a,b,same\n\x81", "is not text"),
    ],
)
def test_unusable_file_of_pairs_is_refused_with_its_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=said):
        read_pairs(path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a,b,same,group\nMüller.jpg,b.jpg,1,x\n", "utf-8"),
        ("a,b,same,group\r\nMüller.jpg,b.jpg,1,x\r\n", "utf-8-sig"),
        ("a;b;same;group\nMüller.jpg;b.jpg;1;x\n", "cp1252"),
        ("a\tb\tsame\tgroup\nMüller.jpg\tb.jpg\t1\tx\n", "utf-16"),
        ("a, b, same, group\nMüller.jpg, b.jpg, 1, x\n\n", "utf-8"),
        ('"A","B","Same","Group"\n"Müller.jpg","b.jpg","1","x"\n', "utf-8"),
        ('"a"; "b"; "same"; "group"\n"Müller.jpg"; "b.jpg"; yes; x\n;;;\n', "utf-8-sig"),
        ("group,a,same,b,note\nx,Müller.jpg,TRUE,b.jpg\n", "utf-8"),
    ],
)
def test_pairs_are_read_as_spreadsheets_write_them(text: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_bytes(text.encode(encoding))
    assert read_pairs(tmp_path / "pairs.csv") == [Pair("Müller.jpg", "b.jpg", True, "x")]


def test_quotation_mark_that_is_not_closed_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text('a,b,same\n"p.jpg,q.jpg,1\nr.jpg,s.jpg,1\n')
    with pytest.raises(InputError, match="this is no CSV"):
        read_pairs(tmp_path / "pairs.csv")


def test_missing_file_of_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_pairs(tmp_path / "none.csv")
