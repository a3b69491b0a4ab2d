"""`python -m tests.browser.screenshot`: the picture of the demo's answer in the README, from the built site. It shows no photo."""

from __future__ import annotations

import http.server
import io
import threading
from functools import partial

from PIL import Image
from playwright.sync_api import sync_playwright

from ..conftest import ROOT
from .chromium import ARGUMENTS, find_chromium

EDGE = 24  # pixels around what is shown
PICTURE = ROOT / "docs" / "assets" / "demo.webp"


def main() -> None:
    found = find_chromium()
    assert found, "`python -m tests.browser.chromium` installs one"
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(ROOT / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=ARGUMENTS, env={"HOME": "/nonexistent", **found.environment}
        )
        page = browser.new_page(viewport={"width": 1280, "height": 2800}, color_scheme="dark")
        page.goto(f"http://127.0.0.1:{server.server_port}/demo/")
        page.get_by_test_id("sample-0").click()
        page.locator('[data-testid="verdict"][data-verdict]').wait_for(timeout=60_000)
        page.wait_for_timeout(500)
        places = [page.get_by_test_id(name).bounding_box() for name in ("verdict", "strip-difference")]
        top, end = (place for place in places if place)
        picture = Image.open(io.BytesIO(page.screenshot()))
        left, right = int(top["x"]) - EDGE, int(end["x"] + end["width"]) + EDGE
        picture.crop((left, int(top["y"]) - EDGE, right, int(end["y"] + end["height"]) + EDGE)).save(PICTURE, quality=80)
        browser.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
