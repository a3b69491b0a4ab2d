"""The engine's files lie in a folder named after their content, and the pages of a site, wherever it lies, name them there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assemble.after_site.build_folder import build_in, move, write_list
from assemble.after_site.offline import write_service_worker

TOOL = """<head><script>facelabStartWorker("../app/web/worker.js"); const app = "../app/";</script>
<link rel="modulepreload" href="../app/web/page.js"><style>@font-face{src:url(../app/web/fonts/a.woff2)}</style></head>
<face-verify app="../app/"><img src="../app/stills/a.webp"> in app/ of another site: <a href="https://example.com/app/">app/web/</a>"""
FRONT = '<script src="app/web/book.js" type="module"></script>'
NOT_FOUND = '<link rel="stylesheet" href="/repo/app/web/facelab.css"><script src="/repo/app/web/book.js" type="module"></script>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    models = {"embedder": {"cohort": None}, "embedders": {}}
    for name, text in {
        "index.html": FRONT,
        "demo/index.html": TOOL,
        "404.html": NOT_FOUND,
        "plain.html": "<p>app</p>",
        "app/web/page.js": "1",
        "app/web/book.js": "2",
        "app/web/worker.js": "3",
        "app/web/service-worker.js": "4",
        "app/models/models.json": json.dumps(models),
        "app/ort/ort.wasm": "5",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    write_list(tmp_path / "app")
    return tmp_path


def imports(page: str) -> dict[str, str]:
    before, _, rest = page.partition('<script type="importmap">')
    assert "modulepreload" not in before
    assert "module" not in before
    found: dict[str, str] = json.loads(rest.partition("</script>")[0])["integrity"]
    return found


def test_pages_name_the_folder_by_relative_and_by_absolute_addresses(site: Path) -> None:
    build = move(site)
    assert (site / "app" / build / "ort" / "ort.wasm").read_text() == "5"
    tool = (site / "demo" / "index.html").read_text()
    for address in ("web/worker.js", '";</script>', "web/page.js", "web/fonts/a.woff2)", '"><img', "stills/a.webp"):
        assert f"../app/{build}/{address}" in tool
    assert 'in app/ of another site: <a href="https://example.com/app/">app/web/</a>' in tool
    assert f'src="app/{build}/web/book.js"' in (site / "index.html").read_text()
    assert f'src="/repo/app/{build}/web/book.js"' in (site / "404.html").read_text()
    assert (site / "plain.html").read_text() == "<p>app</p>"


def test_the_browser_is_told_what_the_scripts_that_pages_import_have_to_be(site: Path) -> None:
    build = move(site)
    for page, root in (("demo/index.html", "../"), ("index.html", "./"), ("404.html", "/repo/")):
        integrity = imports((site / page).read_text())
        assert integrity.keys() == {f"{root}app/{build}/web/{name}.js" for name in ("page", "book")}
        assert integrity[f"{root}app/{build}/web/page.js"] == "sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s="


def test_the_folder_is_named_after_all_that_is_in_it(site: Path) -> None:
    again = site / "again"
    (again / "app").mkdir(parents=True)
    for path in (site / "app").rglob("*.*"):
        copy = again / path.relative_to(site)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    assert move(again) == move(site)
    folder = site / "app" / build_in(site)
    listed = json.loads((folder / "assets.json").read_text())
    assert listed["ort/ort.wasm"] == {"bytes": 1, "sha256": hashlib.sha256(b"5").hexdigest()}
    assert "assets.json" not in listed
    (folder / "ort" / "ort.wasm").write_text("6")
    write_list(folder)
    folder.rename(site / "moved")
    (site / "app").rmdir()
    (site / "moved").rename(site / "app")
    assert move(site) != folder.name


def test_once_is_enough_and_what_is_no_site_is_refused(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    def ran(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "assemble.after_site.build_folder", str(folder)], capture_output=True, text=True
        )

    assert ran(site).returncode == 0
    page = (site / "demo" / "index.html").read_text()
    assert ran(site).returncode == 0
    assert (site / "demo" / "index.html").read_text() == page
    refused = ran(tmp_path_factory.mktemp("nothing"))
    assert refused.returncode == 2
    assert "make site" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_service_worker_knows_the_files_there(site: Path) -> None:
    build = move(site)
    write_service_worker(site)
    first, script = (site / "service-worker.js").read_text().split("\n")
    files = json.loads(first.removeprefix("self.FILES = ").removesuffix(";"))
    urls = {kind: {file["url"] for file in files[kind]} for kind in ("book", "engine")}
    assert script == "4"
    assert urls["engine"] == {f"app/{build}/{name}" for name in ("assets.json", "models/models.json", "ort/ort.wasm")}
    assert urls["book"] == {
        "index.html",
        "demo/index.html",
        "plain.html",
        *(f"app/{build}/web/{name}.js" for name in ("page", "book", "worker")),
    }
