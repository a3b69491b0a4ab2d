"""`python -m export.train DIR --out FILE.keras`: trains an embedder on your own photos.

DIR holds a folder for each person. The largest face in each photo must be that person's. The network learns with the triplet
loss, and is examined on people who are held out of the training. With --teacher, DIR holds photos of anybody, without names, and
the network learns to give the answers of an embedder that was exported before.

The training writes FILE.keras and FILE.json, from which `python -m export --embedder trained --weights FILE.keras` makes an ONNX
graph. FILE.training/ holds log.csv and checkpoint.npz, from which --resume goes on exactly.

The chips of the faces stay in --cache, so that each face is found only once. They are personal data: delete them afterwards.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facelab.errors import FacelabError
from facelab.listing import photos_in
from facelab.native import NativeRuntime

from ..errors import ExportError
from ..sources import ROOT
from .chips import Chips, Cut, cut_chips

if TYPE_CHECKING:
    from .lessons import Lesson

NETWORKS = ("small", "inception-resnet-v1", "tiny")
TOLD = 5  # so many of the photos left out are named; the others are only counted


def main() -> int:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        _train(arguments)
    except (ExportError, FacelabError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("train: interrupted; --resume goes on from the last whole epoch", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whole, part = _number(int, 1), _number(float, 0)
    parser.add_argument("folder", type=Path, metavar="DIR", help="photos: a folder for each person, or with --teacher any photos")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.keras")
    parser.add_argument(
        "--network", choices=NETWORKS, default="small", help="small: for CPUs; inception-resnet-v1: larger, for a GPU"
    )
    parser.add_argument(
        "--chip-size", type=_number(int, 32), help="side of the chips in pixels (the one that the network is made for)"
    )
    parser.add_argument("--dims", type=_number(int, 2), help="numbers for each face (128, or as many as the teacher's)")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "train" / "chips", help="folder for chips (build/train/chips)"
    )
    parser.add_argument("--models", type=Path, default=ROOT / "build" / "models", help="folder of a manifest (build/models)")
    parser.add_argument("--views", type=whole, default=4, help="chips cut from each face, each a little turned and moved (4)")

    triplets = parser.add_argument_group("with a folder for each person")
    triplets.add_argument("--mining", choices=["all", "semi-hard", "hard"], default="semi-hard", help="which triplets (semi-hard)")
    triplets.add_argument("--margin", type=part, default=0.2, help="of the triplet loss, in squared distance (0.2)")
    triplets.add_argument("--people", type=_number(int, 2), default=16, help="people in a batch (16, or as many as there are)")
    triplets.add_argument("--photos", type=_number(int, 2), default=4, help="photos of each person in a batch (4)")

    teacher = parser.add_argument_group("with a teacher")
    teacher.add_argument(
        "--teacher",
        nargs="?",
        const="",
        metavar="NAME",
        help="learn the answers of this embedder of the manifest (its default one)",
    )
    teacher.add_argument("--batch", type=_number(int, 2), default=64, help="photos in a batch (64)")

    course = parser.add_argument_group("course")
    course.add_argument("--epochs", type=whole, default=30, help="most epochs (30)")
    course.add_argument("--steps", type=whole, help="batches in an epoch (as many as it takes to show each photo once)")
    course.add_argument("--rate", type=part, default=2e-3, help="highest learning rate, from which it falls along a cosine (0.002)")
    course.add_argument("--weight-decay", type=part, default=0.05, help="weight decay of AdamW (0.05)")
    course.add_argument("--held-out", type=_share, default=0.2, help="share of the people, or photos, that are held out (0.2)")
    course.add_argument("--patience", type=whole, default=10, help="epochs without a better examination before it stops (10)")
    course.add_argument("--seed", type=_number(int, 0), default=1)
    course.add_argument(
        "--mixed", nargs="?", const="float16", choices=["float16", "bfloat16"], help="mixed precision, for GPUs (float16)"
    )
    course.add_argument("--resume", action="store_true", help="go on from the checkpoint beside FILE.keras")
    course.add_argument("--minutes", type=part, help="pause after the first epoch that ends later than this; --resume goes on")
    arguments = parser.parse_args()
    if arguments.out.suffix != ".keras":
        parser.error(f"{arguments.out} must end with .keras")
    return arguments


def _number(kind: type[int] | type[float], least: float) -> Any:
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not least <= value < 1e9:
            raise argparse.ArgumentTypeError(f"{text} is not a {'whole ' if kind is int else ''}number from {least:g}")
        return value

    return read


def _share(text: str) -> float:
    value = float(_number(float, 0)(text))
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share below 1")
    return value


def _train(arguments: argparse.Namespace) -> None:
    photos, others = photos_in(arguments.folder)
    _tell_left_out(f"{len(others)} other files and folders are left out", others)
    runtime = NativeRuntime(arguments.models, embedder=arguments.teacher or None)
    asked = runtime.manifest.embedder
    # Importing Keras takes seconds, so it waits until the arguments have been checked.
    import keras

    from .networks import NETWORKS as ARCHITECTURES
    from .networks import build, multiply_adds
    from .results import save_result
    from .trainer import Plan, train

    side = arguments.chip_size or ARCHITECTURES[arguments.network].chip_size
    taught = arguments.teacher is not None
    if taught and arguments.dims not in (None, asked.dimensions):
        raise ExportError(f"the teacher {asked.name} gives {asked.dimensions} numbers a face, so --dims cannot be {arguments.dims}")
    cut = Cut(side, arguments.views, arguments.models, asked.name if taught else "")
    chips, left_out = cut_chips(photos, cut, arguments.cache)
    _tell_left_out(f"{len(left_out)} of {len(photos)} photos are left out", [one.why for one in left_out])
    lesson, about = _lesson(arguments, chips, asked.plain_threshold)

    keras.utils.set_random_seed(arguments.seed)
    keras.config.set_dtype_policy(f"mixed_{arguments.mixed}" if arguments.mixed else "float32")
    model = build(arguments.network, side, asked.dimensions if taught else arguments.dims or 128)
    print(
        f"{arguments.network}: {model.count_params():,} parameters, {multiply_adds(model) / 1e6:.0f} million multiply-adds a face, "
        f"on {keras.backend.backend()}; {lesson.steps} batches an epoch"
    )
    chosen = {
        **about,
        "network": arguments.network,
        "chips": side,
        "views": arguments.views,
        "held out": arguments.held_out,
        "steps": lesson.steps,
        "precision": arguments.mixed or "float32",
    }
    plan = Plan(arguments.epochs, arguments.rate, arguments.weight_decay, arguments.patience, arguments.seed, chosen)
    started = time.monotonic()
    work = arguments.out.with_suffix(".training")
    progress = train(model, lesson, plan, work, arguments.resume, arguments.minutes)

    from .trainer import embedder

    best = progress.history[progress.best - 1]
    record = {
        **chosen,
        "epochs": progress.epoch,
        "seed": plan.seed,
        "rate": plan.rate,
        "best": best,
        "seconds": round(sum(row["seconds"] for row in progress.history)),
        "backend": keras.backend.backend(),
    }
    save_result(arguments.out, model, arguments.network, asked, lesson.plain_threshold(embedder(model)), record)
    paused = "" if progress.is_over(plan) else f"; paused after epoch {progress.epoch} of {plan.epochs}, --resume goes on"
    print(
        f"{arguments.out}: the network of epoch {progress.best} ({lesson.score} {best[lesson.score]:.4f}), "
        f"after {(time.monotonic() - started) / 60:.1f} minutes{paused}"
    )


def _lesson(arguments: argparse.Namespace, chips: Chips, threshold: float) -> tuple[Lesson, dict[str, Any]]:
    """The lesson that the arguments ask for, and the facts about it that a checkpoint must agree with."""
    from .lessons import PeopleLesson, TeacherLesson, split_people, split_photos

    folder, seed = arguments.folder, arguments.seed
    if arguments.teacher is not None:
        inside, outside = split_photos(folder, chips, arguments.held_out, seed)
        steps = arguments.steps or -(-len(inside.photos) // arguments.batch)
        about = {"photos": len(inside.photos), "photos held out": len(outside.photos), "batch": arguments.batch}
        print(f"{len(inside.photos)} faces to learn from, {len(outside.photos)} to examine with")
        return TeacherLesson(inside, outside, arguments.batch, steps, threshold), {"teacher": arguments.teacher, **about}
    inside, people, outside, others = split_people(folder, chips, arguments.held_out, seed)
    at_once = min(arguments.people, int(people.max()) + 1)
    steps = arguments.steps or -(-len(people) // (at_once * arguments.photos))
    print(
        f"{len(people)} faces of {people.max() + 1} people to learn from, "
        f"{len(others)} of {others.max() + 1} others to examine with"
    )
    about = {
        "photos": len(people),
        "photos held out": len(others),
        "people a batch": at_once,
        "photos of each": arguments.photos,
        "mining": arguments.mining,
        "margin": arguments.margin,
    }
    lesson = PeopleLesson(inside, people, outside, others, at_once, arguments.photos, steps, arguments.margin, arguments.mining)
    return lesson, about


def _tell_left_out(what: str, reasons: Sequence[str]) -> None:
    if reasons:
        print(what, *reasons[:TOLD], sep="\n  ", file=sys.stderr)
        if len(reasons) > TOLD:
            print(f"  and {len(reasons) - TOLD} more", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
