"""What the unit tests share beside tests/conftest.py."""

from __future__ import annotations

import pytest

from facelab.native import EMBEDDER_VARIABLE, NORMALISE_VARIABLE


@pytest.fixture(autouse=True)
def _own_choice_of_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """`facelab.cli.main` sets these variables for worker processes: no test may choose the network of the next one."""
    for variable in (EMBEDDER_VARIABLE, NORMALISE_VARIABLE):
        monkeypatch.setenv(variable, "")
