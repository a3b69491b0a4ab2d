"""What the chapters claim is what was measured: the words stand in the page, its tables bear them out, and every table is shown."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from book.results import MENTION

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


PAGES = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
FIGURES = [path.read_text() for path in (ROOT / "demo" / "book" / "figures").glob("*.py")]
SHOWN = {mention for page in PAGES for mention in MENTION.findall(page.read_text())}


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_every_table_and_chart_is_shown(path: Path) -> None:
    """A page mentions it, or a figure that reads its report names it."""
    report = json.loads(path.read_text())
    measured = [(kind, key) for kind in ("table", "chart") for key in report[f"{kind}s"]]
    unseen = [f"{kind} {path.stem}/{key}" for kind, key in measured if not _is_shown(kind, path.stem, key)]
    assert unseen == [], "show these in a page or a figure, or drop them from the experiment and its report"


def _is_shown(kind: str, report: str, key: str) -> bool:
    drawn = any(f'read_report("{report}")' in module and f'["{key}"]' in module for module in FIGURES)
    return drawn or (kind, f"{report}/{key}") in SHOWN
