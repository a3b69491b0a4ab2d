"""The manifest and the files that it names."""

from __future__ import annotations

import json
import shutil
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
    assert manifest["embedder"].keys() >= {"chip_size", "template", "metric", "plain_threshold", "cohort", "calibration"}


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
