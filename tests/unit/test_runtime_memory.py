"""What the page takes up: ONNX Runtime's memory comes back whole, its trimmed file differs in functions alone, Python's adds up."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assemble.inputs import AssembleError
from optimise.snapshot.pack_ort import PAGE, pack_memory, show_module

from ..conftest import ROOT
from ..wasm_file import CODE, bodies, leb, sections

APP = ROOT / "docs" / "app"
UNREACHABLE = bytes([3, 0, 0, 0x0B])


def model_with(levels: NDArray[np.int8], step: NDArray[np.float32], path: Path) -> Path:
    tensors = [numpy_helper.from_array(levels, "w_stored"), numpy_helper.from_array(step, "w_step")]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, levels.shape)
    nodes = [helper.make_node("Cast", ["w_stored"], ["c"], to=1), helper.make_node("Mul", ["c", "w_step"], ["y"])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [out], tensors)), path)
    return path


def test_memory_comes_back_whole(tmp_path: Path) -> None:
    """As the page does it: pages laid, weights widened, ones where nobody reads; nothing that the wasm file brings."""
    random = np.random.default_rng(3)
    levels = random.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    levels[0, 0, 0, 0] = -127
    step = random.random((4, 1, 1, 1)).astype(np.float32)
    model = model_with(levels, step, tmp_path / "model.onnx")
    data = 1_000_000
    memory = bytearray(2 * data // PAGE * PAGE)
    loaded = bytes(random.integers(0, 256, data // 2, dtype=np.uint8))
    memory[: len(loaded)] = loaded
    started = bytearray(memory)
    started[20 * PAGE] ^= 1  # a page that the start changes is in the file, even if it is as it was
    memory[500:504] = b"here"
    weights, address = (levels.astype(np.float32) * step).tobytes(), data + 4 * 1234
    memory[address : address + len(weights)] = weights
    memory[-3:] = b"end"
    idle = data + 300_001, data + 304_000
    memory[slice(*idle)] = random.bytes(idle[1] - idle[0])
    made = tmp_path / "made"
    made.mkdir()
    (made / "ort.memory").write_bytes(memory)
    (made / "ort.loaded").write_bytes(loaded)
    (made / "ort.started").write_bytes(started)
    (made / "ort.json").write_text(json.dumps({"sessions": [8]}))
    (made / "idle.json").write_text(json.dumps([idle]))
    pack_memory(made, [made / "idle.json"], {"net": model}, tmp_path)
    memory[slice(*idle)] = b"\xff" * (idle[1] - idle[0])

    told = json.loads((tmp_path / "ort.json").read_text())
    file = gzip.decompress((tmp_path / "ort.memory.gz").read_bytes())
    laid, at = started, 0  # or whatever a browser’s start has made of it
    for first, end in told["runs"]:
        length = (end - first) * told["page"]
        laid[first * told["page"] : end * told["page"]] = file[at : at + length]
        at += length
    for first, end in told["idle"]:
        laid[first * told["page"] : end * told["page"]] = b"\xff" * (end - first) * told["page"]
    (table,) = told["tables"]
    rows, columns = table["rows"], table["columns"]
    steps = np.frombuffer(file, "<f4", rows, at)
    stored = np.frombuffer(file, np.int8, rows * columns, at + 4 * rows).reshape(rows, columns)
    laid[table["address"] : table["address"] + 4 * stored.size] = (stored * steps[:, None]).astype("<f4").tobytes()
    assert laid == memory
    assert told["mark"] == file[-16:].hex() == hashlib.sha256(file[:-16]).hexdigest()[:32]
    assert told["sessions"] == {"net": 8}
    assert len(file) < 10 * PAGE, "only what the page does not have by itself"


def test_script_that_ends_otherwise_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "ort.mjs"
    script.write_text("export default somethingElse;")
    with pytest.raises(AssembleError, match="look for its export"):
        show_module(script)


def test_trimmed_file_differs_in_bodies_of_functions_alone() -> None:
    """Tables, exports and data as they were, and indices: so addresses in the memory mean the same in both."""
    whole, trimmed = (sections((APP / "ort" / f"ort-wasm-simd-threaded{suffix}.wasm").read_bytes()) for suffix in ("", "-trimmed"))
    grown = (1, 3, 6)  # types, functions and globals, for what was moved out of large functions
    assert whole.keys() == trimmed.keys()
    assert all(data == trimmed[kind] for kind, data in whole.items() if kind not in (CODE, *grown))
    assert all(trimmed[kind][leb(trimmed[kind], 0)[1] :].startswith(whole[kind][leb(whole[kind], 0)[1] :]) for kind in grown)
    before, after = bodies(whole[CODE]), bodies(trimmed[CODE])
    kept = sum(a == b for a, b in zip(before, after, strict=False))
    changed = [(a, b) for a, b in zip(before, after, strict=False) if b not in (a, UNREACHABLE)]
    shortened = [(a, b) for a, b in changed if len(b) < len(a)]
    assert 1000 < kept < len(before) / 2
    huge = [(a, b) for a, b in shortened if len(a) > 32768]
    assert 0 < len(huge) < 10
    assert all(len(b) < len(a) / 2 for a, b in huge)
    assert len(shortened) < len(huge) + 14, "of the others, only those that run often"
    assert len(changed) == len(shortened)


def test_pythons_memory_adds_up() -> None:
    told = json.loads((APP / "python" / "python.json").read_text())
    pages = sum(end - first for first, end in told["runs"])
    file = gzip.decompress((APP / "python" / "python.memory.gz").read_bytes())
    assert len(file) == pages * told["page"] + 16
    assert told["mark"] == file[-16:].hex() == hashlib.sha256(file[:-16]).hexdigest()[:32]
    assert all(first >= before for (_, before), (first, _) in zip(told["runs"], told["runs"][1:], strict=False))
    assert told["runs"][-1][1] * told["page"] <= told["bytes"]
    files = {path.name for path in (APP / "python").glob("*.wasm") if not path.stem.endswith("_rest")}
    assert {library["file"] for library in told["libraries"]} == files
