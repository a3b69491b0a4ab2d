"""What a reader's code, or a page itself, may ask for: nothing of another server, whatever way it is tried."""

from __future__ import annotations

import ast
import re

from playwright.sync_api import Browser, expect

from assemble.after_site.policy import policy_of

from .conftest import ASK_ENGINE, BUILD, READY, SITE, Watched
from .ways_out import CODE, SILENT, recording

POLICY = re.compile(r'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="([^"]+)">')


def test_cell_sends_nothing_to_another_server(watched: Watched) -> None:
    page = watched.open("introduction/")
    cell = page.get_by_test_id("cell-0")
    cell.locator("pre").first.click()
    cell.locator(".cm-content").wait_for()
    with recording() as recorder:
        assert (
            page.evaluate("address => fetch(`http://${address}/page`).then(() => 'sent', () => 'refused')", recorder.address)
            == "refused"
        )
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(CODE.format(server=recorder.address, app=f"{watched.site}app/{BUILD}/"))
        page.keyboard.press("Control+Enter")
        expect(cell).to_have_attribute("data-state", "done", timeout=READY)
        assert recorder.asked == []
    assert set(ast.literal_eval(cell.locator(".cell-text").inner_text())) == SILENT
    assert watched.requests_elsewhere() != [], "Playwright sees what the browser refuses, workers' attempts too"


def test_engine_that_outlives_its_page_runs_no_code(chromium: Browser, site: str) -> None:
    """It has the policy that its server sends: none."""
    with chromium.new_page() as page:
        page.goto(site)
        said = page.evaluate(ASK_ENGINE, [site, "runCell", "1"])
    assert "only in a worker that startWorker has started" in said


def test_policy_is_the_first_of_a_page_and_knows_its_scripts_alone() -> None:
    pages = list((SITE).rglob("*.html"))
    assert SITE / "404.html" in pages
    for page in pages:
        html = page.read_text()
        policy = POLICY.search(html)
        assert policy, f"{page}: before anything that it governs"
        assert policy[1] == policy_of(html.replace(policy[0], "", 1))
        assert "'unsafe-eval'" not in policy[1]
        assert html.count('<meta charset="') == 1
