"""The figures of an evaluation, against counting by hand; and files of pairs that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facelab.errors import InputError
from facelab.evaluate import accuracy, area_under_curve, best_accuracy, read_pairs, summarise, tar_at_far

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


def test_interval_holds_the_value_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(4)
    same = np.arange(600) % 5 == 0
    distances = np.where(same, random.normal(0.4, 0.12, 600), random.normal(0.8, 0.12, 600))
    first, second = (summarise(distances, same, 0.6) for _ in range(2))
    assert first == second
    for measured in (first.accuracy, first.auc, *first.tar_at_far.values()):
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
        (b"\xff\xfe\x00bad", "cannot be read"),
    ],
)
def test_unusable_file_of_pairs_is_refused_with_its_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=said):
        read_pairs(path)


def test_missing_file_of_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_pairs(tmp_path / "none.csv")
