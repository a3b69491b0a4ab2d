"""The built site, served as it will be hosted, and a real Chromium on it that notes every request and every complaint."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from assemble.after_site.build_folder import IMPORT_MAP, build_in, move, write_list
from assemble.after_site.offline import write_service_worker
from assemble.after_site.policy import write_policies

from ..conftest import ROOT
from .chromium import ARGUMENTS, find_chromium

# This machine by another name than localhost: over plain http its pages get no camera, service worker, checksums or locks.
INSECURE = "book.test"
host = "127.0.0.1"  # that `served` gives addresses of

READY = 60_000  # milliseconds; a cold start takes 5 to 10 s on an idle machine
expect.set_options(timeout=20_000)

SITE = Path(os.environ.get("FACELAB_SITE", ROOT / "site"))  # `python -m tests.browser.guard` names another
try:
    BUILD = build_in(SITE)  # the engine's files lie in app/BUILD/
except FileNotFoundError:
    BUILD = "BUILD"  # `served` says what to do

ENGINE_FILES = SITE / "app" / BUILD
PLAIN_FILES = ROOT / "build" / "plain"

OWN_ENGINE = "delete globalThis.SharedWorker"  # as in browsers without workers that outlive their page
# (method, ...values) => answer, as the page's own script asks an engine.
ASK = """(engine) => {
    const waiting = [];
    engine.onmessage = ({data}) => waiting[data.id]?.(data.value);
    return async (method, ...values) => {
        const answer = new Promise((resolve) => waiting.push(resolve));
        const argumentList = values.map((value) => ({type: "RAW", value}));
        engine.postMessage({id: waiting.length - 1, type: "APPLY", path: [method], argumentList});
        const value = await answer;
        return value?.isError ? value.value.message : value;
    };
}"""
# One that outlives its page; one that is the page's alone, and runs code.
ENGINE = """(site) => {
    const options = {type: "module", name: "facelab", extendedLifetime: true};
    const started = (script) => new SharedWorker(`${site}FOLDER/web/${script}`, options).port;
    const [engine, graphs] = ["worker.js", "graphs.js"].map(started);
    engine.postMessage(graphs, [graphs]);
    return (ASK)(engine);
}""".replace("ASK", ASK).replace("FOLDER", f"app/{BUILD}")
ENGINE_ALONE = """(site) => {
    const start = new Blob([`import "${site}FOLDER/web/worker.js"`], {type: "text/javascript"});
    const engine = new Worker(URL.createObjectURL(start), {type: "module", name: "facelab"});
    const ask = (ASK)(engine);
    const {port1: value} = new MessageChannel(); // for word of how far it is
    const loaded = new Promise((resolve) => engine.addEventListener("message", ({data}) => data.id === "load" && resolve()));
    const argumentList = [{type: "HANDLER", name: "proxy", value}];
    engine.postMessage({id: "load", type: "APPLY", path: ["load"], argumentList}, [value]);
    return async (...question) => {
        await loaded;
        return ask(...question);
    };
}""".replace("ASK", ASK).replace("FOLDER", f"app/{BUILD}")
ASK_ENGINE = f"([site, ...question]) => ({ENGINE})(site)(...question)"


def engine_alone(site: Path) -> str:
    """ENGINE_ALONE for the site in a folder, which may be another build."""
    return ENGINE_ALONE.replace(BUILD, build_in(site))


def pytest_configure(config: pytest.Config) -> None:
    global host
    if config.getoption("--insecure"):
        host = INSECURE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if config.getoption("--insecure") and (marker := item.get_closest_marker("secure")):
            item.add_marker(pytest.mark.skip(reason=f"plain http: {marker.args[0]}"))


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """The site under a sub-path, as GitHub Pages serves a project's; nothing above it."""

    prefix = "/repo"

    def translate_path(self, path: str) -> str:
        inside = urlsplit(path).path.startswith(self.prefix + "/")
        return super().translate_path(path[len(self.prefix) :] if inside else "/outside-of-the-site")

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextmanager
def served(handler: type[SiteHandler] = SiteHandler, name: str = "", built: Path = SITE) -> Iterator[str]:
    """The address of the site's front page, with a slash at its end."""
    assert (built / "index.html").exists(), "`make site` first"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{name or host}:{server.server_port}{handler.prefix}/"
    server.shutdown()


@contextmanager
def another_build(
    changed: Mapping[str, bytes], handler: type[SiteHandler] = SiteHandler, engine: Path = ENGINE_FILES
) -> Iterator[str]:
    """The address of a site with other files in its engine's folder: built of the files in the folder `engine`, and these."""
    with TemporaryDirectory() as folder, served(handler, built=rebuilt(Path(folder) / "site", changed, engine)) as address:
        yield address


def rebuilt(site: Path, changed: Mapping[str, bytes], engine: Path = ENGINE_FILES) -> Path:
    """A copy of the built site, in a folder that is not there yet. Its engine's files: those of the folder `engine`, and these."""
    shutil.copytree(SITE, site, copy_function=os.link, ignore=shutil.ignore_patterns(BUILD))
    (site / "app").rmdir()
    app = Path(shutil.copytree(engine, site / "app", copy_function=os.link))
    for name, content in changed.items():
        replace(app / name, content)
    (app / "assets.json").unlink()
    write_list(app)
    for page in site.rglob("*.html"):
        html = page.read_text().replace(f"app/{BUILD}/", "app/")
        html = re.sub(
            rf'{IMPORT_MAP.format(".*?")}|(?<=js") integrity="[^"]*"|<meta http-equiv="Content-Security-Policy"[^>]*>', "", html
        )
        replace(page, html.encode())
    move(site)
    write_policies(site)
    (site / "service-worker.js").unlink()
    write_service_worker(site)
    return site


def replace(file: Path, content: bytes) -> None:
    """A file of a copy: a link to the site's own."""
    file.unlink(missing_ok=True)
    file.write_bytes(content)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """See served."""
    with served() as address:
        yield address


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site, with the engine of the plain build."""
    assert (PLAIN_FILES / "assets.json").exists(), "`make build/plain/assets.json` first"
    return rebuilt(tmp_path_factory.mktemp("plain") / "site", {}, PLAIN_FILES)


@pytest.fixture(scope="session", params=["optimised", "plain"])
def built(request: pytest.FixtureRequest) -> Path:
    """The folder of a site: of each build in turn."""
    folder: Path = SITE if request.param == "optimised" else request.getfixturevalue("plain_folder")
    return folder


@pytest.fixture(scope="session")
def plain_site(plain_folder: Path) -> Iterator[str]:
    """See served."""
    with served(built=plain_folder) as address:
        yield address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    found = find_chromium()
    assert found, "`python -m tests.browser.chromium` installs one"
    devices = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    names = f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1"
    browser = playwright.chromium.launch(
        executable_path=found.path, args=[*ARGUMENTS, *devices, names], env={"HOME": "/nonexistent", **found.environment}
    )
    yield browser
    browser.close()


# As many workers with ONNX Runtime as a page starts for a group photo: one for each core and each 2 GB.
MOST_NETWORK_WORKERS = "Math.max(1, Math.min(4, navigator.hardwareConcurrency, (navigator.deviceMemory ?? 4) / 2))"


def network_workers(chromium: Browser) -> int:
    """How many workers with ONNX Runtime there are in all of the browser's pages."""
    targets = chromium.new_browser_cdp_session().send("Target.getTargets")["targetInfos"]
    return sum(target["url"].endswith("graphs.js") for target in targets)


@dataclass
class Watched:
    """A page with what it asked for and what it complained about."""

    page: Page
    site: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def requests_elsewhere(self) -> list[str]:
        return [url for url in self.requests if not url.startswith((self.site, "data:", "blob:"))]


def watch(page: Page, site: str) -> Watched:
    """With an engine of its own: Playwright neither sees nor answers what a worker asks for that outlives its page."""
    page.context.add_init_script(OWN_ENGINE)
    watched = Watched(page, site)
    page.set_default_timeout(READY)
    page.context.on("request", lambda request: watched.requests.append(request.url))
    page.on("console", lambda message: watched.complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    return watched


@pytest.fixture
def watched(chromium: Browser, site: str) -> Iterator[Watched]:
    """A fresh page for each test that needs one."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield watch(context.new_page(), site)
    context.close()


@pytest.fixture(scope="module")
def demo(chromium: Browser, site: str) -> Iterator[Watched]:
    """The demo page, loaded once for a module: starting Python takes seconds."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"])
    watched = watch(context.new_page(), site)
    watched.open("demo/")
    yield watched
    context.close()


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds wrong on a page, one line a rule."""
    page.evaluate((ROOT / "demo" / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
    return [f"{v['id']}: {v['help']}: {json.dumps([n['target'] for n in v['nodes'][:3]])}" for v in found]


def choose(page: Page, slot: str, path: Path) -> None:
    """Hand a file to a drop zone's input."""
    page.get_by_test_id(f"photo-{slot}").set_input_files(path)
