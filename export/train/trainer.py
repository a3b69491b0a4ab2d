"""The training loop: epochs, examinations, and checkpoints from which a training goes on exactly."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from facelab.files import write_whole

from ..errors import ExportError
from .lessons import Lesson

Arrays = list[NDArray[Any]]

WARM_UP = 0.05  # the learning rate rises during this share of all steps
AT_ONCE = 128  # chips that an examination embeds together


@dataclass(frozen=True)
class Plan:
    """How to train. rate: the highest learning rate. patience: epochs without a better score after which the training stops.

    told: everything else that decides what is learnt, by name, so that a checkpoint of another training is refused.
    """

    epochs: int
    rate: float
    weight_decay: float
    patience: int
    seed: int
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Progress:
    """How far a training has come. epoch: how many are done. history: the figures of each, by name.

    best: the epoch with the best score, counted from 1; 0 before the first.
    """

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: int = 0
    best_weights: Arrays = field(default_factory=list)

    def is_over(self, plan: Plan) -> bool:
        return self.epoch >= plan.epochs or self.epoch - self.best >= plan.patience


def train(
    model: Any,
    lesson: Lesson,
    plan: Plan,
    folder: Path,
    resume: bool = False,
    minutes: float | None = None,
    tell: Callable[[str], None] = print,
) -> Progress:
    """The progress of a training that is over or paused; the model then has the weights of the best epoch.

    folder: gets checkpoint.npz and log.csv after every epoch. resume: go on from that checkpoint. minutes: pause after the first
    epoch that ends later than this. Raises ExportError if there is no checkpoint to go on from, or one of another training.
    """
    keras.utils.set_random_seed(plan.seed)
    # XLA makes TensorFlow's convolutions several times slower on CPUs. JAX always compiles, so that "auto" changes nothing there.
    compiled = False if keras.backend.backend() == "tensorflow" else "auto"
    model.compile(_optimizer(plan, lesson.steps), lesson.loss, jit_compile=compiled)
    model.optimizer.build(model.trainable_variables)
    checkpoint = folder / "checkpoint.npz"
    if resume:
        progress = _restored(checkpoint, model, plan)
    else:
        lesson.start(model)
        progress = Progress(best_weights=_numbers(model.weights))
    started = time.monotonic()
    while not progress.is_over(plan):
        begun = time.monotonic()
        batches = lesson.batches(plan.seed, progress.epoch)
        # One call of fit for each epoch, so that batches fetched ahead by a backend cannot belong to another epoch.
        done = model.fit(batches, epochs=1, shuffle=False, verbose=0)
        progress.epoch += 1
        figures = {"epoch": progress.epoch, "loss": done.history["loss"][0], **lesson.examine(embedder(model))}
        if not np.isfinite(figures["loss"]):
            raise ExportError(f"the loss of epoch {progress.epoch} is not finite: start again with a lower --rate")
        progress.history.append({**figures, "seconds": round(time.monotonic() - begun, 1)})
        if not progress.best or figures[lesson.score] > progress.history[progress.best - 1][lesson.score]:
            progress.best, progress.best_weights = progress.epoch, _numbers(model.weights)
        _save(checkpoint, model, plan, progress)
        _write_log(folder / "log.csv", progress)
        tell("  ".join(f"{name} {value:.4g}" for name, value in progress.history[-1].items()))
        if minutes is not None and time.monotonic() - started > 60 * minutes:
            break
    model.set_weights(progress.best_weights)
    return progress


def embedder(model: Any) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from chips uint8 [N, S, S, 3] to the model's embeddings float32 [N, D]."""

    def embed(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers: NDArray[np.float32] = model.predict(chips.astype(np.float32), batch_size=AT_ONCE, verbose=0)
        return answers

    return embed


def _optimizer(plan: Plan, steps: int) -> Any:
    """AdamW, its rate rising, then falling to 0 along a cosine (Loshchilov and Hutter, arXiv:1608.03983, arXiv:1711.05101)."""
    every = plan.epochs * steps
    rising = max(1, round(WARM_UP * every))
    rate = keras.optimizers.schedules.CosineDecay(
        plan.rate / 100, max(1, every - rising), warmup_target=plan.rate, warmup_steps=rising
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=plan.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _numbers(variables: list[Any]) -> Arrays:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _state(model: Any) -> list[Any]:
    """All variables that the next step depends on, the seeds of layers included."""
    return [*model.variables, *model.optimizer.variables]


def _save(file: Path, model: Any, plan: Plan, progress: Progress) -> None:
    state = {f"state{i}": array for i, array in enumerate(_numbers(_unique(_state(model))))}
    best = {f"best{i}": array for i, array in enumerate(progress.best_weights)}
    about = {"plan": _told(plan), "epoch": progress.epoch, "history": progress.history, "best": progress.best}
    packed = io.BytesIO()
    try:
        told = json.dumps(about, allow_nan=False)
    except ValueError:
        raise ExportError("the training has diverged, its loss is not a number any more: begin anew with a lower rate") from None
    np.savez(packed, about=np.array(told), **state, **best)  # type: ignore[arg-type]
    _write(file, packed.getvalue())


def _restored(file: Path, model: Any, plan: Plan) -> Progress:
    """The progress of a checkpoint, whose state is put into the model and its optimiser."""
    try:
        with np.load(file, allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            arrays = {name: held[name] for name in held.files if name != "about"}
    except FileNotFoundError:
        raise ExportError(f"there is no {file} to go on from: leave --resume out to begin") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExportError(f"{file} is damaged ({error}): leave --resume out to begin again") from None
    now, then = _told(plan), about["plan"]
    if changed := [name for name in {**then, **now} if then.get(name) != now.get(name)]:
        name = changed[0]
        raise ExportError(
            f"{file} is of another training: its {name} was {then.get(name)}, now it is {now.get(name)}; "
            "ask for the same, or leave --resume out to begin again"
        )
    variables = _unique(_state(model))
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"state{index}"])
    best = [arrays[f"best{index}"] for index in range(len(model.weights))]
    return Progress(about["epoch"], about["history"], about["best"], best)


def _told(plan: Plan) -> dict[str, Any]:
    own = {name: value for name, value in vars(plan).items() if name not in ("told", "patience")}
    told: dict[str, Any] = json.loads(json.dumps({**own, **plan.told}, default=str))
    return told


def _unique(variables: list[Any]) -> list[Any]:
    """The variables without repetitions, because wrapped optimisers list theirs twice."""
    return list({id(variable): variable for variable in variables}.values())


def _write_log(file: Path, progress: Progress) -> None:
    text = io.StringIO()
    rows = csv.DictWriter(text, progress.history[0])
    rows.writeheader()
    rows.writerows(progress.history)
    _write(file, text.getvalue().encode())


def _write(file: Path, data: bytes) -> None:
    """Write a file completely or not at all. Raises ExportError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{file} cannot be written ({error.strerror})") from None
    write_whole(file, data, ExportError)
