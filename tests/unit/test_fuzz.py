"""Every reader of a file format on damaged files: each gives an answer or raises a FacelabError or ExportError, and prints nothing.

As part of the suite this takes a few seconds. `pytest tests/unit/test_fuzz.py --fuzz 60` takes a minute, divided among the readers.
A failure names the round, which makes the same damage every time.
"""

from __future__ import annotations

import io
import json
import random
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.dlib_resnet import INPUT_LAYER, read_dlib_network
from export.errors import ExportError
from export.mobilefacenet import read_tfjs
from export.weight_files import UnreadableError, read_tensors
from facelab.cohort import read_cohort
from facelab.detect import Face
from facelab.embedder_file import KEY, read_embedder
from facelab.errors import FacelabError
from facelab.evaluate import read_doubtful, read_groups, read_pairs
from facelab.gallery import Enrolled, _checksum, read_gallery, write_gallery
from facelab.memory import Found, _packed, _unpacked
from facelab.models import CohortFile, parse_manifest
from facelab.native import models_folder
from facelab.photos import FORMATS, read_photo

from ..fuzzing import damaged, damaged_json
from .test_embedder_file import ENTRY, model
from .test_inception_weights import write_safetensors
from .test_mobilefacenet import scopes, written

OWN_ERRORS = (FacelabError, ExportError, UnreadableError)


@dataclass(frozen=True)
class Reader:
    """whole: files to begin with. read: takes what `damage` makes of one."""

    whole: list[bytes]
    read: Callable[[bytes], object]
    damage: Callable[[bytes, random.Random], bytes] = damaged


def _json_damage(data: bytes, dice: random.Random) -> bytes:
    return damaged_json(data.decode(), dice).encode("utf-8", "surrogatepass")


def _gallery_damage(data: bytes, dice: random.Random) -> bytes:
    """Half of the time with the right checksum, so that what it guards is read."""
    made = _json_damage(data, dice)
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        told = json.loads(made)
        return json.dumps({**told, "sha256": _checksum(told["people"])}).encode() if dice.random() < 0.5 else made
    return made


def _photos(format_name: str) -> list[bytes]:
    """One picture in every mode that the format has, with EXIF."""
    pixels = np.random.default_rng(1).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "a camera", 72.0
    files = []
    for mode in ("RGB", "L", "RGBA", "P", "CMYK", "I"):
        file = io.BytesIO()
        try:
            Image.fromarray(pixels).convert(mode).save(file, format_name, exif=exif)
        except (OSError, ValueError):
            continue  # the format has no such mode
        files.append(file.getvalue())
    return files


def _through_a_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def written_and_read(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return written_and_read


def _all_tensors(path: Path) -> None:
    for read in read_tensors(path).values():
        with suppress(UnreadableError):
            read()


def _weights(name: str, folder: Path) -> bytes:
    numbers = np.arange(24, dtype=np.float32).reshape(4, 6)
    file = folder / name
    match file.suffix:
        case ".h5":
            with h5py.File(file, "w") as made:
                made["model_weights/layer/layer/kernel:0"] = numbers
        case ".npz":
            np.savez(file, kernel=numbers, bias=numbers[0])
        case ".safetensors":
            write_safetensors(file, {"kernel": numbers, "bias": numbers[0].astype(np.float16)})
        case ".pb":
            graph = tf.compat.v1.GraphDef()
            graph.node.add(name="kernel", op="Const").attr["value"].tensor.CopyFrom(tf.make_tensor_proto(numbers))
            file.write_bytes(graph.SerializeToString())
    return file.read_bytes()


def _dlib_network() -> bytes:
    """Two layers in dlib's own serialisation, in which a number is its count of bytes, then its bytes."""

    def integers(*values: int) -> bytes:
        return b"".join(bytes((1, value)) for value in values)

    def named(kind: bytes) -> bytes:
        return integers(len(kind)) + kind

    relu = named(b"relu_") + b"000" + integers(2, 0, 0, 0, 0) * 3 + integers(1)
    last = named(b"fc_2") + integers(2, 1) + integers(2, 2, 1, 1, 1) + np.ones(2, "<f4").tobytes()
    return b"loss" + INPUT_LAYER + integers(123, 0, 117, 0, 104, 0) + integers(150, 150) + relu + last


CSV = 'a,b,same,group,photo,verdict\nx.jpg,y.jpg,1,g,x.jpg,same\n"z, 1.jpg",y.jpg,0,h,z.jpg,doubtful\n'


def _reader_of_photos(file: Path, format_name: str) -> Reader:
    return Reader(_photos(format_name), _through_a_file(file, lambda path: read_photo(path, 20)))


def _reader_of_weights(folder: Path, suffix: str) -> Reader:
    return Reader([_weights(f"whole{suffix}", folder)], _through_a_file(folder / f"damaged{suffix}", _all_tensors))


def _reader_of_tables(file: Path, read: Callable[[Path], object]) -> Reader:
    return Reader([CSV.encode(), CSV.replace(",", ";").encode("utf-16")], _through_a_file(file, read))


def _reader_of_checkpoints(folder: Path) -> Reader:
    numbers = np.arange(24, dtype=np.float32)
    tf.raw_ops.SaveV2(prefix=str(folder / "damaged"), tensor_names=["kernel"], shape_and_slices=[""], tensors=[numbers])
    index = folder / "damaged.index"
    return Reader([index.read_bytes()], _through_a_file(index, _all_tensors))


def _readers(folder: Path) -> dict[str, Callable[[], Reader]]:
    manifest = (models_folder() / "models.json").read_text()
    told = parse_manifest(manifest)
    faces = {"Ada": [Enrolled("a.jpg", np.ones(128, np.float32), "data:image/jpeg;base64,AA==")], "Bo": []}
    gallery = write_gallery(faces, told.embedder.name).encode()
    table = io.BytesIO()
    np.save(table, np.ones((9, 128), np.int8))
    entry = CohortFile("cohort.npy", "", 0, 0.1, 5, 0.5, 1.0)
    tensors = [
        (f"{scope}/{'depthwise' if is_depthwise else 'Conv2D'}_{what}", np.ones((1, 1, 2, 2), np.float32))
        for _, scope, is_depthwise in scopes()
        for what in ("weights", "bn_offset")
    ]
    topology, numbers = written([*tensors, *((f"{scope}/mul", np.ones(2, np.float32)) for _, scope, _ in scopes())])
    face = Face(np.arange(4.0), 0.9, np.ones((5, 2)))
    row = _packed([Found(face, np.ones(128, np.float32), ("dark",))])
    return {
        **{name: partial(_reader_of_photos, folder / "photo", name) for name in FORMATS},
        **{f"weights{end}": partial(_reader_of_weights, folder, end) for end in (".h5", ".npz", ".safetensors", ".pb")},
        "checkpoint": partial(_reader_of_checkpoints, folder),
        "manifest": lambda: Reader([manifest.encode()], lambda data: parse_manifest(data.decode()), _json_damage),
        "gallery": lambda: Reader([gallery], lambda data: read_gallery(data.decode(), told), _gallery_damage),
        "cohort": lambda: Reader([table.getvalue()], lambda data: read_cohort(data, entry)),
        "embedder": lambda: Reader([model(**{KEY: json.dumps(ENTRY)})], read_embedder),
        "dlib": lambda: Reader([_dlib_network()], _through_a_file(folder / "net.dat", read_dlib_network)),
        "tfjs": lambda: Reader([topology], lambda data: read_tfjs(data, numbers), _json_damage),
        "remembered": lambda: Reader([row], lambda data: _unpacked(data, 128)),
        **{
            read.__name__: partial(_reader_of_tables, folder / "table.csv", read)
            for read in (read_pairs, read_groups, read_doubtful)
        },
    }


READERS = (
    *FORMATS,
    *("weights.h5", "weights.npz", "weights.safetensors", "weights.pb", "checkpoint", "dlib", "tfjs"),
    *("manifest", "gallery", "cohort", "embedder", "remembered", "read_pairs", "read_groups", "read_doubtful"),
)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_end_in_an_answer_or_an_error_of_our_own(
    name: str, tmp_path: Path, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    reader = _readers(tmp_path)[name]()
    for whole in reader.whole:
        reader.read(whole)
    until = time.monotonic() + request.config.getoption("--fuzz") / len(READERS)
    rounds = 0
    with warnings.catch_warnings(action="error"):
        while time.monotonic() < until or not rounds:
            dice = random.Random(rounds)
            data, said = reader.damage(dice.choice(reader.whole), dice), ""
            try:
                reader.read(data)
            except OWN_ERRORS as error:
                said = str(error)
            except Exception as error:
                raise AssertionError(f"round {rounds}: {type(error).__name__}: {error}") from error
            assert "\n" not in said, f"round {rounds}"
            rounds += 1
    assert capfd.readouterr() == ("", "")
