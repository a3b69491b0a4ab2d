"""Files of two builds, and pages of the one before, as just after a deploy: right answers or a refusal; and the known answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

import facelab
from assemble.after_site.build_folder import build_in
from facelab.models import parse_manifest
from facelab.native import models_folder

from .conftest import ENGINE_FILES, OWN_ENGINE, PLAIN_FILES, READY, SiteHandler, another_build, engine_alone, rebuilt, served

TRIMMED, MEMORY = "ort/ort-wasm-simd-threaded-trimmed.wasm", "ort/ort.memory.gz"
WHOLE = "ort/ort-wasm-simd-threaded.wasm"
# Of each build: used as they arrive, read whole, scripts.
IN_BOTH = {
    "streamed": ["pyodide/pyodide.asm.wasm", "ort/ort-wasm-simd-threaded.mjs"],
    "read whole": ["models/models.json", "assets.json"],
    "scripts": ["web/worker.js", "web/graphs.js", "web/page.js", "web/facelab.js"],
}
OPTIMISED = {
    "streamed": [TRIMMED, "python/_multiarray_umath.wasm", "python/pyodide.asm.mjs"],
    "read whole": [MEMORY, "ort/ort.json", "python/python.memory.gz", "python/python.json"],
    "scripts": [],
}
PLAIN = {
    "streamed": [WHOLE, "pyodide/pyodide.asm.mjs"],
    "read whole": ["pyodide/numpy-*.whl", "pyodide/pyodide-lock.json", "pyodide/python_stdlib.zip", "python/facelab-*.whl"],
    "scripts": [],
}
MARK = 16  # bytes at the end of a memory
RANDOM = """
import random, uuid
import numpy as np
first = [random.random(), np.random.rand(), np.random.default_rng().random(), uuid.uuid4().hex]
random.seed(1)
print(first, random.random())
"""


class Mixing(SiteHandler):
    """For some requests of some files, those of another build; and of a page, as it was in the build before."""

    build: str
    instead: dict[str, list[bytes]]
    old_page: bytes
    times = 0  # that it is handed out

    def send_head(self) -> Any:
        path = urlsplit(self.path).path
        left = self.instead.get(path.partition(f"/app/{self.build}/")[2], [])
        if left:
            return self._sent(left.pop(), self.guess_type(path))
        if path.endswith("/demo/") and self.times:
            Mixing.times -= 1
            return self._sent(self.old_page, "text/html")
        return super().send_head()

    def _sent(self, content: bytes, kind: str) -> Any:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def mixing(built: Path) -> Iterator[str]:
    Mixing.build, Mixing.instead, Mixing.times = build_in(built), {}, 0
    with served(Mixing, built=built) as site:
        yield site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    context.set_default_timeout(READY)
    context.add_init_script(OWN_ENGINE)
    yield context.new_page()
    context.close()


def of_another_build(file: Path) -> bytes:
    """A file that could be used as well: it loads, but its numbers may mean something else."""
    content, name = file.read_bytes(), file.name
    if name == Path(MEMORY).name:
        return gzip.compress(other_weights(gzip.decompress(content))[:-MARK] + bytes(MARK), 1)
    if name.endswith("memory.gz"):
        return gzip.compress(gzip.decompress(content)[:-MARK] + bytes(MARK), 1)
    return content + (b"\0\2\1x" if name.endswith(".wasm") else b"\n")


def other_weights(memory: bytes) -> bytes:
    """ONNX Runtime's memory with weights of the embedder, which lie at its end, in another order."""
    last = slice(-MARK - 500_000, -MARK)
    return memory[: last.start] + memory[last][::-1] + memory[-MARK:]


def answer(page: Page) -> float:
    page.get_by_test_id("sample-0").click()
    verdict = page.locator('[data-testid="verdict"][data-verdict]')
    verdict.wait_for()
    assert verdict.get_attribute("data-verdict") == "same"
    return float(verdict.get_attribute("data-distance") or "nan")


@pytest.mark.parametrize("kind", IN_BOTH)
def test_files_of_another_build_are_fetched_anew(kind: str, built: Path, mixing: str, page: Page) -> None:
    """A cache hands out each of them once."""
    app = built / "app" / Mixing.build
    further = OPTIMISED if app == ENGINE_FILES else PLAIN
    files = [file for name in (*IN_BOTH[kind], *further[kind]) for file in app.glob(name)]
    assert len(files) == len(IN_BOTH[kind] + further[kind])
    Mixing.instead = {file.relative_to(app).as_posix(): [of_another_build(file)] for file in files}
    page.goto(mixing + "demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for()
    assert not any(Mixing.instead.values()), "each was there"
    photos = [app / "samples" / name for name in ("obama.jpg", "obama2.jpg")]
    assert answer(page) == pytest.approx(facelab.verify(*photos).distance, abs=0.05)


def test_what_stays_of_another_build_is_refused(built: Path, mixing: str, page: Page) -> None:
    """ONNX Runtime alone: all its numbers were none. The reader's second try finds the right one."""
    app = built / "app" / Mixing.build
    runtime = TRIMMED if app == ENGINE_FILES else WHOLE
    Mixing.instead = {runtime: [of_another_build(app / runtime)] * 20}
    page.goto(mixing + "demo/")
    expect(page.get_by_test_id("renew")).to_be_visible(timeout=READY)  # it has loaded itself again, and gives up
    expect(page.get_by_test_id("failure")).to_contain_text(f"{runtime} is not the file that this page expects", timeout=READY)
    Mixing.instead = {}
    page.get_by_test_id("retry").click()
    answer(page)


@pytest.mark.parametrize("built", ["optimised"], indirect=True)
def test_page_whose_files_are_gone_loads_itself_again_but_not_for_ever(mixing: str, page: Page, tmp_path: Path) -> None:
    Mixing.old_page = (rebuilt(tmp_path / "site", {"samples/more.txt": b""}) / "demo" / "index.html").read_bytes()
    Mixing.times = 1
    page.goto(mixing + "demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for()
    assert Mixing.times == 0
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    Mixing.times = 99
    page.goto(mixing + "demo/?later")  # an address that the browser has not kept
    expect(page.get_by_test_id("not-here")).to_contain_text("new version")
    page.wait_for_timeout(1000)
    assert len(loads) == 1


def test_a_wrong_known_answer_switches_to_the_whole_runtime(page: Page) -> None:
    """Weights of the trimmed one's memory are not those that they should be, though all files are of one build."""
    memory = gzip.compress(other_weights(gzip.decompress((ENGINE_FILES / MEMORY).read_bytes())), 1)
    with another_build({MEMORY: memory}) as site:
        page.goto(site + "demo/")
        page.locator('face-verify[data-engine="ready"]').wait_for()
        expect(page.get_by_test_id("progress")).to_contain_text("ONNX Runtime as published is in use")
        answer(page)


@pytest.mark.parametrize("engine", [ENGINE_FILES, PLAIN_FILES], ids=["optimised", "plain"])
def test_where_the_whole_runtime_answers_wrongly_there_are_no_answers(engine: Path, page: Page) -> None:
    """In the optimised build it is asked after the trimmed one."""
    text = (models_folder() / "models.json").read_text()
    known = parse_manifest(text).graphs["embedder"].compact
    assert known
    assert known.known
    manifest = json.loads(text)
    manifest["graphs"]["embedder"]["compact"]["known"][5] += 0.01
    with another_build({"models/models.json": json.dumps(manifest).encode()}, engine=engine) as site:
        page.goto(site + "demo/")
        expect(page.get_by_test_id("failure")).to_contain_text("give wrong results in this browser", timeout=READY)
        page.get_by_test_id("sample-0").click()
        page.wait_for_timeout(1000)
        assert page.locator('[data-testid="verdict"][data-verdict]').count() == 0


def test_random_numbers_are_every_pages_own(chromium: Browser, built: Path, mixing: str) -> None:
    said = []
    for _ in range(2):
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(READY)
        page.goto(mixing)
        outcome = page.evaluate(f"([site, code]) => ({engine_alone(built)})(site)('runCell', code)", [mixing, RANDOM])
        first, seeded = outcome["text"].strip().rsplit(" ", 1)
        said.append(json.loads(first.replace("'", '"').replace("np.float64(", "").replace(")", "")))
        assert seeded == "0.13436424411240122", "Python's own, of that seed"
        context.close()
    assert not [pair for pair in zip(*said, strict=True) if pair[0] == pair[1]]
