"""The demo in a real browser: right verdicts, the numbers of the command line, no request off the site, no complaint."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page, expect

import facelab
from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.quality import measure_quality
from facelab.runtime import finish
from facelab.verify import decide

from ..conftest import ROOT
from ..wasm_file import CODE, bodies, leb, sections
from .conftest import READY, Watched, another_build, axe_violations, choose, watch


def verdict(page: Page) -> tuple[str, float]:
    """What the page says, once it says it."""
    heading = page.locator('[data-testid="verdict"][data-verdict]')
    heading.wait_for(timeout=READY)
    return heading.get_attribute("data-verdict") or "", float(heading.get_attribute("data-distance") or "nan")


def fresh(page: Page) -> None:
    if page.get_by_test_id("clear").is_visible():
        page.get_by_test_id("clear").click()
    expect(page.locator('[data-testid="verdict"][data-verdict]')).to_have_count(0)


def test_loading_shows_bytes_that_arrive(watched: Watched) -> None:
    page = watched.open("demo/")
    bar = page.get_by_test_id("progress").get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(page.get_by_test_id("progress")).to_contain_text("MB")
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    expect(page.get_by_test_id("progress")).to_contain_text("ready after")


@pytest.mark.parametrize(("sample", "expected"), [(0, "same"), (1, "different"), (2, "same")])
def test_sample_pair_gives_the_right_verdict_at_one_click(sample: int, expected: str, demo: Watched) -> None:
    fresh(demo.page)
    demo.page.get_by_test_id(f"sample-{sample}").click()
    said, distance = verdict(demo.page)
    assert said == expected
    limits = NativeRuntime(models_folder()).manifest.embedder.calibration.good
    assert distance < limits.same_below if expected == "same" else distance >= limits.different_from
    limit = limits.same_below if expected == "same" else limits.different_from
    reason = demo.page.get_by_test_id("reason")
    expect(reason).to_contain_text(f"Distance {distance:.2f}; ")
    expect(reason).to_contain_text(f"{limit:.2f}.")
    for part in ("chip-a", "chip-b", "gauge", "strip-a", "strip-b", "timings"):
        expect(demo.page.get_by_test_id(part)).to_be_visible()
    expect(demo.page.get_by_test_id("timings")).to_contain_text("Milliseconds")


def test_photos_from_disk_give_what_the_same_files_give_natively(demo: Watched, samples: Path, odd_photos: Path) -> None:
    """PNG files, which every decoder reads alike, and the page's own weights: within 1e-4, embeddings too."""
    fresh(demo.page)
    names = ("rgba.png", "palette.png")
    for slot, name in zip("ab", names, strict=True):
        choose(demo.page, slot, odd_photos / name)
    said, distance = verdict(demo.page)
    runtime = NativeRuntime(models_folder(), compact=True)
    photos = [read_photo(odd_photos / name, runtime.manifest.max_side) for name in names]
    faces = [finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))[:1]))[0] for photo in photos]
    poor = any(measure_quality(face, runtime.manifest.embedder).complaints for face in faces)
    native = decide(faces[0].embedding, faces[1].embedding, runtime.manifest.embedder, runtime.cohort, poor)
    assert said == native.verdict
    assert distance == pytest.approx(native.distance, abs=1e-4)
    in_page = demo.page.evaluate("(({a, b}) => [[...a], [...b]])(document.querySelector('face-verify').embeddings)")
    for values, face in zip(in_page, faces, strict=True):
        assert np.abs(np.array(values) - face.embedding).max() < 1e-4


def test_verdict_is_the_command_lines(demo: Watched, samples: Path) -> None:
    """Whose weights are stored in full: another distance in the second decimal, the same answer."""
    fresh(demo.page)
    choose(demo.page, "a", samples / "obama.jpg")
    choose(demo.page, "b", samples / "obama3.jpg")
    said, distance = verdict(demo.page)
    native = facelab.verify(samples / "obama.jpg", samples / "obama3.jpg")
    assert said == native.verdict
    assert distance == pytest.approx(native.distance, abs=0.02)


def test_another_face_can_be_chosen(demo: Watched, samples: Path, odd_photos: Path) -> None:
    fresh(demo.page)
    choose(demo.page, "a", odd_photos / "many.jpg")
    choose(demo.page, "b", samples / "biden.jpg")
    assert verdict(demo.page)[0] == "different", "the largest face is Obama's"
    demo.page.get_by_test_id("face-a-1").press("Enter")
    expect(demo.page.locator('[data-testid="verdict"][data-verdict="same"]')).to_be_visible()


def test_face_that_is_not_seen_well_is_said_to_be_so(demo: Watched, samples: Path, tmp_path: Path) -> None:
    fresh(demo.page)
    Image.open(samples / "obama.jpg").filter(ImageFilter.GaussianBlur(6)).save(tmp_path / "blurred.png")
    choose(demo.page, "a", tmp_path / "blurred.png")
    expect(demo.page.get_by_test_id("quality-a")).to_contain_text("blurred")
    choose(demo.page, "b", samples / "obama2.jpg")
    assert verdict(demo.page)[0] != "different"


def test_clear_forgets_both_photos(demo: Watched, samples: Path) -> None:
    fresh(demo.page)
    choose(demo.page, "a", samples / "obama.jpg")
    choose(demo.page, "b", samples / "biden.jpg")
    verdict(demo.page)
    demo.page.get_by_test_id("clear").click()
    expect(demo.page.locator('[data-testid="verdict"][data-verdict]')).to_have_count(0)
    assert demo.page.evaluate("document.querySelector('face-verify').embeddings") == {"a": None, "b": None}


@pytest.mark.secure("the camera")
def test_camera_gives_a_photo_and_goes_off(demo: Watched) -> None:
    """Chromium's fake device shows no face: the page must say so, and let go of the camera."""
    fresh(demo.page)
    demo.page.get_by_test_id("camera-a").click()
    slot = demo.page.locator("photo-slot").first
    slot.get_by_role("button", name="Take").click()
    expect(demo.page.get_by_test_id("error-a")).to_contain_text("face")
    assert not demo.page.evaluate("[...document.querySelectorAll('video')].some(video => video.srcObject?.active)")


def test_works_with_the_keyboard_alone(watched: Watched) -> None:
    page = watched.open("demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    for _ in range(80):
        page.keyboard.press("Tab")
        if (
            page.evaluate(
                "document.activeElement?.dataset.testid ?? document.activeElement?.shadowRoot?.activeElement?.dataset.testid"
            )
            == "sample-0"
        ):
            break
    else:
        pytest.fail("the samples cannot be reached with the Tab key")
    page.keyboard.press("Enter")
    assert verdict(page)[0] == "same"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_no_accessibility_violation_and_no_sideways_scroll(width: int, scheme: str, chromium: Browser, site: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "slate" else "light")
    page = watch(context.new_page(), site).open("demo/")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", scheme)
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    assert axe_violations(page) == []
    page.get_by_test_id("sample-0").click()
    verdict(page)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_nothing_was_asked_of_anybody_else_and_nothing_complained(demo: Watched) -> None:
    """Last of this module: after loading, samples, files, camera and clearing."""
    assert len(demo.requests) > 10
    assert demo.requests_elsewhere() == []
    assert demo.complaints == []


def test_failed_download_is_said_and_can_be_tried_again(watched: Watched) -> None:
    page = watched.page
    page.route("**/ort.memory.gz", lambda route: route.abort())
    watched.open("demo/")
    expect(page.get_by_test_id("failure")).to_be_visible()
    page.unroute("**/ort.memory.gz")
    page.get_by_test_id("retry").click()
    page.get_by_test_id("sample-0").click()
    assert verdict(page)[0] == "same"


def test_memory_of_another_version_is_refused(watched: Watched) -> None:
    page = watched.page
    page.route("**/ort.memory.gz", lambda route: route.fulfill(body=gzip.compress(b"another version")))
    watched.open("demo/")
    expect(page.get_by_test_id("failure")).to_contain_text("is not the file that this page expects")


def test_themes_script_waits_for_the_first_answer_but_not_where_somebody_turns_to_it(watched: Watched) -> None:
    """Search works as soon as somebody wants to search."""
    page = watched.open("demo/")
    bundle = "assets/javascripts/bundle"
    page.get_by_test_id("sample-0").click()
    verdict(page)
    assert not [url for url in watched.requests if bundle in url]
    with page.expect_request(f"**/{bundle}*"):
        page.locator(".md-header").hover()
    page.locator(".md-search__input").fill("triplet")
    expect(page.locator(".md-search-result__link").first).to_be_visible()


@pytest.mark.parametrize("instead", [b"\x00", b"\x03\x40\x0c\x00\x0b\x00"], ids=["stops", "never ends"])
def test_where_the_trimmed_runtime_lacks_a_function_the_whole_one_answers(instead: bytes, chromium: Browser) -> None:
    """Its largest function, which multiplies matrices, is taken out as well: the known picture stops it, or has it run for ever."""
    whole, file = (
        (ROOT / "docs" / "app" / "ort" / f"ort-wasm-simd-threaded{suffix}.wasm").read_bytes() for suffix in ("", "-trimmed")
    )
    pairs = zip(bodies(sections(whole)[CODE]), bodies(sections(file)[CODE]), strict=False)
    body = max(((len(before), after) for before, after in pairs if len(after) > 100))[1]  # what is left of it there
    length_bytes = len(body) - leb(body, 0)[0]
    # As many bytes as the function had, most of them of nothing: all others stay where they are.
    nothing = body[:length_bytes] + b"\x00" + instead + b"\x01" * (len(body) - length_bytes - len(instead) - 2) + b"\x0b"
    with another_build({"ort/ort-wasm-simd-threaded-trimmed.wasm": file.replace(body, nothing)}) as site:
        context = chromium.new_context(service_workers="block")
        watched = watch(context.new_page(), site)
        page = watched.open("demo/")
        page.get_by_test_id("sample-0").click()
        assert verdict(page)[0] == "same"
        assert [url for url in watched.requests if url.endswith("/ort-wasm-simd-threaded.wasm")], "the whole one was fetched"
        context.close()
