"""The rest of Pyodide, and functions of Python that were set aside: they come after the first verdict, or when Python needs any."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from facelab.embedder_file import KEY

from ..conftest import ROOT
from .conftest import READY, SiteHandler, Watched, served, watch
from .test_embedders import drop

REST = "app/pyodide/pyodide.asm_rest.wasm"
ASIDE = "app/python/python_rest.marshal.gz"
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
def needed_early(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Pyodide in two, of which the first part has no function at all: nothing runs without the other."""
    folder = tmp_path_factory.mktemp("pyodide")
    told = json.loads((ROOT / "build" / "python" / "snapshot" / "python.json").read_text())
    script = (ROOT / "demo" / "assemble" / "wasm_split.mjs").as_uri()
    arguments = [script, str(PYODIDE), json.dumps([*told["asked"], *told["further"]]), str(folder)]
    subprocess.run(["node", "--input-type=module", "-e", SPLIT, *arguments], check=True)
    return folder


def serve(page: Page, folder: Path) -> None:
    for path in folder.glob("pyodide*.wasm"):
        page.context.route(f"**/{path.name}", partial(answer, path=path))


def answer(route: Route, path: Path) -> None:
    route.fulfill(path=path, content_type="application/wasm")


def verdict(page: Page) -> None:
    page.get_by_test_id("sample-0").click()
    page.locator('[data-testid="verdict"][data-verdict]').wait_for()


def test_comes_after_the_verdict(watched: Watched) -> None:
    page = watched.open("demo/")
    verdict(page)
    assert watched.site + REST not in watched.requests
    with page.expect_request("**/" + REST) as coming:
        pass
    assert coming.value.resource_type == "fetch", "nobody had to wait for it"


def test_functions_set_aside_come_after_the_verdict(watched: Watched) -> None:
    page = watched.open("demo/")
    verdict(page)
    assert watched.site + ASIDE not in watched.requests
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


def test_functions_set_aside_come_when_they_are_called(watched: Watched, embedder: Path) -> None:
    page = watched.open("demo/")
    with page.expect_request("**/" + ASIDE) as coming:
        offer(page, embedder)
    assert coming.value.resource_type == "xhr", "Python waits for them"
    expect(page.get_by_test_id("embedder-message")).to_contain_text("damaged")
    verdict(page)


def test_functions_set_aside_that_do_not_come_are_told_of(watched: Watched, embedder: Path) -> None:
    watched.page.context.route("**/" + ASIDE, lambda route: route.abort())
    page = watched.open("demo/")
    offer(page, embedder)
    said = page.get_by_test_id("embedder-message")
    expect(said).to_contain_text(f"Loading stopped at {ASIDE.removeprefix('app/')}: did not arrive")
    watched.page.context.unroute_all()
    drop(page, embedder)
    expect(said).to_contain_text("damaged")


def test_needed_while_it_is_coming(chromium: Browser, embedder: Path) -> None:
    """Meanwhile the engine takes nothing of what was coming. Chromium would let it wait for that, for 20 seconds."""
    with served(Halting) as site:
        context = chromium.new_context(service_workers="block")
        page = watch(context.new_page(), site).open("demo/")
        with page.expect_request("**/" + REST) as coming:
            verdict(page)
        assert coming.value.resource_type == "fetch"
        offer(page, embedder)
        expect(page.get_by_test_id("embedder-message")).to_contain_text("damaged", timeout=10_000)
        assert Halting.asked == 2
        context.close()


def test_needed_early(watched: Watched, needed_early: Path) -> None:
    serve(watched.page, needed_early)
    with watched.page.expect_request("**/" + REST) as coming:
        page = watched.open("demo/")
    assert coming.value.resource_type == "xhr"
    verdict(page)
    page.wait_for_timeout(2000)
    assert watched.requests.count(watched.site + REST) == 1, "it is there"


def test_needed_early_and_not_there(watched: Watched, needed_early: Path) -> None:
    serve(watched.page, needed_early)
    watched.page.context.route("**/" + REST, lambda route: route.abort())
    page = watched.open("demo/")
    expect(page.locator(".failure p")).to_contain_text(f"Loading stopped at {REST.removeprefix('app/')}: did not arrive")
    watched.page.context.unroute_all()
    page.locator(".retry").click()
    verdict(page)


def test_of_another_build(watched: Watched, needed_early: Path) -> None:
    watched.page.context.route("**/pyodide.asm.wasm", partial(answer, path=needed_early / "pyodide.asm.wasm"))
    page = watched.open("demo/")
    expect(page.locator(".failure p")).to_contain_text("is not the file that this page expects")
