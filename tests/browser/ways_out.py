"""Code for a cell that tries to send something to another server, every way that Python or JavaScript knows."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# {server}: host and port of a server; {app}: the address of the engine's folder. The cell's value: the ways that seemed to work.
CODE = """
import asyncio, js, pyodide, pyodide.http, pyodide_js
from pyodide.ffi import to_js

server = "{server}"
http, ws = "http://" + server + "/", "ws://" + server + "/"
options = lambda **values: to_js(values, dict_converter=js.Object.fromEntries)
module = options(type="module")
blob = js.Blob.new(to_js([f"fetch('{{http}}blob-worker')"]), options(type="text/javascript"))

def xhr(mode):
    request = js.XMLHttpRequest.new()
    request.open("GET", http + "xhr", mode)
    request.send()

def hidden():
    return js.Object.getOwnPropertyDescriptor(js.WorkerGlobalScope.prototype, "caches").get.call(js.self)

ways = dict(
    fetch=lambda: js.fetch(http + "fetch"),
    no_cors=lambda: js.fetch(http + "no-cors", options(mode="no-cors")),
    pyfetch=lambda: pyodide.http.pyfetch(http + "pyfetch"),
    open_url=lambda: pyodide.http.open_url(http + "open-url"),
    xhr=lambda: xhr(False),
    xhr_async=lambda: xhr(True),
    socket=lambda: js.WebSocket.new(ws + "socket"),
    stream=lambda: js.WebSocketStream.new(ws + "stream"),
    events=lambda: js.EventSource.new(http + "events"),
    transport=lambda: js.WebTransport.new("https://" + server + "/transport"),
    scripts=lambda: js.importScripts(http + "scripts"),
    eval_import=lambda: js.eval(f"import('{{http}}eval-import')"),
    function=lambda: js.Function.new(f"return import('{{http}}function')")(),
    timer=lambda: js.setTimeout(f"fetch('{{http}}timer')"),
    run_js=lambda: pyodide.code.run_js(f"fetch('{{http}}run-js')"),
    package=lambda: pyodide_js.loadPackage(http + "package.whl"),
    font=lambda: js.FontFace.new("f", f"url({{http}}font)").load(),
    beacon=lambda: js.navigator.sendBeacon(http + "beacon"),
    worker=lambda: js.Worker.new(http + "worker.js", module),
    blob_worker=lambda: js.Worker.new(js.URL.createObjectURL(blob), module),
    site_worker=lambda: js.Worker.new("{app}web/worker.js", module),
    shared_worker=lambda: js.SharedWorker.new("{app}web/worker.js", module),
    caches=lambda: js.caches.open("facelab"),
    hidden_caches=hidden,
    peer=lambda: js.RTCPeerConnection.new(),
    window=lambda: js.open(http + "window"),
)
worked = []
for name, way in ways.items():
    try:
        answer = way()
        if hasattr(answer, "then") or asyncio.iscoroutine(answer):
            await asyncio.wait_for(answer, 3)
        worked.append(name)
    except BaseException:
        pass
await asyncio.sleep(1)
worked
"""
# They say nothing of their failure at once: whether anything came, the server knows.
SILENT = {"xhr_async", "socket", "stream", "events", "transport", "timer", "package"}


@dataclass
class Recorder:
    """A server that notes what it is asked for, and answers so that anybody may read it."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def recording() -> Iterator[Recorder]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Recorder(f"127.0.0.1:{server.server_port}", asked)
    server.shutdown()
