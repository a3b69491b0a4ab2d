"""Weights in fewer bits: how far from the full ones, on tables made for it."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.compact import LEVELS, Stored, compacted, quantised


def model(weights: NDArray[np.float32]) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, weights.shape[1], 9, 9])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, weights.shape[0], 7, 7])]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])], "one", inputs, outputs, [numpy_helper.from_array(weights, "w")]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def answers(made: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    y: NDArray[np.float32] = session.run(None, {"x": x})[0]
    return y


@pytest.mark.parametrize(("stored", "share", "error"), [("float16", 0.52, 1e-3), ("int8", 0.3, 2e-2)])
def test_answers_stay_near_and_the_file_shrinks(stored: Stored, share: float, error: float) -> None:
    random = np.random.default_rng(1)
    weights = random.normal(0, 0.1, (32, 24, 3, 3)).astype(np.float32)
    x = random.normal(0, 1, (1, 24, 9, 9)).astype(np.float32)
    full = model(weights)
    small = compacted(full, stored)
    assert small.ByteSize() < share * full.ByteSize()
    a, b = answers(full, x), answers(small, x)
    assert np.abs(a - b).max() < error * np.abs(a).max()


def test_each_channel_has_a_step_of_its_own() -> None:
    """A channel of large weights does not make one of small ones coarse."""
    weights = np.random.default_rng(2).normal(0, 1, (2, 500)).astype(np.float32) * np.array([[1], [0.001]], np.float32)
    levels, step = quantised(weights, axis=0)
    assert step.shape == (2, 1)
    assert (np.abs(levels * step - weights) <= 0.02 * np.abs(weights).max(axis=1, keepdims=True)).mean() > 0.99


def test_a_few_outliers_are_cut_off_where_that_makes_all_others_finer() -> None:
    weights = np.random.default_rng(3).normal(0, 1, (1, 100_000)).astype(np.float32)
    weights[0, 0] = 8
    levels, step = quantised(weights, axis=0)
    assert step[0, 0] * LEVELS < 8
    assert levels.max() == LEVELS


def test_a_table_of_zeros_stays_zero() -> None:
    levels, step = quantised(np.zeros((4, 600), np.float32), axis=0)
    assert not (levels * step).any()


def test_the_full_model_is_not_touched() -> None:
    full = model(np.ones((32, 24, 3, 3), np.float32))
    before = full.SerializeToString()
    compacted(full, "int8")
    assert full.SerializeToString() == before
