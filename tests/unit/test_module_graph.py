"""The rooms keep their doors shut: no module of the pipeline imports an engine or the page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import facelab

MODULES = {path.stem: path for path in Path(facelab.__file__).parent.glob("*.py")}
ENGINES = {"onnxruntime", "onnx", "tensorflow", "keras"}
PAGE = {"js", "pyodide"}
CHAPTERS = ("align", "detect", "embed", "verify", "models", "runtime", "errors", "evaluate")


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Absolute names' first parts; facelab's own modules with a leading dot."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = [node.module] if node.module else [name.name for name in node.names]
            found |= {("." if node.level else "") + part.split(".")[0] for part in parts}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_only_native_knows_the_engine_and_only_browser_the_page(module: str) -> None:
    known = imports(MODULES[module])
    assert not known & ENGINES or module == "native"
    assert not known & PAGE or module == "browser"


@pytest.mark.parametrize("module", CHAPTERS)
def test_chapter_module_needs_nothing_but_numpy_and_its_neighbours(module: str) -> None:
    known = imports(MODULES[module])
    assert not known & {".native", ".browser", ".photos", ".api", ".cli", "PIL"}


def test_package_imports_without_engine_or_page() -> None:
    """What `import facelab` pulls in at once is what the page has: NumPy and the standard library."""
    reached, todo = set(), {"__init__"}
    while todo:
        module = todo.pop()
        reached.add(module)
        known = imports(MODULES[module], top_level_only=True)
        assert not known & (ENGINES | PAGE | {"PIL", "tqdm"}), module
        todo |= {name[1:] for name in known if name.startswith(".") and name[1:] in MODULES} - reached
    assert {"detect", "align", "embed", "verify"} <= reached
