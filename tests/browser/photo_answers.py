"""What the demo is told of photos of all kinds, as numbers, for tests that compare one build with another."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser

from facelab.photos import read_photo

from ..odd_photos import READABLE
from .conftest import engine_alone

FURTHER = ("no_face.png", "dot.png", "many.jpg", "huge.jpg", "filled.jpg", "sideways.jpg")
SIZES = ((24, 32), (97, 61), (300, 2048), (2048, 1365))
# What the demo is told of each photo, and of its largest face beside that of the first photo.
ANSWERS = """async ([site, photos]) => {
    const ask = (ENGINE)(site);
    const answers = [];
    let first;
    for (const [name, photo] of photos) {
        const image = await createImageBitmap(await (await fetch(photo)).blob());
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
        canvas.drawImage(image, 0, 0);
        const {width, height, data} = canvas.getImageData(0, 0, image.width, image.height);
        await ask("open", name, {width, height, rgba: data.buffer});
        const found = await ask("find", name);
        const {faces} = await ask("analyse", name);
        await ask("close", name);
        const {embedding, poor} = found.embedded ?? {};
        first ??= embedding;
        const verdict = embedding && await ask("compare", first, embedding, poor.length > 0);
        answers.push({found: found.faces ?? found, faces, poor, verdict, embedding: embedding && [...embedding]});
    }
    return answers;
}"""


def photos_of_all_kinds(samples: Path, odd_photos: Path, max_side: int) -> list[tuple[str, str]]:
    """Names, and addresses with the content: the samples, the odd photos, and a sample in other sizes."""
    files = [*sorted(samples.glob("*.jpg")), *(odd_photos / name for name in (*READABLE, *FURTHER))]
    pictures = {file.name: Image.fromarray(read_photo(file, max_side).pixels) for file in files}
    for size in SIZES:
        pictures[f"{size}"] = pictures["obama.jpg"].resize(size)
    return [(name, address_of(picture)) for name, picture in pictures.items()]


def address_of(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, format="png", compress_level=1)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def answers(chromium: Browser, site: str, folder: Path, photos: list[tuple[str, str]]) -> list[dict[str, Any]]:
    with chromium.new_context(service_workers="block") as context:
        page = context.new_page()
        page.goto(site)
        found: list[dict[str, Any]] = page.evaluate(ANSWERS.replace("ENGINE", engine_alone(folder)), [site, photos])
        return found


def differences(one: Any, other: Any) -> Iterator[float]:
    """Between the numbers of two answers. All else has to be equal, but for times."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one.keys() - {"milliseconds"}:
            yield from differences(one[key], other[key])
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            yield from differences(*pair)
    elif isinstance(one, int | float):
        yield abs(one - other)
    else:
        assert one == other
