"""Puts everything that the pages load into docs/app: models, Pyodide, NumPy, facelab's wheel, onnxruntime-web, samples, the bundle.

`python -m assemble`, called by make. MkDocs (or any other site generator) then only copies files.
"""
