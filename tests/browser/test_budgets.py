"""Budgets in bytes and counts, the same on every machine: what is fetched before the first verdict, and to read a chapter."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .conftest import BUILD, SITE, Watched, watch

MODELS = SITE / "app" / BUILD / "models"


def fetched(watched: Watched) -> dict[str, int]:
    """Each file asked for, and its bytes as a server sends them: gzipped."""
    files = {url.removeprefix(watched.site).split("?")[0].split("#")[0] for url in watched.requests if url.startswith(watched.site)}
    sizes = {}
    for name in files:
        path = SITE / name
        path = path / "index.html" if path.is_dir() else path
        sizes[name] = len(gzip.compress(path.read_bytes(), 6))
    return sizes


@pytest.fixture
def watched(chromium: Browser, site: str) -> Iterator[Watched]:
    """Without the service worker: what that one fetches is for later, and nobody waits for it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    yield watch(context.new_page(), site)
    context.close()


def test_first_verdict(watched: Watched) -> None:
    page = watched.open("demo/")
    page.get_by_test_id("sample-0").click()
    page.locator('[data-testid="verdict"][data-verdict]').wait_for()
    everything = fetched(watched)
    assert sum(everything.values()) < 7.6e6
    engine = {name: size for name, size in everything.items() if name.startswith("app/")}
    assert sum(engine.values()) < 7.5e6, engine
    assert len(engine) <= 34, sorted(engine)
    assert not [name for name in engine if "_rest" in name], "what only labs need is not fetched"


@pytest.mark.parametrize("chapter", ["overview/", "face-detection/", "face-verification/", "roll-call/"])
def test_chapter_before_a_lab_is_touched(chapter: str, watched: Watched) -> None:
    """305 kB, a tool's page 405: text, styles, one typeface, the stills of the labs in view."""
    page = watched.page
    page.route("**/web/worker.js", lambda route: route.abort())  # a lab in view would start the engine
    watched.open(chapter)
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    sizes = fetched(watched)
    assert sum(sizes.values()) < (405e3 if chapter == "roll-call/" else 305e3), dict(
        sorted(sizes.items(), key=lambda one: -one[1])[:8]
    )


def test_models() -> None:
    """What the page takes of them."""
    manifest = json.loads((MODELS / "models.json").read_text())
    sizes = {name: graph.get("compact", graph)["bytes"] for name, graph in manifest["graphs"].items()}
    assert sizes["embedder"] < 1.2e6
    assert sum(sizes.values()) < 2.3e6
    graphs = [*manifest["graphs"].values(), *(entry["graph"] for entry in manifest.get("embedders", {}).values())]
    listed = {graph.get("compact", graph)["file"] for graph in graphs}
    assert {path.name for path in MODELS.glob("*.onnx")} == listed, "no file that nobody asks for"
