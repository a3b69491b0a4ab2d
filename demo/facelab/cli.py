"""The command line: `facelab detect | embed | verify | enrol | identify | cluster | evaluate | calibrate | forget`.

Answers go to standard output, progress and errors to standard error. The exit status is 0 on success and 2 for bad input, which is
explained in one line.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from . import api
from .calibrate import LEAST_PEOPLE, calibrate, duplicate_limit, pairs_of_strangers, without_duplicates
from .cluster import cluster, usual_limit
from .cohort import Cohort, crowdedness, normalised
from .coverings import is_covered
from .det import draw_det
from .detect import Face
from .errors import FacelabError, InputError, NoFaceError, PhotoError
from .evaluate import Pair, answers_by_kind, rates_by_group, read_doubtful, read_groups, read_pairs, summarise, worst_to_best
from .files import check_writable, read_plain, why, write_whole
from .folders import find_faces, unfit
from .gallery import Enrolled, read_gallery, under_two_names, write_gallery
from .identify import Gallery, Named, enrolled_twice, identify, most_alike, unlike_the_rest
from .layout import FILES, NAMED
from .listing import people_in, photos_in
from .memory import Found, forget
from .models import Thresholds
from .native import EMBEDDER_VARIABLE, NORMALISE_VARIABLE, NativeRuntime, default_runtime
from .output import ESCAPING, as_json, is_unicode, readable, spreadsheet_cell
from .upright import TURNED_IN_WORDS
from .verify import distance, in_words

LONGEST = 500  # the most characters of a line for the user
ENROL_FOLDER = (
    "holds a folder for each person, named after them, whose photos may lie in further folders; or photos that are named "
    "after their people, such as 'Anna Meyer 2.jpg'"
)
PEOPLE_AT = (
    "where the people are, for folders that do not tell: 0: FOLDER is one person, 1: each folder in it is one, 2: each folder in "
    "those, and so on; files: each photo is named after its person"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status.

    arguments: without the program's name; None means those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal with another encoding then shows as much of a name as it can
            stream.reconfigure(errors=ESCAPING)
    parsed = _parser().parse_args(arguments)
    for variable, value in ((EMBEDDER_VARIABLE, parsed.embedder), (NORMALISE_VARIABLE, getattr(parsed, "normalise", None))):
        if value:
            os.environ[variable] = value  # set in the environment, because worker processes inherit it
    try:
        parsed.run(parsed)
        if sys.stdout:
            sys.stdout.flush()
    except FacelabError as error:
        _say(str(error))
        return 2
    except BrokenPipeError:  # the reader of the output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # errors without a message of their own, such as a path that is too long
        _say(f"{error.filename or 'the output'} cannot be used: {why(error)}")
        return 2
    except MemoryError:
        _say("this needs more memory than there is: try it with fewer or smaller photos")
        return 2
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    return 0


def _say(sentence: str) -> None:
    """Prints a line on standard error, above a progress bar if there is one."""
    line = readable(sentence)
    if len(line) > LONGEST:  # a path may have thousands of characters
        line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
    tqdm.write(f"facelab: {line}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facelab", description="Find, align, embed and compare faces. Nothing leaves this machine."
    )
    parser.add_argument("--embedder", metavar="NAME", help="the network to use, such as dlib-resnet-v1 (mobilefacenet-v1)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="answer in JSON")
        sub.set_defaults(run=run)
        return sub

    def deciding(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = command(name, run, text)
        sub.add_argument(
            "--normalise",
            choices=("none", "cohort"),
            help="decide by plain distances (none), or by distances corrected for crowding",
        )
        return sub

    def photo_options(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("photo", type=Path)
        sub.add_argument("--min-face", type=_pixels, metavar="PIXELS", help="side of the smallest face to look for (40)")

    photo_options(command("detect", _detect, "find the faces of a photo"))
    photo_options(command("embed", _embed, "turn each face of a photo into 128 numbers"))
    verify = deciding("verify", _verify, "tell whether two photos show the same person (the largest face of each)")
    verify.add_argument("a", type=Path)
    verify.add_argument("b", type=Path)
    enrol = deciding("enrol", _enrol, "make a gallery of people from their photos")
    enrol.add_argument("folder", type=Path, help=ENROL_FOLDER)
    enrol.add_argument("--people-at", type=_people_at, metavar="LEVEL", help=PEOPLE_AT)
    enrol.add_argument("-o", "--out", type=Path, required=True, metavar="GALLERY", help="the file to write")
    identify = deciding("identify", _identify, "name the people of a photo who are in a gallery")
    identify.add_argument("gallery", type=Path)
    photo_options(identify)
    cluster = deciding("cluster", _cluster, "sort the photos of a folder by the people in them")
    cluster.add_argument("folder", type=Path)
    for many in (enrol, cluster):
        many.add_argument("--no-cache", action="store_true", help="neither use nor keep what was found in these files before")
    command("forget", _forget, "delete what is remembered of photos by enrol and cluster")
    evaluate = deciding("evaluate", _evaluate, "measure how often the answers are right")
    evaluate.add_argument("pairs", type=Path, help="CSV with the columns a,b,same; photos relative to it")
    evaluate.add_argument("--save", type=Path, metavar="CSV", help="write the distance of each pair")
    evaluate.add_argument("--det", type=Path, metavar="SVG", help="draw the errors at every threshold, a curve a group")
    calibrate = deciding("calibrate", _calibrate, "find thresholds for stated false-match rates on the worst group")
    calibrate.add_argument("faces", type=Path, help="CSV with the columns photo,group: each photo of another person")
    calibrate.add_argument(
        "pairs",
        type=Path,
        help="CSV with the columns a,b,same,group: what the thresholds cost in false non-matches, for each group",
    )
    calibrate.add_argument("--apart", nargs="*", default=[], metavar="GROUP", help="groups that are reported but do not decide")
    calibrate.add_argument(
        "--doubtful", type=Path, metavar="CSV", help="columns a,b,verdict: pairs whose verdict is doubtful are counted neither way"
    )
    calibrate.add_argument("-o", "--out", type=Path, metavar="JSON", help="write the calibration here instead of into models.json")
    return parser


def _pixels(text: str) -> float:
    if not text.isdigit() or not 12 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of pixels from 12 to 10000")
    return float(text)


def _people_at(text: str) -> int:
    if text == "files":
        return FILES
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is neither a number of levels, such as 1, nor files")
    return int(text)


def _detect(arguments: argparse.Namespace) -> None:
    faces = api.detect(arguments.photo, arguments.min_face)
    _tell_turned(arguments.photo, faces)
    if arguments.json:
        print(as_json([face.as_json() for face in faces]))
        return
    print(f"{len(faces)} face{'' if len(faces) == 1 else 's'} in {readable(str(arguments.photo))}")
    for face in faces:
        x1, y1, x2, y2 = face.box
        print(f"  {x2 - x1:.0f} x {y2 - y1:.0f} pixels at ({x1:.0f}, {y1:.0f}), score {face.score:.3f}")


def _embed(arguments: argparse.Namespace) -> None:
    embedded = api.embed(arguments.photo, arguments.min_face)
    _tell_turned(arguments.photo, [e.face for e in embedded])
    if arguments.json:
        print(as_json([{**e.face.as_json(), "embedding": [float(v) for v in e.embedding]} for e in embedded]))
        return
    for e in embedded:
        print(" ".join(f"{v:.6f}" for v in e.embedding))


def _verify(arguments: argparse.Namespace) -> None:
    verification = api.verify(arguments.a, arguments.b)
    for photo, face in zip((arguments.a, arguments.b), verification.faces, strict=True):
        _tell_turned(photo, [face])
    if arguments.json:
        print(as_json(verification.as_json()))
        return
    answers = {"same": "same person", "different": "different people", "unsure": "can't tell"}
    answer = answers[verification.verdict] if verification.verdict else f"distance {verification.distance:.3f}"
    print(f"{answer}\n{in_words(verification)}")


def _enrol(arguments: argparse.Namespace) -> None:
    runtime = _calibrated_runtime()
    check_writable(arguments.out)
    listed = people_in(arguments.folder, arguments.people_at)
    people: dict[str, list[Enrolled]] = {}
    left_out = list(listed.left_out)
    names = Counter((name, photo.name) for photo, name in listed.whose.items())
    for photo, found in _looked_at(list(listed.whose), arguments):
        if sentence := unfit(found):
            left_out.append(f"{photo}: {sentence}" if not isinstance(found, str) else sentence)
            continue
        name = listed.whose[photo]
        file = photo.name if names[name, photo.name] == 1 else photo.relative_to(arguments.folder).as_posix()
        people.setdefault(name, []).append(Enrolled(readable(file), found[0].embedding))  # type: ignore[union-attr]
    if not people:
        reasons = "; ".join(left_out[:NAMED])
        raise InputError(f"{arguments.folder}: no photo shows exactly one face clearly enough to enrol it; left out: {reasons}")
    expected = dict.fromkeys([*listed.whose.values(), *listed.empty])
    not_enrolled = [name for name in expected if name not in people]
    if not_enrolled:
        are = "is" if len(not_enrolled) == 1 else "are"
        _say(f"{_count(len(not_enrolled), 'person', 'people')} {are} not enrolled: {', '.join(not_enrolled)}")
    if not all(is_unicode(str(photo.relative_to(arguments.folder))) for photo in listed.whose):
        _say("some names of files or folders are not UTF-8: what is odd in them is written as in M\\xfcller")
    write_whole(arguments.out, write_gallery(people, runtime.manifest.embedder.name, readable(arguments.folder.resolve().name)))
    remarks = [*listed.remarks, *under_two_names(people)]
    for remark in remarks:
        _say(remark)
    gallery = _gallery(people)
    limits, alike, odd, twice = gallery.limits(), most_alike(gallery), unlike_the_rest(gallery), enrolled_twice(gallery)
    if arguments.json:
        told = {
            "people": {name: len(photos) for name, photos in people.items()},
            "left_out": left_out,
            "not_enrolled": not_enrolled,
            "remarks": remarks,
            "unlike_the_rest": [{"name": name, "file": people[name][i].file} for name, i in odd],
            "sure_below": limits.same_below,
            "threshold": limits.different_from,
            "most_alike": [{"names": [a, b], "distance": d} for a, b, d in alike],
            "enrolled_twice": [{"names": [a, b], "distance": d} for a, b, d in twice],
        }
        print(as_json(told))
        return
    print(f"{_count(len(people), 'person', 'people')} with {_count(sum(map(len, people.values())), 'photo')} in {arguments.out}")
    for sentence in left_out:
        print(f"  left out: {readable(sentence)}")
    for name, i in odd:
        print(f"  look at it: {people[name][i].file} is not like the other photos of {name}")
    for a, b, _ in twice:
        print(f"  look at them: {a} and {b} look like one person")
    if alike:
        print("most alike: " + "; ".join(f"{a} and {b}" for a, b, _ in alike))


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _identify(arguments: argparse.Namespace) -> None:
    try:
        text = read_plain(arguments.gallery).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{arguments.gallery} cannot be read as a gallery: it is no text") from None
    file = read_gallery(text, default_runtime().manifest)
    for remark in file.remarks:
        _say(f"{arguments.gallery}: {remark}")
    used = file.embedder
    if used != default_runtime().manifest.embedder.name:  # numbers of two networks cannot be compared
        os.environ[EMBEDDER_VARIABLE] = used
        _say(f"{arguments.gallery} was made with {used}, so that network reads {arguments.photo} too")
    gallery = _gallery(file.people)
    embedded = api.embed(arguments.photo, arguments.min_face)
    _tell_turned(arguments.photo, [e.face for e in embedded])
    named = identify(gallery, np.stack([e.embedding for e in embedded])) if embedded else []
    embedder = default_runtime().manifest.embedder
    named = [
        replace(n, answer="unsure") if n.answer == "sure" and is_covered(e.embedding, embedder) else n
        for e, n in zip(embedded, named, strict=True)
    ]
    if arguments.json:
        faces = [
            {
                **e.face.as_json(),
                "name": n.name,
                "answer": n.answer,
                "distance": n.distance,
                "nearest": n.nearest,
                "runner_up": n.runner_up,
            }
            for e, n in zip(embedded, named, strict=True)
        ]
        print(as_json(faces))
        return
    print(f"{len(named)} face{'' if len(named) == 1 else 's'} in {readable(str(arguments.photo))}")
    for e, n in zip(embedded, named, strict=True):
        x, y = (e.face.box[:2] + e.face.box[2:]) / 2
        print(f"  {readable((n.name or 'unknown') + _doubt(n))}, at ({x:.0f}, {y:.0f})")


def _doubt(named: Named) -> str:
    if named.runner_up:
        return f" or {readable(named.runner_up)} (not sure: both are as near)"
    return " (not sure)" if named.answer == "unsure" else ""


def _cluster(arguments: argparse.Namespace) -> None:
    runtime = _calibrated_runtime()
    files: list[Path] = []
    embeddings = []
    photos, left_out = photos_in(arguments.folder)
    for sentence in left_out:
        _say(f"left out: {sentence}")
    for photo, found in _looked_at(photos, arguments):
        for one in [] if isinstance(found, str) else found:
            files.append(photo)
            embeddings.append(one.embedding)
    limit = usual_limit(runtime.manifest.embedder)
    groups = cluster(np.stack(embeddings), runtime.cohort, limit, files) if embeddings else []
    named = [sorted({str(files[face]) for face in group}) for group in groups]
    if arguments.json:
        print(as_json(named))
        return
    print(
        f"{len(named)} {'person' if len(named) == 1 else 'people'} in {len(set(files))} photos of {readable(str(arguments.folder))}"
    )
    for number, group in enumerate(named, 1):
        print(f"\nperson {number}, {len(group)} photo{'' if len(group) == 1 else 's'}", *map(readable, group), sep="\n  ")


def _forget(arguments: argparse.Namespace) -> None:
    there = forget()
    print(as_json({"forgotten": there}) if arguments.json else "all gone" if there else "there was nothing to forget")


def _looked_at(photos: Sequence[Path], arguments: argparse.Namespace) -> Iterator[tuple[Path, list[Found] | str]]:
    """The faces of each photo, with a progress bar. Photos that cannot be read are reported as they are met."""
    for photo, found in tqdm(
        find_faces(photos, remember=not arguments.no_cache, say=_say), total=len(photos), desc="photos", unit="photo", disable=None
    ):
        if isinstance(found, str):
            _say(found)
        else:
            _tell_turned(photo, [one.face for one in found])
        yield photo, found


def _tell_turned(photo: Path, faces: Sequence[Face]) -> None:
    """Tells the user about a photo that was not upright."""
    if faces and faces[0].turned:
        _say(f"{photo} {TURNED_IN_WORDS[faces[0].turned]}")


def _calibrated_runtime() -> NativeRuntime:
    """A runtime with thresholds. Raises ModelError before any work starts where the embedder has none."""
    runtime = default_runtime()
    assert runtime.manifest.embedder.calibration
    return runtime


def _gallery(people: Mapping[str, Sequence[Enrolled]]) -> Gallery:
    runtime = default_runtime()
    embeddings = {name: np.stack([photo.embedding for photo in photos]) for name, photos in people.items()}
    return Gallery(embeddings, runtime.cohort, runtime.manifest.embedder.calibration.good)


def _evaluate(arguments: argparse.Namespace) -> None:
    runtime = default_runtime()
    embedder = runtime.manifest.embedder
    limits = embedder.measured.good if embedder.measured else Thresholds(embedder.plain_threshold, embedder.plain_threshold)
    threshold = limits.different_from
    for file in filter(None, (arguments.save, arguments.det)):
        check_writable(file)
    pairs, distances, failed = _measure_pairs(arguments.pairs, runtime.cohort)
    if arguments.save:
        write_whole(arguments.save, _distances_as_csv(pairs, distances))
    same, groups = np.array([pair.same for pair in pairs]), [pair.group for pair in pairs]
    evaluation = summarise(distances, same, threshold, failed)
    rates = rates_by_group(distances, same, groups, limits)
    answers = answers_by_kind(distances, same, limits)
    if arguments.det and not evaluation.separation:
        _say(f"{arguments.det} was not drawn: it takes pairs of one person and pairs of two")
    elif arguments.det:
        curves = {"all": (distances[same], distances[~same])}
        curves |= {g: (distances[same & (np.array(groups) == g)], distances[~same & (np.array(groups) == g)]) for g in rates}
        write_whole(arguments.det, draw_det(curves))
    if arguments.json:
        by_group = {
            group: {
                "pairs": rate.pairs,
                "fmr": rate.fmr and [rate.fmr.value, *rate.fmr.interval],
                "fnmr": rate.fnmr and [rate.fnmr.value, *rate.fnmr.interval],
                "one_person": rate.one_person,
                "two_people": rate.two_people,
            }
            for group, rate in rates.items()
        }
        print(as_json({**evaluation.as_json(), **answers, "groups": by_group, "worst_to_best": worst_to_best(rates)}))
        return
    print(f"pairs                       {evaluation.pairs} ({evaluation.genuine} of one person)")
    print(f"accuracy at {evaluation.threshold:.3f}           {evaluation.accuracy}")
    if separation := evaluation.separation:
        print(f"best accuracy, at {separation.best_threshold:.3f}     {100 * separation.best_accuracy:.2f} %")
        print(f"area under the ROC curve    {separation.auc}")
        for far, tar in separation.tar_at_far.items():
            print(f"TAR at FAR {far}             {tar}")
    else:
        print(f"All pairs are of {'one person' if evaluation.genuine else 'two people'}: for the best threshold, the ROC curve and")
        print("TAR at FAR, add some of the other kind.")
    print(f"{'':27} {'pairs':>9}   same, unsure, different")
    for kind, count in (("one_person", evaluation.genuine), ("two_people", evaluation.pairs - evaluation.genuine)):
        if shares := answers[kind]:
            print(f"{'pairs of ' + kind.replace('_', ' '):27} {count:9,}   {_in_percent(shares)}")
    for group, rate in rates.items():
        print(f"  {readable(group):25} FMR {rate.fmr or 'no pairs'!s:30} FNMR {rate.fnmr or 'no pairs'}")
        for label, shares in (("one person", rate.one_person), ("two people", rate.two_people)):
            if shares:
                print(f"    {label:23} {'':9}   {_in_percent(shares)}")
    if (ratio := worst_to_best(rates)) is not None:
        print(f"FMR, worst to best group    {ratio:.1f} to 1")
    print(f"photos without a face       {len(failed)}", *map(readable, failed), sep="\n  ")


def _in_percent(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{100 * share:.2f} %" for share in shares.values())


def _measure_pairs(path: Path, cohort: Cohort | None) -> tuple[list[Pair], NDArray[np.float64], list[str]]:
    """The pairs whose photos both have a face, their distances, and the photos without one."""
    pairs = read_pairs(path)
    embeddings, failed = _embed_all(path.parent, {name for pair in pairs for name in (pair.a, pair.b)})
    counted = [pair for pair in pairs if pair.a in embeddings and pair.b in embeddings]
    if not counted:
        raise InputError(f"{path}: no pair has a face in both photos")
    a, b = (np.stack([embeddings[name] for name in names]) for names in zip(*((p.a, p.b) for p in counted), strict=True))
    distances = distance(a, b)
    if cohort:
        around = dict(zip(embeddings, crowdedness(np.stack(list(embeddings.values())), cohort), strict=True))
        first, second = (np.array([around[name] for name in names]) for names in zip(*((p.a, p.b) for p in counted), strict=True))
        distances = normalised(distances, first, second, cohort)
    return counted, distances, failed


def _embed_all(folder: Path, names: Iterable[str]) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
    """The embedding of the largest face of each photo, and the photos without a face, which are reported as they are met."""
    embeddings: dict[str, NDArray[np.float32]] = {}
    failed = []
    for name in tqdm(sorted(names), desc="photos", unit="photo", disable=None):
        try:
            embeddings[name] = api.largest_face(folder / name).embedding
        except (PhotoError, NoFaceError) as error:
            _say(str(error))
            failed.append(name)
    return embeddings, failed


def _calibrate(arguments: argparse.Namespace) -> None:
    runtime = default_runtime()
    check_writable(arguments.out or runtime.folder / "models.json")
    labelled = read_groups(arguments.faces)
    embeddings, failed = _embed_all(arguments.faces.parent, labelled)
    people = np.stack(list(embeddings.values()))
    alone = without_duplicates(people, duplicate_limit(runtime.manifest.embedder))
    photos = np.array(list(embeddings))[alone]
    groups = np.array([labelled[name] for name in photos])
    doubtful = read_doubtful(arguments.doubtful) if arguments.doubtful else set()
    strangers = {
        g: pairs_of_strangers(people[alone][groups == g], runtime.cohort).without(_pairs_among(photos[groups == g], doubtful))
        for g in sorted(set(groups))
    }
    deciding = {g: s for g, s in strangers.items() if g not in arguments.apart and s.people >= LEAST_PEOPLE}
    if not deciding:
        raise InputError(f"{arguments.faces}: no group has {LEAST_PEOPLE} people or more, too few to find a threshold")
    pairs, distances, _ = _measure_pairs(arguments.pairs, runtime.cohort)
    genuine = {
        group: distances[[pair.same and pair.group == group for pair in pairs]] for group in sorted({pair.group for pair in pairs})
    }
    genuine = {group: scores for group, scores in genuine.items() if len(scores)}
    if not genuine:
        raise InputError(f"{arguments.pairs} holds no pairs of one person, so nobody can tell what a threshold costs")
    calibration = calibrate(strangers, deciding, genuine)
    calibration["conditions"] = {
        "faces": len(alone),
        "duplicates_left_out": len(people) - len(alone),
        "without_a_face": len(failed),
        "doubtful_pairs": len(doubtful),
        "people": {g: s.people for g, s in strangers.items()},
        "genuine_pairs": {group: len(scores) for group, scores in genuine.items()},
        "normalised": runtime.cohort is not None,
    }
    if arguments.out:
        write_whole(arguments.out, as_json(calibration, indent=1) + "\n")
    else:
        path = runtime.folder / "models.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        name = runtime.manifest.embedder.name
        entry = manifest["embedder"] if manifest["embedder"]["name"] == name else manifest["embedders"][name]["embedder"]
        (entry["cohort"] if runtime.cohort else entry)["calibration"] = calibration
        write_whole(path, as_json(manifest, indent=1) + "\n")
    if arguments.json:
        print(as_json(calibration))
        return
    for rate, found in calibration["rates"].items():
        costs = ", ".join(f"{100 * share:.2f} % {group}".rstrip() for group, share in found["fnmr"].items())
        print(f"FMR {rate} on the worst group: below {found['threshold']:.3f}; false non-matches {costs}")
        for group, (value, low, high) in found["fmr"].items():
            print(f"  {readable(group):20} {100 * value:7.3f} % ({100 * low:.3f} to {100 * high:.3f})")


def _pairs_among(photos: Sequence[str], pairs: Collection[frozenset[str]]) -> list[tuple[int, int]]:
    """The given pairs among these photos, as indices, the lower first. Pairs name files without their folders."""
    places = {Path(photo).name: i for i, photo in enumerate(photos)}
    found = (sorted(places[name] for name in pair) for pair in pairs if pair <= places.keys())
    return [(first, second) for first, second in found]


def _distances_as_csv(pairs: Sequence[Pair], distances: NDArray[np.floating]) -> str:
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(["a", "b", "same", "distance"])
    rows.writerows(
        [spreadsheet_cell(pair.a), spreadsheet_cell(pair.b), int(pair.same), f"{d:.6f}"]
        for pair, d in zip(pairs, distances, strict=True)
    )
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
