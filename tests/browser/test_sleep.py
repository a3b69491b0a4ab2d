"""A laptop that slept in the middle of something: whatever it was doing goes on, with the trimmed ONNX Runtime."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .conftest import BUILD, ENGINE_ALONE, READY, SITE, SiteHandler, Watched, another_build, watch

WEB = SITE / "app" / BUILD / "web"
MEMORY = "python/python.memory.gz"
WHOLE = "ort/ort-wasm-simd-threaded.wasm"
HALF_A_MINUTE = b"3e4"  # how the built scripts spell the milliseconds after which nothing more is expected
SHORT = b"6e3"  # in their place, so that the test is short
NAP = 9  # seconds
LOOKS = """(site) => {
    const ask = (ENGINE)(site);
    const [width, height] = [640, 480];
    const pixels = () => ({width, height, rgba: new ArrayBuffer(4 * width * height)});
    window.looked = 0;
    const look = () => ask("look", pixels(), 20, "mobilefacenet-v1").then((answer) => (window.looked++, answer));
    window.answers = Promise.all(Array.from({length: 6}, look));
}""".replace("ENGINE", ENGINE_ALONE)

SCRIPTS = "performance.getEntriesByType('resource').map(({name}) => name)"


class Waiting(SiteHandler):
    """Sends Python's memory only when the test says so."""

    go = threading.Event()

    def send_head(self) -> Any:
        if self.path.endswith(MEMORY):
            self.go.wait(READY / 1000)
        return super().send_head()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    scripts = {f"web/{name}": (WEB / name).read_bytes() for name in ("worker.js", "page.js")}
    assert all(script.count(HALF_A_MINUTE) == 1 for script in scripts.values())
    with another_build({name: script.replace(HALF_A_MINUTE, SHORT) for name, script in scripts.items()}, Waiting) as site:
        yield site


@pytest.fixture
def watched(chromium: Browser, site: str) -> Iterator[Watched]:
    context = chromium.new_context(service_workers="block")
    yield watch(context.new_page(), site)
    context.close()


def fall_asleep(chromium: Browser) -> None:
    """All of the browser's processes stand still for a while."""
    processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    (browser,) = (process["id"] for process in processes if process["type"] == "browser")
    group = os.getpgid(browser)
    assert group != os.getpgrp(), "the tests themselves stay awake"
    os.killpg(group, signal.SIGSTOP)
    try:
        time.sleep(NAP)
    finally:
        os.killpg(group, signal.SIGCONT)


def test_questions_to_the_networks_go_on_after_a_sleep(chromium: Browser, watched: Watched) -> None:
    Waiting.go.set()
    page = watched.open("demo/")
    (script,) = (url for url in page.evaluate(SCRIPTS) if url.endswith("/web/page.js"))
    build = script.split("/app/")[1].split("/")[0]
    page.evaluate(LOOKS.replace(f"app/{BUILD}/", f"app/{build}/"), watched.site)
    page.wait_for_function("() => looked >= 1", timeout=READY)
    fall_asleep(chromium)
    assert page.evaluate("looked") < 6, "it was asleep in the middle"
    assert all("faces" in answer for answer in page.evaluate("answers"))
    assert not any(url.endswith(WHOLE) for url in watched.requests)


def test_loading_goes_on_after_a_sleep(chromium: Browser, watched: Watched) -> None:
    Waiting.go.clear()
    with watched.page.expect_request("**/" + MEMORY):
        page = watched.open("demo/")
    fall_asleep(chromium)
    page.wait_for_timeout(1000)  # a clock that had gone on would have given up by now
    Waiting.go.set()
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    expect(page.get_by_test_id("failure")).to_be_hidden()
    assert not any(url.endswith(WHOLE) for url in watched.requests)
