"""Converts Keras networks to ONNX with tf2onnx, puts the front end before them, and makes equal bytes from equal weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import compose, numpy_helper

from .errors import ExportError
from .front_ends import IR_VERSION, OPSET

Network = Callable[[Any], Sequence[Any]]
Outputs = Mapping[str, Sequence[int | str]]


def convert_network(network: Network, shape: Sequence[int | None], outputs: Outputs) -> onnx.ModelProto:
    """The ONNX model of a function on one tensor.

    network: takes a float32 tensor of `shape` (channels last; None means any size) and returns its outputs in the order of
    `outputs`, which maps their names to their shapes (a letter stands for a size that varies). The model's input is called `x` and
    has its channels first, as ONNX Runtime computes and the front ends deliver.
    """
    signature = tf.TensorSpec(shape, tf.float32, name="x")
    function = tf.function(lambda x: [tf.identity(y, name) for y, name in zip(network(x), outputs, strict=True)])
    model: onnx.ModelProto
    model, _ = tf2onnx.convert.from_function(function, [signature], opset=OPSET, inputs_as_nchw=["x"] if len(shape) == 4 else None)
    for old, new in zip([o.name for o in model.graph.output], outputs, strict=True):
        _rename(model.graph, old, new)
    _rename(model.graph, model.graph.input[0].name, "x")
    for value, dimensions in zip(model.graph.output, outputs.values(), strict=True):
        float32 = onnx.TensorProto.FLOAT
        value.type.CopyFrom(onnx.helper.make_tensor_type_proto(float32, dimensions))
    model.ir_version = IR_VERSION
    return model


def merge_front_end(front: onnx.ModelProto, network: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A single graph: the front end's output `x` feeds the network's input `x`, and its other outputs are kept."""
    front = compose.add_prefix(front, "front_", rename_inputs=False, rename_outputs=False)
    network = compose.add_prefix(network, "net_", rename_inputs=False, rename_outputs=False)
    _rename(front.graph, "x", "front_x")
    _rename(network.graph, "x", "net_x")
    also = [o.name for o in front.graph.output if o.name != "front_x"]
    outputs = [*(o.name for o in network.graph.output), *also]
    merged = compose.merge_models(front, network, io_map=[("front_x", "net_x")], outputs=outputs)
    ordered = sorted(merged.graph.output, key=lambda o: outputs.index(o.name))
    del merged.graph.output[:]
    merged.graph.output.extend(ordered)
    return canonical(merged, name)


def canonical(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The same model with names that depend only on its structure; tf2onnx names things by counter and by hash.

    Raises ExportError where onnx's checker refuses the result.
    """
    graph = model.graph
    keep = {"", *(i.name for i in graph.input), *(o.name for o in graph.output)}
    used = {tensor for node in graph.node for tensor in _all_inputs(node)} | keep
    names: dict[str, str] = {}

    def renamed(tensor: str) -> str:
        return tensor if tensor in keep else names.setdefault(tensor, f"t{len(names)}")

    for index, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{index}"
        node.doc_string = ""
        del node.metadata_props[:]
        for tensor in _all_inputs(node):
            renamed(tensor)
        _rename_node(node, renamed)
    initialisers = [tensor for tensor in graph.initializer if tensor.name in used]
    for tensor in initialisers:
        tensor.name = renamed(tensor.name)
        tensor.doc_string = ""
    initialisers.sort(key=lambda tensor: int(tensor.name[1:]))
    del graph.initializer[:]
    graph.initializer.extend(initialisers)
    del graph.value_info[:]
    graph.name = name
    graph.doc_string = ""
    model.doc_string = ""
    model.producer_name, model.producer_version = "facelab", ""
    del model.metadata_props[:]
    try:
        onnx.checker.check_model(model, full_check=True)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"the graph {name} is not valid ONNX: {error}") from error
    return model


def with_prelu_nodes(model: onnx.ModelProto) -> None:
    """Replaces every (1 - slope) * relu(x) + slope * x by one PRelu node. That is faster in WebAssembly, and slower natively."""
    graph = model.graph
    tables = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    users = Counter(tensor for node in graph.node for tensor in node.input)
    replaced: dict[str, onnx.NodeProto] = {}
    gone: set[str] = set()

    def product(name: str) -> tuple[str, str] | None:
        """The map and the table whose product a tensor is."""
        node = made_by.get(name)
        if node is None or node.op_type != "Mul" or users[name] != 1:
            return None
        table = [tensor for tensor in node.input if tensor in tables]
        return (next(t for t in node.input if t not in tables), table[0]) if len(table) == 1 else None

    for node in graph.node:
        parts = [product(name) for name in node.input] if node.op_type == "Add" else [None]
        if None in parts:
            continue
        for (x, slope), (relu, _), rise in ((parts[0], parts[1], node.input[1]), (parts[1], parts[0], node.input[0])):  # type: ignore[misc]
            if relu in made_by and made_by[relu].op_type == "Relu" and made_by[relu].input[0] == x:
                name = f"{slope}_of_prelu"
                graph.initializer.append(numpy_helper.from_array(tables[slope].reshape(-1, 1, 1), name))
                replaced[node.output[0]] = onnx.helper.make_node("PRelu", [x, name], list(node.output))
                gone |= {relu, rise, *node.input}
    nodes = [replaced.get(node.output[0], node) for node in graph.node if node.output[0] not in gone]
    del graph.node[:]
    graph.node.extend(nodes)


def describe(values: Sequence[onnx.ValueInfoProto]) -> dict[str, dict[str, Any]]:
    """name -> {"dtype", "shape"}; sizes that depend on the photo keep their letters (H, W, N)."""
    described = {}
    for value in values:
        tensor = value.type.tensor_type
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
        described[value.name] = {"dtype": dtype, "shape": [d.dim_value or d.dim_param for d in tensor.shape.dim]}
    return described


def parameter_count(model: onnx.ModelProto) -> int:
    """Numbers stored in the graph."""
    return sum(int(numpy_helper.to_array(tensor).size) for tensor in model.graph.initializer)


def _subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    return [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]


def _all_inputs(node: onnx.NodeProto) -> list[str]:
    """Everything that a node reads, including what its subgraphs read."""
    inner = [tensor for graph in _subgraphs(node) for child in graph.node for tensor in _all_inputs(child)]
    return [*node.input, *inner]


def _rename_node(node: onnx.NodeProto, renamed: Callable[[str], str]) -> None:
    node.input[:] = [renamed(tensor) for tensor in node.input]
    node.output[:] = [renamed(tensor) for tensor in node.output]
    for graph in _subgraphs(node):
        del graph.value_info[:]
        for index, child in enumerate(graph.node):
            child.name = f"{node.name}_{child.op_type}_{index}"
            _rename_node(child, renamed)
        for value in (*graph.input, *graph.output):
            value.name = renamed(value.name)


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for value in (*graph.input, *graph.output):
        if value.name == old:
            value.name = new
    for node in graph.node:
        _rename_node_once(node, old, new)


def _rename_node_once(node: onnx.NodeProto, old: str, new: str) -> None:
    node.input[:] = [new if tensor == old else tensor for tensor in node.input]
    node.output[:] = [new if tensor == old else tensor for tensor in node.output]
