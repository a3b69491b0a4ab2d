"""A page's Content-Security-Policy: ahead of all that it governs, and with the hashes of its own scripts."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

PAGE = """<!doctype html><html><head><title>A page</title><meta charset="utf-8"><script>first()</script></head>
<body><script type="application/json">{"no": "script"}</script><script src="app.js"></script>
<script type="module">const less = 1 < 2 && "’"</script></body></html>"""


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def run(site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "assemble.after_site.policy", str(site)], capture_output=True, text=True)


def test_each_page_gets_a_policy_with_hashes_of_its_own_scripts(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "index.html"
    page.parent.mkdir()
    (tmp_path / "index.html").write_text(PAGE.replace("first()", "another()"))
    page.write_text(PAGE)
    assert run(tmp_path).returncode == 0
    html = page.read_text()
    before, policy = html.split('<meta http-equiv="Content-Security-Policy" content="')
    assert before == '<!doctype html><html><head><meta charset="utf-8">'
    directives = dict(directive.split(" ", 1) for directive in policy.split('"')[0].split("; "))
    hashes = {hash_of("first()"), hash_of('const less = 1 < 2 && "’"')}
    assert {source for source in directives["script-src"].split() if "sha256" in source} == hashes
    assert directives["connect-src"] == "'self' data: blob:"
    assert directives["default-src"] == "'self'"
    assert html.count("charset") == 1


def test_folder_that_is_no_site_is_refused(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert ran.returncode == 2
    assert "is no site: run `make site`" in ran.stderr
