"""No answer depends on data that was left out: an engine that stops at a read of such data answers all the same (guard.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from facelab.native import NativeRuntime

from ..classroom import compose
from .conftest import SITE, engine_alone, served
from .guard import guarded
from .photo_answers import address_of, answers, differences, photos_of_all_kinds

LOOK = """async ([site, photo]) => {
    const ask = (ENGINE)(site);
    const image = await createImageBitmap(await (await fetch(photo)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const {width, height, data} = canvas.getImageData(0, 0, image.width, image.height);
    const {faces} = await ask("look", {width, height, rgba: data.buffer}, 20, "mobilefacenet-v1");
    return faces.length;
}"""


@pytest.fixture(scope="module")
def guarded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return guarded(tmp_path_factory.mktemp("guarded") / "site")


@pytest.fixture(scope="module")
def guarded_site(guarded_folder: Path) -> Iterator[str]:
    with served(built=guarded_folder) as address:
        yield address


def test_photos_of_all_kinds(
    chromium: Browser, site: str, guarded_site: str, guarded_folder: Path, samples: Path, odd_photos: Path, runtime: NativeRuntime
) -> None:
    photos = photos_of_all_kinds(samples, odd_photos, runtime.manifest.max_side)
    one, other = answers(chromium, site, SITE, photos), answers(chromium, guarded_site, guarded_folder, photos)
    assert sum(bool(answer["faces"]) for answer in other) > 20
    assert max(differences(one, other)) == 0


def test_group_photo_of_the_largest_size(
    chromium: Browser, guarded_site: str, guarded_folder: Path, lfw100: Path, runtime: NativeRuntime
) -> None:
    people = sorted(lfw100.iterdir())
    files = [(person.name, photo) for person in people for photo in sorted(person.iterdir())[:5]]
    pixels, _ = compose(files, seed=4, sides=(60, 160))
    picture = Image.fromarray(pixels)
    picture.thumbnail((runtime.manifest.max_side, runtime.manifest.max_side))
    with chromium.new_context(service_workers="block") as context:
        page = context.new_page()
        page.goto(guarded_site)
        found = page.evaluate(LOOK.replace("ENGINE", engine_alone(guarded_folder)), [guarded_site, address_of(picture)])
    assert found > len(files) / 2
