"""The plain build, with Pyodide, NumPy and ONNX Runtime as they are published: it works, and the faster build gives its answers.

test_versions.py asks both builds what they do with files of another build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from facelab.native import NativeRuntime

from .conftest import READY, SITE, Watched, watch
from .photo_answers import answers, differences, photos_of_all_kinds
from .test_book import open_lab


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
    return photos_of_all_kinds(samples, odd_photos, runtime.manifest.max_side)


def test_both_builds_give_the_same_numbers(
    chromium: Browser, site: str, plain_site: str, plain_folder: Path, photos: list[tuple[str, str]]
) -> None:
    """What is left out of the faster build, and what is rewritten in it, changes no answer."""
    faster, plain = (answers(chromium, address, folder, photos) for address, folder in ((site, SITE), (plain_site, plain_folder)))
    assert sum(bool(answer["faces"]) for answer in plain) > 20
    for (name, _), one, other in zip(photos, faster, plain, strict=True):
        assert max(differences(one, other), default=0) < 1e-4, name
