"""`python -m tests.bench.serve FOLDER`: the folder on some port of this machine, which is printed; until it is ended."""

from __future__ import annotations

import http.server
import sys
from functools import partial

from ..browser.conftest import SiteHandler


class Handler(SiteHandler):
    prefix = ""
    protocol_version = "HTTP/1.1"  # a connection serves many files
    disable_nagle_algorithm = True  # or a file's last packet waits 40 ms for the browser to say that it has the one before


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
