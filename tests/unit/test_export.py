"""The export: dlib's file read and misread, front ends against plain NumPy, the same bytes every time."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from export.dlib_resnet import build_dlib_resnet, read_dlib_network
from export.errors import ExportError
from export.front_ends import chip_front_end, crop_front_end, pnet_front_end
from export.sources import DLIB_WEIGHTS, read_source
from facelab.native import models_folder

from ..conftest import ROOT


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dlib") / "resnet.dat"
    path.write_bytes(read_source(*DLIB_WEIGHTS))
    return path


@pytest.fixture(scope="module")
def photo(samples: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(samples / "obama.jpg"))


def front(model: object, **inputs: NDArray[np.generic]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString())  # type: ignore[attr-defined]
    return list(session.run(None, inputs))


def test_dlib_file_is_the_network_that_the_paper_describes(weights: Path) -> None:
    network = read_dlib_network(weights)
    kinds = [layer.kind for layer in network.layers]
    assert network.size == 150
    assert kinds.count("con_4") == kinds.count("affine_") == 29
    assert kinds.count("add_prev_") == 14
    assert kinds[-1] == "fc_2"
    assert sum(layer.weights.size for layer in network.layers) > 5_000_000


def test_native_form_of_dlibs_network_is_the_same_network(weights: Path) -> None:
    network = read_dlib_network(weights)
    chips = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3)).astype(np.float32)
    plain, native = (np.asarray(build_dlib_resnet(network, natively)(chips)) for natively in (False, True))
    assert np.abs(plain).max() > 0.1
    np.testing.assert_allclose(native, plain, atol=1e-5)


def test_no_weights_of_dlibs_network_only_ever_meet_padding(weights: Path) -> None:
    """On a map of one pixel they do, but for the middle of the kernel: half a million that nothing depends on."""
    model = build_dlib_resnet(read_dlib_network(weights))
    chips = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        length = tf.reduce_sum(model(chips) ** 2)
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(kernels) == 29
    for kernel, slope in zip(kernels, tape.gradient(length, [kernel.value for kernel in kernels]), strict=True):
        assert np.abs(slope).max(axis=(2, 3)).min() > 0, f"{kernel.path} {kernel.shape}"


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_truncated_dlib_file_is_refused(share: float, weights: Path, tmp_path: Path) -> None:
    data = weights.read_bytes()
    (tmp_path / "cut.dat").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ExportError, match="ends in the middle"):
        read_dlib_network(tmp_path / "cut.dat")


def test_other_files_are_refused(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "other.dat").write_bytes(b"not a network at all")
    with pytest.raises(ExportError, match="not a dlib face recognition network"):
        read_dlib_network(tmp_path / "other.dat")
    (tmp_path / "changed.dat").write_bytes(weights.read_bytes().replace(b"affine_", b"bffine_", 1))
    with pytest.raises(ExportError, match="bffine_"):
        read_dlib_network(tmp_path / "changed.dat")


def test_exact_pyramid_level_is_the_mean_over_each_area(photo: NDArray[np.uint8]) -> None:
    """Shrunk by whole numbers, TensorFlow's AREA is the mean of blocks; padding is for the shipped graph only."""
    height, width = (side // 8 * 8 for side in photo.shape[:2])
    cut = photo[:height, :width]
    (level,) = front(pnet_front_end(exact=True), image=cut, size=np.array([height // 8, width // 8]))
    blocks = cut.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(level[0].transpose(1, 2, 0), (blocks - 127.5) / 128, atol=1e-4)


def test_shrinking_does_not_alias() -> None:
    """Stripes of one pixel: sampled they stay stripes, averaged they are grey. In a level, in a crop and in a chip."""
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[::2] = 255
    level, _ = front(pnet_front_end(), image=stripes, size=np.array([150, 150]))
    assert np.abs(level[:, :, 8:-8, 8:-8]).max() < 0.02, "but for the rim, where half of the filter finds nothing"
    box = np.array([[100, 100, 1060, 1060]], np.float32)
    for size in (24, 48):
        (crop,) = front(crop_front_end(size), image=stripes, boxes=box)
        assert np.abs(crop).max() < 0.02
    for side in (112, 150):
        transforms = np.array([[[900 / side, 0, 50], [0, 900 / side, 50]]], np.float32)
        chips, _ = front(chip_front_end(side), image=stripes, transforms=transforms)
        assert np.abs(chips.astype(float) - 127.5).max() < 4


@pytest.mark.parametrize("size", [24, 48])
@pytest.mark.parametrize("side", [30, 90, 180, 420, 900])
def test_crop_of_any_size_lies_where_its_box_lies(side: int, size: int) -> None:
    """On a ramp the mean over an area is the value at its centre, whichever of the three copies the box is cut from."""
    columns, rows = np.meshgrid(np.arange(1000), np.arange(1200))
    ramp = np.stack([columns / 4, rows / 5, columns * 0], axis=2).round().astype(np.uint8)
    x, y = -side // 2, 150  # half of the box hangs over the left edge
    (crop,) = front(crop_front_end(size), image=ramp, boxes=np.array([[x, y, x + side, y + side]], np.float32))
    seen = crop[0].transpose(1, 2, 0) * 128 + 127.5
    inside, outside = seen[:, size // 2 + 2 :], seen[:, : size // 2 - 2]
    places = np.linspace(0, side, size)
    np.testing.assert_allclose(inside[:, :, 0], np.tile((x + places[size // 2 + 2 :]) / 4, (size, 1)), atol=0.7)
    np.testing.assert_allclose(inside[:, :, 1].T, np.tile((y + places) / 5, (inside.shape[1], 1)), atol=0.7)
    assert np.abs(outside - 127.5).max() < 1, "grey outside the photo"


@pytest.mark.parametrize("side", [112, 150])
def test_chip_follows_its_transform(side: int, photo: NDArray[np.uint8]) -> None:
    """A quarter turn and a shift, exact at whole pixels; black outside the photo."""
    half = side // 2
    transforms = np.array([[[0, 1, 200], [1, 0, 100]], [[1, 0, -half], [0, 1, 0]]], np.float32)
    chips, _ = front(chip_front_end(side), image=photo, transforms=transforms)
    np.testing.assert_array_equal(chips[0], photo[100 : 100 + side, 200 : 200 + side].transpose(1, 0, 2))
    assert not chips[1][:, : half - 1].any()
    np.testing.assert_array_equal(chips[1][:, half:], photo[:side, :half])


@pytest.mark.parametrize("side", [112, 150])
def test_large_face_is_shrunk_before_it_is_warped(side: int, photo: NDArray[np.uint8]) -> None:
    (chip,), _ = front(chip_front_end(side), image=photo, transforms=np.array([[[3, 0, 20], [0, 3, 60]]], np.float32))
    part = Image.fromarray(photo[59 : 59 + 3 * side, 19 : 19 + 3 * side])
    assert np.abs(chip - np.asarray(part.resize((side, side), Image.Resampling.BILINEAR)).astype(float)).mean() < 3


def test_unchanged_export_does_nothing_and_another_gives_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "export"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.endswith("up to date\n")
    assert "tensorflow" not in done.stderr.lower(), "an unchanged run must not pay for loading TensorFlow"
    subprocess.run([sys.executable, "-m", "export", "-o", tmp_path / "again"], cwd=ROOT, check=True, capture_output=True)
    files = sorted(file.name for file in (tmp_path / "again").glob("*.onnx"))
    assert len(files) == 10, "pnet, rnet, onet and two embedders, each natively and for the page"
    for name in files:
        shipped, again = (hashlib.sha256((folder / name).read_bytes()) for folder in (models_folder(), tmp_path / "again"))
        assert shipped.hexdigest() == again.hexdigest(), name


def test_missing_source_is_one_line_and_exit_2(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, export.sources as sources; sources.DOWNLOADS = pathlib.Path(sys.argv.pop());"
        "from export.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "-o", tmp_path / "out", tmp_path / "nowhere"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "make downloads" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
