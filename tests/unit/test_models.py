"""The manifest and the files that it names."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from facelab.errors import ModelError
from facelab.models import parse_manifest, read_manifest
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish


def test_manifest_says_all_that_users_of_the_graphs_need() -> None:
    manifest = json.loads((models_folder() / "models.json").read_text())
    assert manifest["graphs"].keys() == {"pnet", "rnet", "onet", "embedder"}
    for graph in manifest["graphs"].values():
        assert graph.keys() >= {"file", "sha256", "bytes", "opset", "inputs", "outputs", "source", "licence"}
        assert graph["inputs"]["image"] == {"dtype": "uint8", "shape": ["H", "W", 3]}
        assert (models_folder() / graph["file"]).stat().st_size == graph["bytes"]
    assert manifest["embedders"].keys() >= {"dlib-resnet-v1"}, "always there"
    second = manifest["embedders"]["dlib-resnet-v1"]
    for graph in [*manifest["graphs"].values(), second["graph"]]:
        for file in (graph, graph.get("compact", graph)):
            assert hashlib.sha256((models_folder() / file["file"]).read_bytes()).hexdigest() == file["sha256"]
    for embedder, graph in ((manifest["embedder"], manifest["graphs"]["embedder"]), (second["embedder"], second["graph"])):
        assert embedder.keys() >= {"name", "chip_size", "template", "metric", "plain_threshold", "cohort", "calibration"}
        assert graph["outputs"]["chips"]["shape"] == ["N", embedder["chip_size"], embedder["chip_size"], 3]
        assert graph["outputs"]["embeddings"]["shape"] == ["N", embedder["dimensions"]]
        assert graph["paper"]
        assert graph["trained_on"]
        assert embedder["calibration"]["conditions"]["normalised"] is False
        assert embedder["cohort"]["calibration"]["conditions"]["normalised"] is True


def test_default_network_is_mobilefacenet_and_the_plain_distance_decides(runtime: NativeRuntime) -> None:
    embedder = runtime.manifest.embedder
    assert (embedder.name, embedder.chip_size, embedder.dimensions) == ("mobilefacenet-v1", 112, 128)
    assert runtime.cohort is None
    assert runtime.manifest.names[:2] == ["mobilefacenet-v1", "dlib-resnet-v1"]


def test_choosing_an_embedder_leaves_the_others_to_choose_from(runtime: NativeRuntime) -> None:
    """There and back again, with each embedder's own graph."""
    manifest = runtime.manifest
    second = manifest.choosing("dlib-resnet-v1")
    assert second.embedder.chip_size == 150
    assert second.graphs["embedder"].file == "embedder-dlib-resnet-v1.onnx"
    assert sorted(second.names) == sorted(manifest.names)
    back = second.choosing("mobilefacenet-v1")
    assert (back.embedder, back.graphs) == (manifest.embedder, manifest.graphs)


def test_normalised_distances_have_thresholds_of_their_own() -> None:
    for name in ("mobilefacenet-v1", "dlib-resnet-v1"):
        plain = read_manifest(models_folder()).choosing(name).embedder
        corrected = plain.normalised()
        assert plain.cohort is not None
        assert corrected.calibration == plain.cohort.calibration
        assert corrected.calibration != plain.calibration


def test_without_a_cohort_or_its_thresholds_nothing_is_normalised(runtime: NativeRuntime) -> None:
    embedder = runtime.manifest.embedder
    assert embedder.cohort is not None
    with pytest.raises(ModelError, match="has no cohort here"):
        replace(embedder, cohort=None).normalised()
    with pytest.raises(ModelError, match="facelab calibrate"):
        replace(embedder, cohort=replace(embedder.cohort, calibration=None)).normalised()


def test_an_embedder_that_is_not_here_is_named_with_what_to_do(runtime: NativeRuntime) -> None:
    alone = replace(runtime.manifest, others={})
    with pytest.raises(ModelError, match="no embedder dlib-resnet-v1 here, only mobilefacenet-v1: `make models`"):
        alone.choosing("dlib-resnet-v1")
    with pytest.raises(ModelError, match=r"no embedder mine here.*python -m export --embedder"):
        alone.choosing("mine")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "detector": 3}'])
def test_damaged_manifest_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="make models"):
        parse_manifest(text)


def test_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make models"):
        read_manifest(tmp_path)


def test_graph_that_is_not_the_one_named_is_refused(tmp_path: Path, samples: Path) -> None:
    shutil.copytree(models_folder(), tmp_path, dirs_exist_ok=True)
    (tmp_path / "rnet.onnx").write_bytes(b"something else")
    runtime = NativeRuntime(tmp_path)
    photo = read_photo(samples / "obama.jpg", 2048)
    with pytest.raises(ModelError, match=r"rnet\.onnx"):
        finish(runtime.run("rnet", photo, {}))
