"""Trains an embedder: with the triplet loss on named photos, or on a teacher's answers to photos without names.

`python -m export.train DIR --out FILE.keras` starts it. Networks, losses and the training step use only Keras 3 and `keras.ops`,
so that TensorFlow, JAX or PyTorch can do the work (KERAS_BACKEND). Everything around them is NumPy.
"""
