"""The lab on two networks: who is confused with whom, on stored distances and on the reader's own photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ..align import chip_to_photo
from ..errors import ModelError
from ..models import Embedder
from ..verify import decide
from ..workspace import Workspace
from .compared import NO_FACE, TONES
from .panels import Chart, Choice, Fact, Facts, Grid, Lab, Panel, Settings, Slider, Tone
from .recognition import everyone, short
from .verification import CUT_OFF, FMR_SHOWN, FNMR_SHOWN, stored_pairs, trade_off

OTHER = "dlib-resnet-v1"
NAMES = ("MobileFaceNet", "dlib’s ResNet")
BIN = 0.01
WORSE, WORST = 1e-3, 1e-2  # false match rates from which a cell is yellow, and red


@dataclass(frozen=True)
class Stored:
    """Histograms of distances between strangers of one group. names: of the groups. counts: [4, groups, bins of BIN]."""

    names: list[str]
    counts: NDArray[np.uint32]


@cache
def _strangers() -> Stored:
    with files(__package__).joinpath("strangers.npz").open("rb") as file, np.load(file) as held:
        return Stored([str(name) for name in held["names"]], held["counts"])


async def _networks(workspace: Workspace, settings: Settings) -> list[Panel]:
    """Both networks at the same FNMR on LFW, or both on the photos of the workspace."""
    corrected = settings["kind"] == "corrected"
    if settings["what"] == "yours":
        return await _yours(workspace, corrected)
    rows = [1 + 2 * network + corrected for network in range(len(NAMES))]
    pairs = stored_pairs()
    one_person, scores = pairs[0] > 0, [pairs[row] / 1e4 for row in rows]
    limits = [float(np.quantile(score[one_person], 1 - float(settings["missed"]) / 100)) for score in scores]
    facts = Facts(
        [
            Fact(f"{name}: threshold", f"{limit:.3f}", "misses this share of the LFW pairs")
            for name, limit in zip(NAMES, limits, strict=True)
        ]
    )
    return [_confused(rows, limits) if settings["what"] == "strangers" else _on_lfw(one_person, scores, limits), facts]


def _confused(rows: list[int], limits: list[float]) -> Grid:
    stored = _strangers()
    rates = []
    for row, limit in zip(rows, limits, strict=True):
        counts = stored.counts[row - 1]
        rates.append(counts[:, : round(limit / BIN)].sum(axis=1) / counts.sum(axis=1))
    cells = [[group, *(f"{100 * rate[i]:.3f} %" for rate in rates)] for i, group in enumerate(stored.names)]
    tones: list[list[Tone]] = [["", *(_tone(float(rate[i])) for rate in rates)] for i in range(len(stored.names))]
    return Grid(
        ["Group", *NAMES],
        cells,
        "The share of pairs of strangers of one group that match. Yellow: more than 1 in 1,000. Red: more than 1 in 100.",
        tones,
    )


def _tone(rate: float) -> Tone:
    return "bad" if rate > WORST else "warn" if rate > WORSE else "good"


def _on_lfw(one_person: NDArray[np.bool_], scores: list[NDArray[np.float64]], limits: list[float]) -> Chart:
    lines = []
    for name, score, limit in zip(NAMES, scores, limits, strict=True):
        cuts = np.sort([*np.linspace(0.2, 1.4, 241), limit])  # the curve runs through the point at the limit
        matched, missed = (np.array([side(cut) for cut in cuts]) for side in _errors(one_person, score))
        lines.append(trade_off(name, matched, missed))
    for name, score, limit in zip(NAMES, scores, limits, strict=True):
        matched_at, missed_at = (side(limit) for side in _errors(one_person, score))
        lines.append(trade_off(f"{name}, here", matched_at, missed_at, "points"))
    return Chart(
        "detection error trade-off of both networks on LFW",
        lines,
        "FMR, %",
        "FNMR, %",
        f"4,950 pairs of 100 photos of ten people. Lower and further left is better. {CUT_OFF}",
        x_log=True,
        y_log=True,
        x_limits=FMR_SHOWN,
        y_limits=FNMR_SHOWN,
    )


def _errors(one_person: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """FMR and FNMR as functions of the threshold."""
    return lambda cut: float((score[~one_person] < cut).mean()), lambda cut: float((score[one_person] >= cut).mean())


async def _yours(workspace: Workspace, corrected: bool) -> list[Panel]:
    """The distances of the workspace's faces by both networks, each with its own verdict."""
    faces = await everyone(workspace)
    if not faces:
        return [NO_FACE]
    photos = tuple(faces)
    other = await workspace.once(("networks", photos), lambda: _embed_by_other(workspace, photos))
    own = np.stack([face.embedding for face in faces.values()])
    manifest = workspace.runtime.manifest
    panels: list[Panel] = []
    for name, embedder, vectors in zip(NAMES, (manifest.embedder, manifest.choosing(OTHER).embedder), (own, other), strict=True):
        try:
            panels.append(await _distances(workspace, name, embedder, photos, vectors, corrected))
        except ModelError as error:
            panels.append(Facts([Fact(name, "no answer", str(error), "warn")]))
    return panels


async def _embed_by_other(workspace: Workspace, photos: tuple[str, ...]) -> NDArray[np.float32]:
    embedder = workspace.runtime.manifest.choosing(OTHER).embedder
    jobs = []
    for name in photos:
        landmarks = (await workspace.faces(name))[0].landmarks
        jobs.append((workspace.photo(name), chip_to_photo(landmarks, embedder)[None].astype(np.float32)))
    return np.concatenate([answer["embeddings"] for answer in await workspace.runtime.run_with(OTHER, jobs)])


async def _distances(
    workspace: Workspace, name: str, embedder: Embedder, photos: tuple[str, ...], vectors: NDArray[np.float32], corrected: bool
) -> Grid:
    cohort = await workspace.runtime.load_cohort(embedder) if corrected else None
    used = embedder.normalised() if corrected else embedder
    rows: list[list[str]] = []
    tones: list[list[Tone]] = []
    for i, photo in enumerate(photos):
        decisions = [decide(vectors[i], other, used, cohort) for other in vectors]
        rows.append([short(photo), *("0" if i == j else f"{decision.distance:.3f}" for j, decision in enumerate(decisions))])
        tones.append(["", *("" if i == j else TONES[decision.verdict] for j, decision in enumerate(decisions))])
    limits = used.calibration.good
    caption = f"{name}: same below {limits.same_below:.3f}, different from {limits.different_from:.3f}."
    return Grid([name, *map(short, photos)], rows, caption, tones)


NETWORKS = Lab(
    "Two networks, side by side",
    [
        Choice(
            "what",
            "Show",
            [
                ("strangers", "strangers of each group"),
                ("lfw", "pairs of LFW"),
                ("yours", "your photos (loads 20 MB)"),
            ],
            "strangers",
        ),
        Choice("kind", "Distance", [("plain", "plain"), ("corrected", "corrected for crowding")], "plain"),
        Slider("missed", "Share of LFW pairs missed", 0.5, 10, 0.5, 2, " %", only=("what", ("strangers", "lfw"))),
    ],
    _networks,
)
