"""All pairs within each of some folders of people (a folder a person) as a file for `facelab evaluate`.

python -m tests.pairs ../shared/data/lfw100 build/lfw100.csv
facelab evaluate build/lfw100.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path


def write_pairs(folders: Sequence[Path], path: Path) -> int:
    """Writes a, b, same, group for every pair of photos of a folder, named by absolute paths; the folder is the group. How many."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "same", "group"])
        for folder in folders:
            photos = sorted(photo for photo in folder.resolve().glob("*/*") if photo.is_file())
            rows.writerows([a, b, int(a.parent == b.parent), folder.name] for a, b in combinations(photos, 2))
            count += len(photos) * (len(photos) - 1) // 2
    return count


if __name__ == "__main__":
    *people, out = map(Path, sys.argv[1:])
    print(write_pairs(people, out), "pairs")
