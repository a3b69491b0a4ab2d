"""`python -m tests.bench.builds ROUNDS SITE...`: first visits to the demo of several built sites, in turns, beside the peer's.

Each visit has a fresh browser. For each site: the median and the fastest visit, in milliseconds from the page's first script to the
verdict, and the median of the processor time that all of the browser's processes took until then.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from . import page as bench

PEER = "tiny"
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    rounds, sites = int(sys.argv[1]), [Path(site).resolve() for site in sys.argv[2:]]
    names = [*(f"{number} {site.parent.name}" for number, site in enumerate(sites)), PEER]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        bench.lay_out(Path(folder))
        for number, site in enumerate(sites):
            (Path(folder) / str(number)).symlink_to(site)
        with bench._served(Path(folder)) as address:
            for turn in range(rounds):
                for number in list(range(len(names)))[:: 1 if turn % 2 else -1]:
                    url = f"{address}{number}/demo/" if number < len(sites) else f"{address}peer/peer.html?detector={PEER}"
                    with tempfile.TemporaryDirectory() as kept, bench._browser(playwright.chromium, kept) as page:
                        times[names[number]].append(_visit(page, url))
    for name, visits in times.items():
        wall, processor = zip(*visits, strict=True)
        print(f"{name:24} {statistics.median(wall):6.0f} {min(wall):6.0f} {statistics.median(processor):6.0f}")
    return 0


def _visit(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds of a first visit, and of processor time until then."""
    before = _processor_time()
    page.goto(url, wait_until="commit")
    browser = page.context.new_cdp_session(page)
    for _ in range(1500):
        page.wait_for_timeout(40)
        answer = browser.send("Runtime.evaluate", {"expression": "window.verdictAt - window.firstScriptAt"})["result"]
        if answer.get("value"):
            after = _processor_time()
            return float(answer["value"]), sum(1000 / TICKS * (ticks - before.get(process, 0)) for process, ticks in after.items())
    raise TimeoutError(f"{url}: no verdict within a minute")


def _processor_time() -> dict[int, int]:
    """Ticks of each process below this one."""
    parents, ticks = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue  # it has ended
        parents[int(entry.name)], ticks[int(entry.name)] = int(fields[1]), int(fields[11]) + int(fields[12])

    def is_ours(process: int) -> bool:
        while process > 1:
            process = parents.get(process, 0)
            if process == os.getpid():
                return True
        return False

    return {process: count for process, count in ticks.items() if is_ours(process)}


if __name__ == "__main__":
    sys.exit(main())
