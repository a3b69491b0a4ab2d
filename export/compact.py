"""Makes smaller files for the page: the same graph, with its large tables stored in fewer bits.

Half precision halves a file without any visible change. Whole numbers, with a step for each output channel, quarter it; tests on
real photos show what that costs. Computation stays in float32: the tables are widened (Cast, Mul) by operations on constants, which
ONNX Runtime folds once, when it loads the graph.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Stored = Literal["float16", "int8"]

LEVELS = 127  # the largest whole number; with 63, a file packs an eighth smaller, but MobileFaceNet's error doubles
SMALLEST = 2000  # the fewest numbers in a table: smaller tables stay as they are
SHRINK = np.linspace(0.6, 1, 21)  # candidates for the step, as shares of the full range


def compacted(model: onnx.ModelProto, stored: Stored) -> onnx.ModelProto:
    """A copy of a model in which the weights of convolutions and matrix products are stored in fewer bits."""
    compact = onnx.ModelProto()
    compact.CopyFrom(model)
    graph = compact.graph
    used_by = {tensor: node.op_type for node in graph.node for tensor in node.input}
    widening: list[onnx.NodeProto] = []
    for table in list(graph.initializer):
        numbers = numpy_helper.to_array(table)
        if numbers.dtype != np.float32 or numbers.size < SMALLEST or used_by.get(table.name) not in ("Conv", "MatMul", "Gemm"):
            continue
        name = table.name
        graph.initializer.remove(table)
        if stored == "float16":
            graph.initializer.append(numpy_helper.from_array(numbers.astype(np.float16), f"{name}_stored"))
            widening.append(helper.make_node("Cast", [f"{name}_stored"], [name], f"{name}_widen", to=onnx.TensorProto.FLOAT))
            continue
        levels, step = quantised(numbers, axis=0 if used_by[name] == "Conv" else 1)
        graph.initializer.append(numpy_helper.from_array(levels, f"{name}_stored"))
        graph.initializer.append(numpy_helper.from_array(step, f"{name}_step"))
        widening.append(
            helper.make_node("Cast", [f"{name}_stored"], [f"{name}_levels"], f"{name}_widen", to=onnx.TensorProto.FLOAT)
        )
        widening.append(helper.make_node("Mul", [f"{name}_levels", f"{name}_step"], [name], f"{name}_scale"))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*widening, *nodes])
    onnx.checker.check_model(compact, full_check=True)
    return compact


def quantised(numbers: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers from -LEVELS to LEVELS and, for each slice along `axis`, the step they are multiples of.

    The step has the least squared error: cutting off a few outliers makes all other numbers finer.
    """
    others = tuple(i for i in range(numbers.ndim) if i != axis)
    full = np.maximum(np.abs(numbers).max(axis=others, keepdims=True), 1e-12) / LEVELS
    best, least = full, np.full(full.shape, np.inf)
    for share in SHRINK:
        step = full * share
        error = ((np.clip(np.round(numbers / step), -LEVELS, LEVELS) * step - numbers) ** 2).sum(axis=others, keepdims=True)
        best, least = np.where(error < least, step, best), np.minimum(error, least)
    step = best.astype(np.float32)
    return np.clip(np.round(numbers / step), -LEVELS, LEVELS).astype(np.int8), step
