import facelab  # ahead of onnxruntime: see its docstring

__all__ = ["facelab"]
