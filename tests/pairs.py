"""All pairs of a folder of people (a folder a person) as a file for `facelab evaluate`.

python -m tests.pairs ../shared/data/lfw100 build/lfw100.csv
facelab evaluate build/lfw100.csv
"""

from __future__ import annotations

import csv
import sys
from itertools import combinations
from pathlib import Path


def write_pairs(people: Path, path: Path) -> int:
    """Writes a, b, same for every pair of photos, named by absolute paths; how many there are."""
    photos = sorted(photo for photo in people.resolve().glob("*/*") if photo.is_file())
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "same"])
        rows.writerows([a, b, int(a.parent == b.parent)] for a, b in combinations(photos, 2))
    return len(photos) * (len(photos) - 1) // 2


if __name__ == "__main__":
    print(write_pairs(Path(sys.argv[1]), Path(sys.argv[2])), "pairs")
