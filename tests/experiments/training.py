"""How well a network recognises strangers after a small training with the triplet loss, for each way of mining.

The network starts from random weights. It learns from two thirds of the 39 people of the ORL collection, and is examined with the
other third. The result is for teaching, not for use: FaceNet had eight million people, not 26.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from facelab.native import models_folder

from .photos import ROOT, photos_of
from .report import Axis, Chart, Curve, Report, Table, percent

EPOCHS, RATE, SEED = 30, 2e-3, 1
AT_ONCE, PHOTOS, STEPS = 16, 4, 8
MARGIN = 0.2


def measure(data: Path) -> Report:
    """The AUC of three trainings, epoch by epoch, and a table of their best epochs."""
    import keras

    from export.train.chips import Cut, cut_chips
    from export.train.lessons import PeopleLesson, split_people
    from export.train.losses import MININGS
    from export.train.networks import NETWORKS, build
    from export.train.trainer import Plan, embedder, train

    report = Report("python -m tests.experiments training")
    folder = data / "orl39"
    side = NETWORKS["small"].chip_size
    chips, _ = cut_chips(photos_of(folder), Cut(side, 4, models_folder()), ROOT / "build" / "train" / "chips")
    inside, people, outside, others = split_people(folder.resolve(), chips, 1 / 3, SEED)
    curves, rows, best_aucs, durations = [], [], [], []
    for mining in MININGS:
        lesson = PeopleLesson(inside, people, outside, others, AT_ONCE, PHOTOS, STEPS, MARGIN, mining)
        keras.utils.set_random_seed(SEED)
        model = build("small", side)
        before = lesson.examine(embedder(model))
        with tempfile.TemporaryDirectory() as work:
            progress = train(model, lesson, Plan(EPOCHS, RATE, 0.05, EPOCHS, SEED), Path(work))
        history = [before, *progress.history]
        curves.append(Curve(mining, list(range(len(history))), [round(row["auc"], 4) for row in history]))
        best = history[progress.best]
        seconds = sum(row["seconds"] for row in progress.history)
        best_aucs.append(best["auc"])
        durations.append(seconds)
        loss = f"{progress.history[0]['loss']:.3f} to {progress.history[-1]['loss']:.3f}"
        rows.append(
            [mining, loss, percent(before["auc"], 1), percent(best["auc"], 1), percent(best["accuracy"], 1), f"{seconds:.0f}"]
        )
    columns = ["Mining", "Loss, first to last epoch", "AUC untrained", "AUC at its best", "Pairs right then", "Seconds"]
    report.tables["minings"] = Table(columns, rows)
    report.charts["course"] = Chart(
        f"Area under the ROC curve of {others.max() + 1} people held out, epoch by epoch, for three ways of mining.",
        Axis("epoch"),
        Axis("AUC, people held out", percent=True),
        curves,
    )
    report.values |= {
        "people": str(people.max() + 1),
        "held out": str(others.max() + 1),
        "untrained": percent(before["auc"], 1),
        "lowest best": percent(min(best_aucs), 1),
        "highest best": percent(max(best_aucs), 1),
        "minutes": f"{max(durations) / 60:.0f}",
    }
    return report
