"""What the shipped networks are made of: counts of weights and multiplications, singular values, weights by place.

Nothing is trained or tuned here. The weights are read from the pinned source packages (export.sources).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facelab.align import chip_to_photo
from facelab.detect import find_largest
from facelab.native import default_runtime
from facelab.photos import read_photo
from facelab.runtime import finish

from .photos import photos_of
from .report import Axis, Chart, Curve, Report, Table

SMALL = 0.02  # a singular value below this is next to nothing
KEPT = 128
AT_ONCE = 20


def measure(data: Path) -> Report:
    """Counts, singular values and distances before and after the rotation, of the networks that this book ships."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    from export.dlib_resnet import build_dlib_resnet, read_dlib_network
    from export.inception_resnet import build_inception_resnet
    from export.mobilefacenet import as_in_the_paper, build_mobilefacenet, read_tflite
    from export.sources import DLIB_WEIGHTS, MOBILEFACENET, read_first, read_source

    report = Report("python -m tests.experiments network")
    _, (file, *_) = read_first(MOBILEFACENET)
    published = read_tflite(file)
    ours, wide = (as_in_the_paper(published, dimensions) for dimensions in (KEPT, None))

    def numbers(layers: Any) -> int:
        return sum(layer.kernel.size + layer.bias.size for layer in layers.values())

    model = build_mobilefacenet(ours)
    report.values |= {
        "published numbers": f"{numbers(published):,}",
        "weights": f"{numbers(ours):,}",
        "slopes": f"{sum(layer.slope.size for layer in ours.values() if layer.slope is not None):,}",
        "prelus": str(sum(layer.slope is not None for layer in ours.values())),
        "multiplications": f"{multiplications(model) / 1e6:.0f} million",
    }

    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "dlib.dat"
        path.write_bytes(read_source(*DLIB_WEIGHTS))
        network = read_dlib_network(path)
    dlib = build_dlib_resnet(network)
    kinds = [layer.kind for layer in network.layers]
    *_, last = (layer for layer in network.layers if layer.kind == "con_4")  # of a map of one place: it only meets zeros around
    kernel_weights = last.weights.size - last.numbers[0]
    report.values |= {
        "dlib weights": f"{dlib.count_params() / 1e6:.1f} million",
        "dlib convolutions": str(kinds.count("con_4")),
        "dlib multiplications": f"{multiplications(dlib) / 1e6:.0f} million",
        "dlib idle weights": f"{kernel_weights * 8 // 9:,}",
    }
    inception = build_inception_resnet()
    report.values |= {
        "inception weights": f"{inception.count_params() / 1e6:.1f} million",
        "inception multiplications": f"{multiplications(inception) / 1e9:.1f} billion",
    }

    last_layer = wide["embedding"]
    stretches = np.linalg.svd(np.concatenate([last_layer.kernel[0, 0], last_layer.bias[None]]).astype(np.float64), compute_uv=False)
    report.values |= {
        "outputs": str(len(stretches)),
        "singular values above": str(int((stretches > SMALL).sum())),
        "small singular value": str(SMALL),
        "singular value 129": f"{stretches[KEPT]:.1g}",
    }
    report.charts["singular values"] = Chart(
        f"The {len(stretches)} singular values of MobileFaceNet’s last layer: some sixty near 1, then a steep fall.",
        Axis("which singular value, the largest first"),
        Axis("singular value", log=True),
        [Curve("singular values", list(range(1, len(stretches) + 1)), [float(f"{value:.3g}") for value in stretches])],
        {"128": KEPT},
    )

    kernel = ours["global depthwise"].kernel[..., 0].astype(np.float64)
    shares = np.sqrt((kernel**2 / (kernel**2).mean(axis=(0, 1))).mean(axis=2))
    rows = [[f"{value:.2f}" for value in row] for row in shares / shares.max()]
    report.tables["places"] = Table([str(column + 1) for column in range(shares.shape[1])], rows)
    report.values["corner share"] = f"{max((shares / shares.max())[[0, 0, -1, -1], [0, -1, 0, -1]]):.2f}"

    chips = _chips([path for name in ("lfw100", "orl39") for path in photos_of(data / name)])
    answers = [_distances(_answered(build_mobilefacenet(layers), chips)) for layers in (wide, ours)]
    report.values |= {
        "photos": str(len(chips)),
        "largest change": _rounded_up(np.abs(answers[0] - answers[1]).max()),
    }
    return report


def multiplications(model: Any) -> int:
    """Of one chip: each weight of a convolution is used once at every place of its output."""
    count = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            count += int(np.prod(layer.weights[0].shape)) * int(np.prod(layer.output.shape[1:3]))
        elif kind == "Dense":
            count += int(np.prod(layer.weights[0].shape))
    return count


def _rounded_up(value: float) -> str:
    """A small number with one digit, no smaller than it is: 0.00000034 is 0.0000004."""
    unit = 10.0 ** np.floor(np.log10(value))
    return np.format_float_positional(float(f"{np.ceil(value / unit) * unit:.1g}"), trim="-")


def _chips(photos: list[Path]) -> NDArray[np.float32]:
    """The chip of the largest face of each photo that has one."""
    runtime = default_runtime()
    chips = []
    for path in photos:
        photo = read_photo(path, runtime.manifest.max_side)
        faces, _ = finish(find_largest(runtime, photo))
        if faces:
            transform = chip_to_photo(faces[0].landmarks, runtime.manifest.embedder)[None].astype(np.float32)
            chips.append(finish(runtime.run("embedder", photo, {"transforms": transform}))["chips"][0])
    return np.stack(chips).astype(np.float32)


def _answered(model: Any, chips: NDArray[np.float32]) -> NDArray[np.float64]:
    """Embeddings of length one."""
    answers = np.concatenate([np.asarray(model(chips[at : at + AT_ONCE])) for at in range(0, len(chips), AT_ONCE)]).astype(
        np.float64
    )
    unit: NDArray[np.float64] = answers / np.linalg.norm(answers, axis=1, keepdims=True)
    return unit


def _distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of all pairs."""
    first, second = np.triu_indices(len(points), 1)
    apart: NDArray[np.float64] = np.linalg.norm(points[first] - points[second], axis=1)
    return apart
