"""`python -m assemble.after_site.styles SITE`: on a built site's pages with a tool, puts the style sheets into the page.

The browser then needs four files fewer before it can draw such a page, while the engine's files are on their way. Other pages keep
their links, because a browser loads a linked sheet only once for all of them.

It runs after the site generator, whichever that is.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

BEGINS_ENGINE = "facelabEngine ="  # in the head: demo/book/theme/main.html
LINK = re.compile(r'<link rel="stylesheet" href="([^":]+)">')
FURTHER_FILE = re.compile(r"url\(([\"']?)(?![\"']|data:|#|/|\w+:)(?:\./)?")
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=[^*]*\*/")


def main() -> int:
    site = Path(sys.argv[1])
    if not (site / "index.html").exists():
        print(f"assemble.after_site.styles: {site} is no site: run `make site`", file=sys.stderr)
        return 2
    for page in site.rglob("*.html"):
        text = page.read_text()
        if BEGINS_ENGINE in text:
            page.write_text(LINK.sub(partial(_in_place, page.parent), text))
    return 0


def _in_place(folder: Path, link: re.Match[str]) -> str:
    """A linked sheet as it reads inside a page of that folder; the files that it loads lie beside the sheet."""
    css = SOURCE_MAP.sub("", (folder / link[1]).read_text())
    beside = rf"url(\1{link[1].rpartition('/')[0]}/"
    return f"<style>{FURTHER_FILE.sub(beside, css).strip()}</style>"


if __name__ == "__main__":
    sys.exit(main())
