"""`python -m assemble.offline SITE`: the service worker of a built site, with the list of its files, each with a hash.

After the site is built, as only then all pages are there; any site generator will do.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

BUNDLE = "app/web/service-worker.js"
# Used on request and ten times as large as the book: kept once the engine has been used (see service-worker.ts).
ENGINE = ("app/assets.json", "app/models/", "app/ort/", "app/pyodide/", "app/python/", "app/samples/", "app/web/editor-")
NOT_KEPT = ("service-worker.js", BUNDLE, "sitemap", "results/", "404.html", "assets/javascripts/lunr/")
# Of the fonts those that the book's own text needs; the others come with the network.
FONTS, NEEDED_FONTS = "app/web/fonts/", ("inter-latin-wght",)


def main() -> int:
    site = Path(sys.argv[1])
    bundle = site / BUNDLE
    if not bundle.exists():
        print(f"assemble.offline: {site} has no {BUNDLE}: run `make site`", file=sys.stderr)
        return 2
    further = _further_models(site)
    book: list[dict[str, str]] = []
    engine: list[dict[str, str]] = []
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if not path.is_file() or name in further or name.startswith(NOT_KEPT) or name.endswith(".map") or _is_spare_font(name):
            continue
        entry = {"url": name, "revision": hashlib.sha256(path.read_bytes()).hexdigest()}
        (engine if name.startswith(ENGINE) else book).append(entry)
    files = json.dumps({"book": book, "engine": engine}, separators=(",", ":"), allow_nan=False)
    (site / "service-worker.js").write_text(f"self.FILES = {files};\n{bundle.read_text()}")
    return 0


def _further_models(site: Path) -> set[str]:
    """Further embedders and cohorts, which nobody has chosen yet: not kept before they are."""
    manifest = json.loads((site / "app/models/models.json").read_text())
    entries = manifest["embedders"].values()
    files = [entry["graph"].get("compact", entry["graph"]) for entry in entries]
    embedders = [manifest["embedder"], *(entry["embedder"] for entry in entries)]
    files += [embedder["cohort"] for embedder in embedders if embedder["cohort"]]
    return {f"app/models/{file['file']}" for file in files}


def _is_spare_font(name: str) -> bool:
    return name.startswith(FONTS) and not name.removeprefix(FONTS).startswith(NEEDED_FONTS)


if __name__ == "__main__":
    sys.exit(main())
