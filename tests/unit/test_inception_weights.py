"""Weights for Inception-ResNet-v1 from every layout, through the export, to onnxruntime and the command line; and wrong files.

The files are written here from known random weights, byte for byte as their makers lay them out, but without their makers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf

from export.convert import convert_network, merge_front_end
from export.embedders import TEMPLATE, embedding_network, export_embedder, per_image
from export.errors import ExportError
from export.front_ends import chip_front_end
from export.inception_resnet import build_inception_resnet
from export.inception_weights import load_inception_resnet
from export.weight_files import read_tensors
from export.weight_names import layouts
from facelab.cli import main
from facelab.native import EMBEDDER_VARIABLE, models_folder

from ..conftest import ROOT

Weights = dict[tuple[str, str], NDArray[np.float32]]
"""(layer, kind) -> numbers, in Keras's order of axes."""


def random_weights(dimensions: int = 128) -> Weights:
    """Of a size that leaves signals as large as they are."""
    random = np.random.default_rng(7)
    weights: Weights = {}
    for layer in build_inception_resnet(dimensions).layers:
        for weight in layer.weights:
            spread = 1.4 / np.sqrt(np.prod(weight.shape[:-1])) if weight.name == "kernel" else 0.3
            value = random.normal(size=weight.shape) * spread
            weights[layer.name, weight.name] = np.asarray(np.exp(value) if weight.name == "moving_variance" else value, np.float32)
    return weights


def named(weights: Weights, layout: str) -> dict[str, NDArray[np.float32]]:
    """The weights under a layout's names, with its axes."""
    (known,) = [one for one in layouts([layer for layer, _ in weights]) if one.name == layout]
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)} if layout == "PyTorch" else {}
    return {
        known.address(layer, kind): np.ascontiguousarray(value.transpose(axes[value.ndim]) if axes else value)
        for (layer, kind), value in weights.items()
    }


def write_hdf5(path: Path, weights: Weights, group: str = "") -> None:
    """As Keras 2 does: a group a layer, a group of the same name in it, kernel:0 in that."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = '{"class_name": "Lambda", "config": "marshalled code that no Keras reads any more"}'
        for (layer, kind), value in weights.items():
            file[f"{group}{layer}/{layer}/{kind}:0"] = value
        if group:
            file["optimizer_weights/Conv2d_1a_3x3/kernel:0"] = np.zeros(3)


def write_checkpoint(path: Path, weights: Weights) -> None:
    """As TensorFlow 1 does; one variable with its moving average, which is the one that counts."""
    tensors: dict[str, NDArray[Any]] = dict(named(weights, "TensorFlow 1"))
    averaged = "InceptionResnetV1/Conv2d_2a_3x3/weights"
    tensors |= {
        f"{averaged}/ExponentialMovingAverage": tensors[averaged],
        averaged: tensors[averaged] + 1,
        "global_step": np.zeros(1),
    }
    tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=list(tensors), shape_and_slices=[""] * len(tensors), tensors=list(tensors.values())
    )


def write_frozen_graph(path: Path, weights: Weights) -> None:
    graph = tf.compat.v1.GraphDef()
    for name, value in named(weights, "TensorFlow 1").items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        graph.node.add(name=f"{name}/read", op="Identity", input=[name])
    path.write_bytes(graph.SerializeToString())


def write_safetensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    kinds = {"float32": "F32", "float16": "F16", "int64": "I64"}
    at = 0
    for name, value in tensors.items():
        header[name] = {"dtype": kinds[value.dtype.name], "shape": value.shape, "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    told = json.dumps(header).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + b"".join(value.tobytes() for value in tensors.values()))


def as_pytorch(weights: Weights) -> dict[str, NDArray[Any]]:
    """The state dict of the whole network, with what ours does not have: learnt scales, here 1, counters, a classifier."""
    scales = {(layer, "gamma"): np.ones_like(value) for (layer, kind), value in weights.items() if kind == "beta"}
    extra = {"conv2d_1a.bn.num_batches_tracked": np.array(0), "logits.weight": np.zeros((2, 512), np.float32)}
    return {**named({**weights, **scales}, "PyTorch"), **extra}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights()


@pytest.fixture(scope="module")
def files(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A file of each kind with the same weights."""
    folder = tmp_path_factory.mktemp("weights")
    names = ("facenet_keras.h5", "weights_only.h5", "model.ckpt-250000", "20170512.pb", "features.npz", "features.safetensors")
    files = {name: folder / name for name in names}
    write_hdf5(files["facenet_keras.h5"], weights, "model_weights/")
    write_hdf5(files["weights_only.h5"], weights)
    write_checkpoint(files["model.ckpt-250000"], weights)
    write_frozen_graph(files["20170512.pb"], weights)
    np.savez(files["features.npz"], **as_pytorch(weights))  # type: ignore[arg-type]
    write_safetensors(files["features.safetensors"], as_pytorch(weights))
    yield files
    shutil.rmtree(folder)  # half a gigabyte


@pytest.mark.parametrize(
    "name", ["facenet_keras.h5", "weights_only.h5", "model.ckpt-250000", "20170512.pb", "features.npz", "features.safetensors"]
)
def test_weights_come_back_equal_from_every_kind_of_file(name: str, files: dict[str, Path], weights: Weights) -> None:
    model = load_inception_resnet(files[name])
    for layer in model.layers:
        for weight in layer.weights:
            np.testing.assert_array_equal(weight.numpy(), weights[layer.name, weight.name], f"{layer.name} {weight.name}")


def test_checkpoint_may_be_named_by_any_of_its_files_or_its_folder(files: dict[str, Path], tmp_path: Path) -> None:
    start = files["model.ckpt-250000"]
    for file in start.parent.glob(f"{start.name}.*"):
        (tmp_path / file.name).symlink_to(file)
        assert read_tensors(file).keys() == read_tensors(start).keys()
    assert load_inception_resnet(tmp_path).count_params() == 22_808_144


def test_learnt_scales_of_other_training_are_folded_in(tmp_path: Path) -> None:
    """gamma (k x - mean) / s + beta, computed here with gamma and by the network without; 512 numbers; half precision."""
    weights = random_weights(512)
    random = np.random.default_rng(3)
    gammas = {
        (n, "gamma"): random.uniform(0.5, 2, v.shape).astype(np.float32) for (n, kind), v in weights.items() if kind == "beta"
    }
    tensors: dict[str, NDArray[Any]] = dict(named({**weights, **gammas}, "PyTorch"))
    tensors["last_linear.weight"] = tensors["last_linear.weight"].astype(np.float16)
    write_safetensors(tmp_path / "scaled.safetensors", tensors)
    model = load_inception_resnet(tmp_path / "scaled.safetensors")
    assert model.output_shape == (None, 512)

    x = random.normal(size=1792)
    summed = x @ tensors["last_linear.weight"].astype(np.float64).T
    beta, mean, variance = (weights["Bottleneck_BatchNorm", kind] for kind in ("beta", "moving_mean", "moving_variance"))
    expected = gammas["Bottleneck_BatchNorm", "gamma"] * (summed - mean) / np.sqrt(variance + 1e-3) + beta
    (kernel,) = model.get_layer("Bottleneck").get_weights()
    ours, moved, spread = model.get_layer("Bottleneck_BatchNorm").get_weights()
    np.testing.assert_allclose((x @ kernel - moved) / np.sqrt(spread + 1e-3) + ours, expected, rtol=1e-4, atol=1e-4)


# --- through the export -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of models with an embedder added. One is enough: the weights of all files are the same to the bit (see above)."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(models_folder(), folder, dirs_exist_ok=True)
    export_embedder(folder, files["facenet_keras.h5"], None, None, None)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def photo(samples: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(samples / "obama.jpg"))


TRANSFORMS = np.array([[[1, 0, 100], [0, 1, 50]], [[0.5, 0.2, 200], [-0.2, 0.5, 90]], [[2, 0, -9], [0, 2, 0]]], np.float32)


def standardised(chips: NDArray[np.uint8], how: str) -> NDArray[np.float32]:
    """As davidsandberg/facenet has it, in NumPy."""
    x = chips.astype(np.float64)
    if how == "fixed":
        return np.asarray((x - 127.5) / 128, np.float32)
    return np.stack([(chip - chip.mean()) / max(chip.std(), 1 / np.sqrt(chip.size)) for chip in x]).astype(np.float32)


def test_exported_graph_embeds_as_the_network_does(models: Path, weights: Weights, photo: NDArray[np.uint8]) -> None:
    """In onnxruntime from the photo on, against Keras with weights set by hand; pixels and length done in NumPy."""
    session = onnxruntime.InferenceSession(models / "embedder-facenet-keras.onnx")
    embeddings, chips = session.run(["embeddings", "chips"], {"image": photo, "transforms": TRANSFORMS})
    assert chips.shape == (3, 160, 160, 3)
    np.testing.assert_array_equal(chips[0], photo[50:210, 100:260])
    model = build_inception_resnet()
    for layer in model.layers:
        layer.set_weights([weights[layer.name, weight.name] for weight in layer.weights])
    expected = np.asarray(model(standardised(chips, "per-image")))
    np.testing.assert_allclose(embeddings, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-4)
    assert np.linalg.norm(embeddings[0] - embeddings[1]) > 0.05, "or the test would tell nothing"


@pytest.mark.parametrize("how", ["fixed", "per-image"])
def test_both_kinds_of_standardisation_are_in_the_graph(how: str, photo: NDArray[np.uint8]) -> None:
    """With a network that is quickly converted: means of 40 x 40 pixels."""
    inputs = keras.Input((160, 160, 3))
    small = keras.Model(inputs, keras.layers.Flatten()(keras.layers.AveragePooling2D(40)(inputs)))
    converted = convert_network(embedding_network(small, how), (None, 160, 160, 3), {"embeddings": ("N", 48)})
    merged = merge_front_end(chip_front_end(160), converted, "embedder")
    session = onnxruntime.InferenceSession(merged.SerializeToString())
    embeddings, chips = session.run(["embeddings", "chips"], {"image": photo, "transforms": TRANSFORMS})
    expected = standardised(chips, how).reshape(3, 4, 40, 4, 40, 3).mean(axis=(2, 4)).reshape(3, 48)
    np.testing.assert_allclose(embeddings, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_manifest_has_them_beside_what_it_had(models: Path) -> None:
    before, after = (json.loads((folder / "models.json").read_text()) for folder in (models_folder(), models))
    embedders = after.pop("embedders")
    kept = before.pop("embedders")
    assert "dlib-resnet-v1" in kept
    assert after == before
    assert embedders.keys() == {*kept, "facenet-keras"}
    assert {name: embedders[name] for name in kept} == kept
    graph, embedder = embedders["facenet-keras"]["graph"], embedders["facenet-keras"]["embedder"]
    assert graph.keys() | {"trained_on"} == before["graphs"]["embedder"].keys(), (
        "of weights that somebody has, nobody here knows it"
    )
    assert (models / graph["compact"]["file"]).stat().st_size < 0.51 * graph["bytes"]
    assert graph["outputs"]["embeddings"]["shape"] == ["N", 128]
    assert (models / graph["file"]).stat().st_size == graph["bytes"]
    assert embedder.keys() >= before["embedder"].keys()
    assert embedder["pre_processing"] == {"standardise": "per-image", "normalise": "l2"}
    assert (embedder["cohort"], embedder["calibration"]) == (None, None)


def test_template_is_where_the_box_with_its_margin_would_have_it() -> None:
    """Eyes level, the face in the middle, and all of it inside the chip by the margin (see the comment at TEMPLATE)."""
    points = np.array(TEMPLATE)
    assert abs(points[0, 1] - points[1, 1]) < 1
    assert abs(points[:2, 0].mean() - 79.5) < 1
    assert (points > 16).all()
    assert (points < 160 - 16).all()


def test_command_line_uses_it_and_tells_distances_only(
    models: Path, samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FACELAB_MODELS", str(models))
    monkeypatch.setenv(EMBEDDER_VARIABLE, "")  # put back after the test, whatever the commands make of it
    two = [str(samples / "obama.jpg"), str(samples / "biden.jpg")]
    assert main(["--embedder", "facenet-keras", "verify", "--json", *two]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["threshold"], answer["sure_below"], answer["probability"]) == (None, None, None, None)
    assert 0 < answer["distance"] <= 2
    assert main(["--embedder", "facenet-keras", "verify", *two]) == 0
    words = capsys.readouterr().out
    assert f"distance {answer['distance']:.3f}" in words
    assert "no thresholds yet" in words
    assert main(["--embedder", "facenet-keras", "cluster", str(samples)]) == 2
    assert "calibrate" in capsys.readouterr().err
    assert main(["--embedder", "nobody", "verify", *two]) == 2
    assert "mobilefacenet-v1, dlib-resnet-v1, facenet-keras" in capsys.readouterr().err
    for name in ("mobilefacenet-v1", "dlib-resnet-v1"):
        assert main(["--embedder", name, "verify", "--json", *two]) == 0
        assert json.loads(capsys.readouterr().out)["verdict"] == "different"


def test_evaluation_needs_no_thresholds(
    models: Path, samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FACELAB_MODELS", str(models))
    monkeypatch.setenv(EMBEDDER_VARIABLE, "")
    lines = [f"{samples / a}.jpg,{samples / b}.jpg,{same}" for a, b, same in [("obama", "obama2", 1), ("obama", "biden", 0)]]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,same", *lines]))
    assert main(["--embedder", "facenet-keras", "evaluate", "--json", str(tmp_path / "pairs.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["threshold"] == 1.114


def test_per_image_standardisation_is_by_the_chip() -> None:
    """Brightness and contrast of each chip go, and only of each; one colour is no division by zero."""
    random = np.random.default_rng(2)
    chips = random.uniform(0, 255, (2, 160, 160, 3)).astype(np.float32)
    chips[1] = chips[0] * 0.3 + 40
    first, second = np.asarray(per_image(chips))
    np.testing.assert_allclose(second, first, atol=1e-4)
    np.testing.assert_allclose([first.mean(), first.std()], [0, 1], atol=1e-4)
    assert not np.asarray(per_image(np.full((1, 160, 160, 3), 77, np.float32))).any()
    np.testing.assert_allclose(np.asarray(per_image(chips)), np.asarray(tf.image.per_image_standardization(chips)), atol=1e-4)


# --- files that are wrong -----------------------------------------------------------------------------------------------


def cut(source: Path, target: Path, share: float) -> Path:
    data = source.read_bytes()
    target.write_bytes(data[: int(share * len(data))])
    return target


@pytest.mark.parametrize("name", ["facenet_keras.h5", "20170512.pb", "features.npz"])
def test_file_cut_short_so_that_nothing_can_be_read_names_the_first_layer(
    name: str, files: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"cut short.* Conv2d_1a_3x3"):
        load_inception_resnet(cut(files[name], tmp_path / name, 0.6))


def test_file_cut_short_names_the_first_layer_that_is_gone(weights: Weights, tmp_path: Path) -> None:
    """safetensors and layers both run from the input to the output here, so that all before the cut are there."""
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    write_safetensors(whole, named(weights, "PyTorch"))
    data = whole.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    begin, end = json.loads(data[8:start])["repeat_2.3.branch1.1.conv.weight"]["data_offsets"]
    half.write_bytes(data[: start + (begin + end) // 2])
    sentence = (
        r"layer Block17_4_Branch_1_Conv2d_0b_1x7 is damaged or cut short in its kernel \(repeat_2\.3\.branch1\.1\.conv\.weight"
    )
    with pytest.raises(ExportError, match=sentence):
        load_inception_resnet(half)
    half.write_bytes(data[: start // 2])
    with pytest.raises(ExportError, match="not even its first layer, Conv2d_1a_3x3"):
        load_inception_resnet(half)


def test_checkpoint_cut_short_names_the_first_layer_that_is_gone(files: dict[str, Path], tmp_path: Path) -> None:
    start = files["model.ckpt-250000"]
    shutil.copy(f"{start}.index", tmp_path)
    cut(Path(f"{start}.data-00000-of-00001"), tmp_path / f"{start.name}.data-00000-of-00001", 0.5)
    with pytest.raises(ExportError, match=r"the layer \S+ is damaged or cut short in its \w+ \(InceptionResnetV1/"):
        load_inception_resnet(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("conv2d_2a.bn.running_var"), r"Conv2d_2a_3x3_BatchNorm is missing.*conv2d_2a\.bn\.running_var"),
        (
            lambda t: t.update({"conv2d_1a.conv.weight": np.zeros((32, 1, 3, 3))}),
            "Conv2d_1a_3x3 has a kernel of 3 x 3 x 1 x 32 num",
        ),
        (lambda t: t.update({"conv2d_1a.bn.bias": np.full(32, np.nan)}), "Conv2d_1a_3x3_BatchNorm has a beta .* not finite"),
        (lambda t: t.update({"conv2d_1a.bn.weight": np.ones(3)}), "Conv2d_1a_3x3_BatchNorm has a gamma of 3 numbers; 32 "),
        (lambda t: t.update({"conv2d_1a.conv.weight": np.array(None)}), "Conv2d_1a_3x3 is damaged"),
    ],
    ids=["missing", "misshapen", "not finite", "misshapen scale", "pickled"],
)
def test_first_layer_that_does_not_fit_is_named(
    change: Callable[[dict[str, NDArray[Any]]], object], sentence: str, weights: Weights, tmp_path: Path
) -> None:
    """All of these are in the stem, and there is nothing after it: what is told is what comes first."""
    stem = {(layer, kind): value for (layer, kind), value in weights.items() if layer.startswith("Conv2d_")}
    tensors = as_pytorch(stem)
    change(tensors)
    np.savez(tmp_path / "wrong.npz", **tensors)  # type: ignore[arg-type]
    with pytest.raises(ExportError, match=sentence) as refusal:
        load_inception_resnet(tmp_path / "wrong.npz")
    assert "\n" not in str(refusal.value)


def test_other_dimensions_than_asked_for_are_the_bottleneck_s(files: dict[str, Path]) -> None:
    with pytest.raises(ExportError, match="Bottleneck has a kernel of 1792 x 128 numbers; 1792 x 512 numbers were expected"):
        load_inception_resnet(files["facenet_keras.h5"], 512)


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("this is not a file of weights but a letter")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["model_weights/conv2d/conv2d/kernel:0"] = np.zeros(3)
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    (tmp_path / "folder").mkdir()
    for name, sentence in {
        "nowhere.h5": "does not exist",
        "text.txt": "no file of weights that can be read here",
        "other.h5": "not Inception-ResNet-v1: its first layer, Conv2d_1a_3x3, is missing",
        "model.pt": "save its state dict as safetensors",
        "folder": "holds no checkpoints",
    }.items():
        with pytest.raises(ExportError, match=sentence) as refusal:
            load_inception_resnet(tmp_path / name)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--weights", "nowhere.h5"], "nowhere.h5 does not exist"),
        (["--weights", "nowhere.h5", "--name", "mobilefacenet-v1"], "mobilefacenet-v1 is the name of an embedder that comes with"),
        (["--weights", "nowhere.h5", "--name", "dlib-resnet-v1"], "dlib-resnet-v1 is the name of an embedder that comes with"),
        (["--weights", "nowhere.h5", "--name", "mine-int8"], "compact file"),
        (["--weights", "nowhere.h5", "--name", "../x"], "is no name for an embedder"),
        (["--weights", "nowhere.h5", "-o", "nowhere"], "make models"),
        ([], "needs --weights"),
        (["--weights", "nowhere.h5", "--dims", "many"], "neither auto nor a number"),
    ],
)
def test_wrong_use_of_the_command_is_exit_2_without_a_traceback(
    arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from export import __main__ as command

    monkeypatch.setattr(sys, "argv", ["export", "--embedder", "inception-resnet-v1", *arguments])
    try:
        status = command.main()
    except SystemExit as stop:
        status = int(str(stop.code))
    told = capsys.readouterr().err
    assert status == 2
    assert sentence in told.splitlines()[-1]


def test_truncated_file_on_the_command_line_is_one_line_and_exit_2(files: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(models_folder() / "models.json", tmp_path)
    half = cut(files["weights_only.h5"], tmp_path / "half.h5", 0.5)
    options: list[str | Path] = ["-o", tmp_path, "--embedder", "inception-resnet-v1", "--weights", half]
    command = [sys.executable, "-m", "export", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Conv2d_1a_3x3" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.onnx*"))
