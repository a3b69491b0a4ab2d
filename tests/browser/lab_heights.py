"""`python -m tests.browser.lab_heights`: how tall each lab is, as a still or once it has answered, into demo/book/lab-heights.json.

The book keeps that much room for it, so that the text below stays where it is. Measured on the built site, in three widths of the
window; in rem, for the theme's letters grow with very wide windows.
"""

from __future__ import annotations

import json

from playwright.sync_api import Locator, Page, sync_playwright

from ..conftest import ROOT
from .chromium import ARGUMENTS, find_chromium
from .conftest import OWN_ENGINE, served
from .test_book import PLACES, address, open_lab

WIDTHS = {"narrow": 390, "middle": 768, "wide": 1280}  # pixels
HEIGHTS = ROOT / "demo" / "book" / "lab-heights.json"
IN_REM = """lab => {
    lab.style.minHeight = 0;
    return lab.getBoundingClientRect().height / parseFloat(getComputedStyle(document.documentElement).fontSize);
}"""


def still_lab(page: Page, kind: str) -> Locator:
    return page.get_by_test_id(f"lab-{kind}")


def main() -> None:
    found = find_chromium()
    assert found, "`python -m tests.browser.chromium` installs one"
    heights: dict[str, dict[str, float]] = {kind: {} for _, kind in sorted(PLACES, key=lambda place: place[1])}
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=ARGUMENTS, env={"HOME": "/nonexistent", **found.environment}
        )
        page = browser.new_page()
        page.add_init_script(OWN_ENGINE)
        for stem in dict.fromkeys(stem for stem, _ in PLACES):
            page.goto(site + address(stem))
            kinds = [kind for of, kind in PLACES if of == stem]
            for place in (still_lab, open_lab):
                labs = {kind: place(page, kind) for kind in kinds}
                for name, width in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": 900})
                    for kind, lab in labs.items():
                        heights[kind][name] = max(heights[kind].get(name, 0), round(lab.evaluate(IN_REM), 1))
        browser.close()
    HEIGHTS.write_text(json.dumps(heights, indent=2) + "\n")


if __name__ == "__main__":
    main()
