"""The distances that the labs on verification show: both networks, plain and corrected; numbers only, no photo, no embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .photos import ROOT
from .report import Report
from .whom import CHILDREN, NETWORKS, adults, network, outside, pairs_of_each

LABS = ROOT / "demo" / "facelab" / "labs"
BIN = 0.01


def measure(data: Path) -> Report:
    """Writes the two tables of the labs.

    lfw100-distances.npy, uint16 [5, 4950]: whether a pair shows one person; then, in ten-thousandths, the plain and the corrected
    distances of MobileFaceNet, and those of dlib's ResNet. strangers.npz: `names` of the groups, and `counts` [4, groups, bins] of
    the distances between strangers of one group, in bins of 0.01, for the same four ways in the same order.
    """
    networks = [network(data, name) for name in NETWORKS.values()]
    rows, counts = [networks[0].pairs["lfw100"].same.astype(np.uint16)], []
    names: list[str] = []
    for one in networks:
        for cohort in (None, one.cohort):
            scores = np.maximum(one.pairs["lfw100"].scores(cohort), 0)
            rows.append((1e4 * scores).round().astype(np.uint16))
            groups = pairs_of_each(outside(one, cohort), cohort)
            names = names or [*adults(groups), *CHILDREN]
            edges = np.arange(0, 1.6 + BIN / 2, BIN)
            counts.append([np.histogram(groups[group].scores.clip(0, 1.599), edges)[0] for group in names])
    np.save(LABS / "lfw100-distances.npy", np.stack(rows))
    np.savez_compressed(LABS / "strangers.npz", names=np.array(names), counts=np.array(counts, np.uint32))
    report = Report("python -m tests.experiments distances")
    report.values["pairs"] = f"{rows[0].size:,}"
    return report
