"""What can go wrong in an export; each message says what to do next."""


class ExportError(Exception):
    """A model could not be exported."""
