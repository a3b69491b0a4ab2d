"""`python -m tests.bench.others [SECONDS]`: two visits in Firefox and WebKit, ours beside the peer's, in turns. It gates nothing.

SECONDS: between the first visit's verdict and the second visit.
"""

from __future__ import annotations

import http.server
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from playwright.sync_api import BrowserType, sync_playwright

from ..browser.others import driven
from .page import BY_ITSELF, OPENED, ROUNDS, lay_out
from .serve import Handler

PAGES = {"ours": "ours/demo/", "tiny": "peer/peer.html?detector=tiny"}
READ = 10.0  # seconds that somebody stays on a page, unless told otherwise: ours does its chores in the first six


class _Watching(Handler):
    """Puts the script that watches before all others of a page."""

    def do_GET(self) -> None:  # noqa: N802
        page = Path(self.translate_path(self.path))
        page = page / "index.html" if page.is_dir() else page
        if page.suffix == ".html":
            before, doctype, after = page.read_text().partition("<!doctype html>")
            self._answer(f"{before}{doctype}<script>{BY_ITSELF}</script>{after}".encode())
        else:
            super().do_GET()

    def _answer(self, html: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(html)))
        self.end_headers()
        self.wfile.write(html)


def main() -> None:
    read = float(sys.argv[1]) if len(sys.argv) > 1 else READ
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lay_out(Path(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Watching, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{'to the first verdict, ms':24} {'ours':>8} {'tiny':>8} {'ours / tiny':>12}")
        for kind in (playwright.firefox, playwright.webkit):
            times: dict[tuple[str, str], list[float]] = {}
            for _ in range(ROUNDS):
                for who, path in PAGES.items():
                    for visit, took in _visits(kind, f"http://127.0.0.1:{server.server_port}/{path}", read):
                        times.setdefault((visit, who), []).append(took)
            for visit in ("first", "second") if times else ():
                ours, tiny = (statistics.median(times[visit, who]) for who in PAGES)
                print(f"{f'{kind.name}, {visit} visit':24} {ours:8.0f} {tiny:8.0f} {ours / tiny:12.2f}", flush=True)
        server.shutdown()


def _visits(kind: BrowserType, address: str, read: float) -> Iterator[tuple[str, float]]:
    """Two in a fresh browser, and how long each waited for its verdict, in milliseconds; none where there is no such browser."""
    with driven(kind) as browser:
        if not browser:
            return
        time.sleep(OPENED / 1000)
        for visit in ("first", "second"):
            browser.open(address)
            yield visit, browser.wait_for("return window.verdictAt - window.firstScriptAt")
            time.sleep(read)


if __name__ == "__main__":
    main()
