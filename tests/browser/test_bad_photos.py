"""Whatever is dropped on the page: the answer of the plain photo, or a sentence in its own place. Never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from facelab.native import NativeRuntime, models_folder

from ..odd_photos import READABLE
from .conftest import Watched, choose, watch
from .test_demo import fresh, verdict

SENTENCES = {
    "text.jpg": "not a picture",
    "empty.jpg": "empty",
    "truncated.jpg": "cut short",
    "truncated.png": "cut short",
    "no_face.png": "face",
    "dot.png": "face",
}


@pytest.mark.parametrize("name", READABLE)
def test_readable_photo_gives_the_answer_of_the_plain_file(name: str, demo: Watched, odd_photos: Path, samples: Path) -> None:
    fresh(demo.page)
    choose(demo.page, "a", odd_photos / name)
    choose(demo.page, "b", samples / "obama2.jpg")
    said, distance = verdict(demo.page)
    assert said == "same"
    choose(demo.page, "b", samples / "biden.jpg")
    expect(demo.page.locator('[data-testid="verdict"][data-verdict="different"]')).to_be_visible()
    assert distance < NativeRuntime(models_folder()).manifest.embedder.calibration.good.same_below


@pytest.mark.parametrize(("name", "said"), SENTENCES.items())
def test_unusable_photo_gets_a_sentence_and_leaves_the_other_alone(
    name: str, said: str, demo: Watched, odd_photos: Path, samples: Path
) -> None:
    fresh(demo.page)
    choose(demo.page, "b", samples / "biden.jpg")
    expect(demo.page.get_by_test_id("chip-b")).to_be_visible()
    choose(demo.page, "a", odd_photos / name)
    expect(demo.page.get_by_test_id("error-a")).to_contain_text(said)
    expect(demo.page.get_by_test_id("error-b")).to_be_empty()
    expect(demo.page.get_by_test_id("status")).not_to_contain_text("A is next")
    expect(demo.page.get_by_test_id("chip-b")).to_be_visible()
    choose(demo.page, "b", samples / "obama2.jpg")
    expect(demo.page.get_by_test_id("status")).to_have_text("Photo B is done; photo A cannot be used: choose another one.")
    choose(demo.page, "b", samples / "biden.jpg")
    choose(demo.page, "a", samples / "obama.jpg")
    assert verdict(demo.page)[0] == "different", "a usable photo takes the place of the other"


def test_huge_photo_is_answered(demo: Watched, odd_photos: Path, samples: Path) -> None:
    fresh(demo.page)
    choose(demo.page, "a", odd_photos / "huge.jpg")
    choose(demo.page, "b", samples / "obama2.jpg")
    assert verdict(demo.page)[0] == "same"


def test_no_photo_needs_more_of_onnx_runtime_than_the_page_brings(
    chromium: Browser, site: str, odd_photos: Path, samples: Path
) -> None:
    """Neither functions nor memory. Without the service worker, which fetches the whole of it, too, for later."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    watched = watch(context.new_page(), site)
    page = watched.open("demo/")
    for name in ("huge.jpg", "palette.gif", "orientation_6.jpg"):
        fresh(page)
        choose(page, "a", odd_photos / name)
        choose(page, "b", samples / "obama2.jpg")
        assert verdict(page)[0] == "same"
    for name, said in SENTENCES.items():
        choose(page, "a", odd_photos / name)
        expect(page.get_by_test_id("error-a")).to_contain_text(said)
    assert not [url for url in watched.requests if url.endswith("/ort-wasm-simd-threaded.wasm")]
    context.close()


def test_nothing_complained(demo: Watched) -> None:
    assert demo.complaints == []
    assert demo.requests_elsewhere() == []
