"""Servers, browsers and devices that fail: the page says what is wrong and goes on, or offers to. It never waits for ever."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from facelab.embedder_file import KEY
from facelab.native import models_folder

from .conftest import INSECURE, READY, SITE, SiteHandler, served, watch
from .test_book import type_over

WEB_PAGE = "<!doctype html><title>Sign in</title>"


class Untyped(SiteHandler):
    """A server that does not know WebAssembly."""

    def guess_type(self, path: str) -> str:  # type: ignore[override]
        return "application/octet-stream" if path.endswith(".wasm") else super().guess_type(path)


class Forbidding(SiteHandler):
    """A server whose policy forbids WebAssembly in a page and its workers."""

    def end_headers(self) -> None:
        if self.path.endswith("/demo/"):
            self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-inline'; worker-src 'self' blob:")
        super().end_headers()


class HalfSample(SiteHandler):
    """A server that sends half of a sample photo, then the page's script, and the other half when `go` is set."""

    half_sent = threading.Event()
    go = threading.Event()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        if self.path.endswith("/obama.jpg"):
            outputfile.write(source.read(1 << 15))
            self.half_sent.set()
            self.go.wait(READY / 1000)
        elif self.path.endswith("/facelab.js"):
            self.half_sent.wait(READY / 1000)
            time.sleep(1)  # for the browser to read the half
        super().copyfile(source, outputfile)


class BrokenSample(SiteHandler):
    """A server that breaks off the next `breaks` answers with a sample photo, one that the page's head does not ask for."""

    breaks = 0

    def copyfile(self, source: Any, outputfile: Any) -> None:
        if self.path.endswith("/biden.jpg") and BrokenSample.breaks > 0:
            BrokenSample.breaks -= 1
            outputfile.write(source.read(1 << 14))
        else:
            super().copyfile(source, outputfile)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    made.set_default_timeout(READY)
    yield made
    made.close()


def answering(body: str | bytes, content_type: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=body, content_type=content_type)


def demo_answers(page: Page) -> None:
    page.get_by_test_id("sample-0").click()
    expect(page.locator('[data-testid="verdict"][data-verdict="same"]')).to_be_visible(timeout=READY)


def try_again(page: Page) -> None:
    page.context.unroute_all()
    page.get_by_test_id("retry").click()
    expect(page.locator("face-verify")).to_have_attribute("data-engine", "ready", timeout=READY)


def run_cell(page: Page, source: str) -> Locator:
    """The first cell of a chapter, with other code in it, as it runs."""
    cell = page.get_by_test_id("cell-0")
    cell.locator("pre, .cm-content").locator("visible=true").first.click()
    cell.locator(".cm-content").wait_for()
    type_over(cell, source)
    page.keyboard.press("Control+Enter")
    return cell


# Servers


def test_webassembly_of_another_type_is_taken(context: BrowserContext) -> None:
    with served(Untyped) as site:
        demo_answers(watch(context.new_page(), site).open("demo/"))


def test_sample_that_the_script_asks_for_while_it_arrives_is_read(context: BrowserContext) -> None:
    """The page's head has asked for it before, and both share one answer, whose body Chromium then cannot make a blob of."""
    with served(HalfSample) as site:
        page = watch(context.new_page(), site).page
        page.goto(site + "demo/", wait_until="commit")
        page.get_by_test_id("sample-0").click()
        HalfSample.go.set()
        expect(page.locator('[data-testid="verdict"][data-verdict="same"]')).to_be_visible(timeout=READY)


def test_sample_that_breaks_off_is_fetched_once_more(context: BrowserContext) -> None:
    with served(BrokenSample) as site:
        page = watch(context.new_page(), site).open("demo/")
        BrokenSample.breaks = 1
        page.get_by_test_id("sample-1").click()
        expect(page.locator('[data-testid="verdict"][data-verdict="different"]')).to_be_visible(timeout=READY)
        assert BrokenSample.breaks == 0


def test_sample_that_does_not_arrive_is_said_to_and_can_be_chosen_again(context: BrowserContext) -> None:
    with served(BrokenSample) as site:
        page = watch(context.new_page(), site).open("demo/")
        BrokenSample.breaks = 1000
        page.get_by_test_id("sample-1").click()
        expect(page.get_by_test_id("error-b")).to_contain_text("The sample photo did not arrive")
        BrokenSample.breaks = 0
        page.get_by_test_id("sample-1").click()
        expect(page.locator('[data-testid="verdict"][data-verdict="different"]')).to_be_visible(timeout=READY)


def test_files_that_are_others_are_named(context: BrowserContext, site: str) -> None:
    """A page to sign in, as networks in hotels send it; a script of the wrong type; a file that is no WebAssembly."""
    page = watch(context.new_page(), site).page
    for file, answer, said in (
        ("pyodide.asm.wasm", (WEB_PAGE, "text/html"), "web page in its place"),
        ("pyodide.asm.mjs", ("export default 1", "text/plain"), "sends it as text/plain"),
        ("ort-wasm-simd-threaded-trimmed.wasm", (b"no wasm", "application/wasm"), "it is damaged"),
    ):
        context.route(f"**/{file}", answering(*answer))
        page.goto(site + "demo/")
        expect(page.get_by_test_id("failure")).to_contain_text(file)
        expect(page.get_by_test_id("failure")).to_contain_text(said)
        context.unroute_all()
    try_again(page)


def test_a_network_that_falls_silent_is_waited_for_and_given_up(context: BrowserContext, site: str) -> None:
    page = watch(context.new_page(), site).page
    page.clock.install()
    for file in ("assets.json", "ort/ort.memory.gz"):
        context.route(f"**/{file}", lambda route: None)  # and never an answer
        page.goto(site + "demo/")
        seen = ""
        for _ in range(60):
            page.clock.run_for(2000)
            page.wait_for_timeout(50)
            if page.get_by_test_id("failure").is_visible():
                break
            seen += page.get_by_test_id("progress").inner_text()
        assert re.search(rf"nothing has arrived for \d+ seconds; waiting for .*{file}", seen)
        expect(page.get_by_test_id("failure")).to_contain_text("nothing has arrived for 30 seconds")
        context.unroute_all()
    expect(page.get_by_test_id("failure")).to_contain_text("ort/ort.memory.gz")
    try_again(page)


def test_a_policy_without_webassembly_is_named(context: BrowserContext) -> None:
    with served(Forbidding) as site:
        page = watch(context.new_page(), site).open("demo/")
        expect(page.get_by_test_id("failure")).to_contain_text("WebAssembly is switched off here")


def test_scripts_that_do_not_come_are_told_of_in_their_places(context: BrowserContext, site: str) -> None:
    page = watch(context.new_page(), site).page
    note = page.get_by_test_id("not-here")
    context.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/plain"))
    for path in ("demo/", "face-detection/"):
        page.goto(site + path)
        expect(note.first).to_contain_text("sends JavaScript as text/plain")
    assert note.count() == page.locator("[data-lab], .highlight.cell").count() > 2
    context.unroute_all()

    context.route(re.compile(r"/(lab|cell)-[^/]*\.js"), lambda route: route.fulfill(status=404, body=""))
    page.close()  # it may be loading itself again, now that its scripts come
    page = watch(context.new_page(), site).open("face-detection/")
    note = page.get_by_test_id("not-here")
    expect(note).to_have_count(page.locator("[data-lab], .highlight.cell").count())
    expect(note.first).to_contain_text("new version")
    context.unroute_all()
    note.first.get_by_role("button", name="Reload").click()
    expect(page.get_by_test_id("cell-0")).to_be_visible()
    expect(note).to_have_count(0)

    page.goto((SITE / "demo" / "index.html").as_uri())
    expect(note).to_contain_text("make serve")


def test_page_whose_scripts_came_says_nothing_later(context: BrowserContext, site: str) -> None:
    page = watch(context.new_page(), site).page
    page.clock.install()
    page.goto(site + "overview/")
    expect(page.get_by_test_id("cell-0")).to_be_visible()
    page.clock.fast_forward(21_000)
    expect(page.get_by_test_id("not-here")).to_have_count(0)


def test_script_that_is_late_is_waited_for(context: BrowserContext, site: str) -> None:
    held: list[Route] = []
    context.route("**/facelab.js", lambda route: held.append(route))
    page = watch(context.new_page(), site).page
    page.clock.install()
    page.goto(site + "demo/")
    page.clock.fast_forward(21_000)
    expect(page.get_by_test_id("not-here")).to_contain_text("still on its way")
    held[0].continue_()
    expect(page.get_by_test_id("sample-0")).to_be_visible()
    expect(page.get_by_test_id("not-here")).to_have_count(0)


# Browsers

NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {get() { throw new DOMException("Access is denied", "SecurityError"); }});"""
NO_LOCKS = 'navigator.locks.request = () => Promise.reject(new DOMException("Access is denied", "SecurityError"));'
NO_SHARED_WORKER = """globalThis.SharedWorker = class {
    constructor(script, {extendedLifetime}) { throw new DOMException("Access is denied", "SecurityError"); }
};"""


WITHOUT_OPCODE = "const { validate } = WebAssembly; WebAssembly.validate = (code) => !code.includes(OPCODE) && validate(code);"
# Scripts that take a feature away, by what the page then says.
TAKEN = {
    "WebAssembly SIMD": WITHOUT_OPCODE.replace("OPCODE", "253"),
    "WebAssembly exceptions": WITHOUT_OPCODE.replace("OPCODE", "25"),
    "DecompressionStream": "delete globalThis.DecompressionStream;",
    "workers with modules": "globalThis.Worker = class extends Worker { constructor(script) { super(script); } };",
    "WebAssembly is switched off": "delete globalThis.WebAssembly;",
}
ENGINE_FILES = re.compile(r"/app/\w+/(pyodide|python|ort|models)/|/web/(worker|graphs)\.js")


@pytest.mark.parametrize("missing", TAKEN)
def test_browser_without_a_feature_is_told_so_and_loads_no_engine(context: BrowserContext, site: str, missing: str) -> None:
    context.add_init_script(TAKEN[missing])
    watched = watch(context.new_page(), site)
    for tool in ("demo/", "roll-call/", "album/", "camera/"):
        page = watched.open(tool)
        expect(page.get_by_test_id("failure")).to_contain_text(missing)
        page.get_by_test_id("retry").click()
        expect(page.get_by_test_id("failure")).to_contain_text(missing)
    page = watched.open("face-detection/")
    expect(page.locator("article p").first).to_be_visible()
    lab = page.get_by_test_id("lab-cascade")
    lab.locator(".start").click()
    expect(lab).to_have_attribute("data-state", "failed")
    expect(lab).to_contain_text(missing)
    expect(run_cell(page, "6 * 7").locator(".cell-error")).to_contain_text(missing)
    assert [url for url in watched.requests if ENGINE_FILES.search(url)] == []


@pytest.mark.secure("locks and workers that outlive their page")
def test_where_site_data_is_blocked_pages_have_engines_of_their_own(context: BrowserContext, site: str) -> None:
    context.add_init_script(NO_STORAGE)
    errors: list[str] = []
    for forbidden, path in ((NO_LOCKS, "face-recognition/"), (NO_SHARED_WORKER, "demo/")):
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(forbidden)
        page.goto(site + path)
        if path == "demo/":
            demo_answers(page)
        else:
            expect(run_cell(page, "6 * 7").locator(".cell-text")).to_have_text("42", timeout=READY)
        page.close()
    assert errors == []


def test_tools_work_over_plain_http(context: BrowserContext, samples: Path, tmp_path: Path) -> None:
    """Under a name that is not localhost; `pytest --insecure` asks all of the browser's tests for that."""
    same_length = [tmp_path / "one.bmp", tmp_path / "two.bmp"]
    for file, sample in zip(same_length, ("obama.jpg", "obama3.jpg"), strict=True):
        Image.open(samples / sample).resize((320, 400)).save(file)
    with served(name=INSECURE) as site:
        page = watch(context.new_page(), site).open("demo/")
        assert page.evaluate("isSecureContext") is False
        demo_answers(page)
        page.get_by_test_id("camera-a").click()
        expect(page.get_by_test_id("error-a")).to_contain_text("The camera works only on pages that were opened over https")
        page.goto(site + "roll-call/")
        page.get_by_test_id("try-samples").click()
        expect(page.locator('[data-testid="entry"][data-name="Barack Obama"]')).to_have_attribute("data-presence", "present")
        page.get_by_test_id("pupil").fill("Anna")
        page.get_by_test_id("portraits").set_input_files(same_length)
        expect(page.get_by_test_id("outcomes")).to_contain_text("2 of 2")
        page.goto(site + "face-recognition/")
        expect(run_cell(page, "6 * 7").locator(".cell-text")).to_have_text("42", timeout=READY)


# Cameras

# A camera that sends pictures for two seconds.
STILL = """navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    const draws = setInterval(() => pen.fillRect(0, 0, 300 * Math.random(), 9), 50);
    setTimeout(() => clearInterval(draws), 2000);
    return canvas.captureStream();
};"""
UNPLUGGED = "video => video.srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"


@pytest.mark.secure("the camera")
def test_camera_that_stops_is_said_to_and_can_be_started_again(context: BrowserContext, site: str) -> None:
    context.grant_permissions(["camera"])
    page = watch(context.new_page(), site).open("camera/")
    page.get_by_test_id("live-start").click()
    expect(page.get_by_test_id("live-rate")).to_contain_text(re.compile(r"[1-9]\d*\.\d frames"), timeout=READY)
    page.get_by_test_id("live-video").evaluate(UNPLUGGED)
    expect(page.get_by_test_id("warning")).to_contain_text("The camera has stopped")
    expect(page.get_by_test_id("live-rate")).to_have_count(0)
    page.get_by_test_id("live-start").click()
    expect(page.get_by_test_id("live-video")).to_be_visible()
    expect(page.get_by_test_id("warning")).to_be_empty()
    page.evaluate(STILL)
    page.get_by_test_id("live-stop").click()
    page.get_by_test_id("live-start").click()
    expect(page.get_by_test_id("warning")).to_contain_text("no new pictures")

    page.goto(site + "demo/")
    page.get_by_test_id("camera-a").click()
    video = page.locator("photo-slot video").first
    expect(page.get_by_role("button", name="Take the photo").first).to_be_enabled()
    video.evaluate(UNPLUGGED)
    expect(page.get_by_test_id("error-a")).to_contain_text("The camera has stopped")
    expect(video).to_be_hidden()


# Code and networks of the reader's own


def endless(path: Path) -> Path:
    """A network with an embedder's inputs, outputs and entry, whose loop goes round more often than anybody can wait for."""
    tensor, named, node = onnx.helper.make_tensor, onnx.helper.make_tensor_value_info, onnx.helper.make_node
    kind = onnx.TensorProto
    inside = [named("round", kind.INT64, []), named("going", kind.BOOL, []), named("before", kind.FLOAT, [])]
    outside = [named("goes_on", kind.BOOL, []), named("after", kind.FLOAT, [])]
    body = onnx.helper.make_graph(
        [node("Identity", ["going"], ["goes_on"]), node("Sqrt", ["before"], ["after"])], "body", inside, outside
    )
    graph = onnx.helper.make_graph(
        [node("Loop", ["rounds", "true", "one"], ["embeddings"], body=body), node("Identity", ["image"], ["chips"])],
        "endless",
        [named("image", kind.UINT8, ["h", "w", 3]), named("transforms", kind.FLOAT, ["n", 2, 3])],
        [named("embeddings", kind.FLOAT, []), named("chips", kind.UINT8, ["h", "w", 3])],
        [tensor("rounds", kind.INT64, [], [2**62]), tensor("true", kind.BOOL, [], [True]), tensor("one", kind.FLOAT, [], [1.0])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    entry = json.loads((models_folder() / "models.json").read_text())["embedder"]
    onnx.helper.set_model_props(model, {KEY: json.dumps(entry)})
    onnx.save(model, path)
    return path


def test_embedder_that_never_ends_is_stopped(context: BrowserContext, site: str, tmp_path: Path) -> None:
    """Meanwhile, in a chapter, a cell that ends Python is said to have, and the next one runs."""
    page = watch(context.new_page(), site).open("demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    page.get_by_test_id("embedder-name").click()
    page.get_by_test_id("embedder-file").set_input_files(endless(tmp_path / "endless.onnx"))

    chapter = watch(context.new_page(), site).open("face-recognition/")
    for source, said in (("import os\nos._exit(3)", "Python has stopped: the code ended it"), ("input()", "There is no keyboard")):
        expect(run_cell(chapter, source).locator(".cell-error")).to_contain_text(said, timeout=READY)
    expect(run_cell(chapter, "6 * 7").locator(".cell-text")).to_have_text("42", timeout=READY)

    expect(page.get_by_test_id("embedder-message")).to_contain_text("did not answer a trial run", timeout=READY)
    expect(page.get_by_test_id("embedder-name")).to_have_text("MobileFaceNet")
    demo_answers(page)
    expect(page.get_by_test_id("embedder-reset")).to_be_hidden()
    assert sum("graphs" in worker.url for worker in page.workers) <= 4, "those that it kept busy are gone"
