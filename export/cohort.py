"""`python -m export.cohort DIR`: makes the cohort that ships with an embedder, from a folder with faces of many people.

No row of the cohort is a person. Each is the mean of three or more neighbouring people's embeddings, scaled back to the usual
length (micro-aggregation: Domingo-Ferrer and Mateo-Sanz, IEEE TKDE 14(1), 2002, doi:10.1109/69.979982) and stored in eight bits a
number. Each lies farther from every source face than two photos that are taken for one person's. Measured, such composites correct
distances as well as the people themselves do.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facelab.api import largest_face
from facelab.calibrate import DUPLICATE, duplicate_limit, without_duplicates
from facelab.cohort import Cohort, crowdedness
from facelab.errors import FacelabError, InputError, NoFaceError, PhotoError
from facelab.evaluate import read_people_seen_twice
from facelab.files import write_whole
from facelab.native import EMBEDDER_VARIABLE, default_runtime
from facelab.verify import distance

COHORTS = Path(__file__).parent / "cohorts"

OF_HOW_MANY, AT_MOST = 3, 12
KEEP_AWAY = DUPLICATE  # the least distance of a row to any source face, before rounding to eight bits
NEIGHBOURS, WEIGHT = 5, 1.0  # see cohort.Cohort
SEXES = {"0": "men", "1": "women"}
ANCESTRIES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "other"}


@dataclass(frozen=True)
class Faces:
    """Photos of different people.

    names: those of the files, sorted. embeddings: [N, D]. groups: [N], "" where a name gives none.
    """

    names: list[str]
    embeddings: NDArray[np.float32]
    groups: list[str]

    def take(self, indices: NDArray[np.intp]) -> Faces:
        return Faces([self.names[i] for i in indices], self.embeddings[indices], [self.groups[i] for i in indices])


def read_faces(folder: Path, same_people: Path | None = None, closer: float = DUPLICATE) -> Faces:
    """The largest face of every photo of a folder that shows one; of photos closer than the duplicate limit, only the first.

    same_people: a CSV file a,b,verdict of pairs that were looked at. A person on two photos is left out with both: a third photo
    may exist that no network puts close.
    """
    known = read_people_seen_twice(same_people) if same_people else set()
    names, embeddings = [], []
    for photo in tqdm(
        sorted(path for path in folder.iterdir() if path.is_file() and path.name not in known),
        desc="faces",
        unit="photo",
        disable=None,
    ):
        try:
            embeddings.append(largest_face(photo).embedding)
        except (PhotoError, NoFaceError):
            continue
        names.append(photo.name)
    faces = Faces(names, np.array(embeddings, np.float32), [group_of(name) for name in names])
    return faces.take(without_duplicates(faces.embeddings, closer))


def group_of(name: str) -> str:
    """UTKFace's labels, AGE_SEX_ANCESTRY_..., as "Asian women", or by age for children; "" where a name has none."""
    age, sex, ancestry, *_ = [*name.split("_"), "", "", ""]
    if not age.isdigit() or sex not in SEXES or ancestry not in ANCESTRIES:
        return ""
    for limit, label in ((4, "aged 0 to 3"), (13, "aged 4 to 12"), (18, "aged 13 to 17")):
        if int(age) < limit:
            return label
    return f"{ANCESTRIES[ancestry]} {SEXES[sex]}"


def split(count: int, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices for the cohort and for the test. No photo is in both."""
    order = np.random.default_rng(seed).permutation(count)
    cut = round(share * count)
    return np.sort(order[:cut]), np.sort(order[cut:])


def make_composites(embeddings: NDArray[np.float32], keep_away: float = KEEP_AWAY, seed: int = 1) -> NDArray[np.float32]:
    """Heaps of neighbouring people, each person in at most one, as the heaps' means at the usual length: [K, D].

    In random order, everyone not yet in a heap is joined with the nearest of the others: two of them, or as many as it takes for
    the mean to lie `keep_away` from every face. If AT_MOST people are not enough, there is no heap.
    """
    length = float(np.linalg.norm(embeddings, axis=1).mean())
    free = np.ones(len(embeddings), bool)
    rows = []
    for index in np.random.default_rng(seed).permutation(len(embeddings)):
        if not free[index] or free.sum() < OF_HOW_MANY:
            continue
        left = np.flatnonzero(free)
        nearest = left[np.argsort(distance(embeddings[left], embeddings[index]), kind="stable")[:AT_MOST]]
        for size in range(OF_HOW_MANY, len(nearest) + 1):
            mean = embeddings[nearest[:size]].mean(axis=0)
            row = mean * length / np.linalg.norm(mean)
            if distance(embeddings, row).min() >= keep_away:
                free[nearest[:size]] = False
                rows.append(row)
                break
    return np.array(rows, np.float32)


def build_cohort(
    embeddings: NDArray[np.float32], others: NDArray[np.float32], seed: int = 1, keep_away: float = KEEP_AWAY
) -> tuple[NDArray[np.int8], dict[str, Any]]:
    """The table, int8 [K, D], and what is needed to use it: step, neighbours, weight, and the centre, measured on `others`."""
    composites = make_composites(embeddings, keep_away, seed)
    step = float(np.abs(composites).max()) / 127
    table = np.round(composites / step).astype(np.int8)
    cohort = Cohort(table.astype(np.float32) * np.float32(step), NEIGHBOURS, WEIGHT, 0.0)
    return table, {
        "step": step,
        "neighbours": NEIGHBOURS,
        "weight": WEIGHT,
        "centre": round(float(crowdedness(others, cohort).mean()), 4),
    }


def nearest_source(table: NDArray[np.int8], step: float, embeddings: NDArray[np.float32]) -> float:
    """The smallest distance of any row to any source face: how far the cohort stays from being somebody."""
    rows = table.astype(np.float32) * np.float32(step)
    return min(float(distance(embeddings, row).min()) for row in rows)


def main() -> int:
    try:
        print(_make(_arguments()))
    except (FacelabError, OSError) as error:
        print(f"cohort: {error}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.cohort", description=__doc__)
    parser.add_argument("folder", type=Path, help="photos, each of another person; UTKFace's names tell the groups")
    parser.add_argument("--embedder", metavar="NAME", help="one of those in models.json, where there are several")
    parser.add_argument("--people", type=int, default=3000, help="how many go into the cohort (3000); the rest is for calibrating")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", default="unstated", help="where the photos come from and under which terms, for the card")
    parser.add_argument("--same", type=Path, help="CSV a,b,verdict: pairs that were looked at; people seen twice are left out")
    parser.add_argument("--rest", type=Path, help="write the photos that are not in the cohort, with their groups, as CSV")
    parser.add_argument("--everyone", type=Path, help="write all photos, with their groups, as CSV: for plain distances")
    parser.add_argument("-o", "--out", type=Path, default=COHORTS, help="folder for NAME.npy and NAME.json (export/cohorts)")
    return parser.parse_args()


def _make(arguments: argparse.Namespace) -> str:
    """Writes the cohort and the lists of photos, and returns a line about it for the reader. Raises FacelabError, OSError."""
    if arguments.embedder:
        os.environ[EMBEDDER_VARIABLE] = arguments.embedder
    embedder = default_runtime().manifest.embedder
    name, closer = embedder.name, duplicate_limit(embedder)
    faces = read_faces(arguments.folder, arguments.same, closer)
    if len(faces.names) <= arguments.people:
        raise InputError(f"{arguments.folder} shows {len(faces.names)} different faces: fewer than --people")
    chosen, rest = split(len(faces.names), arguments.people / len(faces.names), arguments.seed)
    inside, outside = faces.take(chosen), faces.take(rest)
    table, settings = build_cohort(inside.embeddings, outside.embeddings, arguments.seed, closer)
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.save(file, table)
    write_whole(arguments.out / f"{name}.npy", file.getvalue())
    card = {
        "embedder": name,
        "rows": len(table),
        "people": len(inside.names),
        "least_people_a_row": OF_HOW_MANY,
        "seed": arguments.seed,
        "source": arguments.source,
        "groups": dict(sorted(Counter(group or "unlabelled" for group in inside.groups).items())),
        "nearest_source_face": round(nearest_source(table, settings["step"], inside.embeddings), 4),
    }
    write_whole(arguments.out / f"{name}.json", json.dumps({**settings, "card": card}, indent=1, allow_nan=False) + "\n")
    for path, some in ((arguments.rest, outside), (arguments.everyone, faces)):
        if path:
            write_groups(path, arguments.folder, some)
    return f"{name}: {len(table)} composites of {len(inside.names)} people; {len(outside.names)} people left for calibrating"


def write_groups(path: Path, folder: Path, faces: Faces) -> None:
    """photo,group for every labelled face, named by absolute paths."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(["photo", "group"])
    rows.writerows(_labelled(folder.resolve(), faces))
    write_whole(path, file.getvalue())


def _labelled(folder: Path, faces: Faces) -> Iterator[tuple[Path, str]]:
    return ((folder / name, group) for name, group in zip(faces.names, faces.groups, strict=True) if group)


if __name__ == "__main__":
    sys.exit(main())
