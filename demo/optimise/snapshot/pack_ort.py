"""Stores ONNX Runtime's memory with a session of each network in it, so that the page need not make the sessions.

Making sessions takes the page longer than running them, because all the code for it must be compiled to run once. Most of the
memory are the networks' weights, widened to float32. The file holds the whole numbers and steps that the models store, and the page
widens them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from assemble.inputs import AssembleError

from .seal import seal

PAGE = 1024

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


def pack_memory(made: Path, idle: Sequence[Path], networks: Mapping[str, Path], out: Path) -> None:
    """Writes ort.memory.gz and ort.json into `out`, from what snapshot/ort.mjs left in `made`.

    idle: files of drop/idle_heap.mjs, if any. networks: the models by name, in the order in which their sessions were made.
    ort.json: {bytes, idle, mark, page, runs, sessions, tables}. The pages of `idle`, [first, end) each, are all ones. The file
    holds, one after another, the pages of `runs`, then for each table its steps, float32 [rows], and int8 [rows, columns], how
    many steps each weight is. The page puts their products, float32 [rows, columns], at `address`.
    """
    memory = bytearray((made / "ort.memory").read_bytes())
    for first, end in (stretch for file in idle for stretch in json.loads(file.read_text())):
        memory[first:end] = b"\xff" * (end - first)
    addresses = json.loads((made / "ort.json").read_text())["sessions"]
    tables, stored = _take_tables(memory, networks.values())
    runs, ones = _runs(memory, (made / "ort.loaded").read_bytes(), (made / "ort.started").read_bytes())
    pages = b"".join(bytes(memory[first * PAGE : end * PAGE]) for first, end in runs)
    weights = b"".join(step.astype("<f4").tobytes() + levels.tobytes() for step, levels in stored)
    told = {
        "bytes": len(memory),
        "idle": ones,
        "mark": seal(pages + weights, out / "ort.memory.gz"),
        "page": PAGE,
        "runs": runs,
        "sessions": dict(zip(networks, addresses, strict=True)),
        "tables": tables,
    }
    (out / "ort.json").write_text(json.dumps(told, separators=(",", ":"), allow_nan=False))


def _take_tables(memory: bytearray, models: Iterable[Path]) -> tuple[list[dict[str, int]], list[_Stored]]:
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


def _runs(memory: bytearray, loaded: bytes, started: bytes) -> tuple[list[list[int]], list[list[int]]]:
    """The stretches [first, end) of pages that the page cannot make, and those of pages that are all ones.

    A page is left out where it is as the file brings it, and ONNX Runtime's start leaves it so. Browsers may start it in another
    way than Node does, so everything that the start changes is in the file.
    """
    runs: list[list[int]] = []
    ones: list[list[int]] = []
    for page in range(len(memory) // PAGE):
        part = slice(page * PAGE, (page + 1) * PAGE)
        content = memory[part]
        if content == loaded[part].ljust(PAGE, b"\0") == started[part].ljust(PAGE, b"\0"):
            continue
        kind = ones if content == b"\xff" * PAGE else runs
        if kind and kind[-1][1] == page:
            kind[-1][1] += 1
        else:
            kind.append([page, page + 1])
    return runs, ones
