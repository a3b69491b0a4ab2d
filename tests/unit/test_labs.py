"""The chapters' labs, run natively: every control moves something, on a sample, on a photo without a face, and on odd ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import pytest

from facelab.labs import LABS
from facelab.labs.panels import Button, Chart, Choice, Control, Facts, Grid, Lab, Panel, Picture, Setting, Slider, Switch
from facelab.labs.pictures import shrunk
from facelab.runtime import finish
from facelab.workspace import OWN, Workspace, current_workspace

KINDS = sorted(LABS)


def answer(lab: Lab, workspace: Workspace, **changes: Setting) -> Sequence[Panel]:
    return finish(lab.answer(workspace, {**lab.settings, **changes}))


def told(panels: Sequence[Panel]) -> str:
    """All that a reader sees of panels, for comparing."""
    return repr([{k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in asdict(panel).items()} for panel in panels])


def ends(control: Control) -> list[Setting]:
    match control:
        case Slider(low=low, high=high):
            return [low, high]
        case Choice(options=options):
            return [value for value, _ in options]
        case Switch():
            return [False, True]
        case Button():
            return [0, 1, 2]


def check(panels: Sequence[Panel]) -> None:
    """What the page can draw, and a reader can read."""
    assert panels, "a lab answers with something"
    for panel in panels:
        match panel:
            case Picture():
                assert panel.pixels.dtype == np.uint8
                assert panel.pixels.ndim in (2, 3)
                assert panel.pixels.size
                assert panel.alt
            case Chart():
                assert panel.alt
                for line in panel.lines:
                    assert len(line.x) == len(line.y)
                    assert all(np.isfinite([*line.x, *line.y])), line.name
            case Facts():
                assert panel.facts
                assert all(fact.label and fact.value for fact in panel.facts)
            case Grid():
                assert all(len(row) == len(panel.columns) for row in panel.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_lab_answers_each_control(kind: str) -> None:
    """Some sliders belong to one choice: then that choice is made, too."""
    lab, workspace = LABS[kind], current_workspace()
    choices: list[dict[str, Setting]] = [{}]
    for one in lab.controls:
        choices += [{one.name: value} for value, _ in one.options] if isinstance(one, Choice) else []
    for control in lab.controls:
        for choice in choices:
            seen = set()
            for value in ends(control):
                panels = answer(lab, workspace, **{**choice, control.name: value})
                check(panels)
                seen.add(told(panels))
            if len(seen) > 1:
                break
        else:
            pytest.fail(f"moving “{control.label}” of {kind} changes nothing")


SOMETIMES = [
    (kind, control) for kind, lab in LABS.items() for control in lab.controls if isinstance(control, Slider) and control.only
]


@pytest.mark.parametrize(("kind", "slider"), SOMETIMES, ids=lambda value: value.name if isinstance(value, Slider) else value)
def test_slider_is_there_where_it_changes_something(kind: str, slider: Slider) -> None:
    assert slider.only
    name, values = slider.only
    (choice,) = (control for control in LABS[kind].controls if isinstance(control, Choice) and control.name == name)
    changing = {
        value
        for value, _ in choice.options
        if len({told(answer(LABS[kind], current_workspace(), **{name: value, slider.name: end})) for end in ends(slider)}) > 1
    }
    assert changing == ({values} if isinstance(values, str) else set(values))


@pytest.mark.parametrize("kind", KINDS)
def test_lab_answers_the_same_twice(kind: str) -> None:
    assert told(answer(LABS[kind], current_workspace())) == told(answer(LABS[kind], current_workspace()))


@pytest.mark.parametrize("size", [(240, 320), (1, 1), (40, 900)], ids=["a photo of nothing", "one pixel", "a strip"])
@pytest.mark.parametrize("kind", KINDS)
def test_lab_bears_a_photo_without_a_face(kind: str, size: tuple[int, int]) -> None:
    samples = current_workspace()
    workspace = Workspace(samples.runtime, dict(samples.photos))
    workspace.put(OWN, samples.runtime.photo(np.full((*size, 3), 90, np.uint8)))
    check(answer(LABS[kind], workspace))
    for control in LABS[kind].controls:
        for value in ends(control):
            check(answer(LABS[kind], workspace, **{control.name: value}))


def test_control_starts_within_its_range() -> None:
    for kind, lab in LABS.items():
        for control in lab.controls:
            allowed: Any = ends(control)
            if isinstance(control, Slider):
                assert control.low <= control.start <= control.high, (kind, control.name)
            else:
                assert control.start in allowed, (kind, control.name)


@pytest.mark.parametrize(("height", "width", "longest"), [(640, 512, 420), (300, 900, 90), (50, 40, 100), (1000, 7, 33)])
def test_shrunk_is_opencvs_area_filter(height: int, width: int, longest: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    ours = shrunk(pixels, longest)
    assert max(ours.shape[:2]) == min(longest, max(height, width))
    theirs = cv2.resize(pixels, (ours.shape[1], ours.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_shrunk_by_a_whole_number_is_the_mean_of_blocks() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    np.testing.assert_array_equal(shrunk(pixels, 30), pixels.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3)).round().astype(np.uint8))
