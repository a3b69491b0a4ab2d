"""Classes enrolled with dlib's network, which was the page's own: still read with it, read again with today's, and never mixed."""

from __future__ import annotations

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from facelab.embed import Embedded, embed_kept_chip
from facelab.enrol import look_at
from facelab.gallery import Enrolled, write_gallery
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish

from ..classroom import compose
from .conftest import BUILD, READY, axe_violations, watch
from .test_roll_call import NOON, finished, presence

DLIB, OWN = "dlib-resnet-v1", "mobilefacenet-v1"
PUPILS, ENROLLED = 4, 3
DAY = NOON[:10]

# The first version's database, as Dexie made it: its version 1 is IndexedDB's 10.
MAKE = """async (tables) => {
  const indexes = {classes: [], people: ["classId"], photos: ["classId", "personId"], days: ["classId"]};
  indexes.sightings = ["classId", "dayId", "personId"];
  const unique = {people: ["classId", "name"], days: ["classId", "date"]};
  const db = await new Promise((done) => {
    const request = indexedDB.open("facelab", 10);
    request.onupgradeneeded = () => {
      for (const [name, keys] of Object.entries(indexes)) {
        const store = request.result.createObjectStore(name, {keyPath: "id"});
        for (const key of keys) store.createIndex(key, key);
        if (unique[name]) store.createIndex(`[${unique[name].join("+")}]`, unique[name], {unique: true});
      }
    };
    request.onsuccess = () => done(request.result);
  });
  const transaction = db.transaction(Object.keys(tables), "readwrite");
  const packed = (row) => (row.embedding ? {...row, embedding: new Float32Array(row.embedding)} : row);
  for (const [name, rows] of Object.entries(tables)) for (const row of rows) transaction.objectStore(name).put(packed(row));
  await new Promise((done) => (transaction.oncomplete = done));
  db.close();
}"""
READ = """async () => {
  const answer = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  const db = await answer(indexedDB.open("facelab"));
  const tables = {version: db.version};
  for (const name of db.objectStoreNames) {
    const rows = await answer(db.transaction(name).objectStore(name).getAll());
    tables[name] = rows.map((row) => (row.embedding ? {...row, embedding: [...row.embedding]} : row));
  }
  db.close();
  return tables;
}"""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Old:
    """A class as it was kept, with a day's roll. pupils: who is in it; the last is not in the group photo, in which is a stranger.

    further: a photo of each pupil that is not enrolled.
    """

    tables: dict[str, Rows]
    pupils: list[str]
    portraits: list[Path]
    further: dict[str, Path]


@pytest.fixture(scope="module")
def dlib() -> NativeRuntime:
    """The page's weights, in eight bits."""
    return NativeRuntime(models_folder(), compact=True, embedder=DLIB)


@pytest.fixture(scope="module")
def own() -> NativeRuntime:
    return NativeRuntime(models_folder(), compact=True)


def seen(photo: Path, runtime: NativeRuntime, smallest: float = 40) -> list[Embedded]:
    return list(finish(look_at(runtime, read_photo(photo, runtime.manifest.max_side), smallest)).faces)


def chip_url(face: Embedded) -> str:
    kept = io.BytesIO()
    Image.fromarray(face.chip).save(kept, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(kept.getvalue()).decode()}"


@pytest.fixture(scope="module")
def old(orl39: Path, dlib: NativeRuntime, tmp_path_factory: pytest.TempPathFactory) -> Old:
    folder = tmp_path_factory.mktemp("old")
    people = sorted(path for path in orl39.iterdir() if path.is_dir())[: PUPILS + 1]
    photos = {person.name: sorted(person.iterdir()) for person in people}
    pupils = [person.name for person in people[:PUPILS]]

    def saved(name: str, number: int) -> Path:
        path = folder / f"{name}-{number}.png"
        Image.open(photos[name][number]).convert("RGB").save(path)
        return path

    portraits = [saved(name, number) for name in pupils for number in range(ENROLLED)]
    common: dict[str, Any] = {"classId": "7b"}
    enrolled = []
    for i, photo in enumerate(portraits):
        whose = {**common, "id": f"photo {i}", "personId": photo.stem.split("-")[0]}
        enrolled.append({**whose, "file": photo.name, "hash": "", **row(seen(photo, dlib)[0])})
    there = [*pupils[:-1], people[-1].name]
    pixels, _ = compose([(name, photos[name][9]) for name in there], seed=3, sides=(100, 160))
    Image.fromarray(pixels).save(folder / "today.png")
    found = seen(folder / "today.png", dlib, 24)
    assert len(found) == len(there)
    common_seen = {**common, "dayId": "today", "photoId": "group", "poor": [], "by": "machine"}
    unasked = {"personId": None, "answer": "unknown", "distance": 0.123, "chance": 0.5}
    sightings = [
        {**common_seen, **unasked, "id": f"face {i}", "box": list(map(float, face.face.box)), **row(face)}
        for i, face in enumerate(found)
    ]
    group = {"id": "group", "file": "today.png", "width": pixels.shape[1], "height": pixels.shape[0]}
    tables: dict[str, Rows] = {
        "classes": [{"id": "7b", "name": "7b", "rule": "template"}, {"id": "empty", "name": "empty", "rule": "template"}],
        "people": [{**common, "id": name, "name": name} for name in pupils],
        "photos": enrolled,
        "days": [{**common, "id": "today", "date": DAY, "photos": [group], "marks": {}}],
        "sightings": sightings,
    }
    return Old(tables, pupils, portraits, {name: saved(name, ENROLLED) for name in pupils})


def row(face: Embedded) -> dict[str, Any]:
    return {"embedding": face.embedding.tolist(), "chip": chip_url(face)}


Visit = Callable[[dict[str, Rows]], Page]


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """The roll call of a browser in which a database of the first version was left."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, service_workers="block")
    context.set_default_timeout(READY)
    context.clock.set_fixed_time(NOON)

    def visit(tables: dict[str, Rows]) -> Page:
        page = context.new_page()
        page.goto(f"{site}app/{BUILD}/assets.json")
        page.evaluate(MAKE, tables)
        page.close()
        page = watch(context.new_page(), site).open("roll-call/")
        page.get_by_test_id("class").select_option(label="7b")
        page.locator('[data-engine="ready"]').wait_for()
        expect(page.get_by_test_id("class-sentence")).to_be_visible()  # the engine knows the class
        return page

    yield visit
    context.close()


def kept(page: Page) -> dict[str, Any]:
    tables: dict[str, Any] = page.evaluate(READ)
    return tables


def embedders(page: Page) -> set[str]:
    """Of all that is kept of the class 7b."""
    tables = kept(page)
    of_rows = {one["embedder"] for name in ("photos", "sightings") for one in tables[name] if one["classId"] == "7b"}
    return of_rows | {one["embedder"] for one in tables["classes"] if one["name"] == "7b"}


def roll_is_right(page: Page, old: Old) -> None:
    """By the truth of the composed photo; the page may be unsure, but must not be wrong."""
    for name in old.pupils[:-1]:
        expect(page.locator(f'[data-testid="entry"][data-name="{name}"]')).not_to_have_attribute("data-presence", "absent")
    assert presence(page)[old.pupils[-1]] == "absent"
    expect(page.locator('[data-testid^="face-"][data-answer="unknown"]')).to_have_count(1)


def test_class_of_the_first_version_is_still_read_with_dlibs_network(visit: Visit, old: Old, dlib: NativeRuntime) -> None:
    page = visit(old.tables)
    expect(page.get_by_test_id("class-embedder")).to_contain_text("was enrolled with dlib’s ResNet, and still uses it")
    roll_is_right(page, old)
    assert axe_violations(page) == []
    tables = kept(page)
    assert tables["version"] == 40
    assert {one["id"]: one.get("embedder") for one in tables["classes"]} == {"7b": DLIB, "empty": None}
    for name in ("photos", "sightings"):
        before = {one["id"]: one["embedding"] for one in old.tables[name]}
        assert {one["embedder"] for one in tables[name]} == {DLIB}
        for one in tables[name]:
            np.testing.assert_array_equal(np.float32(before[one["id"]]), np.float32(one["embedding"]))

    name = old.pupils[0]
    page.get_by_test_id("pupil").fill(name)
    page.get_by_test_id("portraits").set_input_files(old.further[name])
    finished(page)
    (added,) = [one for one in kept(page)["photos"] if one["file"] == old.further[name].name]
    assert added["embedder"] == DLIB
    np.testing.assert_allclose(added["embedding"], seen(old.further[name], dlib)[0].embedding, atol=1e-3)


def test_engine_that_starts_anew_reads_with_dlibs_network_too(visit: Visit, old: Old, dlib: NativeRuntime, site: str) -> None:
    page = visit(old.tables)
    page.context.route("**/ort.memory.gz", lambda route: route.abort())
    page.reload()
    expect(page.get_by_test_id("failure")).to_be_visible()
    page.context.unroute("**/ort.memory.gz")
    page.get_by_test_id("retry").click()
    expect(page.get_by_test_id("class-sentence")).to_be_visible(timeout=READY)
    name = old.pupils[0]
    page.get_by_test_id("pupil").fill(name)
    page.get_by_test_id("portraits").set_input_files(old.further[name])
    finished(page)
    (added,) = [one for one in kept(page)["photos"] if one["file"] == old.further[name].name]
    np.testing.assert_allclose(added["embedding"], seen(old.further[name], dlib)[0].embedding, atol=1e-3)


def test_new_class_is_read_with_the_pages_own_network(visit: Visit, old: Old, own: NativeRuntime) -> None:
    page = visit(old.tables)
    page.get_by_test_id("class").select_option(label="empty")
    expect(page.get_by_test_id("class-embedder")).to_have_count(0)
    name = old.pupils[0]
    page.get_by_test_id("pupil").fill(name)
    page.get_by_test_id("portraits").set_input_files(old.further[name])
    finished(page)
    tables = kept(page)
    (added,) = [one for one in tables["photos"] if one["classId"] == "empty"]
    assert added["embedder"] == OWN
    assert {one["embedder"] for one in tables["classes"] if one["id"] == "empty"} == {OWN}
    np.testing.assert_allclose(
        added["embedding"], seen(old.further[name], own)[0].embedding, atol=1e-3
    )  # last digits of landmarks differ


def test_class_is_read_again(visit: Visit, old: Old, own: NativeRuntime, dlib: NativeRuntime) -> None:
    """By the kept chips, as natively; the roll is asked again and stays right."""
    page = visit(old.tables)
    page.get_by_test_id("read-again").click()
    count = PUPILS * ENROLLED + len(old.tables["sightings"])
    expect(page.get_by_test_id("status")).to_contain_text(f"now uses MobileFaceNet: {count} faces were read again")
    expect(page.get_by_test_id("class-embedder")).to_have_count(0)
    roll_is_right(page, old)
    assert embedders(page) == {OWN}
    tables = kept(page)
    assert all(one["distance"] != 0.123 for one in tables["sightings"]), "no distance of the other network is left"
    for one in [*tables["photos"], *tables["sightings"]]:
        np.testing.assert_allclose(one["embedding"], reread(one["chip"], own, dlib), atol=0.02)  # decoders differ a little
    page.reload()
    roll_is_right(page, old)
    expect(page.get_by_test_id("class-embedder")).to_have_count(0)


def reread(chip: str, runtime: NativeRuntime, kept_for: NativeRuntime) -> NDArray[np.float32]:
    pixels = np.asarray(Image.open(io.BytesIO(b64decode(chip.split(",")[1]))).convert("RGB"))
    return finish(embed_kept_chip(runtime, runtime.photo(pixels), kept_for.manifest.embedder))


def test_reading_again_can_be_stopped_and_changes_nothing_then(visit: Visit, old: Old) -> None:
    page = visit(old.tables)
    roll_is_right(page, old)  # the engine has been asked about every face
    before = kept(page)
    page.get_by_test_id("read-again").click()
    page.get_by_test_id("stop").click()
    expect(page.get_by_test_id("status")).to_contain_text("Stopped. The class 7b has not changed")
    assert kept(page) == before
    expect(page.get_by_test_id("read-again")).to_be_enabled()


def test_photos_without_a_chip_are_left_out_only_where_the_teacher_agrees(visit: Visit, old: Old) -> None:
    photos = [{**one, "chip": ""} if i < 2 else one for i, one in enumerate(old.tables["photos"])]
    page = visit({**old.tables, "photos": photos})
    page.get_by_test_id("read-again").click()
    expect(page.get_by_test_id("unreadable")).to_contain_text("MobileFaceNet cannot read 2 photos of this class")
    assert axe_violations(page) == []
    page.get_by_test_id("keep-embedder").click()
    assert embedders(page) == {DLIB}
    page.get_by_test_id("read-again").click()
    page.get_by_test_id("read-again-without").click()
    expect(page.get_by_test_id("status")).to_contain_text("now uses MobileFaceNet")
    assert embedders(page) == {OWN}
    assert {one["id"] for one in kept(page)["photos"]} == {one["id"] for one in photos[2:]}


def gallery(old: Old, runtime: NativeRuntime, chips: bool) -> str:
    people: dict[str, list[Enrolled]] = {}
    for photo in old.portraits:
        face = seen(photo, runtime)[0]
        enrolled = Enrolled(photo.name, face.embedding, chip_url(face) if chips else None)
        people.setdefault(photo.stem.split("-")[0], []).append(enrolled)
    return write_gallery(people, runtime.manifest.embedder.name)


def test_class_file_of_dlibs_network_makes_a_class_that_is_read_with_it(
    visit: Visit, old: Old, dlib: NativeRuntime, tmp_path: Path
) -> None:
    page = visit(old.tables)
    file = tmp_path / "8c.facelab.json"
    file.write_text(gallery(old, dlib, chips=False))
    page.get_by_test_id("import").set_input_files(file)
    expect(page.get_by_test_id("status")).to_contain_text("make the class 8c")
    expect(page.get_by_test_id("class-embedder")).to_contain_text("dlib’s ResNet")
    assert {one["embedder"] for one in kept(page)["classes"] if one["name"] == "8c"} == {DLIB}
    with page.expect_download() as saved:
        page.get_by_test_id("export").click()
    assert json.loads(Path(saved.value.path()).read_text())["embedder"] == DLIB


@pytest.mark.parametrize("chips", [True, False], ids=["with chips", "without chips"])
def test_class_file_of_another_network_is_read_again_for_a_class_or_refused(
    chips: bool, visit: Visit, old: Old, own: NativeRuntime, tmp_path: Path
) -> None:
    """MobileFaceNet's file for a class of dlib's."""
    page = visit(old.tables)
    before = kept(page)["photos"]
    file = tmp_path / "7b.facelab.json"
    file.write_text(gallery(old, own, chips))
    page.get_by_test_id("import").set_input_files(file)
    count = PUPILS * ENROLLED
    if chips:
        expect(page.get_by_test_id("status")).to_contain_text(f"{PUPILS} pupils with {count} photos added to the class 7b")
        assert len(kept(page)["photos"]) == 2 * count
        roll_is_right(page, old)
    else:
        expect(page.get_by_test_id("warning")).to_contain_text(f"Of its {count} photos, {count} came without a picture of the face")
        assert kept(page)["photos"] == before
    assert embedders(page) == {DLIB}


def test_album_reads_a_group_again_for_a_class_of_dlibs_network(visit: Visit, old: Old, dlib: NativeRuntime, site: str) -> None:
    page = visit(old.tables)
    album = page.context.new_page()
    album.goto(site + "album/")
    name = old.pupils[0]
    album.get_by_test_id("album-photos").set_input_files(old.further[name])
    album.get_by_test_id("group-name").fill("Ada")
    album.get_by_test_id("group-name").blur()
    album.get_by_test_id("to-class").select_option(label="7b")
    expect(album.get_by_test_id("status")).to_contain_text("Ada is in the class 7b with one face")
    (added,) = [one for one in kept(page)["photos"] if one["file"] == old.further[name].name]
    assert added["embedder"] == DLIB
    direct = seen(old.further[name], dlib)[0].embedding
    assert np.linalg.norm(np.array(added["embedding"]) - direct) < 0.35, "it is dlib's, of a chip that was cut a little closer"
    album.get_by_test_id("album-photos").set_input_files(old.further[old.pupils[1]])
    expect(album.get_by_test_id("group")).to_have_count(2)  # by its own network again


@pytest.mark.secure("the camera")
def test_camera_reads_with_the_network_of_the_class(visit: Visit, old: Old, site: str) -> None:
    page = visit(old.tables)
    page.context.grant_permissions(["camera"])
    page.close()
    watched = watch(page.context.new_page(), site)
    camera = watched.open("camera/")
    expect(camera.get_by_test_id("class-embedder")).to_contain_text("dlib’s ResNet")
    graph = json.loads((models_folder() / "models.json").read_text())["embedders"][DLIB]["graph"]["compact"]["file"]
    with camera.expect_request(f"**/{graph}"):
        camera.get_by_test_id("live-start").click()
    expect(camera.get_by_test_id("live-rate")).to_be_visible()
    assert camera.get_by_test_id("warning").inner_text() == ""


LONGER_UNDO = """() => {
    const wait = setTimeout;
    globalThis.setTimeout = (act, after, ...rest) => wait(act, after === 20_000 ? 200_000 : after, ...rest);
}"""  # a class may not be read again within 20 seconds here


def test_what_was_deleted_before_a_class_was_read_again_cannot_come_back(visit: Visit, old: Old, site: str) -> None:
    """In one tab a pupil is deleted, in another one the class is read again: numbers of two networks would lie side by side."""
    page = visit(old.tables)
    other = page.context.new_page()
    other.goto(site + "roll-call/")
    other.get_by_test_id("class").select_option(label="7b")
    expect(other.get_by_test_id("read-again")).to_be_enabled()
    page.evaluate(LONGER_UNDO)
    page.locator(f'[data-testid="person"][data-name="{old.pupils[0]}"]').get_by_test_id("delete-person").click()
    expect(page.get_by_test_id("undo")).to_be_visible()
    other.get_by_test_id("read-again").click()
    expect(page.get_by_test_id("class-embedder")).to_have_count(0, timeout=READY)
    page.bring_to_front()
    page.evaluate("window.scrollTo(0, 0)")
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("warning")).to_contain_text("faces that dlib’s ResNet has read cannot be added to it")
    assert embedders(page) == {OWN}
