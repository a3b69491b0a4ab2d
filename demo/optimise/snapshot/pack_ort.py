"""Stores ONNX Runtime's memory with a session of each network in it, so that the page need not make the sessions.

Making sessions takes the page longer than running them, because all the code for it must be compiled to run once. Most of the
memory are the networks' weights, widened to float32. The file holds the whole numbers and steps that the models store, and the page
widens them again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from assemble.inputs import AssembleError

from .seal import seal

PAGE = 1024
DATA_END = 1_000_000  # the data of the wasm file ends here

_Stored = tuple[NDArray[np.float32], NDArray[np.int8]]  # a table's steps and whole numbers


def show_module(script: Path) -> None:
    """ONNX Runtime's script, changed so that it calls two functions, where they are defined.

    `instantiateOnnxRuntime` makes the instance of its WebAssembly, which it otherwise requests itself. `showOnnxRuntime` receives
    its module before ONNX Runtime uses it.
    """
    made = "export default ortWasmThreaded;"
    text = script.read_text()
    if text.count(made) != 1:
        raise AssembleError(f"{script.name} ends in another way than this page's build knows: look for its export")
    show = "async (module) => { await globalThis.showOnnxRuntime?.(module); return module; }"
    asked = "{ ...settings, instantiateWasm: globalThis.instantiateOnnxRuntime }"
    script.write_text(text.replace(made, f"export default (settings) => ortWasmThreaded({asked}).then({show});"))


def pack_memory(made: Path, idle: Path, models: Sequence[Path], out: Path) -> None:
    """Writes ort.memory.gz and ort.json into `out`, of what snapshot/ort.mjs has left in `made`, and drop/idle_heap.mjs in `idle`.

    ort.json: {bytes, idle, mark, page, runs, sessions, tables}. The pages of `idle`, [first, end) each, are all ones. The file
    holds, one after another, the pages of `runs`, then of each table float32 [rows], steps, and int8 [rows, columns], how many
    of them each weight is. The page puts their products, float32 [rows, columns], at `address`.
    """
    memory = bytearray((made / "ort.memory").read_bytes())
    for first, end in json.loads(idle.read_text()):
        memory[first:end] = b"\xff" * (end - first)
    handles = json.loads((made / "ort.handles.json").read_text())
    tables, stored = _take_tables(memory, models)
    runs, ones = _runs(memory, (made / "ort.pristine").read_bytes())
    pages = b"".join(bytes(memory[first * PAGE : end * PAGE]) for first, end in runs)
    weights = b"".join(step.astype("<f4").tobytes() + levels.tobytes() for step, levels in stored)
    told = {
        "bytes": len(memory),
        "idle": ones,
        "mark": seal(pages + weights, out / "ort.memory.gz"),
        "page": PAGE,
        "runs": runs,
        "sessions": handles["sessions"],
        "tables": tables,
    }
    (out / "ort.json").write_text(json.dumps(told, separators=(",", ":"), allow_nan=False))


def _take_tables(memory: bytearray, models: Sequence[Path]) -> tuple[list[dict[str, int]], list[_Stored]]:
    """Where the widened weights of convolutions lie, and what they are made of. In the memory, zeros replace them."""
    tables, stored = [], []
    for model in models:
        arrays: dict[str, Any] = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(model).graph.initializer}
        for name, levels in arrays.items():
            if levels.dtype != np.int8:
                continue
            step = arrays[name.replace("_stored", "_step")]
            widened = (levels.astype(np.float32) * step).tobytes()
            address = memory.find(widened)
            if address < 0 or step.size != len(levels):
                continue  # ONNX Runtime has reordered these, so they stay as they are
            memory[address : address + len(widened)] = bytes(len(widened))
            tables.append({"address": address, "rows": len(levels), "columns": levels.size // len(levels)})
            stored.append((step, levels))
    return tables, stored


def _runs(memory: bytearray, pristine: bytes) -> tuple[list[list[int]], list[list[int]]]:
    """The stretches [first, end) of pages that the page cannot make by itself. Pages that are all ones are separate."""
    runs: list[list[int]] = []
    ones: list[list[int]] = []
    for page in range(len(memory) // PAGE):
        start, end = page * PAGE, (page + 1) * PAGE
        content = memory[start:end]
        if content == (pristine[start:end] if end <= DATA_END else bytes(PAGE)):
            continue
        kind = ones if content == b"\xff" * PAGE else runs
        if kind and kind[-1][1] == page:
            kind[-1][1] += 1
        else:
            kind.append([page, page + 1])
    return runs, ones
