"""Face recognition you can read and run: detect, align, embed, verify.

    >>> import facelab
    >>> facelab.verify("a.jpg", "b.jpg").verdict
    'same'

One module a chapter. The modules are async at heart and know no engine (see `runtime`), so that the same source runs in
the page and here; the functions below are their plain faces.

onnxruntime sends telemetry unless ORT_DISABLE_TELEMETRY is 1 when Python imports it. This package sets that variable, so
import facelab before onnxruntime.
"""

import os
import sys
import warnings

if "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
    warnings.warn(
        "onnxruntime was imported before facelab and may send telemetry: import facelab first, or set ORT_DISABLE_TELEMETRY=1.",
        stacklevel=2,
    )
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # must run before the imports below, which load onnxruntime

# `api` has imported the modules detect, embed and verify by now, so these names mean its functions from here on;
# `from facelab.detect import ...` still reaches the modules.
from .api import Verification, detect, embed, largest_face, verify
from .errors import FacelabError, InputError, ModelError, NoFaceError, PhotoError

__all__ = [
    "FacelabError",
    "InputError",
    "ModelError",
    "NoFaceError",
    "PhotoError",
    "Verification",
    "detect",
    "embed",
    "largest_face",
    "verify",
]
