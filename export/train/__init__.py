"""Training an embedder: with the triplet loss on a folder a person, or on a teacher's answers to photos without names.

`python -m export.train DIR --out FILE.keras`. Networks, losses and the training step are Keras 3 with `keras.ops`, so that
TensorFlow, JAX or PyTorch can do the work (KERAS_BACKEND); everything around them is NumPy.
"""
