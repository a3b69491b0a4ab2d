"""`--normalise` on the command line: plain distances decide unless it says "cohort", and where there is no cohort it says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.manifest import write_manifest
from facelab.cli import main
from facelab.cluster import cluster, usual_limit
from facelab.cohort import normalised
from facelab.enrol import look_at
from facelab.folders import find_faces
from facelab.identify import Gallery, scores
from facelab.native import NORMALISE_VARIABLE, NativeRuntime, models_folder
from facelab.photos import read_photo
from facelab.runtime import finish

EMBEDDERS = ("mobilefacenet-v1", "dlib-resnet-v1")
WAYS = ("none", "cohort")


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "memory" / "faces.sqlite"))


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """A folder a person."""
    for name, photos in {"Obama": ["obama.jpg", "obama3.jpg"], "Biden": ["biden.jpg"]}.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        for photo in photos:
            shutil.copy(samples / photo, tmp_path / "class" / name)
    return tmp_path / "class"


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([str(argument) for argument in arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_verify_decides_by_the_distance_that_is_asked_for(embedder: str, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its thresholds; the plain distance is told in both."""
    photos = samples / "obama.jpg", samples / "obama2.jpg"
    plain, corrected = (answer(capsys, "--embedder", embedder, "verify", "--normalise", how, "--json", *photos) for how in WAYS)
    assert plain["distance"] == plain["plain_distance"] == corrected["plain_distance"]
    assert plain["crowdedness"] is None
    cohort = NativeRuntime(models_folder(), embedder=embedder, normalise=True).cohort
    assert cohort is not None
    a, b = corrected["crowdedness"]
    assert corrected["distance"] == pytest.approx(float(normalised(plain["distance"], a, b, cohort)))
    assert corrected["distance"] != pytest.approx(plain["distance"], abs=1e-3)
    for told, way in ((plain, False), (corrected, True)):
        good = NativeRuntime(models_folder(), embedder=embedder, normalise=way).manifest.embedder.calibration.good
        assert (told["sure_below"], told["threshold"]) == (good.same_below, good.different_from)
    assert corrected["threshold"] != plain["threshold"]


def test_plain_distances_are_the_default_and_the_environment_can_choose(
    samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = samples / "obama.jpg", samples / "obama2.jpg"
    plain, corrected = (answer(capsys, "verify", "--normalise", how, "--json", *photos) for how in WAYS)
    for value, expected in (("", plain), ("cohort", corrected), ("none", plain)):
        monkeypatch.setenv(NORMALISE_VARIABLE, value)
        assert answer(capsys, "verify", "--json", *photos) == expected
    monkeypatch.setenv(NORMALISE_VARIABLE, "cohort")
    assert answer(capsys, "verify", "--normalise", "none", "--json", *photos) == plain, "the option goes first"


def test_identify_and_enrol_decide_by_the_distance_that_is_asked_for(
    folder: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gallery is the same for both: embeddings are not normalised, only what is made of them."""
    photo, told = samples / "obama2.jpg", {}
    for how in WAYS:
        gallery = tmp_path / f"{how}.json"
        enrolled = answer(capsys, "enrol", folder, "-o", gallery, "--normalise", how, "--json")
        (face,) = answer(capsys, "identify", gallery, photo, "--normalise", how, "--json")
        told[how] = enrolled, face
        runtime = NativeRuntime(models_folder(), normalise=how == "cohort")
        asked, first, second = (
            finish(look_at(runtime, read_photo(samples / name, 2048))).faces[0].embedding
            for name in ("obama2.jpg", "obama.jpg", "obama3.jpg")
        )
        known = Gallery({"Obama": np.stack([first, second])}, runtime.cohort, runtime.manifest.embedder.calibration.good)
        assert face["name"] == "Obama"
        assert face["distance"] == pytest.approx(float(scores(known, asked[None])[0, 0]), abs=1e-4)
    (plain_class, plain), (corrected_class, corrected) = told["none"], told["cohort"]
    assert (tmp_path / "none.json").read_bytes() == (tmp_path / "cohort.json").read_bytes()
    assert plain["distance"] != pytest.approx(corrected["distance"], abs=1e-3)
    assert plain_class["threshold"] != pytest.approx(corrected_class["threshold"], abs=1e-3)
    assert plain_class["most_alike"][0]["distance"] != pytest.approx(corrected_class["most_alike"][0]["distance"], abs=1e-3)


def test_cluster_sorts_by_the_distance_that_is_asked_for(lfw100: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten photos of one man, with others in the background; by plain distances one photo of his stays alone."""
    album = lfw100 / "Arnold_Schwarzenegger"
    found = [(photo, faces) for photo, faces in find_faces(sorted(album.iterdir())) if not isinstance(faces, str)]
    files = [str(photo) for photo, faces in found for _ in faces]
    embeddings = np.stack([face.embedding for _, faces in found for face in faces])
    told = {}
    for how in WAYS:
        runtime = NativeRuntime(models_folder(), normalise=how == "cohort")
        groups = cluster(embeddings, runtime.cohort, usual_limit(runtime.manifest.embedder), files)
        told[how] = answer(capsys, "cluster", "--normalise", how, "--json", album)
        assert told[how] == [sorted({files[face] for face in group}) for group in groups]
    assert len(told["cohort"]) < len(told["none"])
    assert len(told["none"][0]) < len(told["cohort"][0]) == 10


@pytest.fixture
def without_cohorts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models as `python -m export --no-cohorts` makes it."""
    models = tmp_path / "models"
    models.mkdir()
    manifest = json.loads((models_folder() / "models.json").read_text())
    graphs = {**manifest["graphs"], "embedder-dlib-resnet-v1": manifest["embedders"]["dlib-resnet-v1"]["graph"]}
    for graph in graphs.values():
        shutil.copy(models_folder() / graph["file"], models)
    write_manifest(models, graphs, exact=False, cohorts=False)
    monkeypatch.setenv("FACELAB_MODELS", str(models))
    return models


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_without_a_cohort_correction_is_refused_in_one_line(
    embedder: str, without_cohorts: Path, folder: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By every command that decides; and before any photo is looked at."""
    two = samples / "obama.jpg", samples / "obama2.jpg"
    (tmp_path / "pairs.csv").write_text("a,b,same\nno.jpg,no.jpg,1\n")
    gallery = tmp_path / "class.json"
    answer(capsys, "--embedder", embedder, "enrol", folder, "-o", gallery, "--json")
    for arguments in (
        ("verify", *two),
        ("enrol", folder, "-o", tmp_path / "another.json"),
        ("identify", gallery, two[0]),
        ("cluster", folder),
        ("evaluate", tmp_path / "pairs.csv"),
        ("calibrate", tmp_path / "pairs.csv", tmp_path / "pairs.csv"),
    ):
        command, *rest = (str(one) for one in arguments)
        assert main(["--embedder", embedder, command, "--normalise", "cohort", *rest]) == 2, command
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line == f"facelab: the embedder {embedder} has no cohort here: a checkout's `make models` makes one"
    assert not (tmp_path / "another.json").exists()


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_without_a_cohort_plain_distances_decide_as_ever(
    embedder: str, without_cohorts: Path, samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = samples / "obama.jpg", samples / "obama2.jpg"
    here = answer(capsys, "--embedder", embedder, "verify", "--json", *photos)
    assert json.loads((without_cohorts / "models.json").read_text())["embedder"]["cohort"] is None
    monkeypatch.delenv("FACELAB_MODELS")
    assert here == answer(capsys, "--embedder", embedder, "verify", "--json", *photos)
    assert here["verdict"] is not None


def test_a_cohort_without_thresholds_is_refused_in_one_line(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    shutil.copytree(models_folder(), models)
    manifest = json.loads((models / "models.json").read_text())
    manifest["embedder"]["cohort"]["calibration"] = None
    (models / "models.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("FACELAB_MODELS", str(models))
    assert main(["verify", "--normalise", "cohort", str(samples / "obama.jpg"), str(samples / "obama2.jpg")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("facelab: the embedder mobilefacenet-v1 has no thresholds for normalised distances")


def test_another_way_than_these_two_is_wrong_usage(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["verify", "--normalise", "everything", str(samples / "obama.jpg"), str(samples / "obama2.jpg")])
    assert stop.value.code == 2
    assert "choose from" in capsys.readouterr().err
