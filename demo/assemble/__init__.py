"""Puts everything that the pages load into docs/app: models, Pyodide, NumPy, facelab's wheel, ONNX Runtime, samples, the scripts.

`python -m assemble`, called by make. MkDocs (or any other site generator) then only copies files.
"""
