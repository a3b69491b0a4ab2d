"""Class photos with exact truth: portraits of the evaluation sets laid out on one canvas, each turned, lit and blurred a little.

Who is where is known, as nobody has drawn it by hand. What such a photo lacks of a real one: faces that hide each other, one
light for all, one camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Pixels = NDArray[np.uint8]

WIDTH = 1600
MARGIN = 0.45  # of the face's side, kept around it
# Side of the face, as the detector draws it, in photos of each set: (centre x, centre y, side), shares of the width.
FACE_IN = {"lfw100": (0.5, 0.5, 0.36), "orl39": (0.5, 0.58, 0.82)}


@dataclass(frozen=True)
class Placed:
    """A person in a class photo. box: x1 y1 x2 y2, pixels, about as a detector would draw it."""

    name: str
    photo: Path
    box: tuple[float, float, float, float]

    @property
    def side(self) -> float:
        return self.box[2] - self.box[0]


def compose(
    portraits: Sequence[tuple[str, Path]], seed: int, sides: tuple[float, float] = (40, 200)
) -> tuple[Pixels, list[Placed]]:
    """A class photo [H, 1600, 3] of (name, portrait), and who is where. sides: of the faces, drawn log-uniformly, pixels."""
    random = np.random.default_rng(seed)
    tiles = []
    for name, photo in portraits:
        side = float(np.exp(random.uniform(*np.log(sides))))
        tiles.append((name, photo, side, _tile(photo, side, random)))
    tiles.sort(key=lambda one: -one[3].height)
    rows: list[list[tuple[str, Path, float, Image.Image]]] = [[]]
    for one in tiles:
        if sum(other[3].width for other in rows[-1]) + one[3].width > WIDTH:
            rows.append([])
        rows[-1].append(one)
    height = sum(row[0][3].height for row in rows)
    wall = random.integers(90, 170, 3)
    canvas = Image.new("RGB", (WIDTH, height), tuple(int(v) for v in wall))
    placed, top = [], 0
    for row in rows:
        room = (WIDTH - sum(one[3].width for one in row)) // len(row)
        left = 0
        for name, photo, side, tile in row:
            canvas.paste(tile, (left, top))
            x, y = left + tile.width / 2, top + tile.height / 2
            placed.append(Placed(name, photo, (x - side / 2, y - side / 2, x + side / 2, y + side / 2)))
            left += tile.width + int(random.integers(0, room + 1))
        top += row[0][3].height
    return np.asarray(canvas), placed


def _tile(photo: Path, side: float, random: np.random.Generator) -> Image.Image:
    """A square with the face in its middle, so large, turned by up to 20 degrees, with another light, sharpness and contrast."""
    image = Image.open(photo).convert("RGB")
    across, down, share = FACE_IN[photo.parents[1].name]
    around = image.width * share * (1 + 2 * MARGIN)
    x, y = image.width * across, image.height * down
    reach = around * 0.75  # corners turned in come from here
    padded = _padded(image, round(reach))
    x, y = x + round(reach), y + round(reach)
    wide = padded.crop((round(x - reach), round(y - reach), round(x + reach), round(y + reach)))
    turned = wide.rotate(float(random.uniform(-20, 20)), Image.Resampling.BICUBIC)
    edge = (turned.width - around) / 2
    size = max(8, round(side * (1 + 2 * MARGIN)))
    tile = turned.crop((round(edge), round(edge), round(turned.width - edge), round(turned.height - edge)))
    tile = tile.resize((size, size), Image.Resampling.BOX if size < tile.width else Image.Resampling.BICUBIC)
    tile = ImageEnhance.Brightness(tile).enhance(float(random.uniform(0.6, 1.3)))
    tile = ImageEnhance.Contrast(tile).enhance(float(random.uniform(0.75, 1.15)))
    return tile.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 0.012)) * side))


def _padded(image: Image.Image, by: int) -> Image.Image:
    """With its border pixels drawn out on all sides."""
    return Image.fromarray(np.pad(np.asarray(image), ((by, by), (by, by), (0, 0)), mode="edge"))
