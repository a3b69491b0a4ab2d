"""Figures of the overview: an annotated class photo, the two errors, faces at three sizes, and all comparisons of one photo."""

from __future__ import annotations

import numpy as np

from facelab.labs.introduction import draw_face
from facelab.labs.pictures import shrunk

from ..results import read_report
from . import Figure
from .drawing import Colour, Drawing

CLASS = 30


def class_photo() -> Figure:
    """Six faces of a class, as the system sees them, and the list that follows from it."""
    photo = Drawing(
        "A class photo. Boxes stand around five faces: Ada, Ben, Cleo and Finn by name, and one unknown. A sixth face, half "
        "hidden behind Cleo, has no box.",
        360,
        262,
    )
    photo.text(8, 18, "The photo", bold=True)
    photo.rect(4, 28, 352, 230, "surface", "line")
    pupils = ((62, 84, 48, 0), (158, 80, 48, 10), (262, 84, 48, -4), (200, 166, 48, 0), (72, 190, 58, -6), (236, 190, 58, 0))
    for x, y, height, tilt in pupils:
        _pupil(photo, x, y, height, tilt)
    for x, y, height, name, tone in (
        (62, 84, 48, "Ada", "good"),
        (158, 80, 48, "Ben", "good"),
        (262, 84, 48, "unknown", "warn"),
        (72, 190, 58, "Finn", "good"),
        (236, 190, 58, "Cleo", "good"),
    ):
        _box(photo, x, y, height, name, tone)  # type: ignore[arg-type]
    photo.arrow(322, 150, 290, 112, "warn")
    photo.lines(350, 164, ["a visitor,", "not enrolled"], anchor="end", size=11)
    photo.arrow(152, 176, 179, 170, "bad")
    photo.lines(148, 174, ["Dan,", "hidden"], anchor="end", size=11)
    roll = Drawing(
        "The roll: Ada, Ben, Cleo and Finn seen; Dan and Eva not seen, though Dan is in the room; one face unknown.", 320, 262
    )
    roll.text(8, 18, "The list", bold=True)
    roll.text(96, 44, "the system says", size=11, colour="muted")
    roll.text(212, 44, "the truth", size=11, colour="muted")
    for i, (name, said, truth, tone) in enumerate(
        (
            ("Ada", "seen", "in the room", "good"),
            ("Ben", "seen", "in the room", "good"),
            ("Cleo", "seen", "in the room", "good"),
            ("Dan", "not seen", "in the room", "bad"),
            ("Eva", "not seen", "at home", "muted"),
            ("Finn", "seen", "in the room", "good"),
            ("–", "1 unknown face", "a visitor", "warn"),
        )
    ):
        y = 68 + 28 * i
        roll.line([(8, y - 18), (312, y - 18)], "line", thick=1)
        roll.text(8, y, name, size=13)
        roll.text(96, y, said, size=13, colour=tone)  # type: ignore[arg-type]
        roll.text(212, y, truth, size=13, colour="muted")
    return Figure(
        [photo, roll],
        "**A class photo and its list.** A box marks each face that was found. Four faces are close to a pupil’s enrolled "
        "photos and get that name. The visitor is close to nobody and stays unknown. Dan is hidden and Eva is at home: the "
        "photo shows neither, so both are listed as *not seen*.",
    )


def _pupil(d: Drawing, x: float, y: float, height: float, tilt: float) -> None:
    """Head and shoulders, in front of whoever was drawn before."""
    h = height / 100
    d.path(
        f"M{x - 80 * h:.1f} {y + 118 * h:.1f}C{x - 78 * h:.1f} {y + 62 * h:.1f} {x - 30 * h:.1f} {y + 60 * h:.1f} {x:.1f} "
        f"{y + 56 * h:.1f}C{x + 30 * h:.1f} {y + 60 * h:.1f} {x + 78 * h:.1f} {y + 62 * h:.1f} {x + 80 * h:.1f} "
        f"{y + 118 * h:.1f}",
        "muted",
        fill="surface",
    )
    d.ellipse(x, y - 4 * h, 36 * h, 50 * h, "surface", "none")
    d.face(x, y, height, tilt=tilt)


def _box(d: Drawing, x: float, y: float, height: float, name: str, tone: Colour) -> None:
    wide, high = 0.92 * height, 1.2 * height
    d.rect(x - wide / 2, y - high / 2 - 2, wide, high, stroke=tone, thick=2, dashed=tone == "warn")
    d.text(x, y - high / 2 - 7, name, anchor="middle", size=12, colour=tone, bold=True)


def two_errors() -> Figure:
    """One false match and one false non-match, with the distance and the threshold that made them."""
    same = float(read_report("whom")["values"]["good same_below"])
    return Figure(
        [
            _error(
                "False match",
                ("In the photo:", "a visitor"),
                ("Enrolled:", "Eva"),
                f"{same - 0.06:.2f} is below {same:.3f}",
                ("The system says Eva.", "Eva counts as present. She is at home,", "and nobody goes looking."),
                4,
            ),
            _error(
                "False non-match",
                ("In the photo:", "Ben, in shade"),
                ("Enrolled:", "Ben"),
                f"{same + 0.14:.2f} is above {same:.3f}",
                ("The system says unknown.", "Ben counts as not seen. He sits in the", "room, and the school rings his parents."),
                -14,
            ),
        ],
        "**The two errors.** In a false match, the distance between two people lies below the threshold. In a false non-match, the "
        f"distance between two photos of one person does not. The demo’s threshold is {same:.3f}, and both distances are examples.",
    )


def _error(
    title: str, probe: tuple[str, str], enrolled: tuple[str, str], distance: str, result: tuple[str, str, str], tilt: float
) -> Drawing:
    d = Drawing(f"{title}. {probe[0]} {probe[1]}. {enrolled[0]} {enrolled[1]}. {' '.join(result)}", 320, 218)
    d.text(8, 18, title, bold=True, colour="bad")
    for x, lean, words, stroke in ((60, tilt, probe, "warn"), (260, 0, enrolled, "ink")):
        d.rect(x - 36, 30, 72, 84, "surface", "line", radius=4)
        d.face(x, 72, 66, tilt=lean, stroke=stroke)  # type: ignore[arg-type]
        d.lines(x, 130, words, anchor="middle", size=12)
    d.line([(100, 72), (220, 72)], "accent", thick=2, dashed=True)
    d.text(160, 62, "distance", anchor="middle", size=12, colour="muted")
    d.text(160, 90, distance, anchor="middle", size=11)
    d.text(8, 176, result[0], size=12, colour="bad", bold=True)
    d.lines(8, 194, result[1:], size=12)
    return d


def back_row() -> Figure:
    """One drawn face with as many pixels as in a photo of 4,000, 2,048 and 1,024 pixels."""
    fine = draw_face(np.array([0.2, 0.1, 1.0, 0.0, 0.3]), -25, 6, finer=12)
    grey = (255 * fine).round().astype(np.uint8)[..., None].repeat(3, axis=2)
    d = Drawing("The same face 75, 38 and 19 pixels wide, each enlarged to one size.", 360, 190)
    for i, (photo, face) in enumerate(((4000, 75), (2048, 38), (1024, 19))):
        small = shrunk(grey, round(face * 5 / 4))[..., 0] / 255
        x = 6 + 119 * i
        d.picture(x, 4, 110, 137.5, small)
        d.text(x, 160, f"{face} pixels", size=13)
        d.text(x, 178, f"photo: {photo:,}", size=12, colour="muted")
    return Figure(
        [d],
        "**The same face in three photos.** A class stands 8 m wide, and a face is 0.15 m wide. In a photo that is 4,000 pixels "
        "wide, the face covers 75. In smaller copies of the photo it covers fewer, and the lost detail does not come back.",
    )


def comparisons() -> Figure:
    """The 30 x 30 comparisons of one class photo."""
    cell, left, top = 8, 34, 30
    side = cell * CLASS
    d = Drawing("A table of 30 by 30 comparisons: 30 on the diagonal, 870 off it, one of them a false match.", 300, 304)
    for i in range(CLASS):
        d.rect(left + cell * i, top + cell * i, cell, cell, "good", "none", opacity=0.8)
    lines = "".join(f"M{left} {top + cell * i}h{side}M{left + cell * i} {top}v{side}" for i in range(CLASS + 1))
    d.path(lines, "line", thick=0.7)
    d.rect(left + cell * 20 - 1, top + cell * 7 - 1, cell + 2, cell + 2, "bad", "bad")
    d.text(left, 20, "30 enrolled pupils", size=12)
    d.arrow(left + 120, 16, left + side, 16, "muted")
    d.arrow(20, top + 4, 20, top + side, "muted")
    d.text(left, top + side + 20, "30 faces of the photo, downwards", size=12)
    key = Drawing("Key: 30 comparisons of a face with its own pupil, 870 with another pupil, about one of them wrong.", 300, 190)
    for i, (tone, first, second) in enumerate(
        (
            ("good", "30 comparisons:", "a face with its own pupil"),
            ("none", f"{CLASS * (CLASS - 1)} comparisons:", "a face with another pupil"),
            ("bad", f"{CLASS * (CLASS - 1) / 1000:.2f} false matches", "expected at 1 in 1,000"),
        )
    ):
        y = 40 + 54 * i
        key.rect(8, y - 14, 18, 18, tone, "line" if tone == "none" else "none", opacity=0.8 if tone == "good" else 1)  # type: ignore[arg-type]
        key.text(38, y, first, size=14)
        key.text(38, y + 18, second, size=12, colour="muted")
    return Figure(
        [d, key],
        "**All comparisons of one photo.** Each of 30 faces is compared with each of 30 pupils. On the diagonal, a face meets its "
        "own pupil. The other 870 squares are chances for a false match. At a rate of 1 in 1,000, about one of them goes wrong.",
    )
