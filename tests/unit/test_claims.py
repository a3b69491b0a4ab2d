"""What the chapters claim is what was measured: the words stand in the page, and its tables bear them out."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from .. import claims
from ..claims import Claim
from ..conftest import ROOT

FOLDER = Path(claims.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
FOUND = [
    pytest.param(module, claim, id=f"{module}: {claim.says[:60]}")
    for module in MODULES
    for claim in importlib.import_module(f"{claims.__name__}.{module}").CLAIMS
]


@pytest.mark.parametrize(("module", "claim"), FOUND)
def test_claim_of_a_page_is_borne_out(module: str, claim: Claim) -> None:
    page = ROOT / "docs" / f"{module.replace('_', '-')}.md"
    page = page if page.exists() else ROOT / f"{module.upper()}.md"
    assert " ".join(claim.says.split()) in " ".join(page.read_text().split()), f"{page.name} no longer says this"
    assert claim.holds(), "what was measured says otherwise"
