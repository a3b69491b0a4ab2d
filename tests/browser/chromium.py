"""A Chromium for the tests: the machine's own, or one that is installed without asking a person.

`python -m tests.browser.chromium` makes sure that there is one. Root gets Debian's package; others, and machines
without apt, get the build that the npm package @sparticuz/chromium carries, with the libraries it needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CARRIED = ROOT / "build" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Chromium must not call home: the tests watch every request.
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Chromium:
    """An executable, and the environment that it needs on top of this one."""

    path: str
    environment: dict[str, str]


def find_chromium() -> Chromium | None:
    """The one that CHROMIUM names, else one on the path, else one that `install_chromium` has unpacked."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *NAMES)):
        if path := shutil.which(name):
            return Chromium(path, {})
    if (CARRIED / "chromium").exists():
        libraries = {"LD_LIBRARY_PATH": str(CARRIED / "al2023" / "lib"), "FONTCONFIG_PATH": str(CARRIED / "fonts")}
        return Chromium(str(CARRIED / "chromium"), libraries)
    return None


def may_install() -> bool:
    """Whether Debian's packages can be had."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(*packages: str) -> None:
    """Debian's. Raises CalledProcessError."""
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
    subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages], **quiet)  # type: ignore[call-overload]


def install_chromium() -> None:
    """Raises CalledProcessError where no way works."""
    if may_install():
        install_packages("chromium")
        return
    here = Path(__file__).parent
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=here, check=True)
    CARRIED.mkdir(parents=True, exist_ok=True)
    # The package unpacks beside TMPDIR what it believes a bare server needs: the browser, its libraries, a font.
    bare = {"TMPDIR": str(CARRIED), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x", "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
    unpack = 'import("@sparticuz/chromium").then(({ default: chromium }) => chromium.executablePath())'
    subprocess.run(["node", "-e", unpack], cwd=here, env={**os.environ, **bare}, check=True)


if __name__ == "__main__":
    if not find_chromium():
        print("no Chromium on this machine: installing one for the tests", file=sys.stderr)
        install_chromium()
    if not find_chromium():
        sys.exit("a Chromium is needed for the tests: install one, or name it in CHROMIUM")
