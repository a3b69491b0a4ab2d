"""Face recognition you can read and run: detect, align, embed, verify.

    >>> import facelab
    >>> facelab.verify("a.jpg", "b.jpg").verdict
    'same'

One module a chapter. The modules are async at heart and know no engine (see `runtime`), so that the same source runs in
the page and here; the functions below are their plain faces.
"""

# The modules first: `verify`, `detect` and `embed` name both a module and a function, and the function must win.
from . import align, detect, embed, errors, models, runtime, verify  # noqa: F401
from .easy import Verification, detect, embed, largest_face, verify  # noqa: F811
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
