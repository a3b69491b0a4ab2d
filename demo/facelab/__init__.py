"""Face recognition you can read and run: detect, align, embed, verify.

    >>> import facelab
    >>> facelab.verify("a.jpg", "b.jpg").verdict
    'same'

One module a chapter. The modules are async at heart and know no engine (see `runtime`), so that the same source runs in
the page and here; the functions below are their plain faces.
"""

# `easy` has imported the modules detect, embed and verify by now, so these names mean its functions from here on;
# `from facelab.detect import ...` still reaches the modules.
from .easy import Verification, detect, embed, largest_face, verify
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
