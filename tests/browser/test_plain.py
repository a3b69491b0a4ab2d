"""The plain build, with Pyodide, NumPy and ONNX Runtime as they are published: it works, and the faster build gives its answers.

test_versions.py asks both builds what they do with files of another build.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from facelab.native import NativeRuntime
from facelab.photos import read_photo

from ..odd_photos import READABLE
from .conftest import READY, SITE, Watched, engine_alone, watch
from .test_book import open_lab

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


@pytest.fixture(scope="module")
def plain(chromium: Browser, plain_site: str) -> Iterator[Watched]:
    """One tab on the plain build."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    yield watch(context.new_page(), plain_site)
    context.close()


def complaints(watched: Watched) -> list[str]:
    return [text for text in watched.complaints if "Service Worker" not in text]  # it is blocked


def test_demo_gives_its_verdicts(plain: Watched) -> None:
    page = plain.open("demo/")
    for sample, expected in ((0, "same"), (1, "different")):
        page.get_by_test_id(f"sample-{sample}").click()
        page.locator(f'[data-testid="verdict"][data-verdict="{expected}"]').wait_for()
    expect(page.get_by_test_id("progress")).to_contain_text("MB loaded, ready after")
    assert complaints(plain) == []


def test_each_file_of_the_start_is_fetched_once(plain: Watched) -> None:
    """Pyodide and ONNX Runtime fetch nothing again that the engine has fetched and checked."""
    files = [url for url in plain.requests if url.endswith((".wasm", ".zip", ".whl", "lock.json", ".onnx"))]
    assert Counter(url.split("/")[-2] for url in set(files)) == {"models": 4, "ort": 1, "pyodide": 4, "python": 1}
    assert len(files) == 10


def test_lab_and_cell_answer(plain: Watched) -> None:
    """With all of Python's library and of NumPy."""
    page = plain.open("introduction/")
    expect(open_lab(page, "four-questions").get_by_test_id("panels")).to_be_visible()
    cell = page.get_by_test_id("cell-0")
    cell.get_by_test_id("cell-run").click()
    expect(cell).to_have_attribute("data-state", "done", timeout=READY)
    assert complaints(plain) == []


@pytest.fixture(scope="module")
def photos(samples: Path, odd_photos: Path, runtime: NativeRuntime) -> list[tuple[str, str]]:
    """Names, and addresses with the content: the samples, the odd photos, and a sample in other sizes."""
    files = [*sorted(samples.glob("*.jpg")), *(odd_photos / name for name in (*READABLE, *FURTHER))]
    pictures = {file.name: Image.fromarray(read_photo(file, runtime.manifest.max_side).pixels) for file in files}
    for size in SIZES:
        pictures[f"{size}"] = pictures["obama.jpg"].resize(size)
    return [(name, _address(picture)) for name, picture in pictures.items()]


def _address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, format="png", compress_level=1)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def test_both_builds_give_the_same_numbers(
    chromium: Browser, site: str, plain_site: str, plain_folder: Path, photos: list[tuple[str, str]]
) -> None:
    """What is left out of the faster build, and what is rewritten in it, changes no answer."""
    faster, plain = (_answers(chromium, address, folder, photos) for address, folder in ((site, SITE), (plain_site, plain_folder)))
    assert sum(bool(answer["faces"]) for answer in plain) > 20
    for (name, _), one, other in zip(photos, faster, plain, strict=True):
        assert max(_differences(one, other), default=0) < 1e-4, name


def _answers(chromium: Browser, site: str, folder: Path, photos: list[tuple[str, str]]) -> list[dict[str, Any]]:
    with chromium.new_context(service_workers="block") as context:
        page = context.new_page()
        page.goto(site)
        answers: list[dict[str, Any]] = page.evaluate(ANSWERS.replace("ENGINE", engine_alone(folder)), [site, photos])
        return answers


def _differences(one: Any, other: Any) -> Iterator[float]:
    """Between the numbers of two answers. All else has to be equal, but for times."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one.keys() - {"milliseconds"}:
            yield from _differences(one[key], other[key])
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            yield from _differences(*pair)
    elif isinstance(one, int | float):
        yield abs(one - other)
    else:
        assert one == other
