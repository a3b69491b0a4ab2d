"""`python -m tests.bench.memory [SITE ...]`: how much memory the whole browser takes, on Linux; several built sites in turns.

The sum over all of Chromium's processes, each with what it has alone and its share of what it has with others (PSS).
"""

from __future__ import annotations

import os
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from ..browser.chromium import ARGUMENTS, find_chromium
from ..browser.conftest import served
from ..conftest import ROOT

ROUNDS = 3
SETTLED = 10_000  # milliseconds in which a page has done what it does after an answer


def main() -> None:
    sites = [Path(site) for site in sys.argv[1:]] or [ROOT / "site"]
    found = find_chromium()
    assert found, "`python -m tests.browser.chromium` installs one"
    taken: dict[Path, list[dict[str, float]]] = {site: [] for site in sites}
    with sync_playwright() as playwright:
        for _ in range(ROUNDS):
            for site in sites:
                environment: dict[str, str | float | bool] = {"HOME": "/nonexistent", **found.environment}
                browser = playwright.chromium.launch(executable_path=found.path, args=ARGUMENTS, env=environment)
                with served(built=site) as address:
                    taken[site].append(dict(measure(browser, address)))
                browser.close()
    for site, rounds in taken.items():
        for when in rounds[0]:
            print(f"{site!s:24} {when:32} {statistics.median(megabytes[when] for megabytes in rounds):6.0f} MB")


def measure(browser: Browser, address: str) -> Iterator[tuple[str, float]]:
    """Megabytes that a new browser takes at some moments of a visit."""
    page = browser.new_page()
    page.wait_for_timeout(SETTLED)
    yield "blank page", megabytes_of_chromium()
    page.goto(address + "demo/")
    page.get_by_test_id("sample-0").click()
    page.locator('[data-testid="verdict"][data-verdict="same"]').wait_for()
    page.wait_for_timeout(SETTLED)
    yield "demo, after a verdict", megabytes_of_chromium()
    page.goto(address + "roll-call/")
    page.get_by_test_id("try-samples").click()
    page.locator('[data-testid="entry"][data-presence="present"]').first.wait_for()
    page.wait_for_timeout(SETTLED)
    yield "roll call, after a group photo", megabytes_of_chromium()


def megabytes_of_chromium() -> float:
    """Of the processes that this one has started, by way of Playwright."""
    browsers = (pid for pid in _descendants(os.getpid()) if "chrom" in Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0])
    return sum(map(_proportional_kilobytes, browsers)) / 1000


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _descendants(child)


def _proportional_kilobytes(pid: int) -> int:
    [size] = re.findall(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(size)


if __name__ == "__main__":
    main()
