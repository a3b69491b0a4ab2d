"""The distances of the 4,950 pairs of lfw100, for the chapter's lab: numbers only, no photo and no embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facelab.native import default_runtime

from .photos import ROOT
from .report import Report
from .whom import people

TABLE = ROOT / "demo" / "facelab" / "labs" / "lfw100-distances.npy"


def measure(data: Path) -> Report:
    """Writes the lab's table: [3, pairs] uint16, one person or two, plain and corrected distance in ten-thousandths."""
    pairs = people(data / "lfw100")
    scores = [pairs.scores(None), np.maximum(pairs.scores(default_runtime().cohort), 0)]
    np.save(TABLE, np.stack([pairs.same.astype(np.uint16), *((1e4 * s).round().astype(np.uint16) for s in scores)]))
    report = Report("python -m tests.experiments distances")
    report.values["pairs"] = f"{len(pairs.same):,}"
    return report
