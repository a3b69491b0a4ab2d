"""`python -m tests.bench.serve FOLDER`: the folder on some port of this machine, which is printed; until it is ended.

With `--megabits 20 --latency 40` all requests share one line of 20 Mbit/s, and each answer begins 40 ms after its request. Files
that become smaller are gzipped, as GitHub Pages does.
"""

from __future__ import annotations

import argparse
import gzip
import http.server
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from ..browser.conftest import SiteHandler

PACKED = (".gz", ".jpg", ".png", ".webp", ".woff2")  # gzip makes no smaller
PART = 1 << 14  # bytes that one answer sends before another has its turn


class Handler(SiteHandler):
    prefix = ""
    protocol_version = "HTTP/1.1"  # a connection serves many files
    disable_nagle_algorithm = True  # or a file's last packet waits 40 ms for the browser to say that it has the one before


@dataclass
class Line:
    """The one line of a visitor, which carries the bytes of all answers in turns."""

    megabits: float  # a second
    latency: float  # milliseconds
    _free_at: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        time.sleep(self.latency / 1e3)

    def carry(self, count: int) -> None:
        """Returns when so many more bytes have passed."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + count * 8 / (self.megabits * 1e6)
            free_at = self._free_at
        time.sleep(max(0, free_at - time.monotonic()))


class SlowHandler(Handler):
    def __init__(self, *args: object, line: Line, **options: object) -> None:
        self._line = line
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # noqa: N802
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        self._line.wait()
        if not path.is_file():
            self.send_error(404)
            return
        body, gzipped = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if gzipped:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(ConnectionError):  # the browser has left
            for start in range(0, len(body), PART):
                part = body[start : start + PART]
                self._line.carry(len(part))
                self.wfile.write(part)


@cache
def packed(path: Path) -> tuple[bytes, bool]:
    """What is sent of a file, and whether that is gzipped."""
    content = path.read_bytes()
    gzipped = content if path.suffix in PACKED else gzip.compress(content, 6)
    return (gzipped, True) if len(gzipped) < len(content) else (content, False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--megabits", type=float, help="of a line that all requests share; by default nothing is slowed down")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds before each answer on that line")
    asked = parser.parse_args()
    handler = partial(SlowHandler, line=Line(asked.megabits, asked.latency)) if asked.megabits else Handler
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=asked.folder))
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
