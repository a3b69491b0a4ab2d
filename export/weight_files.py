"""Reads tensors by name from a file of weights: HDF5, TensorFlow 1 checkpoint, frozen graph, .npz or safetensors.

Nothing in such a file is executed or unpickled, and PyTorch is not needed. Each tensor is read when it is asked for.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from facelab.files import open_plain

from .errors import ExportError
from .weight_names import Tensor

Tensors = Mapping[str, Callable[[], Tensor]]
Result = TypeVar("Result")

# the most bytes of a tensor, as a small file can claim any shape; the networks that use these files need a hundredth of it
MOST_BYTES = 2**30
AVERAGED = "/ExponentialMovingAverage"
KINDS = "a Keras .h5 file, a TensorFlow 1 checkpoint or frozen .pb, or a PyTorch state dict as .npz or .safetensors"


class UnreadableError(Exception):
    """A file, or a tensor in it, is damaged or cut short."""


def read_tensors(path: Path) -> Tensors:
    """All tensors of a file, by name. The file's first bytes decide its kind, not its name.

    path: the file; for a checkpoint, any of its files, their common prefix, or their folder. Raises ExportError where there is no
    such file or its kind is unknown, and UnreadableError where it cannot be read.
    """
    read = _or_unreadable(partial(_reader_of, path))
    return {name: partial(_or_unreadable, tensor) for name, tensor in _or_unreadable(read).items()}


def _or_unreadable(read: Callable[[], Result]) -> Result:
    """The result of `read`, with every other exception turned into an UnreadableError: damaged files raise nearly anything."""
    try:
        return read()
    except (ExportError, UnreadableError):
        raise
    except Exception as error:
        raise UnreadableError(error) from error


def _reader_of(path: Path) -> Callable[[], Tensors]:
    if checkpoint := _checkpoint(path):
        return partial(_read_checkpoint, checkpoint)
    with open_plain(path, ExportError) as file:
        start = file.read(16)
    if start.startswith(b"\x89HDF"):
        return partial(_read_hdf5, path)
    if start.startswith(b"PK"):
        return partial(_read_npz, path)
    if start[8:9] == b"{":
        return partial(_read_safetensors, path)
    return partial(_read_frozen_graph, path)


def _refuse_large(shape: Iterable[int], width: int = 1) -> None:
    if math.prod(shape) * width > MOST_BYTES:
        raise UnreadableError(f"a tensor of more than {MOST_BYTES // 2**20} MiB")


def _read_hdf5(path: Path) -> Tensors:
    """Keras 2: a group `model_weights`, or the whole file if it holds weights only, with .../LAYER/KIND:0 in it."""
    tensors: dict[str, Callable[[], Tensor]] = {}
    with h5py.File(path) as file:

        def keep(address: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                layer, _, kind = address.rpartition("/")
                tensors[f"{layer.rpartition('/')[2]}/{kind.removesuffix(':0')}"] = partial(_read_dataset, path, item.name)

        file.get("model_weights", file).visititems(keep)
    return tensors


def _read_dataset(path: Path, name: str) -> Tensor:
    with h5py.File(path) as file:
        _refuse_large(file[name].shape, file[name].dtype.itemsize)
        return np.asarray(file[name])


def _checkpoint(path: Path) -> Path | None:
    """The common prefix of a checkpoint's files. TensorFlow calls the prefix the checkpoint."""
    if path.is_dir():
        found = sorted(path.glob("*.index"))
        if len(found) != 1:
            raise ExportError(f"{path} holds {len(found) or 'no'} checkpoints: name {KINDS}")
        return found[0].with_suffix("")
    start = path.with_name(path.name.partition(".data-")[0].removesuffix(".index"))
    return start if start.with_name(start.name + ".index").exists() else None


def _read_checkpoint(start: Path) -> Tensors:
    """The variables by name; each as its moving average where the training kept one."""

    def read(name: str) -> Tensor:
        _refuse_large(names[name], 8)
        return np.asarray(reader.get_tensor(name))

    reader = tf.train.load_checkpoint(str(start))
    names = reader.get_variable_to_shape_map()
    return {name: partial(read, name + AVERAGED if name + AVERAGED in names else name) for name in names}


def _read_frozen_graph(path: Path) -> Tensors:
    """The constants of a GraphDef, by name."""
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        if path.suffix == ".pb":
            raise UnreadableError(error) from error
        raise ExportError(f"{path.name} is no file of weights that can be read here: name {KINDS}") from None
    constants = {node.name: node.attr["value"].tensor for node in graph.node if node.op == "Const"}
    return {name: partial(_read_constant, constants.get(name + AVERAGED, value)) for name, value in constants.items()}


def _read_constant(constant: Any) -> Tensor:
    _refuse_large((side.size for side in constant.tensor_shape.dim), 8)
    return np.asarray(tf.make_ndarray(constant))


def _read_npz(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
    if any(member.endswith("data.pkl") for member in members):
        raise ExportError(
            f"{path.name} is PyTorch's own format, which runs code as it is read: save its state dict as safetensors, or as .npz "
            "with numpy.savez(file, **{name: tensor.numpy() for name, tensor in state_dict.items()})"
        )
    return {member.removesuffix(".npy"): partial(_read_member, path, member.removesuffix(".npy")) for member in members}


def _read_member(path: Path, name: str) -> Tensor:
    with np.load(path, allow_pickle=False) as file:
        _refuse_large([file.zip.getinfo(f"{name}.npy").file_size])
        return np.asarray(file[name])


def _read_safetensors(path: Path) -> Tensors:
    """Eight bytes: the header's length, little endian; the header, JSON: name -> dtype, shape, where; then the numbers."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, path.stat().st_size)))
    return {
        name: partial(_read_slice, path, 8 + length, entry["dtype"], tuple(entry["shape"]), *entry["data_offsets"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _read_slice(path: Path, start: int, dtype: str, shape: tuple[int, ...], begin: int, end: int) -> Tensor:
    """A tensor's numbers. dtype: the format's name for its type. BF16 is the upper half of F32."""
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}[dtype]
    _refuse_large([end - begin])
    with path.open("rb") as file:
        file.seek(start + begin)
        data = file.read(end - begin)
    numbers = np.frombuffer(data, kind).reshape(shape)
    return (numbers.astype("<u4") << 16).view("<f4") if dtype == "BF16" else numbers
