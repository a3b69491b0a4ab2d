"""The page's register: what a class tells of itself, and who is who, by every rule."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from facelab.models import Thresholds
from facelab.register import RULES, Register, Rule

from .test_identify import SHIPPED, people


def register(count: int = 30, photos: int = 6) -> tuple[Register, dict[str, NDArray[np.float32]]]:
    everyone = people(count, photos + 1)
    keys = [name for name in everyone for _ in range(photos)]
    enrolled = np.concatenate([known[:photos] for known in everyone.values()])
    return Register(keys, enrolled, None, SHIPPED), {name: known[photos:] for name, known in everyone.items()}


def test_a_class_tells_its_thresholds_its_distances_and_who_is_most_alike() -> None:
    told = register()[0].told()
    assert (told["people"], told["photos"]) == (30, 180)
    assert told["sure_below"] <= told["unknown_from"]
    assert sum(told["genuine"]) == 180
    assert sum(told["impostor"]) == 180 * 29
    assert len(told["alike"]) == 3
    assert told["odd"] == []
    json.dumps(told)


def test_one_pupil_under_two_names_is_told_and_is_not_sure() -> None:
    everyone = people(10, 7)
    everyone["pupil 0 again"] = everyone["pupil 0"][3:6]
    everyone["pupil 0"] = everyone["pupil 0"][:3]
    keys = [name for name, known in everyone.items() for _ in known]
    known = Register(keys, np.concatenate(list(everyone.values())), None, SHIPPED)
    assert [pair[:2] for pair in known.told()["twice"]] == [["pupil 0", "pupil 0 again"]]
    (answer,) = known.who(people(10, 7)["pupil 0"][6:])
    assert (answer["answer"], {answer["key"], answer["runner_up"]}) == ("unsure", {"pupil 0", "pupil 0 again"})
    assert register()[0].told()["twice"] == []


def test_distances_beyond_the_last_bin_are_counted_in_it() -> None:
    """Vectors of length 1 lie up to 2 apart."""
    ends = np.zeros((2, 128), np.float32)
    ends[:, 0] = 1, -1
    told = Register(["a", "b"], ends, None, SHIPPED).told()
    assert told["impostor"][-1] == sum(told["impostor"]) == 2


def test_a_photo_of_somebody_else_is_odd() -> None:
    everyone = people(3, 7)
    everyone["pupil 0"][2] = everyone["pupil 1"][6]
    keys = [name for name in everyone for _ in range(7)]
    assert Register(keys, np.concatenate(list(everyone.values())), None, SHIPPED).told()["odd"] == [2]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_names_the_pupils(rule: Rule) -> None:
    known, asked = register()
    answers = known.who(np.concatenate(list(asked.values())), rule)
    assert [one["key"] for one in answers] == list(asked)
    assert all(one["likely"][0][0] == one["key"] and len(one["likely"]) == 30 for one in answers)
    json.dumps(answers)


def test_the_original_rule_is_stricter_with_a_photo_of_another_class() -> None:
    """A face between both shipped limits is named among classmates, and not among strangers."""
    known, asked = register()
    faces = np.concatenate(list(asked.values()))
    between = faces[0] + np.float32(0.31) * np.eye(128, dtype=np.float32)[0]
    strangers = np.concatenate([p[:1] for p in people(10, 1, seed=9).values()])
    with_class = known.who(np.concatenate([between[None], faces[1:9]]), "original")
    with_strangers = known.who(np.concatenate([between[None], strangers]), "original")
    assert SHIPPED.same_below < with_class[0]["distance"] < SHIPPED.different_from
    assert (with_class[0]["key"], with_strangers[0]["key"]) == ("pupil 0", None)


def test_a_chance_is_told_that_grows_with_the_distance() -> None:
    known, asked = register()
    near = known.who(asked["pupil 3"], "template")[0]
    far = known.who(asked["pupil 3"] + np.float32(0.04), "template")[0]
    assert 0 < near["chance"] <= far["chance"] <= 1


def test_nobody_enrolled_is_no_error() -> None:
    nobody = Register([], np.empty((0, 0), np.float32), None, Thresholds(0.4, 0.5))
    assert nobody.told()["people"] == 0
    for rule in RULES:
        (answer,) = nobody.who(np.zeros((1, 128), np.float32), rule)  # type: ignore[arg-type]
        assert (answer["key"], answer["answer"], answer["likely"]) == (None, "unknown", [])
