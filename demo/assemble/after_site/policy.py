"""`python -m assemble.after_site.policy SITE`: gives each page a policy by which the browser contacts no other server.

The Content-Security-Policy stands in the page, because many hosts of static files cannot send headers. This step runs after all
others that write pages, because the policy holds a hash of each inline script.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from html.parser import HTMLParser
from pathlib import Path

# Two permissions for which there is no narrower word: compiling WebAssembly, and style sheets inside elements.
DIRECTIVES = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "connect-src": "'self' data: blob:",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
CHARSET = '<meta charset="utf-8">'
HEAD = "<head>"


def main() -> int:
    site = Path(sys.argv[1])
    if not (site / "index.html").exists():
        print(f"assemble.after_site.policy: {site} is no site: run `make site`", file=sys.stderr)
        return 2
    write_policies(site)
    return 0


def write_policies(site: Path) -> None:
    """Gives each page of a site its policy."""
    for page in site.rglob("*.html"):
        page.write_text(_with_policy(page.read_text()))


def policy_of(html: str) -> str:
    """The policy of a page: of all inline scripts, only those that stand in the page may run."""
    scripts = _InlineScripts(html).texts
    hashes = sorted({f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts})
    directives = {**DIRECTIVES, "script-src": " ".join([DIRECTIVES["script-src"], *hashes])}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _with_policy(html: str) -> str:
    """Puts the policy ahead of everything it governs, but after the encoding, which must be in a page's first 1024 bytes."""
    if HEAD not in html or CHARSET not in html:
        raise ValueError(f"a page needs {HEAD} and {CHARSET}")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{policy_of(html)}">'
    return html.replace(CHARSET, "", 1).replace(HEAD, HEAD + CHARSET + policy, 1)


class _InlineScripts(HTMLParser):
    """The texts of a page's inline scripts. Scripts of other types are data, and no browser runs them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = (
            tag == "script" and "src" not in values and values.get("type") in (None, "module", "importmap", "text/javascript")
        )
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


if __name__ == "__main__":
    sys.exit(main())
