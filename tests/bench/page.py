"""`python -m tests.bench.page`: the demo beside what one would use instead, in one browser, in turns. Reports, gates nothing.

Theirs is @vladmandic/face-api on TensorFlow.js (wasm): the same descriptor network, other detectors (tests/bench/peer).
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserType, Page, Response, sync_playwright

from ..browser.chromium import ARGUMENTS, find_chromium
from ..browser.conftest import BUILD, ENGINE
from ..classroom import compose
from ..conftest import ROOT, SHARED_DATA
from ..experiments.report import Report, Table

PEER = Path(__file__).with_name("peer")
HISTORY = ROOT / "tests" / "bench" / "history.json"
SHOWN = {
    "first visit, ms": "cold visit to the first verdict, ms",
    "first visit over 20 Mbit/s, s": "cold visit over 20 Mbit/s with 40 ms latency, gzipped, s",
    "next visit, ms": "second visit to the first verdict, ms",
    "visit after the browser was closed, ms": "visit in a browser started anew, ms",
    "one more photo, ms": "one photo, warm: detect, align, embed, ms",
    "group photo with 40 faces, ms": "group photo, 40 faces, 1600 x 1200, ms",
    "faces found in it": "faces found in it",
    "fetched before the first answer, MB gzipped": "the same, gzipped, MB",
}  # what the speed page calls a row: the name of the row in the history
PAGES = ("ours", "tiny", "ssd")
ROUNDS = 5
LINE = ("--megabits", "20", "--latency", "40")
FACES = 40
STATUS = "document.querySelector('photo-album').shadowRoot.querySelector('[data-testid=status]')"
ALL_LOOKED_AT = f"{STATUS}.textContent.includes('All photos')"
LATER = 2  # visits after the second, until the fourth
DOZENS = 3  # of photos, after which the browser has compiled for good what one takes
BY_ITSELF = """{
    window.firstScriptAt = performance.now();
    let chosen = false;
    const look = () => {
        const tool = document.querySelector("face-verify:defined")?.shadowRoot;
        const pair = tool?.querySelector("[data-testid=sample-0]");
        if (pair && !chosen) {
            chosen = true;
            watch(tool);
            pair.click();
        }
        if (tool?.querySelector("[data-testid=verdict][data-verdict]")) window.verdictAt ??= performance.now();
    };
    const seen = { attributeFilter: ["data-verdict"], childList: true, subtree: true };
    const watch = (root) => new MutationObserver(look).observe(root, seen);
    watch(document); // until the tool is there
    customElements.whenDefined("face-verify").then(look);
}"""  # the first pair, as soon as it is offered, and when its verdict is there: as the peer's page does by itself
OPENED = 3000  # milliseconds after which a browser has done with opening a window: its own pages take half a second of processor
QUIET = 3000  # milliseconds in which our page has done what it does after an answer
SAMPLES = ROOT / "docs" / "app" / "samples"
ONE_PHOTO = """async (site) => {
    const ask = (ENGINE)(site);
    const bitmap = await createImageBitmap(await (await fetch(`${site}FOLDER/samples/obama.jpg`)).blob());
    const { width, height } = bitmap;
    const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
    pen.drawImage(bitmap, 0, 0);
    const times = [];
    for (let round = 0; round < 12; round++) {
        const begun = performance.now();
        ask("open", "photo", { width, height, rgba: pen.getImageData(0, 0, width, height).data.buffer });
        const { embedded: { embedding: { length } } } = await ask("find", "photo");
        if (round && length) times.push(performance.now() - begun);
        await ask("close", "photo");
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
}""".replace("ENGINE", ENGINE).replace("FOLDER", f"app/{BUILD}")  # the page's own, asked as the page asks it
SETTLED = 4000  # milliseconds after which a browser keeps what it has compiled


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["line"], help="measure the visit over a slow line alone")
    parser.add_argument(
        "--keep", action="store_true", help="add the run to the history; with --only, replace the row in the last run"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        lay_out(root)
        rows, crowding = list[dict[str, Any]](), _crowding()
        if not asked.only:
            group = _group_photo(root / "peer" / "group.png")
            with _served(root) as address:
                rows, crowding = measure(playwright.chromium, address, group)
        with _served(root, *LINE) as address:
            rows.append(measure_line(playwright.chromium, address))
    _print_table(rows)
    print(f"A task on each of two cores took {crowding:.2f} times as long as one alone; 1.4 or more: they share a real one.")
    if asked.keep:
        keep(rows, crowding, datetime.date.today().isoformat(), replace=asked.only is not None)
    print(json.dumps({"machine": platform.machine(), "crowding": crowding, "rows": rows}, allow_nan=False))
    return 0


def lay_out(root: Path) -> None:
    """Both pages, in the folders `ours` and `peer`."""
    if not (PEER / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PEER, check=True)
    (root / "ours").symlink_to(ROOT / "site")
    (root / "peer").mkdir()
    for part in ("node_modules", "peer.html"):
        (root / "peer" / part).symlink_to(PEER / part)
    (root / "peer" / "samples").symlink_to(SAMPLES)


def keep(rows: list[dict[str, Any]], crowding: float, day: str, replace: bool) -> None:
    """Add this run to the history, or replace its rows in the last run, and show the last run on the speed page."""
    history = json.loads(HISTORY.read_text()) if HISTORY.exists() else []
    if replace:
        history[-1]["rows"] = list({row["what"]: row for row in [*history[-1]["rows"], *rows]}.values())
    else:
        history.append({"day": day, "crowding": round(crowding, 2), "rows": rows})
    HISTORY.write_text(json.dumps(history, indent=1, allow_nan=False) + "\n")
    show(history)


def show(history: list[dict[str, Any]]) -> None:
    """Write the last run into the report that the speed page draws from."""
    rows = history[-1]["rows"]
    report = Report("make bench", {**_values(rows), "crowding": f"{history[-1]['crowding']:.2f}"})
    by_name = {row["what"]: row for row in rows}
    report.tables["page"] = Table(
        ["What a visitor waits for", "This demo", "face-api, tiny detector", "face-api, SSD"],
        [[shown, *(_number(by_name[name][page]) for page in PAGES)] for shown, name in SHOWN.items() if name in by_name],
    )
    report.save("speed")


def measure(chromium: BrowserType, address: str, group: Path | None) -> tuple[list[dict[str, Any]], float]:
    """Rows of {what, ours, tiny, ssd}: medians of ROUNDS, ours and theirs in turns, each round in a fresh browser.

    And how the cores were meanwhile: see _crowding.
    """
    crowding = []
    times: dict[str, dict[str, list[float]]] = {}

    def note(what: str, who: str, value: float) -> None:
        times.setdefault(what, {}).setdefault(who, []).append(value)

    for _ in range(ROUNDS):
        for who in PAGES:
            crowding.append(_crowding())
            with tempfile.TemporaryDirectory() as kept:
                with _browser(chromium, kept) as page:
                    visit: Callable[[], float] = partial(_visit, page, address, who)
                    note("cold visit to the first verdict, ms", who, visit())
                    if who == "ours":
                        _until_kept(page)
                    note("second visit to the first verdict, ms", who, visit())
                    for _ in range(LATER):
                        page.wait_for_timeout(SETTLED)
                        later = visit()
                    note("fourth visit to the first verdict, ms", who, later)
                    note("one photo, warm: detect, align, embed, ms", who, _one_photo(page, address, who))
                    for _ in range(DOZENS):
                        later = _one_photo(page, address, who)
                    note("the same, three dozen photos later, ms", who, later)
                with _browser(chromium, kept) as page:
                    visit = partial(_visit, page, address, who)
                    note("visit in a browser started anew, ms", who, visit())
    for who in PAGES:
        with tempfile.TemporaryDirectory() as kept, _browser(chromium, kept) as page:
            sizes = _fetched(page, address, who)
            note("fetched until the first verdict, MB raw", who, sum(sizes.values()) / 1e6)
            note("the same, gzipped, MB", who, sum(_gzipped(url, address) for url in sizes) / 1e6)
            note("requests", who, len(sizes))
        if group:
            with tempfile.TemporaryDirectory() as kept, _browser(chromium, kept) as page:
                milliseconds, faces = _group(page, address, who, group)
                note(f"group photo, {FACES} faces, 1600 x 1200, ms", who, milliseconds)
                note("faces found in it", who, faces)
    return [_row(what, by) for what, by in times.items()], statistics.median(crowding)


def measure_line(chromium: BrowserType, address: str) -> dict[str, Any]:
    """The row of a first visit from the start of the navigation to the first verdict, over a slow line.

    In turns, each time in a fresh browser. The first visit to each page does not count, because the server gzips files then.
    """
    seconds: dict[str, list[float]] = {who: [] for who in PAGES}
    for _ in range(1 + ROUNDS):
        for who in PAGES:
            with tempfile.TemporaryDirectory() as kept, _browser(chromium, kept) as page:
                seconds[who].append(_visit(page, address, who, begun="0") / 1000)
    return _row(SHOWN["first visit over 20 Mbit/s, s"], {who: values[1:] for who, values in seconds.items()})


def _row(what: str, by: dict[str, list[float]]) -> dict[str, Any]:
    return {"what": what, **{who: statistics.median(values) for who, values in by.items()}}


def _crowding() -> float:
    """How many times as long a task on each of two cores takes as one alone.

    1, were each a core by itself. Those of a virtual machine may share a real one at times, which makes 1.4 of this task:
    our page, which computes on two, then loses, and the peer, which computes on one, does not.
    """
    task = partial(zlib.compress, np.random.default_rng(5).bytes(3_000_000), 9)

    def seconds(tasks: int) -> float:
        begun = perf_counter()
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda _: task(), range(tasks)))
        return perf_counter() - begun

    return seconds(2) / seconds(1)


@contextmanager
def _browser(chromium: BrowserType, kept: str) -> Iterator[Page]:
    """A page in a browser that has nothing but what is in the folder `kept`, and leaves there what it keeps."""
    found = find_chromium()
    assert found, "`python -m tests.browser.chromium` installs one"
    context = chromium.launch_persistent_context(
        kept,
        executable_path=found.path,
        args=ARGUMENTS,
        env={"HOME": "/nonexistent", **found.environment},
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(60_000)
    page = context.pages[0]
    page.add_init_script(BY_ITSELF)
    page.wait_for_timeout(OPENED)
    yield page
    context.close()


def _visit(page: Page, address: str, who: str, begun: str = "window.firstScriptAt") -> float:
    """Milliseconds from `begun`, by default the page's first script, to its first verdict.

    By the page's own clock, which is 0 when the navigation starts.
    """
    page.goto(f"{address}ours/demo/" if who == "ours" else f"{address}peer/peer.html?detector={who}", wait_until="commit")
    browser = page.context.new_cdp_session(page)
    for _ in range(600):
        page.wait_for_timeout(100)
        # Not by Playwright's own `evaluate`, which first brings 330 kB of script into the page.
        answer = browser.send("Runtime.evaluate", {"expression": f"window.verdictAt - {begun}"})["result"]
        if answer.get("value"):
            browser.detach()
            return float(answer["value"])
    raise TimeoutError(f"{who}: no verdict within a minute")


def _one_photo(page: Page, address: str, who: str) -> float:
    """Milliseconds from a canvas to the embedding of its face, again and again, with nothing drawn meanwhile."""
    if who != "ours":
        return float(page.evaluate("window.onePhoto()"))
    page.wait_for_timeout(QUIET)
    return float(page.evaluate(ONE_PHOTO, f"{address}ours/"))


def _group(page: Page, address: str, who: str, photo: Path) -> tuple[float, int]:
    if who != "ours":
        _visit(page, address, who)
        answer = page.evaluate("window.group()")
        return answer["milliseconds"], answer["found"]
    for visit in range(2):  # on the second the page may use threads
        page.goto(f"{address}ours/album/")
        page.locator('photo-album[data-engine="ready"]').wait_for()
        page.wait_for_timeout(1500)
        if visit == 0:
            _until_kept(page)
    times = []
    for _ in range(4):
        begun = page.evaluate("performance.now()")
        page.get_by_test_id("album-photos").set_input_files(photo)
        seen = page.wait_for_function(f"() => {ALL_LOOKED_AT} && performance.now()", polling="raf", timeout=60_000)
        times.append(float(seen.json_value()) - begun)
        faces = sum(int(group.get_attribute("data-faces") or 0) for group in page.get_by_test_id("group").all())
        page.get_by_test_id("album-clear").click()
    return statistics.median(times[1:]), faces


def _until_kept(page: Page) -> None:
    """The service worker has the engine."""
    listed = (ROOT / "site" / "service-worker.js").read_text().split("\n")[0].removeprefix("self.FILES = ").rstrip(";")
    files = len(json.loads(listed)["engine"])
    for _ in range(300):
        kept = page.evaluate(
            "async () => { for (const n of await caches.keys()) if (n.startsWith('facelab-engine'))"
            " return (await (await caches.open(n)).keys()).length; return 0 }"
        )
        if kept == files:
            return
        page.wait_for_timeout(100)


def _fetched(page: Page, address: str, who: str) -> dict[str, int]:
    """The bytes of each address that a first visit fetches, the service worker's own left out.

    By workers of the page's own, as Playwright does not see what others ask for.
    """
    sizes = dict[str, int]()

    def count(response: Response) -> None:
        sizes[response.url] = int(response.headers.get("content-length", 0))

    page.on("response", count)
    page.add_init_script("delete globalThis.SharedWorker")
    _visit(page, address, who)
    return sizes


def _gzipped(url: str, address: str) -> int:
    path = _served_root / url.removeprefix(address).split("?")[0]
    path = path / "index.html" if path.is_dir() else path
    return len(gzip.compress(path.read_bytes(), 6)) if path.exists() else 0


_served_root = Path()


@contextmanager
def _served(root: Path, *line: str) -> Iterator[str]:
    """In a process of its own: one that also drives a browser would keep that waiting."""
    global _served_root
    _served_root = root
    command = [sys.executable, "-m", "tests.bench.serve", str(root), *line]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.terminate()


def _group_photo(path: Path) -> Path | None:
    if not (SHARED_DATA / "orl39").is_dir():
        return None
    people = sorted(p for p in (SHARED_DATA / "orl39").iterdir() if p.is_dir())
    people += sorted(p for p in (SHARED_DATA / "lfw100").iterdir() if p.is_dir())
    pixels, _ = compose([(p.name, sorted(p.iterdir())[0]) for p in people[:FACES]], seed=4, sides=(60, 120))
    canvas = np.full((1200, 1600, 3), 128, np.uint8)
    shown = pixels[:1200]
    canvas[: len(shown)] = shown
    Image.fromarray(canvas).save(path)
    return path


def _as_table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = []
    for row in rows:
        ours, tiny, ssd = row["ours"], row["tiny"], row["ssd"]
        body.append([row["what"], _number(ours), _number(tiny), _number(ssd), f"{ours / tiny:.2f}", f"{ours / ssd:.2f}"])
    return {"columns": ["Measured", "Ours", "Theirs, tiny detector", "Theirs, SSD", "Ours / tiny", "Ours / SSD"], "rows": body}


def _values(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["what"]: _number(row["ours"]) for row in rows}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 or value == int(value) else f"{value:.1f}"


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = _as_table(rows)
    for cells in [table["columns"], *table["rows"]]:
        print(f"{cells[0]:46}" + "".join(f"{cell:>22}" for cell in cells[1:]))


if __name__ == "__main__":
    sys.exit(main())
