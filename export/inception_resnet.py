"""Inception-ResNet-v1 for faces of 160 x 160 pixels: the network of davidsandberg/facenet, whose weights many people have.

Szegedy, Ioffe, Vanhoucke and Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", 2016,
arXiv:1602.07261, figures 7 and 10 to 15 and table 1. The FaceNet paper itself used older networks (arXiv:1503.03832, section 3.3).

Where davidsandberg/facenet differs from the paper, this module follows it: chips of 160 pixels, not 299 (so 17 x 17, 8 x 8 and 3 x
3 cells where the paper has 35, 17 and 8), a sixth block of the last kind without ReLU, and a bottleneck of 128 or 512 numbers in
place of classes. Layers have the names of `facenet_keras.h5`, so that weights find them by name; a convolution's name ends with its
rows x columns.
"""

from __future__ import annotations

from typing import Any

import keras

SIDE = 160

# What a block's branches add is scaled down, because training is unstable otherwise (section 3.3 of the paper: by 0.1 to 0.3).
SCALE_35, SCALE_17, SCALE_8 = 0.17, 0.10, 0.20


def build_inception_resnet(dimensions: int = 128, dropout: float = 0.2) -> Any:
    """The network as a Keras model: standardised chips [N, 160, 160, 3] float32 -> embeddings [N, dimensions], not of unit length.

    It has 22,808,144 parameters with 128 dimensions, and 23,497,424 with 512. dropout: the share of the pooled numbers that
    training leaves out.
    """
    chips = keras.Input((SIDE, SIDE, 3), name="chips")
    x = stem(chips)
    for number in range(1, 6):
        x = block35(x, f"Block35_{number}")
    x = reduction_a(x)
    for number in range(1, 11):
        x = block17(x, f"Block17_{number}")
    x = reduction_b(x)
    for number in range(1, 6):
        x = block8(x, f"Block8_{number}")
    x = block8(x, "Block8_6", scale=1.0, relu=False)
    return keras.Model(chips, head(x, dimensions, dropout), name="inception_resnet_v1")


def stem(x: Any) -> Any:
    """Figure 14: [N, 160, 160, 3] -> [N, 17, 17, 256]."""
    x = convolution(x, "Conv2d_1a_3x3", 32, stride=2)
    x = convolution(x, "Conv2d_2a_3x3", 32, padding="valid")
    x = convolution(x, "Conv2d_2b_3x3", 64)
    x = keras.layers.MaxPooling2D(3, 2, name="MaxPool_3a_3x3")(x)
    x = convolution(x, "Conv2d_3b_1x1", 80)
    x = convolution(x, "Conv2d_4a_3x3", 192, padding="valid")
    return convolution(x, "Conv2d_4b_3x3", 256, stride=2)


def block35(x: Any, name: str) -> Any:
    """Figure 10, Inception-ResNet-A, named after the paper's 35 x 35 cells: [N, 17, 17, 256] -> the same."""
    a = convolution(x, f"{name}_Branch_0_Conv2d_1x1", 32)
    b = convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 32)
    b = convolution(b, f"{name}_Branch_1_Conv2d_0b_3x3", 32)
    c = convolution(x, f"{name}_Branch_2_Conv2d_0a_1x1", 32)
    c = convolution(c, f"{name}_Branch_2_Conv2d_0b_3x3", 32)
    c = convolution(c, f"{name}_Branch_2_Conv2d_0c_3x3", 32)
    return residual(x, [a, b, c], name, SCALE_35)


def reduction_a(x: Any) -> Any:
    """Figure 7 with table 1's k = l = 192, m = 256, n = 384: [N, 17, 17, 256] -> [N, 8, 8, 896]."""
    a = convolution(x, "Mixed_6a_Branch_0_Conv2d_1a_3x3", 384, stride=2)
    b = convolution(x, "Mixed_6a_Branch_1_Conv2d_0a_1x1", 192)
    b = convolution(b, "Mixed_6a_Branch_1_Conv2d_0b_3x3", 192)
    b = convolution(b, "Mixed_6a_Branch_1_Conv2d_1a_3x3", 256, stride=2)
    c = keras.layers.MaxPooling2D(3, 2, name="Mixed_6a_Branch_2_MaxPool_1a_3x3")(x)
    return keras.layers.Concatenate(name="Mixed_6a")([a, b, c])


def block17(x: Any, name: str) -> Any:
    """Figure 11, Inception-ResNet-B: [N, 8, 8, 896] -> the same. A 7 x 7 window as a row and a column."""
    a = convolution(x, f"{name}_Branch_0_Conv2d_1x1", 128)
    b = convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 128)
    b = convolution(b, f"{name}_Branch_1_Conv2d_0b_1x7", 128)
    b = convolution(b, f"{name}_Branch_1_Conv2d_0c_7x1", 128)
    return residual(x, [a, b], name, SCALE_17)


def reduction_b(x: Any) -> Any:
    """Figure 12: [N, 8, 8, 896] -> [N, 3, 3, 1792]."""
    a = convolution(x, "Mixed_7a_Branch_0_Conv2d_0a_1x1", 256)
    a = convolution(a, "Mixed_7a_Branch_0_Conv2d_1a_3x3", 384, stride=2)
    b = convolution(x, "Mixed_7a_Branch_1_Conv2d_0a_1x1", 256)
    b = convolution(b, "Mixed_7a_Branch_1_Conv2d_1a_3x3", 256, stride=2)
    c = convolution(x, "Mixed_7a_Branch_2_Conv2d_0a_1x1", 256)
    c = convolution(c, "Mixed_7a_Branch_2_Conv2d_0b_3x3", 256)
    c = convolution(c, "Mixed_7a_Branch_2_Conv2d_1a_3x3", 256, stride=2)
    d = keras.layers.MaxPooling2D(3, 2, name="Mixed_7a_Branch_3_MaxPool_1a_3x3")(x)
    return keras.layers.Concatenate(name="Mixed_7a")([a, b, c, d])


def block8(x: Any, name: str, scale: float = SCALE_8, relu: bool = True) -> Any:
    """Figure 13, Inception-ResNet-C: [N, 3, 3, 1792] -> the same."""
    a = convolution(x, f"{name}_Branch_0_Conv2d_1x1", 192)
    b = convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 192)
    b = convolution(b, f"{name}_Branch_1_Conv2d_0b_1x3", 192)
    b = convolution(b, f"{name}_Branch_1_Conv2d_0c_3x1", 192)
    return residual(x, [a, b], name, scale, relu)


def head(x: Any, dimensions: int, dropout: float) -> Any:
    """[N, 3, 3, 1792] -> [N, dimensions]: the mean of each map, then a linear layer, with batch normalisation like all others."""
    x = keras.layers.GlobalAveragePooling2D(name="AvgPool")(x)
    x = keras.layers.Dropout(dropout, name="Dropout")(x)
    x = keras.layers.Dense(dimensions, use_bias=False, name="Bottleneck")(x)
    return batch_norm(x, "Bottleneck")


def convolution(x: Any, name: str, filters: int, stride: int = 1, padding: str | None = None) -> Any:
    """Convolution, batch normalisation, ReLU. padding: "same"; where the stride is 2, "valid"."""
    rows, columns = name.rsplit("_", 1)[1].split("x")
    padding = padding or ("same" if stride == 1 else "valid")
    x = keras.layers.Conv2D(filters, (int(rows), int(columns)), stride, padding, use_bias=False, name=name)(x)
    return keras.layers.Activation("relu", name=f"{name}_Activation")(batch_norm(x, name))


def batch_norm(x: Any, name: str) -> Any:
    """Batch normalisation with a learnt shift but without a learnt scale, which the next layer provides.

    The constants 0.995 and 0.001 are those of TF-slim.
    """
    return keras.layers.BatchNormalization(momentum=0.995, epsilon=1e-3, scale=False, name=f"{name}_BatchNorm")(x)


def residual(x: Any, branches: list[Any], name: str, scale: float, relu: bool = True) -> Any:
    """x plus the branches' output, which a 1 x 1 convolution without normalisation brings to x's depth, scaled."""
    together = keras.layers.Concatenate(name=f"{name}_Concatenate")(branches)
    change = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_Conv2d_1x1")(together)
    x = x + scale * change
    return keras.layers.Activation("relu", name=f"{name}_Activation")(x) if relu else x
