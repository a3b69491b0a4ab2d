"""`python -m tests.browser.guard [ARGUMENTS]`: the browser's tests, on a site whose engine stops at data that was left out.

Two passes leave out data that watched runs did not read (demo/optimise/drop). A read that nobody watched would get zeros or ones,
and an answer could be wrong without a word. In this site such a read stops the engine. test_guard.py asks it about many photos.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..conftest import ROOT
from .conftest import ENGINE_FILES, rebuilt

WHOLE = "ort/ort-wasm-simd-threaded.wasm"


def guarded(folder: Path) -> Path:
    """A copy of the built site with guarded WebAssembly, in a folder that is not there yet.

    It has no whole ONNX Runtime, with which the page would try again where the trimmed one stops.
    """
    with TemporaryDirectory() as made:
        guard = ROOT / "demo" / "optimise" / "observe" / "guard.mjs"
        idle = ROOT / "build" / "optimised" / "ort-idle" / "idle.json"
        subprocess.run(["node", str(guard), str(ENGINE_FILES), str(idle), made], check=True)
        files = {path.relative_to(made).as_posix(): path.read_bytes() for path in Path(made).rglob("*.wasm")}
    return rebuilt(folder, files)


def main() -> int:
    folder = ROOT / "build" / "guarded"
    shutil.rmtree(folder, ignore_errors=True)
    site = guarded(folder)
    tests = [sys.executable, "-m", "pytest", "tests/browser", *sys.argv[1:]]
    return subprocess.run(tests, cwd=ROOT, env={**os.environ, "FACELAB_SITE": str(site)}).returncode


if __name__ == "__main__":
    sys.exit(main())
