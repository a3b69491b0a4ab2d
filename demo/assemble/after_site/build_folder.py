"""`python -m assemble.after_site.build_folder SITE`: moves a site's engine files from app/ to app/BUILD/, and updates its pages.

An address then always means the same file in every version of the site, so no cache on the way can mix two versions. BUILD depends
on the content: app/BUILD/assets.json lists each file with its hash, and BUILD is the hash of that list. The page's scripts check
what they fetch against the list (demo/web/src/engine/assets.ts). For modules that pages import, the browser checks the hashes in an
import map.

It runs after the site generator, whichever that is.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from base64 import b64encode
from pathlib import Path

LIST = "assets.json"
HEX = 16  # characters of BUILD: enough to tell versions apart
# An address in a page: relative or, on the page "not found", from the site's root.
ADDRESS = re.compile(r"""(?<=["'(])((?:[^"'()<>:\s]*/)?)app/(?=["')]|web/|samples/|stills/)""")
FIRST_MODULE = re.compile(r"""<link rel="modulepreload"|<script [^>]*type="module\"""")
PRELOAD = re.compile(r"""<link rel="modulepreload" href="[^"]*?app/([^"]+)\"""")
IMPORT_MAP = '<script type="importmap">{}</script>'
NOT_IMPORTED = {"web/worker.js", "web/graphs.js", "web/service-worker.js"}  # import maps do not apply in workers


def main() -> int:
    site = Path(sys.argv[1])
    app = site / "app"
    if (app / LIST).exists():
        move(site)
    elif not list(app.glob(f"*/{LIST}")):
        print(f"assemble.after_site.build_folder: {site} has no app/{LIST}: run `make site`", file=sys.stderr)
        return 2
    return 0


def write_list(app: Path) -> None:
    """Writes assets.json: {path: {bytes, sha256}} for each file in its folder and below."""
    files = sorted(path for path in app.rglob("*") if path.is_file() and path != app / LIST)
    listed = {
        file.relative_to(app).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in files
    }
    (app / LIST).write_text(json.dumps(listed, indent=1, allow_nan=False) + "\n")


def move(site: Path) -> str:
    """Moves the files and returns the new folder's name. Pages then use it, and state the hashes of the scripts they import."""
    app = site / "app"
    text = (app / LIST).read_bytes()
    build = hashlib.sha256(text).hexdigest()[:HEX]
    partial = app.rename(site / "app.part")
    app.mkdir()
    partial.rename(app / build)
    scripts = {
        path: f"sha256-{b64encode(bytes.fromhex(file['sha256'])).decode()}"
        for path, file in json.loads(text).items()
        if path.startswith("web/") and path.endswith(".js") and path not in NOT_IMPORTED
    }
    for page in site.rglob("*.html"):
        html = page.read_text()
        if not (first := ADDRESS.search(html)):
            continue
        integrity = {f"{first[1] or './'}app/{build}/{path}": value for path, value in scripts.items()}
        imports = IMPORT_MAP.format(json.dumps({"integrity": integrity}, separators=(",", ":"), allow_nan=False))
        html = PRELOAD.sub(lambda link, known=scripts: f'{link[0]} integrity="{known[link[1]]}"', html)  # type: ignore[misc]
        html = ADDRESS.sub(rf"\1app/{build}/", html)
        at = FIRST_MODULE.search(html)
        page.write_text(html[: at.start()] + imports + html[at.start() :] if at else html)
    return build


def build_in(site: Path) -> str:
    """The folder's name in a site whose files have been moved. Raises FileNotFoundError where there is none."""
    for path in (site / "app").glob(f"*/{LIST}"):
        return path.parent.name
    raise FileNotFoundError(f"{site} has no app/BUILD/{LIST}: run `make site`")


if __name__ == "__main__":
    sys.exit(main())
