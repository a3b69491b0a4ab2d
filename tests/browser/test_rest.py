"""The rest of Pyodide, and functions of Python that were set aside: they come after the first verdict, or when Python needs any."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from facelab.embedder_file import KEY

from ..conftest import ROOT
from .conftest import BUILD, ENGINE_ALONE, READY, SiteHandler, Watched, another_build, choose, served, watch
from .test_embedders import drop, option

REST = "pyodide/pyodide.asm_rest.wasm"
ASIDE = "python/python_rest.marshal.gz"
APP = f"app/{BUILD}/"
PYODIDE = ROOT / "demo" / "web" / "node_modules" / "pyodide" / "pyodide.asm.wasm"
SPLIT = """
import { readFile, writeFile } from "node:fs/promises";
const [script, whole, names, out] = process.argv.slice(1);
const { split } = await import(script);
const wanted = new Set(JSON.parse(names));
const { first, rest } = split(await readFile(whole), () => false, { isWanted: (name) => wanted.has(name) });
await writeFile(`${out}/pyodide.asm.wasm`, first);
await writeFile(`${out}/pyodide.asm_rest.wasm`, rest);
"""
# Questions that no page asks, and whose answers take more of Python than the first verdict. The last question comes while the
# rest is on its way.
REMOVE = """async (site) => {
    const ask = (ENGINE)(site);
    return [await ask("remove", "nobody"), await ask("remove", "nobody")].map(String);
}""".replace("ENGINE", ENGINE_ALONE)
EMBED_NO_FACE = """async (site) => {
    const ask = (ENGINE)(site);
    void ask("open", "photo", {width: 64, height: 64, rgba: new ArrayBuffer(4 * 64 * 64)});
    const embedding = new Float32Array(128).fill(128 ** -0.5);
    await ask("compare", embedding, embedding, false);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return ask("embed", "photo", {box: "none", score: 1, landmarks: "none", turned: 0});
}""".replace("ENGINE", ENGINE_ALONE)


class Halting(SiteHandler):
    """Of the rest it sends a part, and the other when it is asked for it once more."""

    asked = 0
    again = threading.Event()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        if self.path.endswith(REST):
            Halting.asked += 1
            if Halting.asked == 1:
                outputfile.write(source.read(1 << 20))
                self.again.wait(READY / 1000)
            self.again.set()
        super().copyfile(source, outputfile)


@pytest.fixture
def watched(chromium: Browser, site: str) -> Iterator[Watched]:
    """Without the service worker, which would fetch it too, for later."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    yield watch(context.new_page(), site)
    context.close()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Pyodide in two, of which the first part has no function at all: nothing runs without the other."""
    folder = tmp_path_factory.mktemp("pyodide")
    told = json.loads((ROOT / "build" / "optimised" / "python" / "python.json").read_text())
    script = (ROOT / "demo" / "optimise" / "defer" / "split.mjs").as_uri()
    arguments = [script, str(PYODIDE), json.dumps([*told["asked"], *told["further"]]), str(folder)]
    subprocess.run(["node", "--input-type=module", "-e", SPLIT, *arguments], check=True)
    return {f"pyodide/{path.name}": path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def needed_early(parts: dict[str, bytes]) -> Iterator[str]:
    """A site with these."""
    with another_build(parts) as site:
        yield site


def verdict(page: Page) -> None:
    page.get_by_test_id("sample-0").click()
    page.locator('[data-testid="verdict"][data-verdict]').wait_for()


def test_comes_after_the_verdict(watched: Watched) -> None:
    page = watched.open("demo/")
    verdict(page)
    assert watched.site + APP + REST not in watched.requests
    with page.expect_request("**/" + REST) as coming:
        pass
    assert coming.value.resource_type == "fetch", "nobody had to wait for it"


def test_functions_set_aside_come_after_the_verdict(watched: Watched) -> None:
    page = watched.open("demo/")
    verdict(page)
    assert watched.site + APP + ASIDE not in watched.requests
    with page.expect_request("**/" + ASIDE) as coming:
        pass
    assert coming.value.resource_type == "fetch", "nobody had to wait for it"


@pytest.fixture
def embedder(tmp_path: Path) -> Path:
    """A file that Python reads with functions that no verdict takes. It lacks all that an embedder has to say."""
    model = onnx.helper.make_model(onnx.helper.make_graph([], "nothing", [], []))
    onnx.helper.set_model_props(model, {KEY: "{}"})
    onnx.save(model, tmp_path / "nothing.onnx")
    return tmp_path / "nothing.onnx"


def offer(page: Page, embedder: Path) -> None:
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    page.get_by_test_id("embedder-name").click()
    drop(page, embedder)


def test_python_never_blocks_its_worker_in_a_session(watched: Watched, odd_photos: Path) -> None:
    """Nothing that a page asks lets Python wait in mid-call for its rest."""
    blocking: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "xhr" and APP in request.url:
            blocking.append(request.url)

    watched.page.context.on("request", note)
    page = watched.open("demo/")
    verdict(page)
    page.get_by_test_id("sample-1").click()  # at once
    page.locator('[data-testid="verdict"][data-verdict="different"]').wait_for()
    choose(page, "a", odd_photos / "rgba.png")
    page.locator('photo-slot[name="a"][data-state="done"]').wait_for()
    page.get_by_test_id("embedder-name").click()
    option(page, "dlib-resnet-v1").click()
    expect(page.get_by_test_id("embedder-name")).to_contain_text("ResNet", timeout=READY)
    page = watched.open("face-detection/")
    lab = page.get_by_test_id("lab-cascade")
    lab.scroll_into_view_if_needed()
    expect(lab).to_have_attribute("data-state", "ready", timeout=READY)
    page = watched.open("roll-call/")
    page.get_by_test_id("try-samples").click()
    present = page.locator('[data-testid="entry"][data-name="Barack Obama"]')
    expect(present).to_have_attribute("data-presence", "present", timeout=READY)
    assert blocking == []
    assert sum(url.endswith(REST) for url in watched.requests) == 3, "each page's engine has fetched it"


def test_functions_set_aside_come_before_another_embedder(watched: Watched, embedder: Path) -> None:
    page = watched.open("demo/")
    with page.expect_request("**/" + ASIDE) as coming:
        offer(page, embedder)
    assert coming.value.resource_type == "fetch", "nobody had to wait for it"
    expect(page.get_by_test_id("embedder-message")).to_contain_text("damaged")
    verdict(page)


def test_functions_set_aside_come_when_they_are_called(watched: Watched) -> None:
    page = watched.open("")
    with page.expect_request("**/" + ASIDE) as coming:
        first, second = page.evaluate(REMOVE, watched.site)
    assert coming.value.resource_type == "xhr", "Python waits for them"
    assert first == second
    assert watched.requests.count(coming.value.url) == 1, "they are there"


def test_functions_set_aside_that_do_not_come_are_told_of(watched: Watched, embedder: Path) -> None:
    watched.page.context.route("**/" + ASIDE, lambda route: route.abort())
    page = watched.open("demo/")
    offer(page, embedder)
    said = page.get_by_test_id("embedder-message")
    expect(said).to_contain_text(f"Loading stopped at {ASIDE}: did not arrive")
    watched.page.context.unroute_all()
    drop(page, embedder)
    expect(said).to_contain_text("damaged")


def test_needed_while_it_is_coming(chromium: Browser) -> None:
    """Meanwhile the engine takes nothing of what was coming. Chromium would let it wait for that, for 20 seconds."""
    with served(Halting) as site:
        context = chromium.new_context(service_workers="block")
        watched = watch(context.new_page(), site)
        kinds: list[str] = []
        context.on("request", lambda request: kinds.append(request.resource_type) if request.url.endswith(REST) else None)
        assert "IndexError" in watched.open("").evaluate(EMBED_NO_FACE, site)
        assert kinds == ["fetch", "xhr"]
        assert Halting.asked == 2
        context.close()


def test_needed_early(chromium: Browser, needed_early: str) -> None:
    context = chromium.new_context(service_workers="block")
    watched = watch(context.new_page(), needed_early)
    with watched.page.expect_request("**/" + REST) as coming:
        page = watched.open("demo/")
    assert coming.value.resource_type == "xhr"
    verdict(page)
    page.wait_for_timeout(2000)
    assert watched.requests.count(coming.value.url) == 1, "it is there"
    context.close()


def test_needed_early_and_not_there(chromium: Browser, needed_early: str) -> None:
    context = chromium.new_context(service_workers="block")
    context.route("**/" + REST, lambda route: route.abort())
    page = watch(context.new_page(), needed_early).open("demo/")
    expect(page.locator(".failure p")).to_contain_text(f"Loading stopped at {REST}: did not arrive")
    context.unroute_all()
    page.locator(".retry").click()
    verdict(page)
    context.close()


def test_rest_of_another_build(chromium: Browser, parts: dict[str, bytes]) -> None:
    """Python waits for it, and the browser has no time to look at its hash."""
    first = {name: content for name, content in parts.items() if not name.endswith(REST)}
    with another_build(first) as site:
        context = chromium.new_context(service_workers="block")
        page = watch(context.new_page(), site).open("demo/")
        expect(page.locator(".failure p")).to_contain_text("is not the file that this page expects")
        context.close()
