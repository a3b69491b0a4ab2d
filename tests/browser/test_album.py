"""The album and the live camera in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from facelab.cluster import usual_limit
from facelab.native import NativeRuntime, models_folder

from .conftest import BUILD, MOST_NETWORK_WORKERS, READY, SITE, Watched, another_build, axe_violations, network_workers, watch

PEOPLE, PHOTOS = 6, 5


@pytest.fixture(scope="module")
def heap(orl39: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of a few people in one folder, whose names tell the truth, and one that is no photo."""
    folder = tmp_path_factory.mktemp("heap") / "album"
    folder.mkdir()
    for person in sorted(path for path in orl39.iterdir() if path.is_dir())[:PEOPLE]:
        for photo in sorted(person.iterdir())[:PHOTOS]:
            Image.open(photo).convert("RGB").save(folder / f"{person.name}-{photo.stem}.png")
    (folder / "notes.jpg").write_text("no photo")
    return folder


@pytest.fixture(scope="module")
def album(chromium: Browser, site: str, heap: Path) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    watched = watch(context.new_page(), site)
    page = watched.open("album/")
    page.get_by_test_id("album-folder").set_input_files(heap)
    expect(page.get_by_test_id("status")).to_contain_text("All photos are done", timeout=READY)
    yield watched
    context.close()


def exported(page: Page) -> list[dict[str, object]]:
    with page.expect_download() as saved:
        page.get_by_test_id("album-export").click()
    people: list[dict[str, object]] = json.loads(Path(saved.value.path()).read_text())["people"]
    return people


def test_photos_of_one_person_lie_together(album: Watched) -> None:
    """Pairwise F1 by the truth in the files' names, as natively."""
    groups = [[str(file).split("-")[0] for file in group["files"]] for group in exported(album.page)]  # type: ignore[attr-defined]
    together = [(a, b) for group in groups for a, b in combinations(group, 2)]
    right = sum(a == b for a, b in together)
    of_one = PEOPLE * PHOTOS * (PHOTOS - 1) / 2
    assert 2 * right / (len(together) + of_one) >= 0.95


def test_slider_starts_at_the_usual_limit(album: Watched) -> None:
    slider = album.page.get_by_test_id("album-limit")
    usual = usual_limit(NativeRuntime(models_folder()).manifest.embedder)
    assert float(slider.input_value()) == pytest.approx(usual, abs=0.01)
    strictest, laxest = (float(slider.get_attribute(end) or "nan") for end in ("min", "max"))
    assert strictest < usual < laxest
    expect(album.page.get_by_text(f"mean distance below {usual:.2f}")).to_be_visible()


def test_there_is_a_network_worker_for_each_core_up_to_four(album: Watched, chromium: Browser) -> None:
    """One until there is a photo. That several tell apart what one does, test_roll_call shows beside the command line."""
    assert network_workers(chromium) == album.page.evaluate(MOST_NETWORK_WORKERS)


@pytest.mark.parametrize(("gigabytes", "workers"), [(2, 1), (4, 2), (8, 4)])
def test_machines_with_little_memory_get_fewer_network_workers(
    chromium: Browser, samples: Path, gigabytes: int, workers: int
) -> None:
    machine = f"for (const [name, value] of [['deviceMemory', {gigabytes}], ['hardwareConcurrency', 4]])"
    machine += " Object.defineProperty(WorkerNavigator.prototype, name, { value });\n"
    worker = "web/worker.js"
    with another_build({worker: machine.encode() + (SITE / "app" / BUILD / worker).read_bytes()}) as site:
        context = chromium.new_context(service_workers="block")
        page = watch(context.new_page(), site).open("album/")
        page.get_by_test_id("album-photos").set_input_files(samples / "obama.jpg")
        expect(page.get_by_test_id("status")).to_contain_text("All photos are done", timeout=READY)
        page.wait_for_timeout(5000)  # by then it has all the workers that it will have
        assert sum("graphs" in one.url for one in page.workers) == workers
        context.close()


def test_bad_photo_is_named_and_left_out(album: Watched) -> None:
    expect(album.page.locator("details.outcomes")).to_contain_text("1 photo cannot be used")
    expect(album.page.locator("details.outcomes")).to_contain_text("album/notes.jpg")  # with its folder, as names come again


def test_no_accessibility_violation_and_no_sideways_scroll(album: Watched) -> None:
    for width in (1280, 390):
        album.page.set_viewport_size({"width": width, "height": 900})
        album.page.evaluate("scrollTo(0, 0)")
        album.page.wait_for_timeout(500)
        assert axe_violations(album.page) == []
        assert album.page.evaluate("document.documentElement.scrollWidth") <= width
    album.page.set_viewport_size({"width": 1280, "height": 900})


def test_groups_are_split_merged_and_named_and_stay_so(album: Watched) -> None:
    page = album.page
    groups = page.get_by_test_id("group")
    before = groups.count()
    groups.nth(1).get_by_test_id("album-face").first.click()
    page.get_by_test_id("split").click()
    expect(groups).to_have_count(before + 1)
    page.get_by_test_id("group").first.get_by_test_id("group-name").fill("Ada")
    page.get_by_test_id("group").first.get_by_test_id("group-name").blur()
    limit = page.get_by_test_id("album-limit")
    limit.fill(limit.evaluate("(range) => (1.1 * Number(range.value)).toFixed(2)"))
    page.get_by_test_id("album-limit").dispatch_event("change")
    expect(page.locator('[data-testid="group"][data-name="Ada"]')).to_have_count(1)
    page.locator('[data-testid="group"][data-name="Ada"]').get_by_test_id("tick").check()
    page.locator('[data-testid="group"]:not([data-name="Ada"])').first.get_by_test_id("tick").check()
    count = groups.count()
    page.get_by_test_id("merge").click()
    expect(groups).to_have_count(count - 1)
    assert any(person["name"] == "Ada" for person in exported(page))


def test_named_group_goes_into_a_class(album: Watched, site: str) -> None:
    page = album.page
    classes = page.context.new_page()
    classes.goto(site + "roll-call/")
    classes.get_by_test_id("new-class").fill("7b")
    classes.get_by_test_id("add-class").click()
    expect(classes.get_by_test_id("class")).to_contain_text("7b")
    ada = page.locator('[data-testid="group"][data-name="Ada"]')
    ada.get_by_test_id("to-class").select_option(label="7b")
    expect(page.get_by_test_id("status")).to_contain_text("Ada is in the class 7b")
    expect(classes.locator('[data-testid="person"][data-name="Ada"]')).to_have_count(1)
    classes.close()


def test_two_look_alikes_in_one_photo_are_two_people(album: Watched, orl39: Path, tmp_path: Path) -> None:
    """Side by side, the two people of orl39 who look most alike; in two photos they would be one person."""
    page = album.page
    pictures = [Image.open(orl39 / name).convert("RGB") for name in ("s31/02.png", "s06/08.png")]
    together = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height))
    for i, picture in enumerate(pictures):
        together.paste(picture, (i * picture.width, 0))
        picture.save(tmp_path / f"{i}.png")
    together.save(tmp_path / "both.png")
    for files, people in ((["both.png"], "2 people in 1 photo"), (["0.png", "1.png"], "1 person in 2 photos")):
        page.get_by_test_id("album-clear").click()
        page.get_by_test_id("album-photos").set_input_files([tmp_path / file for file in files])
        expect(page.get_by_test_id("album-count")).to_have_text(people, timeout=READY)
        expect(page.get_by_test_id("work")).to_have_count(0, timeout=READY)


def test_nothing_was_asked_of_anybody_else_and_nothing_complained(album: Watched) -> None:
    assert album.requests_elsewhere() == []
    assert album.complaints == []


def test_work_can_be_stopped_and_what_was_found_stays(watched: Watched, heap: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(4):
        for photo in heap.glob("*.png"):
            shutil.copy(photo, many / f"{number}-{photo.name}")
    page = watched.open("album/")
    page.get_by_test_id("album-folder").set_input_files(many)
    expect(page.get_by_test_id("group")).not_to_have_count(0, timeout=READY)  # results appear as they come
    page.get_by_test_id("stop").click()
    expect(page.get_by_test_id("status")).to_contain_text("Stopped after", timeout=READY)
    expect(page.get_by_test_id("group")).not_to_have_count(0)
    page.get_by_test_id("album-clear").click()
    expect(page.get_by_test_id("group")).to_have_count(0)


@pytest.mark.secure("the camera")
def test_live_camera_looks_and_goes_off_when_the_page_is_hidden(chromium: Browser, site: str) -> None:
    """Chromium's fake device shows no face: what is seen is that frames are looked at, and that the camera is let go."""
    context = chromium.new_context(permissions=["camera"])
    page = watch(context.new_page(), site).open("camera/")
    page.locator('[data-engine="ready"]').wait_for(timeout=READY)
    page.get_by_test_id("live-start").click()
    expect(page.get_by_test_id("live-rate")).to_contain_text(re.compile(r"; (?!0\.0)\d+\.\d frames a second"), timeout=READY)
    assert page.get_by_test_id("live-video").evaluate("video => video.srcObject.active")
    assert axe_violations(page) == []
    page.evaluate("""() => {
      window.stream = document.querySelector("live-camera").shadowRoot.querySelector("video").srcObject;
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    expect(page.get_by_test_id("status")).to_contain_text("hidden")
    assert not page.evaluate("window.stream.active")
    context.close()
