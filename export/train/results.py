"""The two files of a finished training: FILE.keras is the network, FILE.json says how its chips are cut and how it was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from facelab.files import write_whole
from facelab.models import Embedder

from ..errors import ExportError
from .chips import template
from .networks import build, multiply_adds

FORMAT = 1


def save_result(
    file: Path, model: Any, network: str, cut_for: Embedder, plain_threshold: float, training: dict[str, Any]
) -> dict[str, Any]:
    """The contents of FILE.json, after both files have been written.

    The network is saved in float32 even if it was trained in mixed precision. cut_for: the embedder whose chips, in another size,
    it was trained on. Raises ExportError if a file cannot be written.
    """
    _, side, _, _ = model.input_shape
    dimensions = int(model.output_shape[-1])
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    plain = build(network, side, dimensions)
    keras.config.set_dtype_policy(policy)
    plain.set_weights(model.get_weights())
    sidecar = {
        "format": FORMAT,
        "network": network,
        "chip_size": side,
        "dimensions": dimensions,
        "parameters": plain.count_params(),
        "multiply_adds": multiply_adds(plain),
        "template": [[round(float(x), 3) for x in point] for point in template(cut_for, side)],
        "landmark_weights": cut_for.landmark_weights.tolist(),
        "pre_processing": {"standardise": "fixed", "normalise": "l2"},  # the network does both itself
        "metric": "euclidean",
        "plain_threshold": round(plain_threshold, 4),
        "training": training,
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{file.stem}.part.keras")
        plain.save(partial)
        partial.replace(file)
    except OSError as error:
        raise ExportError(f"{file} cannot be written ({error})") from None
    write_whole(file.with_suffix(".json"), json.dumps(sidecar, indent=1, allow_nan=False) + "\n", ExportError)
    return sidecar


def load_result(file: Path) -> tuple[Any, dict[str, Any]]:
    """The network, and the contents of FILE.json. Raises ExportError if either file is missing or damaged."""
    sidecar = file.with_suffix(".json")
    try:
        told: dict[str, Any] = json.loads(sidecar.read_text())
        if told["format"] != FORMAT:
            raise ExportError(f"{sidecar} has format {told['format']}, this reads format {FORMAT}: train again")
    except FileNotFoundError:
        raise ExportError(f"{sidecar} is missing: it belongs beside {file.name}, where python -m export.train wrote it") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{sidecar} cannot be read ({error}): copy it again, or train again") from None
    if not file.is_file():
        raise ExportError(f"{file} is missing: python -m export.train makes one")
    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:  # Keras passes on whatever its file reader raises
        raise ExportError(f"{file} is not a network that Keras can read ({str(error).splitlines()[0]}): copy it again") from None
    if model.input_shape[1:3] != (told["chip_size"],) * 2 or model.output_shape[-1] != told["dimensions"]:
        raise ExportError(f"{sidecar} is of another network than {file.name}: copy both again")
    return model, told
