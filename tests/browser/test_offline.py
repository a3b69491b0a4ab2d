"""After one visit the site works without a network; an update asks first; two versions never mix."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assemble.after_site.offline import write_service_worker

from .conftest import (
    ASK_ENGINE,
    MOST_NETWORK_WORKERS,
    OWN_ENGINE,
    READY,
    SITE,
    SiteHandler,
    axe_violations,
    network_workers,
    rebuilt,
    replace,
)

ENGINE_KEPT = """async () => {
  for (const name of await caches.keys())
    if (name.startsWith("facelab-engine")) return (await (await caches.open(name)).keys()).length;
  return 0;
}"""


@dataclass
class Host:
    """A copy of the site of its own, which can be changed, and switched off."""

    folder: Path
    server: http.server.ThreadingHTTPServer

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/repo/"

    def change(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        replace(path, text.replace(old, new).encode())
        write_service_worker(self.folder)

    def become_another_build(self) -> None:
        shutil.rmtree(self.folder)
        rebuilt(self.folder, {"samples/more.txt": b"A file that the other build does not have."})

    def engine_files(self) -> int:
        """How many the service worker is to keep of the engine."""
        listed = (self.folder / "service-worker.js").read_text().split("\n")[0]
        return len(json.loads(listed.removeprefix("self.FILES = ").removesuffix(";"))["engine"])

    def switch_off(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / "site"
    shutil.copytree(SITE, folder, copy_function=os.link)
    (folder / "service-worker.js").unlink()
    write_service_worker(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(SiteHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Host(folder, server)
    yield made
    made.switch_off()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Each page of it starts an engine: one that outlives its page would need nothing of what is kept."""
    made = chromium.new_context()
    made.set_default_timeout(READY)
    made.add_init_script(OWN_ENGINE)
    yield made
    made.close()


def visit(context: BrowserContext, host: Host, path: str) -> Page:
    """A first visit, until the book is kept."""
    page = context.new_page()
    page.goto(host.address + path)
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return page


def wait_until_engine_is_kept(page: Page, host: Host) -> None:
    for _ in range(300):
        if page.evaluate(ENGINE_KEPT) == host.engine_files():
            return
        page.wait_for_timeout(100)
    pytest.fail("the engine is not kept")


def test_everything_works_without_a_network_after_one_visit_of_the_demo(
    chromium: Browser, context: BrowserContext, host: Host
) -> None:
    page = visit(context, host, "demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for()
    wait_until_engine_is_kept(page, host)
    host.switch_off()
    page.reload()
    page.get_by_test_id("sample-0").click()
    expect(page.locator('[data-testid="verdict"][data-verdict="same"]')).to_be_visible(timeout=READY)
    page.goto(host.address + "face-detection/")  # never opened before
    expect(page.locator("h1")).to_contain_text("Face detection")
    page.get_by_test_id("lab-cascade").scroll_into_view_if_needed()
    page.locator('[data-testid="lab-cascade"][data-state="ready"]').wait_for()
    page.goto(host.address + "roll-call/")
    page.get_by_test_id("try-samples").click()
    expect(page.locator('[data-testid="entry"][data-name="Barack Obama"]')).to_have_attribute("data-presence", "present")
    most = page.evaluate(MOST_NETWORK_WORKERS)
    for _ in range(300):
        if network_workers(chromium) == most:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("a network worker has not started")


def test_engine_that_outlives_its_page_starts_without_a_network(chromium: Browser, host: Host) -> None:
    context = chromium.new_context()
    context.set_default_timeout(READY)
    page = visit(context, host, "demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for()
    wait_until_engine_is_kept(page, host)
    page.goto(host.address)
    assert page.evaluate(ASK_ENGINE, [host.address, "claim", "a lock", "another version"]) is False  # and it ends
    host.switch_off()
    page.goto(host.address + "demo/")
    page.get_by_test_id("sample-0").click()
    expect(page.locator('[data-testid="verdict"][data-verdict="same"]')).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("progress")).to_contain_text("MB loaded")
    assert not [worker for worker in page.workers if worker.url.endswith(".js")]
    context.close()


def test_an_update_asks_and_comes_whole(context: BrowserContext, host: Host) -> None:
    page = visit(context, host, "")
    old = page.locator("h1").inner_text()
    host.change("index.html", "<h1", '<p id="new">Another version</p><h1')
    page.reload()
    expect(page.get_by_test_id("update")).to_be_visible(timeout=READY)
    assert page.locator("#new").count() == 0, "the old version stays until the reader says so"
    assert page.locator("h1").inner_text() == old
    assert axe_violations(page) == []
    page.get_by_test_id("update-now").click()
    expect(page.locator("#new")).to_be_visible(timeout=READY)


def test_an_engine_of_another_version_is_not_let_in(context: BrowserContext, host: Host) -> None:
    """The book of the old version is kept, its engine is not, and the server has moved on."""
    page = visit(context, host, "")
    host.become_another_build()
    page.goto(host.address + "demo/")
    expect(page.get_by_test_id("failure")).to_contain_text("new version")
    expect(page.get_by_test_id("update")).to_be_visible(timeout=READY)
    page.get_by_test_id("update-now").click()
    page.locator('face-verify[data-engine="ready"]').wait_for()


def test_it_can_be_installed(context: BrowserContext, host: Host) -> None:
    """What browsers ask of a page that is to be installed: a manifest with a name, a start and icons that are there."""
    page = visit(context, host, "demo/")
    address = page.locator('link[rel="manifest"]').get_attribute("href")
    manifest = page.request.get(address or "").json()
    assert manifest["name"]
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert page.request.get(host.address + icon["src"]).ok
    assert page.request.get(host.address + manifest["start_url"]).ok
