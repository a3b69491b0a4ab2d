"""Claims of the chapter on face detection."""

from __future__ import annotations

from book.figures.detection import numbers_of, o_net, p_net, r_net
from book.results import read_report

from . import Claim, by_column, by_row, cell, value

SETS = ("lfw100", "orl39", "utk9k", "actors6")
HAAR = ("Haar cascade, default", "Haar cascade, alt2")
HOG, DOUBLED = "HOG and SVM (dlib)", "HOG and SVM, photo doubled"
YUNET = "YuNet (libfacedetection)"
PACKAGE, AT_40, AT_20 = "MTCNN (its package)", "MTCNN (facelab)", "MTCNN (facelab), from 20 pixels"
NETWORKS = (YUNET, PACKAGE, AT_40, AT_20)
OLDER = (*HAAR, HOG, DOUBLED)


def photos(column: str) -> dict[str, float]:
    return by_row("detectors/photos", column)


def sheets(column: str) -> dict[str, float]:
    return by_row("detectors/sheets", column)


def at(chart: str, detector: str) -> dict[float, float]:
    """x -> share found, of a detector's curve."""
    (curve,) = (c for c in read_report("detectors")["charts"][chart]["curves"] if c["name"] == detector)
    return dict(zip(curve["x"], curve["y"], strict=True))


def charted(chart: str) -> list[str]:
    return [curve["name"] for curve in read_report("detectors")["charts"][chart]["curves"]]


def states(detector: str) -> list[float]:
    """Unchanged, darker, lighter, blurred."""
    return [share for column, share in by_column("detectors/states", detector).items() if column != "Detector"]


def lost(detector: str, state: int) -> float:
    return states(detector)[0] - states(detector)[state]


CLAIMS = [
    Claim(
        "P-Net has 6,632 learned numbers, R-Net 100,178 and O-Net 389,040",
        lambda: [numbers_of(net) for net in (p_net(), r_net(), o_net())] == [6_632, 100_178, 389_040],
    ),
    Claim(
        "it does well in the comparison that follows",
        lambda: max(sheets("Found").values()) - sheets("Found")[AT_20] < 1 and min(photos(name)[AT_40] for name in SETS) > 95,
    ),
    Claim(
        "Every detector finds every face of lfw100 and orl39.",
        lambda: all(share == 100 for name in ("lfw100", "orl39") for share in photos(name).values()),
    ),
    Claim(
        "Only YuNet finds every face of all four sets.",
        lambda: [d for d in photos("lfw100") if all(photos(name)[d] == 100 for name in SETS)] == [YUNET],
    ),
    Claim(
        "HOG misses about half of actors6, because these faces are smaller than its window.",
        lambda: 40 < cell("detectors/photos", HOG, "actors6") < 60,
    ),
    Claim("With the photo doubled it finds most of them.", lambda: cell("detectors/photos", DOUBLED, "actors6") > 85),
    Claim(
        "HOG is the fastest, and the `mtcnn` package, which runs in TensorFlow, is the slowest.",
        lambda: (
            min(photos("ms per photo"), key=photos("ms per photo").__getitem__) == HOG
            and max(photos("ms per photo"), key=photos("ms per photo").__getitem__) == PACKAGE
        ),
    ),
    Claim(
        "MTCNN finds the most faces when it looks for faces from 20 pixels up, as its package does by default.",
        lambda: min(sheets("Found")[d] for d in (PACKAGE, AT_20)) > max(sheets("Found")[d] for d in (*OLDER, YUNET, AT_40)) + 5,
    ),
    Claim(
        "Of the faces from 40 pixels up, MTCNN and YuNet find nearly all, and the older detectors find fewer.",
        lambda: (
            min(sheets("Found, from 40 pixels")[d] for d in NETWORKS) > 95
            and max(sheets("Found, from 40 pixels")[d] for d in OLDER) < 92
        ),
    ),
    Claim(
        "The Haar cascades take the most time, and they alone draw false boxes.",
        lambda: (
            min(sheets("ms per photo")[d] for d in HAAR) > max(t for d, t in sheets("ms per photo").items() if d not in HAAR)
            and {d for d, false in sheets("False boxes per photo").items() if false} == set(HAAR)
        ),
    ),
    Claim(
        "HOG finds no face of 40 pixels or less, unless the photo is doubled.",
        lambda: not any(share for side, share in at("size", HOG).items() if side <= 40) and at("size", DOUBLED)[40] > 0.8,
    ),
    Claim("YuNet finds about half of the faces of 28 pixels.", lambda: 0.4 < at("size", YUNET)[28] < 0.6),
    Claim(
        "MTCNN finds most faces of 20 pixels if it is set to look for them.",
        lambda: at("size", AT_20)[20] > 0.75 and at("size", AT_40)[20] < 0.3 and at("size", AT_40)[40] > 0.9,
    ),
    Claim(
        "Set to 40 pixels, it still finds most faces of 28, because P-Net also recognises faces that fill only part of its window.",
        lambda: at("size", AT_40)[28] > 0.75,
    ),
    Claim("At 30 degrees the Haar cascade has lost most faces.", lambda: at("roll", HAAR[0])[30] < 0.2),
    Claim(
        "HOG still finds nearly all, because two of its five classifiers know rolled faces.",
        lambda: min(at("roll", d)[30] for d in (HOG, DOUBLED)) > 0.93,
    ),
    Claim(
        "At 45 degrees MTCNN finds the most.",
        lambda: (
            min(at("roll", d)[45] for d in (AT_40, AT_20)) > max(at("roll", d)[45] for d in charted("roll") if "MTCNN" not in d)
        ),
    ),
    Claim(
        "At 90 degrees every detector misses most faces; YuNet finds more than the others.",
        lambda: 0.5 > at("roll", YUNET)[90] > 2 * max(at("roll", d)[90] for d in charted("roll") if d != YUNET),
    ),
    Claim(
        "Blur harms HOG most: it takes away the edges that HOG counts.",
        lambda: min(lost(d, 3) for d in (HOG, DOUBLED)) > max(lost(d, 3) for d in (*HAAR, *NETWORKS)),
    ),
    Claim(
        "Dark photos cost the older detectors more than the networks.",
        lambda: min(lost(d, 1) for d in OLDER) > max(lost(d, 1) for d in NETWORKS),
    ),
    Claim("find at least nine faces of ten in every state.", lambda: min(min(states(d)) for d in NETWORKS) >= 90),
    Claim(
        "P-Net sees four times as many pixels at 20.",
        lambda: 1 < value("detectors/ms a sheet from 20 pixels") / value("detectors/ms a sheet from 40 pixels") < 4,
    ),
]
