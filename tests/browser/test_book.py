"""The chapters come alive: every lab answers in the page, every code cell runs there and prints what the chapter says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from facelab.labs import LABS
from facelab.labs.panels import Choice, Control, Slider

from ..conftest import ROOT
from ..unit.test_cells import PAGES, cells_of
from .conftest import READY, Watched, axe_violations, watch

PLACED = re.compile(r"^\{\{ lab (\S+?)(?: waiting)? \}\}$", re.MULTILINE)
PLACES = [(page.stem, kind) for page in sorted((ROOT / "docs").glob("*.md")) for kind in PLACED.findall(page.read_text())]


# How far text has moved that nobody asked to move: what browsers call cumulative layout shift.
SHIFTS = """globalThis.shifts = 0;
new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts += value;
}).observe({ type: "layout-shift", buffered: true });"""


CHARTS_SCALES = """[...document.querySelectorAll("face-lab")]
    .flatMap((lab) => [...lab.shadowRoot.querySelectorAll(".chart svg")])
    .map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""


def address(stem: str) -> str:
    return "" if stem == "index" else f"{stem}/"


@pytest.fixture(scope="module")
def book(chromium: Browser, site: str) -> Iterator[Watched]:
    """One tab for all chapters, as a reader has."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield watch(context.new_page(), site)
    context.close()


def open_lab(page: Page, kind: str) -> Locator:
    lab = page.get_by_test_id(f"lab-{kind}")
    lab.scroll_into_view_if_needed()
    if lab.get_attribute("data-waiting") is not None:
        lab.get_by_role("button", name="Make it move").click()
    lab.evaluate("lab => lab.shadowRoot.querySelector('.start').click()")  # unless coming near has already started it
    expect(lab).to_have_attribute("data-state", "ready", timeout=READY)
    return lab


def answers(lab: Locator) -> int:
    return int(lab.get_attribute("data-answers") or 0)


def wait_for_answer(lab: Locator, before: int) -> None:
    lab.page.wait_for_function(
        "([lab, before]) => Number(lab.dataset.answers) > before && lab.dataset.state === 'ready'",
        arg=[lab.element_handle(), before],
        timeout=READY,
    )


def test_every_lab_has_its_place() -> None:
    assert sorted(kind for _, kind in PLACES) == sorted(LABS)
    measured = json.loads((ROOT / "demo" / "book" / "lab-heights.json").read_text())
    assert measured.keys() == LABS.keys(), "`python -m tests.browser.lab_heights` measures the room that each needs"


@pytest.mark.parametrize(("stem", "kind"), PLACES, ids=lambda name: str(name))
def test_lab_answers_when_a_control_is_moved(stem: str, kind: str, book: Watched) -> None:
    if not book.page.url.endswith(f"/{address(stem)}") or stem == "index":
        book.open(address(stem))
    lab = open_lab(book.page, kind)
    for control in LABS[kind].controls:
        if isinstance(control, Slider) and control.only:
            choice, values = control.only
            before = answers(lab)
            lab.get_by_test_id(f"lab-{kind}-{choice}").select_option(values if isinstance(values, str) else values[0])
            wait_for_answer(lab, before)
        seen = {picture_of(lab)}
        for place in places(control):
            before = answers(lab)
            move(lab.get_by_test_id(f"lab-{kind}-{control.name}"), place)
            wait_for_answer(lab, before)
            seen.add(picture_of(lab))
        assert len(seen) > 1, f"moving “{control.label}” shows nothing new"
    assert book.complaints == []
    assert book.requests_elsewhere() == []


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in PLACES}))
def test_open_labs_are_for_everybody(stem: str, watched: Watched) -> None:
    """On a phone no text jumps as labs begin; with all at work, no accessibility violation, light or dark, and nothing wider."""
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(SHIFTS)
    watched.open(address(stem))
    for kind in (kind for place, kind in PLACES if place == stem):
        open_lab(page, kind)
    page.wait_for_timeout(100)  # until the browser has told of the last one
    assert page.evaluate("shifts") < 0.05
    for scheme, width in (("default", 1280), ("slate", 390)):
        page.evaluate("scheme => document.body.setAttribute('data-md-color-scheme', scheme)", scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)  # colours fade
        assert axe_violations(page) == [], f"{width}, {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert all(scale > 0.97 for scale in page.evaluate(CHARTS_SCALES)), "letters of a chart are smaller than they were drawn"
    assert watched.complaints == []


def places(control: Control) -> list[str]:
    """Where to move it: to its ends, and back to where it began; a button is only pressed."""
    if isinstance(control, Slider):
        return [str(end) for end in (control.low, control.high) if end != control.start] + [str(control.start)]
    if isinstance(control, Choice):
        return [next(value for value, _ in control.options if value != control.start), control.start]
    return [""]


def move(element: Locator, place: str) -> None:
    kind = element.evaluate("element => element.localName")
    if kind == "select":
        element.select_option(place)
    elif place:
        element.fill(place)
    else:
        element.click()


def picture_of(lab: Locator) -> str:
    """All that the panels show: their text, drawings and pixels."""
    seen: str = lab.get_by_test_id("panels").evaluate(
        "host => host.innerHTML + [...host.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join()"
    )
    return seen


PLAYED = [(stem, kind, control) for stem, kind in PLACES for control in LABS[kind].controls if getattr(control, "play", False)]


@pytest.mark.parametrize(("stem", "kind", "slider"), PLAYED, ids=lambda what: getattr(what, "name", what))
def test_play_moves_a_slider_to_its_end_until_a_control_is_touched(stem: str, kind: str, slider: Slider, book: Watched) -> None:
    lab = open_lab(book.open(address(stem)), kind)
    moved = lab.get_by_test_id(f"lab-{kind}-{slider.name}")
    place = "input => input.valueAsNumber"
    assert moved.evaluate(place) == slider.start, "nothing plays before it is asked to"
    seen, before = picture_of(lab), answers(lab)
    lab.get_by_role("button", name="Play").press("Enter")
    pause = lab.get_by_role("button", name="Pause")
    expect(pause).to_be_focused()
    book.page.wait_for_function("([input, start]) => input.valueAsNumber > start", arg=[moved.element_handle(), slider.start])
    pause.press("Enter")
    expect(lab.get_by_role("button", name="Play")).to_be_visible()
    stopped = moved.evaluate(place)
    assert slider.start < stopped < slider.high
    wait_for_answer(lab, before)
    assert picture_of(lab) != seen
    lab.get_by_role("button", name="Play").click()
    book.page.wait_for_function("([input, at]) => input.valueAsNumber > at", arg=[moved.element_handle(), stopped])
    moved.press("Home")  # a touch of a control: what the reader sets stays
    expect(lab.get_by_role("button", name="Play")).to_be_visible()
    assert moved.evaluate(place) == slider.low
    lab.get_by_role("button", name="Play").click()
    expect(lab.get_by_role("button", name="Pause")).to_have_count(0, timeout=READY)
    assert moved.evaluate(place) == slider.high
    assert book.complaints == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_cells_run_in_the_page_and_print_what_the_chapter_says(path: Path, book: Watched) -> None:
    cells = cells_of(path)
    page = book.open(address(path.stem))
    page.evaluate("for (const answer of document.querySelectorAll('details')) answer.open = true")  # exercises hold cells, too
    page.get_by_test_id(f"cell-{len(cells) - 1}").get_by_test_id("cell-run").click()  # runs those above it, too
    for place, cell in enumerate(cells):
        host = page.get_by_test_id(f"cell-{place}")
        expect(host).to_have_attribute("data-state", re.compile("done|failed"), timeout=READY)
        printed = host.locator(".cell-text:not(.expected), .cell-error")
        assert host.get_attribute("data-state") == "done", printed.all_inner_texts()
        if cell.printed:
            assert printed.inner_text().strip() == cell.printed.strip()
    assert book.complaints == []


@pytest.fixture
def cell(book: Watched) -> Locator:
    """The first cell of a chapter that has some, open for editing."""
    page = book.open(address(PAGES[0].stem))
    host = page.get_by_test_id("cell-0")
    host.locator("pre").first.click()
    host.locator(".cm-content").wait_for()
    return host


def type_over(cell: Locator, source: str) -> None:
    cell.page.keyboard.press("Control+a")
    cell.page.keyboard.insert_text(source)


def test_error_marks_its_line(cell: Locator) -> None:
    type_over(cell, "a = 1\na / 0\n")
    cell.page.keyboard.press("Control+Enter")
    expect(cell).to_have_attribute("data-state", "failed", timeout=READY)
    assert cell.locator(".cell-error").inner_text() == "Line 2: ZeroDivisionError: division by zero"
    assert cell.locator(".cm-stopped").inner_text() == "a / 0"


def test_endless_cell_can_be_stopped_and_runs_again(cell: Locator) -> None:
    type_over(cell, "while True: pass")
    cell.get_by_test_id("cell-run").click()
    expect(cell).to_have_attribute("data-state", "running", timeout=READY)
    cell.get_by_test_id("cell-stop").click()
    expect(cell.locator(".cell-error")).to_contain_text("Stopped.")
    cell.locator(".cm-content").click()
    type_over(cell, "print(6 * 7)")
    cell.get_by_test_id("cell-run").click()
    expect(cell.locator(".cell-text")).to_have_text("42", timeout=READY)


def test_reset_brings_the_chapters_code_back(cell: Locator) -> None:
    original = cell.locator(".cm-content").inner_text()
    type_over(cell, "print('mine')")
    cell.get_by_test_id("cell-reset").click()
    assert cell.locator(".cm-content").inner_text() == original


def test_own_photo_stays_for_the_visit_and_goes_when_told(book: Watched, samples: Path) -> None:
    kinds = [(stem, kind) for stem, kind in PLACES if LABS[kind].wants_photo and stem != "index"]
    (stem, kind), (other_stem, other_kind) = kinds[0], next(place for place in kinds if place[0] != kinds[0][0])
    lab = open_lab(book.open(address(stem)), kind)
    sample = picture_of(lab)
    before = answers(lab)
    lab.get_by_test_id("lab-photo").set_input_files(samples / "biden.jpg")
    wait_for_answer(lab, before)
    assert picture_of(lab) != sample
    home = book.open("").get_by_test_id("lab-flow")
    expect(home.locator(".whose")).to_contain_text("A sample photo until the lab starts")
    elsewhere = open_lab(book.open(address(other_stem)), other_kind)
    expect(elsewhere.locator(".whose")).to_contain_text("On your photo")
    before = answers(elsewhere)
    elsewhere.get_by_role("button", name="Forget it").click()
    wait_for_answer(elsewhere, before)
    expect(elsewhere.locator(".whose")).to_contain_text("On a sample photo")
    assert book.page.evaluate("Object.values(sessionStorage).join('').includes('data:image')") is False


def test_unreadable_photo_is_refused_with_a_sentence(book: Watched, tmp_path: Path) -> None:
    stem, kind = next((stem, kind) for stem, kind in PLACES if LABS[kind].wants_photo and stem != "index")
    lab = open_lab(book.open(address(stem)), kind)
    text = tmp_path / "notes.txt"
    text.write_text("no photo")
    lab.get_by_test_id("lab-photo").set_input_files(text)
    expect(lab.locator(".error")).to_contain_text("not a picture")
    assert lab.get_attribute("data-state") == "ready", "the photo before stays"


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in PLACES} | {path.stem for path in PAGES}))
def test_chapter_loads_nothing_heavy_before_it_is_touched(stem: str, watched: Watched) -> None:
    page = watched.open(address(stem))
    page.wait_for_load_state("networkidle")
    weight = page.evaluate("performance.getEntries().reduce((sum, entry) => sum + (entry.encodedBodySize ?? 0), 0)")
    assert not [url for url in watched.requests if re.search(r"\.(onnx|wasm|whl|zip)$", url)]
    assert weight < 950_000, "as files; half of it when compressed on the way"


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in PLACES}))
def test_labs_have_stills_without_scripts(stem: str, chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.goto(site + address(stem))
    for kind in (kind for place, kind in PLACES if place == stem):
        still = page.locator(f"[data-lab={kind}] img:visible")
        still.scroll_into_view_if_needed()
        expect(still).to_have_js_property("complete", True)
        assert still.evaluate("img => img.naturalWidth") > 300
    context.close()


def test_both_networks_answer_about_the_photos_on_the_workspace(book: Watched) -> None:
    """dlib's network is fetched for it, by plain and by corrected distances; the page's own is in use again afterwards."""
    lab = open_lab(book.open(address("face-verification")), "networks")
    for kind in ("plain", "corrected"):
        before = answers(lab)
        lab.get_by_test_id("lab-networks-what").select_option("yours")
        lab.get_by_test_id("lab-networks-kind").select_option(kind)
        wait_for_answer(lab, before)
        tables = lab.locator("table")
        expect(tables).to_have_count(2, timeout=READY)
        for table, name in ((tables.nth(0), "MobileFaceNet"), (tables.nth(1), "dlib’s ResNet")):
            expect(table.locator("th").first).to_have_text(name)
            near, far = (float(table.locator("tbody tr").nth(0).locator("td").nth(column).inner_text()) for column in (1, 3))
            assert near < far, "two photos of one man, and one of another"
    assert any("embedder-dlib-resnet-v1" in url for url in book.requests)
