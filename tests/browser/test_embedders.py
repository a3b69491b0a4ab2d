"""Another embedder in the demo: dropped or chosen, it answers as natively; what is none is refused. The correction for crowding."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from export.embedders import export_trained
from export.train.networks import build
from export.train.results import save_result
from facelab.detect import detect_faces
from facelab.embed import embed_faces
from facelab.embedder_file import KEY
from facelab.native import NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.quality import measure_quality
from facelab.runtime import finish
from facelab.verify import Comparison, compare

from .conftest import BUILD, READY, another_build, axe_violations, choose, watch

NAMES = ("rgba.png", "palette.png")
PIXELS = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual models, and an embedder of three convolutions with random weights beside them."""
    folder = tmp_path_factory.mktemp("embedders")
    keras.utils.set_random_seed(1)
    weights = folder / "mine.keras"
    save_result(weights, build("tiny", 32, 24), "tiny", NativeRuntime(models_folder()).manifest.embedder, 0.6, {})
    shutil.copytree(models_folder(), folder / "models")
    export_trained(folder / "models", weights, "mine")
    return folder / "models"


@pytest.fixture(scope="module")
def mine(models: Path) -> Path:
    return models / "embedder-mine-float16.onnx"


@pytest.fixture(scope="module")
def page(chromium: Browser, site: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    watched = watch(context.new_page(), site)
    page = watched.open("demo/")
    page.locator('face-verify[data-engine="ready"]').wait_for(timeout=READY)
    page.get_by_test_id("embedder-name").click()
    expect(page.get_by_test_id("embedder-drop")).to_be_visible()
    yield page
    assert watched.requests_elsewhere() == [], "a dropped file goes nowhere"
    context.close()


@pytest.fixture
def pair(page: Page, odd_photos: Path) -> Page:
    """The page with two photos, read by its own embedder."""
    if page.get_by_test_id("embedder-reset").is_visible():
        page.get_by_test_id("embedder-reset").click()
        expect(page.get_by_test_id("embedder-name")).to_have_text("MobileFaceNet")
    for slot, name in zip("ab", NAMES, strict=True):
        choose(page, slot, odd_photos / name)
    expect(page.locator('[data-testid="verdict"][data-verdict]')).to_be_visible(timeout=READY)
    return page


def answer(runtime: NativeRuntime, odd_photos: Path) -> Comparison:
    """What the same photos give natively."""
    photos = [read_photo(odd_photos / name, runtime.manifest.max_side) for name in NAMES]
    a, b = (finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))[:1]))[0] for photo in photos)
    poor = any(measure_quality(face, runtime.manifest.embedder).complaints for face in (a, b))
    return compare(a.embedding, b.embedding, runtime.manifest.embedder, runtime.cohort, poor)


def option(page: Page, name: str) -> Locator:
    return page.locator(f'[data-testid="embedder-option"][value="{name}"]')


def distance(page: Page) -> float:
    return float(page.get_by_test_id("verdict").get_attribute("data-distance") or "nan")


def verdict(page: Page, said: str) -> Locator:
    return page.locator(f'[data-testid="verdict"][data-verdict="{said}"]')


def drop(page: Page, file: Path) -> None:
    """As a mouse would."""
    data = page.evaluate_handle(
        """async ([bytes, name]) => {
          const held = new DataTransfer();
          held.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name));
          return held;
        }""",
        [b64encode(file.read_bytes()).decode(), file.name],
    )
    page.get_by_test_id("embedder-drop").dispatch_event("drop", {"dataTransfer": data})


def chip_of(page: Page, slot: str) -> NDArray[np.uint8]:
    """What the page shows as the chip of a photo, [side, side, 3]."""
    rgba = np.array(page.get_by_test_id(f"chip-{slot}").evaluate(PIXELS), np.uint8)
    side = round((len(rgba) / 4) ** 0.5)
    return rgba.reshape(side, side, 4)[..., :3]


def embedding_of(chip: NDArray[np.uint8], runtime: NativeRuntime) -> NDArray[np.float32]:
    """Of a chip as it is: as a photo of its own, each pixel from where it lies."""
    answer = finish(runtime.run("embedder", runtime.photo(chip), {"transforms": np.eye(2, 3, dtype=np.float32)[None]}))
    np.testing.assert_array_equal(answer["chips"][0], chip)
    embedding: NDArray[np.float32] = answer["embeddings"][0]
    return embedding


def test_dropped_embedder_answers_as_natively_and_the_own_one_comes_back(
    page: Page, models: Path, mine: Path, odd_photos: Path
) -> None:
    for slot, name in zip("ab", NAMES, strict=True):
        choose(page, slot, odd_photos / name)
    expect(page.locator('[data-testid="verdict"][data-verdict]')).to_be_visible(timeout=READY)
    own = page.get_by_test_id("verdict").get_attribute("data-verdict") or ""
    before = page.get_by_test_id("verdict").get_attribute("data-distance")

    drop(page, mine)
    expect(verdict(page, "none")).to_be_visible()
    expect(page.get_by_test_id("embedder-name")).to_have_text("mine")
    expect(page.get_by_test_id("embedder-message")).to_contain_text("24 numbers for each face")
    expect(page.get_by_test_id("gauge")).to_be_hidden()
    runtime = NativeRuntime(models, compact=True, embedder="mine")
    points = []
    for slot, name in zip("ab", NAMES, strict=True):
        photo = read_photo(odd_photos / name, runtime.manifest.max_side)
        face = finish(embed_faces(runtime, photo, finish(detect_faces(runtime, photo))[:1]))[0]
        chip = chip_of(page, slot)
        # Processors differ in the last digits of landmarks, so that a value may round the other way.
        beside = np.abs(chip.astype(int) - face.chip)
        assert beside.max() <= 1
        assert np.count_nonzero(beside) < chip.size / 200
        points.append(embedding_of(chip, runtime))
    distance = float(page.get_by_test_id("verdict").get_attribute("data-distance") or "nan")
    assert distance == pytest.approx(float(np.linalg.norm(points[0] - points[1])), abs=1e-4)
    in_page = page.evaluate("(({a, b}) => [[...a], [...b]])(document.querySelector('face-verify').embeddings)")
    np.testing.assert_allclose(in_page, points, atol=1e-4)
    assert axe_violations(page) == []

    page.get_by_test_id("embedder-reset").click()
    expect(verdict(page, own)).to_be_visible()
    assert page.get_by_test_id("verdict").get_attribute("data-distance") == before
    expect(page.get_by_test_id("gauge")).to_be_visible()


def test_what_is_no_embedder_is_refused_with_a_sentence(page: Page, mine: Path, tmp_path: Path, odd_photos: Path) -> None:
    before = page.get_by_test_id("embedder-name").inner_text()
    cut, text, broken, detector = (tmp_path / f"{name}.onnx" for name in ("cut", "text", "broken", "detector"))
    cut.write_bytes(mine.read_bytes()[:2000])
    text.write_text("I am no network")
    model = onnx.load(mine)
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, broken)
    other = onnx.load(models_folder() / "rnet-float16.onnx")
    onnx.helper.set_model_props(other, {one.key: one.value for one in onnx.load(mine).metadata_props if one.key == KEY})
    onnx.save(other, detector)
    failing = onnx.load(mine)  # loads, and fails when it is run
    beyond = onnx.helper.make_tensor("beyond", onnx.TensorProto.INT64, [1], [999])
    failing.graph.initializer.append(beyond)
    failing.graph.node.append(onnx.helper.make_node("Gather", ["image", "beyond"], ["nowhere"], axis=0))
    failing.graph.output.append(onnx.helper.make_tensor_value_info("nowhere", onnx.TensorProto.UINT8, None))
    onnx.save(failing, tmp_path / "failing.onnx")
    wrong = {}
    for key in ("dimensions", "chip_size"):
        lying = onnx.load(mine)
        entry = json.loads(lying.metadata_props[0].value) | {key: 99}
        onnx.helper.set_model_props(lying, {KEY: json.dumps(entry)})
        wrong[key] = tmp_path / f"{key}.onnx"
        onnx.save(lying, wrong[key])
    for file, words in {
        tmp_path / "failing.onnx": "fails on a trial run",
        wrong["dimensions"]: "its own entry says float32 [1,99]",
        wrong["chip_size"]: "its own entry says uint8 [1,99,99,3]",
        cut: "only a part of one",
        text: "no ONNX file",
        models_folder() / "rnet-float16.onnx": "how faces are cut",
        broken: "ONNX Runtime refuses",
        detector: "has no input “transforms”",
    }.items():
        page.get_by_test_id("embedder-file").set_input_files(file)
        expect(page.get_by_test_id("embedder-message")).to_contain_text(words)
        expect(page.get_by_test_id("embedder-name")).to_have_text(before)


@pytest.mark.parametrize("width", [390, 1280])
def test_settings_fit_a_phone(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_test_id("embedder-drop").bounding_box() is not None


@pytest.fixture
def with_mine(models: Path, mine: Path) -> Iterator[str]:
    """A site that lists it."""
    with another_build({f"models/{file.name}": file.read_bytes() for file in (models / "models.json", mine)}) as site:
        yield site


def test_embedder_of_the_manifest_can_be_chosen(chromium: Browser, with_mine: str, mine: Path, odd_photos: Path) -> None:
    """It is fetched when it is chosen, not before."""
    context = chromium.new_context(service_workers="block")
    watched = watch(context.new_page(), with_mine)
    page = watched.open("demo/")
    for slot, name in zip("ab", NAMES, strict=True):
        choose(page, slot, odd_photos / name)
    expect(page.locator('[data-testid="verdict"][data-verdict]')).to_be_visible(timeout=READY)
    own = page.get_by_test_id("verdict").get_attribute("data-verdict") or ""
    assert not any(mine.name in url for url in watched.requests)
    page.get_by_test_id("embedder-settings").locator("summary").click()
    option(page, "mine").check()
    expect(verdict(page, "none")).to_be_visible()
    expect(page.get_by_test_id("embedder-name")).to_have_text("mine")
    option(page, "mobilefacenet-v1").check()
    expect(verdict(page, own)).to_be_visible()
    context.close()


def test_dlibs_network_is_one_click_away_and_answers_as_natively(pair: Page, odd_photos: Path, site: str) -> None:
    """How much has to be fetched for it is said before."""
    own = distance(pair)
    entry = json.loads((models_folder() / "models.json").read_text())["embedders"]["dlib-resnet-v1"]
    runtime_bytes = pair.request.get(f"{site}app/{BUILD}/assets.json").json()["ort/ort-wasm-simd-threaded.wasm"]["bytes"]
    size = (entry["graph"]["compact"]["bytes"] + runtime_bytes) / 1e6
    expect(pair.get_by_test_id("embedder-settings")).to_contain_text(f"dlib’s ResNet to compare; {size:.1f} MB to download")
    option(pair, "dlib-resnet-v1").focus()
    pair.keyboard.press("Space")
    expect(pair.get_by_test_id("embedder-name")).to_have_text("dlib’s ResNet", timeout=READY)
    expect(pair.get_by_test_id("embedder-message")).to_contain_text("dlib’s ResNet is in use: 128 numbers for each face")
    expect(pair.locator('[data-testid="verdict"][data-verdict]')).to_be_visible()
    native = answer(NativeRuntime(models_folder(), compact=True, embedder="dlib-resnet-v1"), odd_photos)
    assert pair.get_by_test_id("verdict").get_attribute("data-verdict") == native.verdict
    assert distance(pair) == pytest.approx(native.distance, abs=1e-4)
    assert chip_of(pair, "a").shape == (entry["embedder"]["chip_size"], entry["embedder"]["chip_size"], 3)
    assert native.same_below is not None
    assert native.threshold is not None
    limits = f"same below {round(native.same_below, 2):g}, different from {round(native.threshold, 2):g} on"
    expect(pair.get_by_test_id("gauge").get_by_role("img")).to_have_attribute("aria-label", re.compile(limits))
    assert axe_violations(pair) == []
    option(pair, "mobilefacenet-v1").check()
    expect(pair.get_by_test_id("embedder-name")).to_have_text("MobileFaceNet", timeout=READY)
    expect(pair.locator('[data-testid="verdict"][data-verdict]')).to_be_visible()
    assert distance(pair) == own


def test_distances_are_corrected_for_crowding_where_that_is_asked_for(pair: Page, odd_photos: Path) -> None:
    plain = distance(pair)
    expect(pair.get_by_test_id("surroundings")).to_be_hidden()
    pair.get_by_test_id("embedder-crowding").check()
    expect(pair.get_by_test_id("surroundings")).to_contain_text("Plain distance", timeout=READY)
    native = answer(NativeRuntime(models_folder(), compact=True, normalise=True), odd_photos)
    assert distance(pair) == pytest.approx(native.distance, abs=1e-4)
    assert native.distance != pytest.approx(plain, abs=1e-3)
    expect(pair.get_by_test_id("reason")).to_contain_text("corrected for crowding")
    assert axe_violations(pair) == []
    pair.get_by_test_id("embedder-crowding").uncheck()
    expect(pair.get_by_test_id("embedder-message")).to_be_empty(timeout=READY)
    expect(pair.locator('[data-testid="verdict"][data-verdict]')).to_be_visible()
    expect(pair.get_by_test_id("surroundings")).to_be_hidden()
    assert distance(pair) == plain


@pytest.fixture
def without_cohort() -> Iterator[str]:
    manifest = json.loads((models_folder() / "models.json").read_text())
    manifest["embedder"]["cohort"] = None
    with another_build({"models/models.json": json.dumps(manifest).encode()}) as site:
        yield site


def test_site_without_a_cohort_offers_no_correction(chromium: Browser, without_cohort: str) -> None:
    context = chromium.new_context(service_workers="block")
    watched = watch(context.new_page(), without_cohort)
    page = watched.open("demo/")
    page.get_by_test_id("embedder-settings").locator("summary").click()
    expect(option(page, "mobilefacenet-v1")).to_be_checked()
    expect(page.get_by_test_id("embedder-crowding")).to_be_hidden()
    page.get_by_test_id("sample-0").click()
    expect(verdict(page, "same")).to_be_visible(timeout=READY)
    context.close()


def test_next_page_has_plain_distances(chromium: Browser, site: str) -> None:
    """Where an engine outlives its page, one whose distances are corrected does not."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(READY)
    plain = []
    for _ in range(2):
        page.goto(site + "demo/")
        page.get_by_test_id("sample-0").click()
        expect(verdict(page, "same")).to_be_visible(timeout=READY)
        plain.append(distance(page))
        page.get_by_test_id("embedder-name").click()
        page.get_by_test_id("embedder-crowding").check()
        expect(page.get_by_test_id("surroundings")).to_contain_text("Plain distance", timeout=READY)
    assert plain[0] == plain[1]
    context.close()


def test_next_page_has_the_usual_one(chromium: Browser, site: str, mine: Path) -> None:
    """Where an engine outlives its page, one with another embedder does not."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(READY)
    for _ in range(2):
        page.goto(site + "demo/")
        page.get_by_test_id("sample-0").click()
        expect(verdict(page, "same")).to_be_visible(timeout=READY)
        page.get_by_test_id("embedder-name").click()
        drop(page, mine)
        expect(verdict(page, "none")).to_be_visible()
    context.close()


def test_next_page_has_the_usual_one_though_another_was_coming(chromium: Browser, site: str, mine: Path) -> None:
    """A page that is gone before its embedder has come takes the engine with it."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(READY)
    page.goto(site + "demo/")
    page.get_by_test_id("sample-0").click()
    expect(verdict(page, "same")).to_be_visible(timeout=READY)
    page.get_by_test_id("embedder-name").click()
    drop(page, mine)
    page.wait_for_timeout(500)  # it is coming
    page.goto(site + "demo/")
    page.wait_for_timeout(5000)  # it would have come
    page.get_by_test_id("sample-0").click()
    expect(verdict(page, "same")).to_be_visible(timeout=READY)
    context.close()
