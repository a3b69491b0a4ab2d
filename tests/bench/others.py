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
from functools import partial
from pathlib import Path

from ..browser.others import firefox, missing, webkit
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
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Watching, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{'to the first verdict, ms':24} {'ours':>8} {'tiny':>8} {'ours / tiny':>12}")
        for browser in (firefox, webkit):
            if lacking := missing(browser.__name__):
                print(f"{browser.__name__}: no {' and '.join(lacking)} on this machine")
                continue
            times: dict[tuple[str, str], list[float]] = {}
            for _ in range(ROUNDS):
                for who, path in PAGES.items():
                    with browser() as driven:
                        time.sleep(OPENED / 1000)
                        for visit in ("first", "second"):
                            driven.open(f"http://127.0.0.1:{server.server_port}/{path}")
                            took = driven.wait_for("return window.verdictAt - window.firstScriptAt")
                            times.setdefault((visit, who), []).append(took)
                            time.sleep(read)
            for visit in ("first", "second"):
                ours, tiny = (statistics.median(times[visit, who]) for who in PAGES)
                print(f"{f'{browser.__name__}, {visit} visit':24} {ours:8.0f} {tiny:8.0f} {ours / tiny:12.2f}", flush=True)
        server.shutdown()


if __name__ == "__main__":
    main()
