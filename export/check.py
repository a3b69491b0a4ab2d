"""Checks each conversion when it is made: Keras against ONNX on a real photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from .convert import Network
from .errors import ExportError

TOLERANCE = 1e-4


def check_conversion(
    name: str, network: Network, front: onnx.ModelProto, merged: onnx.ModelProto, inputs: Mapping[str, NDArray[Any]]
) -> float:
    """The largest absolute difference between the Keras network and the merged graph, over all outputs.

    Both see the same photo; the front end alone makes the pixels for Keras. Raises ExportError above 1e-4.
    """
    (pixels,) = _session(front).run(["x"], dict(inputs))
    expected = network(np.moveaxis(pixels, 1, -1))
    outputs = [o.name for o in merged.graph.output][: len(expected)]
    actual = _session(merged).run(outputs, dict(inputs))
    difference = max(float(np.abs(np.asarray(e) - a).max()) for e, a in zip(expected, actual, strict=True))
    if not difference <= TOLERANCE:
        raise ExportError(f"{name}: Keras and ONNX differ by {difference:.1e}, more than {TOLERANCE:.0e}: the conversion is wrong")
    return difference


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
