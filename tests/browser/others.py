"""Firefox and WebKit, which readers have besides Chromium: as much of a driver as it takes to open a page and to ask it things.

Playwright's own builds come first (`playwright install firefox webkit`), which Playwright drives. Debian's understand WebDriver's
commands: WebKit over HTTP, Firefox over a socket (Marionette). `python -m tests.browser.others` installs Debian's for root.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import BrowserType, Page, sync_playwright

from .chromium import install_packages, may_install

# Debian's packages, by browser and by the program that they bring.
PACKAGES = {
    "firefox": {"firefox-esr": "firefox-esr"},
    "webkit": {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"},
}
PATIENCE = 60.0  # seconds for a browser to start, and for a page to do what it is asked

Command = Callable[[str, dict[str, Any]], Any]


class Driven:
    """A browser with one tab. `run`: takes a script and its arguments, and gives the answer."""

    def __init__(self, open_address: Callable[[str], object], run: Callable[[str, list[object]], Any]) -> None:
        self._open, self._run = open_address, run

    def open(self, address: str) -> None:
        self._open(address)

    def run(self, script: str, *values: object) -> Any:
        """What the body of a function returns, which has the values as `arguments`."""
        return self._run(script, list(values))

    def wait_for(self, script: str, *values: object) -> Any:
        """The first answer that is true. Raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if answer := self.run(script, *values):
                return answer
            time.sleep(0.1)
        raise TimeoutError(script)


def whose(browser: str, built: Path, path: str | None = None) -> Literal["Playwright", "Debian"] | None:
    """Whose build of a browser to take: Playwright's if its executable is at `built`, else Debian's if its programs are there."""
    if built.exists():
        return "Playwright"
    return None if missing(browser, path) else "Debian"


def missing(browser: str, path: str | None = None) -> list[str]:
    """Programs of Debian's build that are not on the path."""
    return [program for program in PACKAGES[browser] if not shutil.which(program, path=path)]


def must_be_there() -> bool:
    """Whether this machine has to have both browsers: GitHub's workflow installs them before the tests, and root gets Debian's."""
    return bool(os.environ.get("CI")) or may_install()


@contextmanager
def driven(kind: BrowserType) -> Iterator[Driven | None]:
    """Firefox or WebKit, or None where there is no build of it."""
    match whose(kind.name, Path(kind.executable_path)):
        case "Playwright":
            with kind.launch() as browser:
                yield by_playwright(browser.new_page())
        case "Debian":
            with {"firefox": _firefox, "webkit": _webkit}[kind.name]() as debians:
                yield debians
        case None:
            yield None


def by_playwright(page: Page) -> Driven:
    def run(script: str, values: list[object]) -> Any:
        return page.evaluate(f"(values) => (function () {{ {script}\n}}).apply(null, values)", values)

    return Driven(page.goto, run)


def _by_webdriver(command: Command, navigate: str, execute: str) -> Driven:
    """`command`: takes a command of WebDriver's and its parameters, and gives the answer."""

    def run(script: str, values: list[object]) -> Any:
        return command(execute, {"script": script, "args": values})

    return Driven(lambda address: command(navigate, {"url": address}), run)


@contextmanager
def _firefox() -> Iterator[Driven]:
    with tempfile.TemporaryDirectory() as profile:
        Path(profile, "user.js").write_text('user_pref("marionette.port", 0);\n')  # any that is free
        command = ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", profile]
        with _running(command, {"HOME": profile}):
            told = Path(profile, "MarionetteActivePort")
            _until(told.exists)
            with socket.create_connection(("127.0.0.1", int(told.read_text())), timeout=PATIENCE) as wire:
                marionette = _Marionette(wire)
                marionette.command("WebDriver:NewSession", {})
                yield _by_webdriver(marionette.command, "WebDriver:Navigate", "WebDriver:ExecuteScript")


class _Marionette:
    """Messages of JSON, each after its length and a colon."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire, self._file, self._asked = wire, wire.makefile("rb"), 0
        self._next()  # it introduces itself

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        self._asked += 1
        message = json.dumps([0, self._asked, name, parameters]).encode()
        self._wire.sendall(f"{len(message)}:".encode() + message)
        _, _, error, answer = self._next()
        if error:
            raise RuntimeError(f"{name}: {error['message']}")
        return answer.get("value") if isinstance(answer, dict) else answer

    def _next(self) -> Any:
        length = b""
        while (digit := self._file.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox is gone")
            length += digit
        return json.loads(self._file.read(int(length)))


@contextmanager
def _webkit() -> Iterator[Driven]:
    """WebKitGTK's small browser, on a screen that nobody sees."""
    with tempfile.TemporaryDirectory() as home, _screen() as display:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with _running(["WebKitWebDriver", f"--port={port}"], {"HOME": home, "DISPLAY": display}):

            def command(path: str, parameters: dict[str, Any]) -> Any:
                asked = urllib.request.Request(f"http://127.0.0.1:{port}/session{path}", json.dumps(parameters).encode())
                with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                    return json.load(answer)["value"]

            _until(lambda: _listens(port))
            session = command("", {"capabilities": {}})["sessionId"]
            yield _by_webdriver(command, f"/{session}/url", f"/{session}/execute/sync")


@contextmanager
def _screen() -> Iterator[str]:
    """The name of a display."""
    told, tells = os.pipe()
    with _running(["Xvfb", "-displayfd", str(tells), "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {}, tells):
        os.close(tells)
        with os.fdopen(told) as number:
            yield f":{number.readline().strip()}"


@contextmanager
def _running(command: list[str], environment: dict[str, str], *handed: int) -> Iterator[None]:
    """A program and whatever it starts, until the end of the block."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    program = subprocess.Popen(command, env={**os.environ, **environment}, pass_fds=handed, **quiet)  # type: ignore[call-overload]
    try:
        yield
    finally:
        os.killpg(program.pid, 15)
        program.wait()
        time.sleep(0.5)  # what it has started may still be writing into its folder


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the browser does not start")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    with sync_playwright() as playwright:
        kinds = [kind for kind in (playwright.firefox, playwright.webkit) if not whose(kind.name, Path(kind.executable_path))]
        packages = [PACKAGES[kind.name][program] for kind in kinds for program in missing(kind.name)]
    if packages and may_install():
        print(f"installing {', '.join(packages)} for the tests", file=sys.stderr)
        install_packages(*packages)


if __name__ == "__main__":
    main()
