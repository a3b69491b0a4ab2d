"""An embedder's file says how faces are cut for it; what does not is refused."""

from __future__ import annotations

import json

import onnx
import pytest
from onnx import TensorProto, helper

from facelab.embedder_file import KEY, read_embedder
from facelab.errors import InputError
from facelab.native import models_folder

ENTRY = {
    "name": "mine",
    "chip_size": 96,
    "dimensions": 24,
    "template": [[30, 29], [65, 29], [47, 50], [32, 67], [63, 67]],
    "landmark_weights": [3, 3, 2, 1, 1],
    "metric": "euclidean",
    "plain_threshold": 0.5,
}


def model(**metadata: str) -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [300])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [300], [0.5] * 300)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [helper.make_tensor_value_info("y", 1, [300])], [weights]
    )
    made = helper.make_model(graph)
    helper.set_model_props(made, {"author": "somebody", **metadata})
    data: bytes = made.SerializeToString()
    return data


def test_entry_comes_back() -> None:
    embedder = read_embedder(model(**{KEY: json.dumps(ENTRY)}))
    assert (embedder.name, embedder.chip_size, embedder.dimensions) == ("mine", 96, 24)
    assert embedder.template.tolist() == ENTRY["template"]
    assert embedder.measured is None, "nobody has measured it"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no ONNX file"),
        (b"I am no network", "no ONNX file"),
        (model(**{KEY: json.dumps(ENTRY)})[:-40], "only a part"),
        (model(), "does not say how faces are cut"),
        (model(**{KEY: "{"}), "is damaged"),
        (model(**{KEY: json.dumps({**ENTRY, "template": [[1, 2]]})}), "is damaged"),
        (model(**{KEY: json.dumps({"name": "mine"})}), "is damaged"),
    ],
)
def test_what_says_nothing_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_embedder(data)


def test_default_graphs_are_onnx_but_say_nothing() -> None:
    path = models_folder() / "rnet.onnx"
    assert onnx.load(path).metadata_props == [] or not any(one.key == KEY for one in onnx.load(path).metadata_props)
    with pytest.raises(InputError, match="does not say"):
        read_embedder(path.read_bytes())
