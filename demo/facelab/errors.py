"""Everything that facelab raises on purpose; each message says what to do next.

FacelabError
├── PhotoError       a file is not a photo that can be read
├── NoFaceError      a photo shows no face
├── ModelError       the models or their manifest are missing, damaged or of another version
└── InputError       an argument or a file of pairs cannot be used
"""


class FacelabError(Exception):
    """Base of all."""


class PhotoError(FacelabError):
    """A file is not a photo that can be read."""


class NoFaceError(FacelabError):
    """A photo shows no face."""


class ModelError(FacelabError):
    """The models or their manifest are missing, damaged or of another version."""


class InputError(FacelabError):
    """An argument or a file of pairs cannot be used."""
