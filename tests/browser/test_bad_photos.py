"""Whatever is dropped on the page: the answer of the plain photo, or a sentence in its own place. Never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

import facelab
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo

from ..experiments.coverings import COVERINGS, covered
from ..odd_photos import READABLE
from .conftest import Watched, choose, watch
from .test_demo import fresh, verdict

SENTENCES = {
    "text.jpg": "not a picture",
    "empty.jpg": "empty",
    "truncated.jpg": "cut short",
    "truncated.png": "cut short",
    "cut.webp": "cut short",
    "filled.jpg": "part of the face is missing",
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
    expect(demo.page.get_by_test_id("status")).to_have_text("Photo B is ready. Photo A cannot be used: choose another one.")
    choose(demo.page, "b", samples / "biden.jpg")
    choose(demo.page, "a", samples / "obama.jpg")
    assert verdict(demo.page)[0] == "different", "a usable photo takes the place of the other"


def test_reader_is_told_of_a_photo_on_its_side_and_of_a_covered_face(
    demo: Watched, odd_photos: Path, samples: Path, runtime: NativeRuntime, tmp_path: Path
) -> None:
    fresh(demo.page)
    choose(demo.page, "a", odd_photos / "sideways.jpg")
    choose(demo.page, "b", samples / "obama2.jpg")
    assert verdict(demo.page)[0] == "same"
    expect(demo.page.get_by_test_id("quality-a")).to_have_text("The photo lay on its side, so it was read turned to the right.")
    expect(demo.page.get_by_test_id("quality-b")).to_be_hidden()
    box, photo = (demo.page.get_by_test_id(name).bounding_box() for name in ("face-a-0", "drop-a"))
    assert box
    assert photo
    assert photo["y"] <= box["y"] < box["y"] + box["height"] <= photo["y"] + photo["height"]
    assert box["width"] > box["height"], "the box lies as the photo does"
    pixels, face = read_photo(samples / "obama2.jpg", 2048).pixels, facelab.largest_face(samples / "obama2.jpg").face
    masked = covered(pixels, face.landmarks, COVERINGS["blue mask"], runtime.manifest.embedder)
    Image.fromarray(masked).save(tmp_path / "masked.png")
    choose(demo.page, "b", tmp_path / "masked.png")
    expect(demo.page.get_by_test_id("quality-b")).to_contain_text("The face is partly covered, so the answer is more careful")
    verdict(demo.page)


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
