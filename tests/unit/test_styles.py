"""Pages with a tool carry their style sheets in them, and what a sheet asks for is still found; other pages keep the links."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assemble.after_site.styles import main

LINKS = '<link rel="stylesheet" href="../app/one.css"><link rel="stylesheet" href="../two.css">'
ONE = (
    "a{src:url(./fonts/a.woff2)}b{src:url('fonts/b.woff2')}"
    'c{mask:url(data:image/svg+xml;utf8,x)}c{mask:url("data:image/svg+xml;utf8,y")}d{filter:url(#d)}/*# sourceMappingURL=x.map */'
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "index.html": f"<head>{LINKS}</head>",
        "demo/index.html": f"<head><script>facelabEngine = 1</script>{LINKS}</head>",
        "app/one.css": ONE,
        "two.css": "e{}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_tool_page_has_its_sheets_and_their_files(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["styles", str(site)])
    assert main() == 0
    page = (site / "demo" / "index.html").read_text()
    assert "stylesheet" not in page
    assert "sourceMappingURL" not in page
    assert "a{src:url(../app/fonts/a.woff2)}b{src:url('../app/fonts/b.woff2')}" in page
    assert 'c{mask:url(data:image/svg+xml;utf8,x)}c{mask:url("data:image/svg+xml;utf8,y")}' in page
    assert "d{filter:url(#d)}</style><style>e{}</style>" in page
    assert (site / "index.html").read_text() == f"<head>{LINKS}</head>"


def test_what_is_no_site_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "assemble.after_site.styles", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "make site" in done.stderr
    assert "Traceback" not in done.stderr
