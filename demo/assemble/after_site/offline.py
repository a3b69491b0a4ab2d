"""`python -m assemble.after_site.offline SITE`: writes a site's service worker, with the list of its files and their hashes.

It runs after the site generator, whichever that is, because all pages must exist.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from .build_folder import build_in

# In the folder of the build:
BUNDLE = "web/service-worker.js"
# Used on request, and ten times as large as the book: kept once the engine has been used (see service-worker.ts).
ENGINE = ("assets.json", "models/", "ort/", "pyodide/", "python/", "samples/", "web/editor-")
# The fonts that the book's text needs; the others come from the network.
FONTS, NEEDED_FONTS = "web/fonts/", ("inter-latin-wght",)

NOT_KEPT = ("service-worker.js", "sitemap", "results/", "404.html", "assets/javascripts/lunr/")


def main() -> int:
    try:
        write_service_worker(Path(sys.argv[1]))
    except FileNotFoundError as error:
        print(f"assemble.after_site.offline: {error}", file=sys.stderr)
        return 2
    return 0


def write_service_worker(site: Path) -> None:
    """Writes SITE/service-worker.js. Raises FileNotFoundError where the engine's files are not in the folder of their build."""
    app = f"app/{build_in(site)}/"
    further = _further_models(site / app)
    book: list[dict[str, str]] = []
    engine: list[dict[str, str]] = []
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        inside = name.removeprefix(app)
        if not path.is_file() or name.startswith(NOT_KEPT) or name.endswith(".map"):
            continue
        if inside != name and (inside in further or inside == BUNDLE or _is_spare_font(inside)):
            continue
        entry = {"url": name, "revision": hashlib.sha256(path.read_bytes()).hexdigest()}
        (engine if inside != name and inside.startswith(ENGINE) else book).append(entry)
    files = json.dumps({"book": book, "engine": engine}, separators=(",", ":"), allow_nan=False)
    (site / "service-worker.js").write_text(f"self.FILES = {files};\n{(site / app / BUNDLE).read_text()}")


def _further_models(app: Path) -> set[str]:
    """Further embedders and cohorts that nobody has chosen yet: they are not kept before somebody does."""
    manifest = json.loads((app / "models" / "models.json").read_text())
    entries = manifest["embedders"].values()
    files = [entry["graph"].get("compact", entry["graph"]) for entry in entries]
    embedders = [manifest["embedder"], *(entry["embedder"] for entry in entries)]
    files += [embedder["cohort"] for embedder in embedders if embedder["cohort"]]
    return {f"models/{file['file']}" for file in files}


def _is_spare_font(name: str) -> bool:
    return name.startswith(FONTS) and not name.removeprefix(FONTS).startswith(NEEDED_FONTS)


if __name__ == "__main__":
    sys.exit(main())
