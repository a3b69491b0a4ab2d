"""In Firefox and WebKit, Safari's engine: right verdicts, the numbers of the command line, groups, labs and cells that answer."""

from __future__ import annotations

import ast
import json
from base64 import b64encode
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Playwright

from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish

from .conftest import BUILD, ENGINE_ALONE
from .others import Driven, by_playwright, driven, must_be_there, whose
from .ways_out import CODE, SILENT, recording

pytestmark = pytest.mark.secure("other browsers know no other name of this machine")

FIND = """
const all = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot ? all(selector, shadowRoot) : [])),
];
const find = (testid) => all(`[data-testid="${testid}"]`)[0];
"""
GIVE = f"""{FIND}
const [testid, ...given] = arguments;
const held = new DataTransfer();
for (const [name, bytes] of given) held.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name));
const input = find(testid);
input.files = held.files;
input.dispatchEvent(new Event("change", {{ bubbles: true }}));
"""
PEOPLE, PHOTOS = 4, 4


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def browser(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Driven]:
    with driven(getattr(playwright, request.param)) as browser:
        if not browser:
            assert not must_be_there(), f"no {request.param}: `playwright install` and `python -m tests.browser.others` install it"
            pytest.skip(f"no {request.param} on this machine: `playwright install --with-deps {request.param}` installs it")
        yield browser


def give(browser: Driven, testid: str, *files: Path) -> None:
    """As if somebody had chosen them."""
    browser.run(GIVE, testid, *([file.name, b64encode(file.read_bytes()).decode()] for file in files))


def verdict(browser: Driven) -> str:
    said = browser.wait_for(f"{FIND} return find('verdict')?.dataset.verdict")
    assert isinstance(said, str)
    return said


def test_playwrights_build_comes_before_debians(tmp_path: Path) -> None:
    built, programs = tmp_path / "playwright", tmp_path / "bin"
    programs.mkdir()
    assert whose("webkit", built, str(programs)) is None
    for program, expected in (("WebKitWebDriver", None), ("Xvfb", "Debian")):
        (programs / program).touch(mode=0o755)
        assert whose("webkit", built, str(programs)) == expected
    built.touch()
    assert whose("webkit", built, str(programs)) == "Playwright"


def test_playwright_drives_as_webdriver_does(chromium: Browser, site: str) -> None:
    """In the one browser that is always there."""
    page = chromium.new_page()
    test_sample_pairs_get_the_right_verdicts(by_playwright(page), site)
    page.close()


def test_sample_pairs_get_the_right_verdicts(browser: Driven, site: str) -> None:
    browser.open(f"{site}demo/")
    for sample, expected in ((0, "same"), (1, "different")):
        browser.wait_for(f"{FIND} const pair = find('sample-{sample}'); pair?.click(); return Boolean(pair)")
        assert verdict(browser) == expected
        browser.run(f"{FIND} find('clear').click()")
        browser.wait_for(f"{FIND} return !find('verdict').dataset.verdict")


def test_photos_from_disk_give_what_the_same_files_give_natively(browser: Driven, site: str, odd_photos: Path) -> None:
    """PNG files, which every decoder reads alike, and the page's own weights: within 1e-4."""
    browser.open(f"{site}demo/")
    browser.wait_for(f"{FIND} return find('photo-b')")
    names = ("rgba.png", "palette.png")
    for slot, name in zip("ab", names, strict=True):
        give(browser, f"photo-{slot}", odd_photos / name)
    verdict(browser)
    in_page = browser.run("const { a, b } = document.querySelector('face-verify').embeddings; return [[...a], [...b]]")
    runtime = NativeRuntime(models_folder(), compact=True)
    for name, values in zip(names, in_page, strict=True):
        photo = read_photo(odd_photos / name, runtime.manifest.max_side)
        face = finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))[:1]))[0]
        assert np.abs(np.array(values) - face.embedding).max() < 1e-4


def test_album_puts_photos_of_one_person_together(browser: Driven, site: str, orl39: Path, tmp_path: Path) -> None:
    """With all of Python, a network worker for each core, and a file that is no photo."""
    people = sorted(path for path in orl39.iterdir() if path.is_dir())[:PEOPLE]
    for person in people:
        for photo in sorted(person.iterdir())[:PHOTOS]:
            Image.open(photo).convert("RGB").save(tmp_path / f"{person.name}-{photo.stem}.png")
    (tmp_path / "notes.jpg").write_text("no photo")
    browser.open(f"{site}album/")
    browser.wait_for(f"{FIND} return find('album-photos')")
    give(browser, "album-photos", *sorted(tmp_path.iterdir()))
    browser.wait_for(f"{FIND} return find('status')?.textContent.includes('All photos are done')")
    files = "(group) => all('[data-testid=album-face]', group).map(({ title }) => title)"
    groups = [
        [name.split("-")[0] for name in group] for group in browser.run(f"{FIND} return all('[data-testid=group]').map({files})")
    ]
    together = [a == b for group in groups for a, b in combinations(group, 2)]
    of_one = PEOPLE * PHOTOS * (PHOTOS - 1) / 2
    assert 2 * sum(together) / (len(together) + of_one) >= 0.95
    assert browser.run(f"{FIND} return all('details.outcomes')[0].textContent.includes('notes.jpg')")


def test_roll_call_names_the_people_of_a_group_photo(browser: Driven, site: str) -> None:
    browser.open(f"{site}roll-call/")
    browser.wait_for(f"{FIND} const samples = find('try-samples'); samples?.click(); return Boolean(samples)")
    obama = "all('[data-testid=entry]').find(({ dataset }) => dataset.name === 'Barack Obama')"
    browser.wait_for(f"{FIND} return {obama}?.dataset.presence === 'present'")


def test_lab_and_cell_of_a_chapter_answer(browser: Driven, site: str) -> None:
    browser.open(f"{site}introduction/")
    browser.wait_for("return document.querySelector('[data-testid^=lab-]')?.dataset.state")
    browser.run("document.querySelector('[data-testid^=lab-]').shadowRoot.querySelector('.start').click()")
    answered = "dataset.state === 'ready' && dataset.answers"
    browser.wait_for(f"const {{ dataset }} = document.querySelector('[data-testid^=lab-]'); return {answered}")
    browser.run(f"{FIND} find('cell-run').click()")
    ended = "['done', 'failed'].includes(state) && state"
    assert browser.wait_for(f"{FIND} const {{ state }} = find('cell-0').dataset; return {ended}") == "done"


def test_code_sends_nothing_to_another_server(browser: Driven, site: str) -> None:
    """From an engine that is started as the page starts its own."""
    browser.open(site)
    with recording() as recorder:
        code = CODE.format(server=recorder.address, app=f"{site}app/{BUILD}/")
        keep = "then((answer) => (document.body.dataset.answer = JSON.stringify(answer)))"  # scripts share nothing else
        browser.run(f"({ENGINE_ALONE})(arguments[0])('runCell', arguments[1]).{keep}", site, code)
        answer = json.loads(browser.wait_for("return document.body.dataset.answer"))
        assert recorder.asked == []
    assert answer["error"] is None
    assert set(ast.literal_eval(answer["text"].splitlines()[-1])) <= SILENT  # after what Pyodide says itself
