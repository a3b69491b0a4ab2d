"""Trained weights -> Keras -> ONNX: one module a network, the pixel front ends, and the manifest.

`python -m export` writes `build/models/*.onnx` and `build/models/models.json`.
"""

import facelab  # ahead of onnxruntime: see its docstring

__all__ = ["facelab"]
