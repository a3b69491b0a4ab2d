"""The book's pages: complete, at home under a sub-path, calling nobody, usable by everybody; and built by Zensical as well."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from ..conftest import ROOT
from .conftest import BUILD, SITE, SiteHandler, Watched, axe_violations, served

CHAPTERS = (
    "",
    "overview/",
    "introduction/",
    "data-pre-processing/",
    "face-detection/",
    "face-alignment/",
    "face-recognition/",
    "face-verification/",
    "how-well-it-works/",
    "speed/",
    "responsible-use/",
)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_is_complete_and_quiet_in_both_schemes_and_widths(chapter: str, watched: Watched) -> None:
    page = watched.open(chapter)
    assert page.locator("article h1").count() == 1
    assert len(page.locator("article").inner_text().split()) > 300, "no stub"
    for scheme in ("default", "slate"):
        page.evaluate("scheme => document.body.setAttribute('data-md-color-scheme', scheme)", scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)  # colours fade
            assert axe_violations(page) == [], f"{width}, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.requests_elsewhere() == []
    assert watched.complaints == []


def test_links_stay_under_the_sub_path(watched: Watched) -> None:
    page = watched.open("face-alignment/")
    page.get_by_role("link", name="Face recognition").first.click()
    page.wait_for_url("**/repo/face-recognition/")
    assert page.locator("article h1").inner_text().startswith("Face recognition")


def test_search_finds_a_chapter(watched: Watched) -> None:
    page = watched.open("")
    box = page.get_by_role("textbox", name="Search")
    box.click()
    box.press_sequentially("triplet", delay=30)
    page.locator(".md-search-result__link").first.wait_for()
    assert "face-recognition" in (page.locator(".md-search-result__link").first.get_attribute("href") or "")
    assert watched.requests_elsewhere() == []


class Pieces(HTMLParser):
    """How often each element stands on a page, and its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1


def test_zensical_builds_the_same_pages_from_the_same_configuration(tmp_path: Path) -> None:
    """In a copy, for Zensical writes beside the configuration."""
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("app"))
    shutil.copytree(ROOT / "demo" / "book" / "theme", tmp_path / "demo" / "book" / "theme")
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build"], cwd=tmp_path, check=True, capture_output=True)
    for chapter in CHAPTERS:
        ours, theirs = (Pieces((folder / "site" / chapter / "index.html").read_text()) for folder in (ROOT, tmp_path))
        for tag in ("h1", "h2", "math", "table", "figure", "details"):
            assert theirs.counts.get(tag) == ours.counts.get(tag), f"{chapter or 'index'}: {tag}"
    demo = (tmp_path / "site" / "demo" / "index.html").read_text()
    assert "face-verify" in demo
    assert "facelabEngine = " in demo, "the engine begins in the page's head"


@pytest.mark.parametrize("tool", ["demo/", "roll-call/", "album/", "camera/"])
def test_nothing_jumps_as_a_tool_comes_into_its_page(tool: str, watched: Watched) -> None:
    page = watched.open(tool)
    page.wait_for_timeout(1000)
    page.reload()  # by now nothing has to come from afar: a first visit, on a busy machine, may not have its tool in half a second
    page.wait_for_timeout(1000)
    shifts = page.evaluate(
        """new Promise((resolve) => {
            const observer = new PerformanceObserver((list) => resolve(list.getEntries().map(({ value }) => value)));
            observer.observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve([]), 500);
        })"""
    )
    assert sum(shifts) < 0.005


def test_page_whose_tool_does_not_come_is_shown_without(watched: Watched) -> None:
    watched.page.route("**/facelab.js", lambda route: None)  # and never an answer
    page = watched.open("demo/#your-photos")
    expect(page.get_by_role("heading", name="Your photos")).to_be_in_viewport(timeout=5000)
    page.evaluate("scrollTo(0, 900)")
    page.wait_for_timeout(500)
    page.reload()
    expect(page.get_by_role("heading", name="Demo")).to_be_visible(timeout=5000)
    assert page.evaluate("scrollY") == 900


def test_keyboard_shows_where_it_is_and_stops_at_nothing_empty(watched: Watched) -> None:
    page = watched.open("")
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("[document.activeElement.className, getComputedStyle(document.activeElement).outlineStyle]"))
    assert any("md-logo" in name for name, _ in seen)
    assert not any("md-search__scrollwrap" in name for name, _ in seen)
    assert [name for name, ring in seen if ring == "none" and "md-search__input" not in name] == []


@pytest.mark.parametrize("path", ["demo/", "album/", "overview/"])
def test_file_dropped_beside_the_places_for_files_does_not_replace_the_page(path: str, watched: Watched) -> None:
    page = watched.open(path)
    page.locator("face-verify:defined, photo-album:defined, face-lab:defined").first.wait_for()
    refused = page.evaluate(
        """["dragover", "drop"].map((type) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["not for here"], "notes.txt"));
            return !document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
        })"""
    )
    assert refused == [True, True]


class NotFound(SiteHandler):
    """Answers as GitHub Pages does where there is nothing."""

    def send_error(self, code: int, *_: object) -> None:
        page = (SITE / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)


def test_page_for_addresses_that_are_not_there_leads_back_from_any_depth(chromium: Browser) -> None:
    with served(NotFound) as site, chromium.new_page() as page:
        for address in ("no", "no/such/page/at-all", "demo/no/"):
            page.goto(site + address)
            expect(page.get_by_role("link", name="Demo")).to_have_attribute("href", f"{urlsplit(site).path}demo/")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)", "it has its style"
        assert axe_violations(page) == []
        page.get_by_role("link", name="Demo").click()
        page.wait_for_url("**/repo/demo/")


def test_first_pair_of_samples_is_asked_for_in_the_head() -> None:
    """Under the names that the page's script will ask for."""
    pair = json.loads((ROOT / "demo" / "web" / "src" / "samples.json").read_text())["pairs"][0]
    head, _ = (SITE / "demo" / "index.html").read_text().split("</head>")
    for name in (pair["a"], pair["b"]):
        assert f'<link rel="preload" as="fetch" crossorigin href="../app/{BUILD}/samples/{name}">' in head
