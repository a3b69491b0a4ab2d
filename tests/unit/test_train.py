"""Training: what a batch is, that a network learns, that an interruption changes nothing, and what is said of bad input.

Real photos, a network of three convolutions: seconds.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from export.embedders import export_trained
from export.mobilefacenet import as_in_the_paper, build_mobilefacenet, read_tflite
from export.sources import MOBILEFACENET, read_first
from export.train import networks
from export.train.batches import Order, PersonBatches, PhotoBatches, augment
from export.train.chips import Chips, Cut, cut_chips
from export.train.lessons import PeopleLesson, TeacherLesson, split_people, split_photos, verification
from export.train.results import load_result, save_result
from export.train.trainer import Plan, embedder, train
from facelab.evaluate import area_under_curve
from facelab.models import parse_manifest
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish

from ..conftest import ROOT

SIDE = 32
CHOSEN = {"network": "tiny"}


def run(*arguments: str | Path, models: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    environment = {**os.environ, "FACELAB_MODELS": str(models or models_folder())}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chips")


@pytest.fixture(scope="module")
def chips(lfw100: Path, cache: Path) -> Chips:
    """Of lfw100, in two views each, cut like dlib's chips and with that network's answers."""
    return taught_by("dlib-resnet-v1", lfw100, cache)


def taught_by(teacher: str, photos: Path, cache: Path) -> Chips:
    cut, left_out = cut_chips(sorted(photos.rglob("*.jpg")), Cut(SIDE, 2, models_folder(), teacher), cache)
    assert len(left_out) <= 2
    return cut


def made_up(people: int, photos: int, side: int = 8) -> tuple[Chips, NDArray[np.intp]]:
    """Chips of one grey each, that of its photo's number."""
    count = people * photos
    pixels = np.tile(np.arange(count, dtype=np.uint8)[:, None, None, None, None], (1, 2, side, side, 3))
    chips = Chips([Path(f"{i}.jpg") for i in range(count)], pixels, np.zeros((count, 2, 0), np.float32))
    return chips, np.repeat(np.arange(people), photos)


@pytest.fixture(autouse=True)
def plain_precision() -> Iterator[None]:
    yield
    keras.config.set_dtype_policy("float32")


def untrained(seed: int = 1, dimensions: int = 128) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return networks.build("tiny", SIDE, dimensions)


def people_lesson(chips: Chips, folder: Path, steps: int = 12) -> PeopleLesson:
    inside, people, outside, others = split_people(folder, chips, 0.4, seed=1)
    return PeopleLesson(inside, people, outside, others, 12, 3, steps, margin=0.2, mining="semi-hard")


# Batches


def test_a_batch_is_so_many_photos_of_each_of_so_many_people() -> None:
    chips, people = made_up(people=6, photos=5)
    batches = PersonBatches(chips, people, at_once=4, photos=3, order=Order(seed=1, epoch=0, steps=2))
    assert len(batches) == 2
    pixels, shown = batches[0]
    assert pixels.shape == (12, 8, 8, 3)
    assert np.unique(shown, return_counts=True)[1].tolist() == [3, 3, 3, 3]


def test_who_has_few_photos_gives_them_again_but_none_twice_before_all_once() -> None:
    chips, people = made_up(people=2, photos=2)
    _, shown = PersonBatches(chips, people, at_once=2, photos=5, order=Order(1, 0, 1))[0]
    assert np.unique(shown, return_counts=True)[1].tolist() == [5, 5]


def test_a_batch_depends_on_seed_epoch_and_number_alone() -> None:
    chips, people = made_up(people=6, photos=5)

    def batch(seed: int, epoch: int, index: int) -> NDArray[np.float32]:
        return PersonBatches(chips, people, 4, 3, Order(seed, epoch, 9))[index][0]

    np.testing.assert_array_equal(batch(1, 2, 3), batch(1, 2, 3))
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        assert not np.array_equal(batch(1, 2, 3), batch(*other))


def test_an_epoch_shows_every_photo_of_a_teachers_once() -> None:
    chips, _ = made_up(people=4, photos=4)
    numbers = np.arange(16, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    batches = PhotoBatches(Chips(chips.photos, chips.pixels, numbers), size=8, order=Order(1, 0, 2))
    seen = np.concatenate([answers[:, 0] for _, answers in (batches[0], batches[1])])
    assert sorted(seen) == list(range(16))


def test_augmented_chips_stay_chips_and_differ() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 24, 3), np.uint8)
    changed = augment(pixels, np.random.default_rng(2))
    assert changed.shape == pixels.shape
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 255
    assert (np.abs(changed - pixels).mean(axis=(1, 2, 3)) > 1).mean() > 0.9


def test_people_to_learn_from_and_to_examine_with_are_others(chips: Chips, lfw100: Path) -> None:
    inside, _, outside, _ = split_people(lfw100, chips, 0.4, seed=1)
    assert not {p.parent.name for p in inside.photos} & {p.parent.name for p in outside.photos}


# Learning


def test_triplets_teach_who_is_who(chips: Chips, lfw100: Path, tmp_path: Path) -> None:
    """Verification of people whom it has never seen rises by 0.08 of the area under the curve at least, from random starts.

    In the mean of three: they are four people, and single starts rise by 0.07 to 0.19.
    """
    rises = []
    for seed in (1, 2, 3):
        lesson = people_lesson(chips, lfw100)
        model = untrained(seed)
        before = lesson.examine(embedder(model))["auc"]
        progress = train(model, lesson, Plan(12, 5e-3, 0.05, 12, 1, CHOSEN), tmp_path, tell=lambda _: None)
        losses = [row["loss"] for row in progress.history]
        assert np.mean(losses[-3:]) < 0.95 * losses[0]
        rises.append(lesson.examine(embedder(model))["auc"] - before)
    assert np.mean(rises) > 0.08, rises
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "epoch,loss,auc,accuracy,seconds"


@pytest.mark.parametrize(("teacher", "threshold"), [("mobilefacenet-v1", 1.0), ("dlib-resnet-v1", 0.6)])
def test_a_teacher_is_matched_without_names(teacher: str, threshold: float, tmp_path: Path, lfw100: Path, cache: Path) -> None:
    """MobileFaceNet's answers lie all around the sphere; dlib's have most of their length in common."""
    inside, outside = split_photos(lfw100, taught_by(teacher, lfw100, cache), 0.2, seed=1)
    lesson = TeacherLesson(inside, outside, 32, 6, teacher_threshold=threshold)
    model = untrained()
    progress = train(model, lesson, Plan(15, 1e-2, 0.05, 15, 1, CHOSEN), tmp_path, tell=lambda _: None)
    assert progress.history[-1]["loss"] < 0.75 * progress.history[0]["loss"], "1 would be its mean every time"
    assert progress.history[progress.best - 1]["explained"] > progress.history[0]["explained"] + 0.05, "of photos held out, too"


def test_going_on_after_an_interruption_is_no_interruption(chips: Chips, lfw100: Path, tmp_path: Path) -> None:
    lesson = people_lesson(chips, lfw100, steps=2)
    plan = Plan(4, 1e-3, 0.05, 9, 1, CHOSEN)
    straight = untrained()
    train(straight, lesson, plan, tmp_path / "straight", tell=lambda _: None)

    first = untrained()
    part = train(first, lesson, plan, tmp_path / "parts", minutes=0, tell=lambda _: None)
    assert part.epoch == 1
    second = untrained(seed=7)  # whatever it begins with, the checkpoint decides
    whole = train(second, lesson, plan, tmp_path / "parts", resume=True, tell=lambda _: None)
    assert whole.epoch == 4
    for one, other in zip(straight.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_stops_when_nothing_gets_better_and_keeps_the_best(chips: Chips, lfw100: Path, tmp_path: Path) -> None:
    lesson = people_lesson(chips, lfw100, steps=1)
    progress = train(untrained(), lesson, Plan(50, 1e-9, 0.0, 3, 1, CHOSEN), tmp_path, tell=lambda _: None)
    assert progress.epoch == progress.best + 3 < 50


def test_mixed_precision_ends_in_float32(tmp_path: Path) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = untrained()
    assert model.get_layer("conv1").compute_dtype == "bfloat16"
    answers = np.asarray(model.predict(np.zeros((2, SIDE, SIDE, 3), np.float32), verbose=0))
    assert answers.dtype == np.float32
    cut_for = parse_manifest((models_folder() / "models.json").read_text()).embedder
    save_result(tmp_path / "mixed.keras", model, "tiny", cut_for, 0.6, {})
    saved, _ = load_result(tmp_path / "mixed.keras")
    assert saved.get_layer("conv1").compute_dtype == "float32"


def test_small_network_is_a_quarter_of_the_default_embedder() -> None:
    small = networks.multiply_adds(networks.build("small", 96))
    _, files = read_first(MOBILEFACENET)
    own = networks.multiply_adds(build_mobilefacenet(as_in_the_paper(read_tflite(*files))))
    assert 4 * small <= own == 220_965_376
    assert small <= 60e6


def imported_by(path: Path, seen: dict[Path, str]) -> dict[Path, str]:
    """A module of the export and all of the export that it imports, wherever in it: their sources."""
    seen[path] = path.read_text()
    for node in ast.walk(ast.parse(seen[path])):
        if isinstance(node, ast.ImportFrom) and node.level:
            found = path.parents[node.level - 1].joinpath(*(node.module or "").split(".")).with_suffix(".py")
            if found.exists() and found not in seen:
                imported_by(found, seen)
    return seen


def test_training_needs_no_tensorflow() -> None:
    """A machine for training may have JAX or PyTorch alone."""
    sources: dict[Path, str] = {}
    for path in (ROOT / "export" / "train").glob("*.py"):
        imported_by(path, sources)
    assert ROOT / "export" / "inception_resnet.py" in sources, "or the walk found nothing"
    for path, source in sources.items():
        names = [node.names[0].name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import)]
        names += [node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.startswith(("tensorflow", "tf2onnx"))], path


def test_pairs_of_held_out_people_are_all_pairs() -> None:
    points = np.array([[0, 1], [0, 1], [1, 0]], np.float32)
    genuine, impostor = verification(points, np.array([0, 0, 1]))
    assert genuine.tolist() == [0]
    np.testing.assert_allclose(impostor, [2**0.5, 2**0.5])
    assert area_under_curve(genuine, impostor) == 1


# Out of it: a file, a graph, the command line


@pytest.fixture(scope="module")
def trained(lfw100: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the command, as a reader would."""
    out = tmp_path_factory.mktemp("trained") / "mine.keras"
    done = run("export.train", lfw100, "-o", out, "--network", "tiny", "--epochs", "1", "--views", "2", "--cache", cache)
    assert done.returncode == 0, done.stderr
    assert "mine.keras: the network of epoch 1" in done.stdout
    return out


def test_trained_network_goes_into_the_manifest_and_answers_as_keras_does(trained: Path, tmp_path: Path, samples: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(models_folder(), models)
    assert "facelab --embedder mine" in export_trained(models, trained, None)
    runtime = NativeRuntime(models, embedder="mine")
    photo = read_photo(samples / "obama.jpg", runtime.manifest.max_side)
    transforms = np.array([[[3, 0, 60], [0, 3, 60]], [[2, 1, 40], [-1, 2, 90]]], np.float32)
    answer = finish(runtime.run("embedder", photo, {"transforms": transforms}))
    model, _ = load_result(trained)
    expected = model.predict(answer["chips"].astype(np.float32), verbose=0)
    np.testing.assert_allclose(answer["embeddings"], expected, atol=1e-4)
    photos = samples / "obama.jpg", samples / "obama2.jpg"
    done = run("facelab.cli", "--embedder", "mine", "verify", *photos, "--json", models=models)
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads(done.stdout)["plain_distance"] <= 2


def test_bad_input_is_one_sentence_and_exit_2(trained: Path, tmp_path: Path, lfw100: Path, cache: Path) -> None:
    photo = next(lfw100.rglob("*.jpg"))
    empty, loose, alone = tmp_path / "empty", tmp_path / "loose", tmp_path / "alone"
    for folder in (empty, loose, alone / "someone"):
        folder.mkdir(parents=True)
    shutil.copy(photo, loose)
    shutil.copy(photo, alone / "someone")
    damaged = tmp_path / "damaged.training"
    damaged.mkdir()
    (damaged / "checkpoint.npz").write_bytes(b"PK")
    alien = tmp_path / "alien.keras"
    shutil.copy(trained, alien)
    out = tmp_path / "out.keras"
    usual = ("--network", "tiny", "--views", "2", "--cache", cache)
    for words, arguments in {
        "photo": ("export.train", empty, "-o", out),
        "lies beside the folders": ("export.train", loose, "-o", out, *usual),
        "4 are needed": ("export.train", alone, "-o", out, *usual),
        "must end with .keras": ("export.train", lfw100, "-o", tmp_path / "out.h5"),
        "to go on from": ("export.train", lfw100, "-o", out, "--resume", *usual),
        "is damaged": ("export.train", lfw100, "-o", tmp_path / "damaged.keras", "--resume", *usual),
        "alien.json is missing": ("export", "--embedder", "trained", "--weights", alien, "-o", models_folder()),
    }.items():
        done = run(*arguments)
        assert done.returncode == 2, (words, done.stderr)
        assert words in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
