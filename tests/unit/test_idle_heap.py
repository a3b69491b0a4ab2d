"""Of ONNX Runtime's heap, the page leaves out what its networks never read (demo/optimise/drop/idle_heap.mjs)."""

from __future__ import annotations

import json

from ..conftest import ROOT


def test_most_of_the_heap_besides_weights_is_idle() -> None:
    described = json.loads((ROOT / "docs" / "app" / "ort" / "ort.json").read_text())
    pages = {kind: sum(end - first for first, end in described[kind]) for kind in ("runs", "idle")}
    assert pages["idle"] * described["page"] > 3e6
    assert pages["runs"] * described["page"] < 5e6
