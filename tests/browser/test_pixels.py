"""What Python sees of a photo is what the page's canvas holds, to the last pixel: alpha is taken off four pixels at a time."""

from __future__ import annotations

import json

from playwright.sync_api import Browser

from .conftest import ENGINE_ALONE

PIXELS = range(1, 10)
IN_PYTHON = """async ([site, counts]) => {
    const ask = (ENGINE)(site);
    for (const width of counts) {
        const rgba = Uint8Array.from({length: 4 * width}, (_, i) => 37 * i).buffer;
        await ask("put", String(width), {width, height: 1, rgba});
    }
    return await ask("runCell", `import facelab.cells\\n[facelab.cells.pixels(str(n)).ravel().tolist() for n in [${counts}]]`);
}""".replace("ENGINE", ENGINE_ALONE)


def test_alpha_is_taken_off_photos_of_any_number_of_pixels(chromium: Browser, site: str) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(site)
        answer = page.evaluate(IN_PYTHON, [site, list(PIXELS)])
    assert answer["error"] is None
    assert json.loads(answer["text"]) == [[37 * i % 256 for i in range(4 * n) if i % 4 != 3] for n in PIXELS]
