"""The command line: `facelab detect | embed | verify | evaluate`.

Answers go to standard output, progress and errors to standard error. Exit status 0: done; 2: bad input, told in one line.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from . import easy
from .errors import FacelabError, InputError, NoFaceError, PhotoError
from .evaluate import Pair, read_pairs, summarise
from .native import default_runtime
from .verify import distance, in_words


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. arguments: without the program's name; None: this process's. The exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except FacelabError as error:
        print(f"facelab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facelab", description="Find, align, embed and compare faces. Nothing leaves this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="answer in JSON")
        sub.set_defaults(run=run)
        return sub

    def photo_options(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("photo", type=Path)
        sub.add_argument("--min-face", type=_pixels, metavar="PIXELS", help="side of the smallest face to look for (40)")

    photo_options(command("detect", _detect, "find the faces of a photo"))
    photo_options(command("embed", _embed, "turn each face of a photo into 128 numbers"))
    verify = command("verify", _verify, "tell whether two photos show the same person (the largest face of each)")
    verify.add_argument("a", type=Path)
    verify.add_argument("b", type=Path)
    evaluate = command("evaluate", _evaluate, "measure how often the answers are right")
    evaluate.add_argument("pairs", type=Path, help="CSV with the columns a,b,same; photos relative to it")
    evaluate.add_argument("--save", type=Path, metavar="CSV", help="write the distance of each pair")
    return parser


def _pixels(text: str) -> float:
    if not text.isdigit() or not 12 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of pixels from 12 to 10000")
    return float(text)


def _detect(arguments: argparse.Namespace) -> None:
    faces = easy.detect(arguments.photo, arguments.min_face)
    if arguments.json:
        print(json.dumps([face.as_json() for face in faces]))
        return
    print(f"{len(faces)} face{'' if len(faces) == 1 else 's'} in {arguments.photo}")
    for face in faces:
        x1, y1, x2, y2 = face.box
        print(f"  {x2 - x1:.0f} x {y2 - y1:.0f} pixels at ({x1:.0f}, {y1:.0f}), score {face.score:.3f}")


def _embed(arguments: argparse.Namespace) -> None:
    embedded = easy.embed(arguments.photo, arguments.min_face)
    if arguments.json:
        print(json.dumps([{**e.face.as_json(), "embedding": [float(v) for v in e.embedding]} for e in embedded]))
        return
    for e in embedded:
        print(" ".join(f"{v:.6f}" for v in e.embedding))


def _verify(arguments: argparse.Namespace) -> None:
    verification = easy.verify(arguments.a, arguments.b)
    if arguments.json:
        print(json.dumps(verification.as_json()))
        return
    answers = {"same": "same person", "different": "different people", "unsure": "can't tell"}
    print(f"{answers[verification.verdict]}\n{in_words(verification)}")


def _evaluate(arguments: argparse.Namespace) -> None:
    pairs = read_pairs(arguments.pairs)
    embeddings: dict[str, NDArray[np.float32]] = {}
    failed = []
    for name in tqdm(sorted({name for pair in pairs for name in (pair.a, pair.b)}), desc="photos", unit="photo", disable=None):
        try:
            embeddings[name] = easy.largest_face(arguments.pairs.parent / name).embedding
        except (PhotoError, NoFaceError) as error:
            tqdm.write(f"facelab: {error}", file=sys.stderr)
            failed.append(name)
    counted = [pair for pair in pairs if pair.a in embeddings and pair.b in embeddings]
    if not counted:
        raise InputError(f"{arguments.pairs}: no pair has a face in both photos")
    distances = distance(np.stack([embeddings[p.a] for p in counted]), np.stack([embeddings[p.b] for p in counted]))
    if arguments.save:
        _save_distances(arguments.save, counted, distances)
    same = np.array([pair.same for pair in counted])
    evaluation = summarise(distances, same, default_runtime().manifest.embedder.threshold, failed)
    if arguments.json:
        print(json.dumps(evaluation.as_json()))
        return
    print(f"pairs                       {evaluation.pairs} ({evaluation.genuine} of one person)")
    print(f"accuracy at {evaluation.threshold:.3f}           {evaluation.accuracy}")
    print(f"best accuracy, at {evaluation.best_threshold:.3f}     {100 * evaluation.best_accuracy:.2f} %")
    print(f"area under the ROC curve    {evaluation.auc}")
    for far, tar in evaluation.tar_at_far.items():
        print(f"TAR at FAR {far}             {tar}")
    print(f"photos without a face       {len(failed)}", *failed, sep="\n  ")


def _save_distances(path: Path, pairs: Sequence[Pair], distances: NDArray[np.floating]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["a", "b", "same", "distance"])
            rows.writerows([pair.a, pair.b, int(pair.same), f"{d:.6f}"] for pair, d in zip(pairs, distances, strict=True))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
