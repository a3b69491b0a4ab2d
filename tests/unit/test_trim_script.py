"""The page's script of Pyodide has no unused code, works as before, and misses no function (demo/optimise/drop/trim_script.mjs)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ..conftest import ROOT
from ..node import assert_passes

APP = ROOT / "docs" / "app"


def test_under_node() -> None:
    assert_passes(Path(__file__).with_name("trim_script.mjs"))


def test_every_function_that_pyodide_or_a_library_imports_is_there() -> None:
    known = functions_in(ROOT / "demo" / "web" / "node_modules" / "pyodide" / "pyodide.asm.mjs")
    kept = functions_in(APP / "python" / "pyodide.asm.mjs")
    names = "WebAssembly.Module.imports(new WebAssembly.Module(fs.readFileSync(process.argv[1]))).map((entry) => entry.name).join()"
    for file in [*(APP / "pyodide").glob("*.wasm"), *(APP / "python").glob("*.wasm")]:
        done = subprocess.run(["node", "-p", names, str(file)], capture_output=True, text=True, check=True)
        missing = set(done.stdout.strip().split(",")) & known - kept
        assert not missing, f"{file.name}: {missing}"
    assert len(kept) < len(known) / 2


def functions_in(script: Path) -> set[str]:
    (listed,) = re.findall(r"var wasmImports=\{(.*?)\};", script.read_text())
    return {entry.split(":")[0] for entry in listed.split(",")}
