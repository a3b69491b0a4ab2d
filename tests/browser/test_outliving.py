"""Where browsers have workers that outlive their page: the next page finds the engine as it was, and no photo in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from facelab.labs import LABS

from .conftest import ASK_ENGINE, ENGINE, MOST_NETWORK_WORKERS, READY, SiteHandler, network_workers, served

pytestmark = pytest.mark.secure("workers that outlive their page")

# Asks for more than can be done before the page is gone, and last of all to lay a photo on the workspace.
MUCH = """async (site) => {
    const ask = (ENGINE)(site);
    const pixels = (width, height) => ({width, height, rgba: new ArrayBuffer(4 * width * height)});
    await ask("look", pixels(64, 64), 40, "mobilefacenet-v1"); // all of the engine is there
    for (let more = 0; more < 6; more++) void ask("look", pixels(1600, 1200), 20, "mobilefacenet-v1");
    void ask("put", "left behind", pixels(8, 8));
}""".replace("ENGINE", ENGINE)

# What a lab answers before and after a photo is laid on the workspace.
LAB_BEFORE_AND_AFTER = """async ([site, settings]) => {
    const ask = (ENGINE)(site);
    const panels = async () => (await ask("lab", "light", settings));
    const before = await panels();
    await ask("put", "here", {width: 64, height: 64, rgba: Uint8Array.from({length: 4 * 64 * 64}, (_, i) => i).buffer});
    return [before, await panels()].map((answer) => Array.isArray(answer) ? answer.map(({kind}) => kind) : answer);
}""".replace("ENGINE", ENGINE)

# Asks for groups among so many faces that the engine computes for seconds.
BUSY = """async (site) => {
    const ask = (ENGINE)(site);
    await ask("look", {width: 64, height: 64, rgba: new ArrayBuffer(4 * 64 * 64)}, 40, "mobilefacenet-v1");
    const faces = 4000;
    const numbers = Float32Array.from({length: 128 * faces}, (_, i) => Math.sin(i * i));
    void ask("group", Array.from({length: faces}, (_, i) => i), numbers, undefined, "mobilefacenet-v1");
}""".replace("ENGINE", ENGINE)

# Which shared workers a page asks for: scripts and names.
NOTED = """globalThis.known = [];
    globalThis.SharedWorker = class extends SharedWorker {
        constructor(script, options) {
            super(script, options);
            known.push(`${script} ${options.name}`);
        }
    }"""


class Failing(SiteHandler):
    """Without ONNX Runtime's memory at first."""

    fails = False

    def send_head(self) -> Any:
        if self.fails and "ort.memory" in self.path:
            return self.send_error(503)
        return super().send_head()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(READY)
    yield context
    context.close()


def engine_of_first_verdict(page: Page, site: str) -> str:
    """A visit of the demo until then, and whether its engine is new."""
    page.goto(site + "demo/")
    page.get_by_test_id("sample-0").click()
    page.locator('[data-testid="verdict"][data-verdict="same"]').wait_for()
    return "found" if "Already loaded" in page.get_by_test_id("progress").inner_text() else "new"


def engines_own(page: Page) -> int:
    """Workers of the page's own engine."""
    return sum(worker.url.endswith("worker.js") for worker in page.workers)


def test_next_pages_find_the_engine(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    assert engine_of_first_verdict(page, site) == "new"
    assert engine_of_first_verdict(page, site) == "found"
    page.goto(site + "roll-call/")
    page.get_by_test_id("try-samples").click()
    expect(page.locator('[data-testid="entry"][data-name="Barack Obama"]')).to_have_attribute("data-presence", "present")
    page.close()
    assert engine_of_first_verdict(context.new_page(), site) == "found"


def test_demo_has_one_network_worker(context: BrowserContext, chromium: Browser, site: str) -> None:
    """Each takes 100 MB. In a later visit the engine still has those that a group photo was given, if any."""
    page = context.new_page()
    for expected in ("new", "found"):
        assert engine_of_first_verdict(page, site) == expected
        page.wait_for_timeout(5000)
        assert network_workers(chromium) == 1


def test_next_page_knows_all_of_its_workers(context: BrowserContext, site: str, samples: Path) -> None:
    """The browser ends those that no page has asked for in five minutes, and whoever has asked them something waits for nothing."""
    context.add_init_script(NOTED)
    page = context.new_page()
    asked_for = []
    for _ in range(3):
        page.goto(site + "album/")
        page.get_by_test_id("album-photos").set_input_files(samples / "obama.jpg")
        expect(page.get_by_test_id("status")).to_contain_text("All photos are done", timeout=READY)
        page.wait_for_timeout(5000)  # by then it has all the workers that it will have
        asked_for.append(set(page.evaluate("known")))
    assert len(asked_for[0]) == 1 + page.evaluate(MOST_NETWORK_WORKERS), "one is for Python"
    assert asked_for[0] == asked_for[1] == asked_for[2]


def test_one_that_did_not_start_is_replaced(context: BrowserContext) -> None:
    with served(Failing) as site:
        Failing.fails = True
        page = context.new_page()
        page.goto(site + "demo/")
        expect(page.get_by_test_id("failure")).to_contain_text("ort.memory.gz")
        Failing.fails = False
        page.get_by_test_id("retry").click()
        page.get_by_test_id("sample-0").click()
        page.locator('[data-testid="verdict"][data-verdict="same"]').wait_for()
        assert [engine_of_first_verdict(page, site) for _ in range(2)] == ["new", "found"]


def test_two_pages_at_a_time_have_an_engine_each(context: BrowserContext, site: str) -> None:
    assert [engine_of_first_verdict(context.new_page(), site) for _ in range(2)] == ["new", "new"]


def test_an_engine_that_computes_for_the_last_page_is_not_waited_for(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    engine_of_first_verdict(page, site)
    page.evaluate(BUSY, site)
    page.wait_for_timeout(300)  # it has begun
    assert engine_of_first_verdict(page, site) == "new"


@pytest.mark.parametrize(
    "answer", ["Promise.reject(new DOMException('', 'SecurityError'))", "new Promise(() => {})"], ids=["refused", "never given"]
)
def test_without_locks_a_page_has_an_engine_of_its_own(answer: str, context: BrowserContext, site: str) -> None:
    context.add_init_script(f"navigator.locks.request = () => {answer}")
    page = context.new_page()
    assert engine_of_first_verdict(page, site) == "new"
    assert engines_own(page) > 0


def test_photos_are_forgotten_with_their_page(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    engine_of_first_verdict(page, site)
    photos = page.evaluate("[1, 2].map((photo) => `${performance.timeOrigin}/${photo}`)")
    assert any("faces" in page.evaluate(ASK_ENGINE, [site, "find", photo]) for photo in photos), "the engine has the page's photos"
    page.goto(site)
    assert {page.evaluate(ASK_ENGINE, [site, "find", photo]) for photo in photos} == {"That photo was removed."}


def test_what_a_page_asked_for_is_not_begun_when_it_is_gone(context: BrowserContext, site: str) -> None:
    """Nor does the next page find its photo on the workspace."""
    page = context.new_page()
    engine_of_first_verdict(page, site)
    page.evaluate(MUCH, site)
    page.goto(site)
    page.wait_for_timeout(8000)  # time enough for all of it
    before, after = page.evaluate(LAB_BEFORE_AND_AFTER, [site, {**LABS["light"].settings, "quick": True}])
    assert not isinstance(before, list), "there is no photo that a lab could be about"
    assert isinstance(after, list)


def test_engine_of_another_version_is_not_taken(context: BrowserContext, site: str) -> None:
    """Nor does it stay: the page after the next has the new one."""
    page = context.new_page()
    engine_of_first_verdict(page, site)
    page.goto(site)
    assert page.evaluate(ASK_ENGINE, [site, "claim", "a lock", "another version"]) is False
    assert [engine_of_first_verdict(page, site) for _ in range(2)] == ["new", "found"]


def test_labs_find_it_until_the_reader_runs_code(context: BrowserContext, site: str) -> None:
    """Code may go on for ever: it runs in an engine of the page's own, which can be stopped."""
    page = context.new_page()
    assert engine_of_first_verdict(page, site) == "new"
    page.goto(site + "face-detection/")
    lab = page.get_by_test_id("lab-cascade")
    lab.scroll_into_view_if_needed()
    expect(lab).to_have_attribute("data-state", "ready")
    assert engines_own(page) == 0
    cell = page.get_by_test_id("cell-0")
    cell.get_by_test_id("cell-run").click()
    expect(cell).to_have_attribute("data-state", "done")
    assert engines_own(page) > 0
    assert engine_of_first_verdict(page, site) == "found"
