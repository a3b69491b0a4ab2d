"""The roll call in a real browser: enrolled from a folder, found in a group photo with exact truth, corrected, kept, deleted."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from facelab.cli import main

from ..classroom import Placed, compose
from ..unit.test_gallery import photo as entry_of
from ..unit.test_gallery import signed
from .conftest import READY, SiteHandler, Watched, axe_violations, served, watch

PUPILS, ENROLLED = 8, 4
NOON = "2026-03-02T12:00:00"  # a roll is of a day: no test may begin on one and end on the next


@dataclass(frozen=True)
class Lesson:
    """folder: a folder a pupil. photo: composed, with everyone in `placed`: all pupils but the last, and two strangers."""

    folder: Path
    photo: Path
    placed: list[Placed]
    pupils: list[str]

    @property
    def strangers(self) -> list[str]:
        return [one.name for one in self.placed if one.name not in self.pupils]


@pytest.fixture(scope="module")
def lesson(orl39: Path, tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    made = tmp_path_factory.mktemp("lesson")
    people = sorted(path for path in orl39.iterdir() if path.is_dir())[: PUPILS + 2]
    photos = {person.name: sorted(person.iterdir()) for person in people}
    pupils = [person.name for person in people[:PUPILS]]
    for name in pupils:
        (made / "class" / name).mkdir(parents=True)
        for portrait in photos[name][:ENROLLED]:
            Image.open(portrait).convert("RGB").save(made / "class" / name / f"{portrait.stem}.png")
    (made / "class" / pupils[0] / "notes.jpg").write_text("no photo")
    there = [*pupils[:-1], *(person.name for person in people[PUPILS:])]
    pixels, placed = compose([(name, photos[name][9]) for name in there], seed=3, sides=(80, 160))
    Image.fromarray(pixels).save(made / "today.png")
    return Lesson(made / "class", made / "today.png", placed, pupils)


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A fresh profile: nothing is kept from another test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"], accept_downloads=True)
    context.clock.set_fixed_time(NOON)
    yield watch(context.new_page(), site).open("roll-call/")
    context.close()


@pytest.fixture(scope="module")
def called(chromium: Browser, site: str, lesson: Lesson) -> Iterator[Watched]:
    """A class enrolled and its roll called, once for the tests that look at it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.clock.set_fixed_time(NOON)
    watched = watch(context.new_page(), site)
    page = watched.open("roll-call/")
    enrol(page, lesson)
    page.get_by_test_id("group-photos").set_input_files(lesson.photo)
    finished(page)
    yield watched
    context.close()


def enrol(page: Page, lesson: Lesson, name: str = "7b") -> None:
    page.get_by_test_id("new-class").fill(name)
    page.get_by_test_id("add-class").click()
    page.get_by_test_id("folder").set_input_files(lesson.folder)
    finished(page)


def finished(page: Page) -> None:
    """The work in progress has begun and ended."""
    page.locator('[data-engine="ready"]').wait_for(timeout=READY)
    expect(page.get_by_test_id("status")).to_contain_text("done", timeout=READY)
    expect(page.get_by_test_id("work")).to_have_count(0, timeout=READY)


def presence(page: Page) -> dict[str, str]:
    return {
        row.get_attribute("data-name") or "": row.get_attribute("data-presence") or "" for row in page.get_by_test_id("entry").all()
    }


def test_everyone_in_the_photo_is_present_and_nobody_else(called: Watched, lesson: Lesson) -> None:
    """By the truth of the composed photo; the page may be unsure, but must not be wrong."""
    page = called.page
    expect(page.get_by_test_id("entry")).to_have_count(PUPILS)
    roll = presence(page)
    assert roll[lesson.pupils[-1]] == "absent"
    assert {roll[name] for name in lesson.pupils[:-1]} <= {"present", "unsure"}
    assert list(roll.values()).count("present") >= PUPILS - 2
    width = Image.open(lesson.photo).width
    for face in page.locator('[data-testid^="face-"]').all():
        assert isinstance(face.get_attribute("aria-label"), str)
        style = face.evaluate("f => [parseFloat(f.style.left), parseFloat(f.style.width), parseFloat(f.style.top)]")
        centre = (style[0] + style[1] / 2) / 100 * width
        name = face.get_attribute("data-name")
        if name:
            (truth,) = [one for one in lesson.placed if one.name == name]
            assert truth.box[0] < centre < truth.box[2], f"{name} is somewhere else"


def test_what_cannot_be_enrolled_is_said(called: Watched) -> None:
    expect(called.page.get_by_test_id("outcomes")).to_contain_text("1 left out")
    expect(called.page.locator(".outcomes .bad")).to_contain_text("notes.jpg")
    expect(called.page.locator(".outcomes .bad")).to_contain_text("not a picture")


def test_the_class_sets_its_limits_and_names_who_is_most_alike(called: Watched) -> None:
    expect(called.page.get_by_test_id("class-sentence")).to_contain_text(f"{PUPILS} pupils and {PUPILS * ENROLLED} photos")
    expect(called.page.get_by_test_id("class-picture")).to_be_visible()
    assert called.page.get_by_test_id("alike").inner_text().count(" and ") == 3


def test_csv_and_json_say_what_the_page_says(called: Watched, lesson: Lesson) -> None:
    page = called.page
    with page.expect_download() as saved:
        page.get_by_test_id("csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8-sig"))))
    assert {row["name"]: row["status"] for row in rows} == presence(page)
    assert {row["class"] for row in rows} == {"7b"}
    with page.expect_download() as saved:
        page.get_by_test_id("json").click()
    told = json.loads(Path(saved.value.path()).read_text())
    assert {one["name"]: one["status"] for one in told["roll"]} == presence(page)
    assert told["format"] == 1


def test_printed_roll_has_everybody_and_nothing_of_the_page(called: Watched, lesson: Lesson) -> None:
    page = called.page
    page.add_init_script("window.print = () => { parent.printed = document.body.innerText; }")
    page.get_by_test_id("print").click()
    page.wait_for_function("() => window.printed")
    printed = str(page.evaluate("window.printed"))
    assert printed.startswith("7b")
    assert all(name in printed for name in lesson.pupils)
    assert "Search" not in printed


def test_the_command_line_names_the_same_people_from_the_pages_file(
    called: Watched, lesson: Lesson, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = called.page
    with page.expect_download() as saved:
        page.get_by_test_id("export").click()
    gallery = tmp_path / "7b.facelab.json"
    shutil.copy(saved.value.path(), gallery)
    assert main(["identify", str(gallery), str(lesson.photo), "--min-face", "24", "--json"]) == 0
    native = {face["name"]: face["distance"] for face in json.loads(capsys.readouterr().out) if face["name"]}
    with page.expect_download() as saved:
        page.get_by_test_id("json").click()
    in_page = {one["name"]: one["distance"] for one in json.loads(Path(saved.value.path()).read_text())["roll"] if one["distance"]}
    assert set(native) == set(in_page)
    for name, distance in native.items():
        assert in_page[name] == pytest.approx(distance, abs=0.02)  # the page's weights are stored in eight bits


def test_a_second_tab_sees_the_class_and_what_changes(called: Watched, lesson: Lesson, site: str) -> None:
    other = called.page.context.new_page()
    other.goto(site + "roll-call/")
    expect(other.get_by_test_id("entry")).to_have_count(PUPILS)
    first = other.get_by_test_id("entry").first
    first.get_by_test_id("mark-absent").click()
    for page in (called.page, other):
        expect(page.get_by_test_id("entry").first).to_have_attribute("data-presence", "absent")
    first.get_by_test_id("mark-absent").click()  # takes it back, as it is seen there too
    expect(called.page.get_by_test_id("entry").first).not_to_have_attribute("data-presence", "absent")
    other.close()


def test_no_accessibility_violation(called: Watched) -> None:
    page = called.page
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("scrollTo(0, 0)")  # where the theme's button “back to top” is not, which fades in and out
        page.wait_for_timeout(500)
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_test_id("face-0").click()
    page.wait_for_timeout(500)
    violations = axe_violations(page)
    page.get_by_test_id("close-face").click()
    assert violations == []


def test_a_stranger_is_named_and_enrolled_and_a_face_is_corrected(called: Watched, lesson: Lesson) -> None:
    page = called.page
    page.locator('[data-testid^="face-"][data-answer="unknown"]').first.click()
    page.get_by_test_id("new-name").fill("Zoë New")
    page.get_by_test_id("name-stranger").click()
    expect(page.locator('[data-testid="entry"][data-name="Zoë New"]')).to_have_attribute("data-presence", "present")
    expect(page.locator('[data-testid="person"][data-name="Zoë New"]')).to_contain_text("one photo")
    page.locator('[data-testid^="face-"][data-name="Zoë New"]').click()
    page.get_by_test_id("choose-nobody").click()
    expect(page.locator('[data-testid="entry"][data-name="Zoë New"]')).to_have_attribute("data-presence", "absent")
    absent = page.locator(f'[data-testid="entry"][data-name="{lesson.pupils[-1]}"]')
    absent.get_by_test_id("mark-present").click()
    expect(absent).to_have_attribute("data-presence", "present")
    absent.get_by_test_id("mark-present").click()
    expect(absent).to_have_attribute("data-presence", "absent")


def test_everything_is_there_after_a_reload_but_the_photo(called: Watched) -> None:
    page = called.page
    before = presence(page)
    page.reload()
    expect(page.get_by_test_id("entry")).to_have_count(len(before))
    assert presence(page) == before
    expect(page.locator("figure .group")).to_have_count(0)
    expect(page.locator(".faces .face")).not_to_have_count(0)
    page.locator('[data-engine="ready"]').wait_for(timeout=READY)
    page.wait_for_timeout(500)  # it asks again, and must answer the same
    assert presence(page) == before


def test_enrolling_the_same_folder_again_adds_nothing(called: Watched, lesson: Lesson) -> None:
    page = called.page
    page.get_by_test_id("folder").set_input_files(lesson.folder)
    finished(page)
    count = PUPILS * ENROLLED
    expect(page.get_by_test_id("outcomes")).to_have_text(f"0 of {count + 1} photos enrolled, {count} enrolled before, 1 left out")
    page.get_by_test_id("group-photos").set_input_files(lesson.photo)
    expect(page.get_by_test_id("warning")).to_have_text("today.png: is already on this roll")
    expect(page.get_by_test_id("group-photo")).to_have_count(1)
    expect(page.locator(f'[data-testid="person"][data-name="{lesson.pupils[1]}"]')).to_contain_text(f"{ENROLLED} photos")


def test_pupils_are_deleted_by_one_click_each_and_can_be_had_back_for_a_while(called: Watched, lesson: Lesson) -> None:
    page, names = called.page, lesson.pupils[1:3]
    entries = [page.locator(f'[data-testid="entry"][data-name="{name}"]') for name in names]
    before = presence(page)
    for name, entry in zip(names, entries, strict=True):
        page.locator(f'[data-testid="person"][data-name="{name}"]').get_by_test_id("delete-person").click()
        expect(entry).to_have_count(0)
        assert kept(page, name) == 0
    expect(page.get_by_test_id("bin")).to_contain_text("One earlier deletion can be undone next")
    for entry in reversed(entries):
        page.get_by_test_id("undo").click()
        expect(entry).to_have_count(1)
    expect(page.get_by_test_id("bin")).to_have_count(0)
    assert presence(page) == before


def test_one_pupil_under_two_names_is_told_and_not_named_for_sure(
    called: Watched, lesson: Lesson, orl39: Path, tmp_path: Path
) -> None:
    page, name = called.page, lesson.pupils[0]
    expect(page.get_by_test_id("twice")).to_have_count(0)
    again = tmp_path / "class" / "Anna"
    again.mkdir(parents=True)
    for photo in sorted((orl39 / name).iterdir())[ENROLLED : 2 * ENROLLED]:
        Image.open(photo).convert("RGB").save(again / f"{photo.stem}.png")
    page.locator(f'[data-testid^="face-"][data-name="{name}"]').click()
    dialog = page.get_by_test_id("face-dialog")
    expect(dialog).not_to_contain_text("is just as near.")
    page.get_by_test_id("folder").set_input_files(again.parent)
    finished(page)
    # The open dialogue follows: it names one of the two, and the other as just as near.
    either = [
        rf"{one}\?\s+Not sure\. Distance 0\.[\s\S]* {other} is just as near\." for one, other in ((name, "Anna"), ("Anna", name))
    ]
    expect(dialog).to_contain_text(re.compile("|".join(either)))
    page.get_by_test_id("close-face").click()
    expect(page.get_by_test_id("twice")).to_contain_text("look like one person under two names")
    assert {name, "Anna"} <= set(page.get_by_test_id("twice").inner_text().replace(",", " ").split())
    face = page.locator(f'[data-testid^="face-"][data-answer="unsure"]:is([data-name="{name}"], [data-name="Anna"])')
    expect(face).to_have_count(1)


def test_everything_is_deleted_and_gone_from_the_disk(called: Watched, lesson: Lesson) -> None:
    page = called.page
    page.get_by_test_id("delete-everything").click()
    expect(page.get_by_test_id("try-samples")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("try-samples")).to_be_visible()
    assert kept(page) == 0


def test_nothing_was_asked_of_anybody_else_and_nothing_complained(called: Watched) -> None:
    assert called.requests_elsewhere() == []
    assert called.complaints == []


def kept(page: Page, name: str | None = None) -> int:
    """Rows in IndexedDB: all, or a person's of that name."""
    return int(
        page.evaluate(
            """async name => {
              const db = await new Promise(done => { const r = indexedDB.open("facelab"); r.onsuccess = () => done(r.result); });
              let rows = 0;
              for (const store of db.objectStoreNames) {
                const all = await new Promise(done => {
                  const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result);
                });
                rows += all.filter(row => !name || row.name === name).length;
              }
              db.close();
              return rows;
            }""",
            name,
        )
    )


SLOW_STORE = """
  const { set } = Object.getOwnPropertyDescriptor(IDBRequest.prototype, "onsuccess");
  Object.defineProperty(IDBOpenDBRequest.prototype, "onsuccess", {
    set(react) { set.call(this, (event) => setTimeout(() => react.call(this, event), 1500)); },
  });
"""


def test_click_before_the_database_is_open_is_not_lost(chromium: Browser, site: str) -> None:
    """A browser may take seconds to open it, and the page's buttons are there at once."""
    context = chromium.new_context()
    context.add_init_script(SLOW_STORE)
    watched = watch(context.new_page(), site)
    page = watched.open("roll-call/")
    page.get_by_test_id("new-class").fill("7b")
    page.get_by_test_id("add-class").click()
    expect(page.get_by_test_id("class")).to_contain_text("7b")
    assert page.get_by_test_id("warning").inner_text() == ""
    assert watched.complaints == []
    context.close()


def test_folder_dropped_from_the_desktop_is_enrolled(page: Page, lesson: Lesson) -> None:
    """By the browser's own drag and drop, whose files can be read only while the event lasts."""
    page.get_by_test_id("new-class").fill("7b")
    page.get_by_test_id("add-class").click()
    drop(page, "drop-pupils", lesson.folder)
    expect(page.get_by_test_id("person")).not_to_have_count(0, timeout=READY)


def drop(page: Page, zone: str, path: Path) -> None:
    place = page.get_by_test_id(zone)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        devtools.send("Input.dispatchDragEvent", {"type": kind, **middle, "data": data})


def test_folder_that_does_not_tell_who_is_a_pupil_is_asked_about(page: Page, lesson: Lesson, tmp_path: Path) -> None:
    """Nobody is enrolled before the answer; what is left out is said, and who has no photo. By the keyboard."""
    for photo, place in zip(sorted(lesson.folder.rglob("*.png")), ("Oak/Anna/1.png", "Elm/Ben/old/1.png"), strict=False):
        (tmp_path / "school" / place).parent.mkdir(parents=True)
        shutil.copy(photo, tmp_path / "school" / place)
    (tmp_path / "school" / "Elm" / "Carl").mkdir()
    for other in ("Elm/Ben/clip.mov", "Oak/Anna/Thumbs.db"):
        (tmp_path / "school" / other).touch()
    page.get_by_test_id("new-class").fill("7b")
    page.get_by_test_id("add-class").click()
    drop(page, "drop-pupils", tmp_path / "school")
    expect(page.get_by_test_id("layout-question")).to_contain_text("Is ‘Elm’ a person, or a class?", timeout=READY)
    answers = page.get_by_test_id("layout-answer")
    expect(answers).to_have_text(["A person, as is ‘Oak’", "A class, with ‘Ben’ and ‘Anna’ in it"])
    expect(page.get_by_test_id("layout-question")).to_be_focused()
    assert axe_violations(page) == []
    expect(page.get_by_test_id("person")).to_have_count(0)
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    finished(page)
    expect(page.get_by_test_id("layout-question")).to_have_count(0)
    expect(page.get_by_test_id("person")).to_have_count(2)
    assert [person.get_attribute("data-name") for person in page.get_by_test_id("person").all()] == ["Anna", "Ben"]
    expect(page.get_by_test_id("outcomes")).to_have_text("2 of 2 photos enrolled; 3 remarks on other files")
    expect(page.get_by_test_id("not-enrolled")).to_have_text("One pupil is not enrolled: Carl.")
    expect(page.locator("details.outcomes")).to_contain_text("school/Elm/Ben/clip.mov: a video")
    expect(page.locator("details.outcomes")).to_contain_text("the system’s own (‘Thumbs.db’)")
    page.get_by_test_id("portraits").set_input_files(tmp_path / "school" / "Oak" / "Anna" / "1.png")
    expect(page.get_by_test_id("warning")).to_contain_text("Whose photo is this? Type the pupil’s name first")


def test_samples_show_how_it_goes_and_a_new_day_begins_a_new_roll(page: Page, samples: Path) -> None:
    page.get_by_test_id("try-samples").click()
    entry = page.locator('[data-testid="entry"][data-name="Barack Obama"]')
    expect(entry).to_have_attribute("data-presence", "present", timeout=READY)
    expect(page.locator('[data-testid="entry"][data-name="Joe Biden"]')).to_have_attribute("data-presence", "absent")

    # The page is left open overnight.
    day, photos = page.get_by_test_id("date"), page.get_by_test_id("group-photo")
    page.context.clock.set_fixed_time("2026-03-03T07:30:00")
    page.get_by_test_id("group-photos").set_input_files(samples / "obama2.jpg")
    expect(day).to_have_value("2026-03-03")
    expect(photos).to_contain_text(["obama2.jpg"], timeout=READY)
    page.get_by_role("button", name="2026-03-02", exact=True).click()
    expect(photos).to_contain_text(["obama3.jpg"])
    page.context.clock.set_fixed_time("2026-03-04T07:30:00")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(photos).to_contain_text(["obama3.jpg"])
    expect(day).to_have_value("2026-03-02")  # the teacher has chosen it


ROWS = """async () => {
  const answer = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  const db = await answer(indexedDB.open("facelab"));
  const all = (name) => answer(db.transaction(name).objectStore(name).getAll());
  const names = Object.fromEntries((await all("classes")).map(({id, name}) => [id, name]));
  const photos = (await all("photos")).map(({classId}) => names[classId] ?? "no class");
  db.close();
  return photos;
}"""


def test_photos_go_where_the_work_began_and_nowhere_when_that_is_gone(
    page: Page, lesson: Lesson, site: str, tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    for name in lesson.pupils[:2]:
        shutil.copytree(lesson.folder / name, folder / name)
    for name in ("8c", "7b"):
        page.get_by_test_id("new-class").fill(name)
        page.get_by_test_id("add-class").click()
        expect(page.get_by_test_id("class")).to_contain_text(name)
    page.get_by_test_id("folder").set_input_files(folder)
    vanished = sorted((folder / lesson.pupils[1]).iterdir())[0]
    vanished.unlink()
    page.get_by_test_id("class").select_option(label="8c")
    finished(page)
    assert page.evaluate(ROWS) == ["7b"] * (2 * ENROLLED - 1)
    expect(page.get_by_test_id("outcomes")).to_have_count(0)  # they are of the other class
    page.get_by_test_id("class").select_option(label="7b")
    gone = f"{vanished.name}: left out: This file is not there any more"
    expect(page.locator(".outcomes .bad")).to_contain_text(["notes.jpg", gone])

    many = tmp_path / "many"  # so that the work goes on until the other tab has seen some of it
    for turn in range(4):
        for name in lesson.pupils:
            shutil.copytree(lesson.folder / name, many / f"{name} {turn}")
    other = page.context.new_page()
    other.goto(site + "roll-call/")
    other.get_by_test_id("class").select_option(label="8c")
    page.bring_to_front()
    page.get_by_test_id("class").select_option(label="8c")
    page.get_by_test_id("folder").set_input_files(many)
    expect(other.get_by_test_id("person")).not_to_have_count(0, timeout=READY)
    other.get_by_test_id("delete-class").click()
    expect(page.get_by_test_id("warning")).to_contain_text("This class was deleted in the meantime", timeout=READY)
    expect(page.get_by_test_id("work")).to_have_count(0)
    assert set(page.evaluate(ROWS)) == {"7b"}


def test_a_tab_killed_in_mid_enrolment_has_kept_what_it_showed(page: Page, lesson: Lesson, site: str) -> None:
    page.get_by_test_id("new-class").fill("7b")
    page.get_by_test_id("add-class").click()
    page.get_by_test_id("folder").set_input_files(lesson.folder)
    expect(page.get_by_test_id("person")).not_to_have_count(0, timeout=READY)
    context = page.context
    page.close()
    again = context.new_page()
    again.goto(site + "roll-call/")
    expect(again.get_by_test_id("person")).not_to_have_count(0)
    again.get_by_test_id("folder").set_input_files(lesson.folder)
    finished(again)
    expect(again.get_by_test_id("person")).to_have_count(PUPILS)
    assert [p.inner_text().count(f"{ENROLLED} photos") for p in again.get_by_test_id("person").all()] == [1] * PUPILS


def test_full_storage_is_said_and_what_was_kept_stays(page: Page, lesson: Lesson) -> None:
    page.get_by_test_id("new-class").fill("7b")
    page.get_by_test_id("add-class").click()
    page.evaluate("""() => {
      const add = IDBObjectStore.prototype.add;
      IDBObjectStore.prototype.add = function (...row) {
        if (this.name === "photos") throw new DOMException("full", "QuotaExceededError");
        return add.apply(this, row);
      };
    }""")
    page.get_by_test_id("folder").set_input_files(lesson.folder)
    expect(page.get_by_test_id("warning")).to_contain_text("storage for this page is full", timeout=READY)
    expect(page.get_by_test_id("work")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("class")).to_be_visible()


def test_browser_that_keeps_nothing_says_so_and_works(chromium: Browser, site: str) -> None:
    context = chromium.new_context()
    tab = context.new_page()
    tab.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }")
    tab.goto(site + "roll-call/")
    expect(tab.get_by_test_id("storage")).to_contain_text("stores nothing")
    tab.get_by_test_id("try-samples").click()
    expect(tab.locator('[data-testid="entry"][data-name="Barack Obama"]')).to_have_attribute(
        "data-presence", "present", timeout=READY
    )
    expect(tab.get_by_test_id("storage")).to_contain_text("stores nothing")
    with tab.expect_event("dialog") as asked:
        tab.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()
    context.close()


BAD_FILES = [
    ("", "this is no gallery"),
    ('{"kind": "facelab gallery", "format": 1, "embedder": "x"}', "embedder x"),
    (signed([{"name": "Eve", "photos": []}]).replace("Eve", "Ada"), "damaged"),
    (signed([{"name": "Ada", "photos": [entry_of(np.ones(64))]}]), "a.jpg of Ada has an embedding of 64 numbers instead of 128"),
    (
        signed([{"name": "Ada", "photos": [entry_of(np.full(128, np.nan))]}]),
        "a.jpg of Ada has an embedding with infinite or invalid numbers",
    ),
]


def test_class_files(chromium: Browser, site: str, lesson: Lesson, tmp_path: Path) -> None:
    """Damaged ones are refused with a sentence. Odd ones are read, and what is odd is said. The command line’s makes a class."""
    context = chromium.new_context()
    watched = watch(context.new_page(), site)
    page = watched.open("roll-call/")
    for i, (content, sentence) in enumerate(BAD_FILES):
        (tmp_path / f"{i}.json").write_text(content)
        page.get_by_test_id("import").set_input_files(tmp_path / f"{i}.json")
        expect(page.get_by_test_id("warning")).to_contain_text(sentence, timeout=READY)
        expect(page.get_by_test_id("class")).to_have_count(0)

    faces = np.random.default_rng(1).normal(size=(4, 128))
    twice = [{"name": "Ada", "photos": [entry_of(one) for one in two]} for two in (faces[:2], faces[2:])]
    elsewhere = {"name": "Ben", "photos": [entry_of(faces[0] + faces[1], chip="http://127.0.0.1:9/ada.png")]}
    (tmp_path / "odd.json").write_text(signed([*twice, elsewhere]))
    page.get_by_test_id("import").set_input_files(tmp_path / "odd.json")
    expect(page.get_by_test_id("status")).to_have_text("2 pupils with 5 photos make the class odd.", timeout=READY)
    expect(page.get_by_test_id("warning")).to_contain_text("Ada is in the file more than once")
    expect(page.get_by_test_id("warning")).to_contain_text("the picture of a.jpg of Ben does not lie in the file itself")
    expect(page.locator('[data-testid="person"][data-name="Ada"]')).to_contain_text("4 photos")
    with page.expect_download() as saved:
        page.get_by_test_id("export").click()
    shutil.copy(saved.value.path(), tmp_path / "renamed.json")
    page.get_by_test_id("import").set_input_files(tmp_path / "renamed.json")
    expect(page.get_by_test_id("status")).to_have_text("2 pupils with 0 photos added to the class odd.", timeout=READY)

    gallery = tmp_path / "8c.facelab.json"
    assert main(["enrol", str(lesson.folder), "-o", str(gallery)]) == 0
    page.get_by_test_id("import").set_input_files(gallery)
    expect(page.get_by_test_id("person")).to_have_count(PUPILS, timeout=READY)
    assert page.get_by_test_id("class").locator("option").all_inner_texts() == [lesson.folder.name, "odd"]
    assert watched.requests_elsewhere() == []
    context.close()


def test_group_photo_without_a_face_is_said(page: Page, lesson: Lesson, tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 400, 3), 120, np.uint8)).save(tmp_path / "wall.png")
    page.get_by_test_id("try-samples").click()
    expect(page.get_by_test_id("roll")).to_be_visible(timeout=READY)
    page.get_by_test_id("group-photos").set_input_files(tmp_path / "wall.png")
    expect(page.get_by_test_id("warning")).to_contain_text("wall.png: no face was found", timeout=READY)
    expect(page.get_by_test_id("group-photo")).to_have_count(1)


class Isolated(SiteHandler):
    """What measures memory works in a page alone that lets no other site's in."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


@pytest.mark.secure("measuring memory")
def test_two_hundred_group_photos_leave_no_memory_behind(chromium: Browser, lesson: Lesson, tmp_path: Path) -> None:
    """What the whole page holds, all workers included, after 20 photos and after 200; each is removed from the roll again."""
    small = Image.open(lesson.photo).reduce(2).crop((0, 0, 320, 160))
    photos = [tmp_path / f"small {i}.png" for i in range(20)]
    for i, path in enumerate(photos):
        small.putpixel((0, 0), (i, 0, 0))  # a roll takes each photo once
        small.save(path)
    with served(Isolated) as site:
        context = chromium.new_context()
        page = watch(context.new_page(), site).open("roll-call/")
        held = held_by_roll_call(page, photos)
        context.close()
    assert held[200] < 1.1 * held[20], held


def held_by_roll_call(page: Page, photos: list[Path]) -> dict[int, int]:
    """Bytes after 20 photos and after 200."""
    page.get_by_test_id("try-samples").click()
    expect(page.get_by_test_id("roll")).to_be_visible(timeout=READY)
    held = {}
    for count in range(20, 201, 20):
        page.get_by_test_id("group-photos").set_input_files(photos)
        expect(page.get_by_test_id("group-photo")).to_have_count(21, timeout=READY)
        expect(page.get_by_test_id("work")).to_have_count(0)
        for left in range(20, 0, -1):
            page.get_by_test_id("remove-photo").last.click()
            expect(page.get_by_test_id("group-photo")).to_have_count(left)
        if count in (20, 200):  # measuring waits for a garbage collection: half a minute
            held[count] = page.evaluate("performance.measureUserAgentSpecificMemory().then(({ bytes }) => bytes)")
    return held
