"""The contracts of the command line: JSON, exit status, one clear line on standard error."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from facelab.cli import main

FACE = {"box", "score", "landmarks", "turned"}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_detect_tells_boxes_and_landmarks(capsys: pytest.CaptureFixture[str], samples: Path) -> None:
    status, output, _ = run(capsys, "detect", "--json", samples / "obama.jpg")
    (face,) = json.loads(output)
    assert status == 0
    assert face.keys() == FACE
    x1, y1, x2, y2 = face["box"]
    assert all(x1 < x < x2 and y1 < y < y2 for x, y in face["landmarks"])
    left_eye, right_eye, nose, left_mouth, right_mouth = face["landmarks"]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert left_mouth[0] < right_mouth[0]


def test_embed_tells_128_numbers_a_face(capsys: pytest.CaptureFixture[str], samples: Path) -> None:
    _, output, _ = run(capsys, "embed", "--json", samples / "obama.jpg")
    (face,) = json.loads(output)
    assert face.keys() == FACE | {"embedding"}
    assert len(face["embedding"]) == 128
    _, output, _ = run(capsys, "embed", samples / "obama.jpg")
    assert len(output.split()) == 128


@pytest.mark.parametrize(
    ("a", "b", "verdict"), [("obama", "obama2", "same"), ("obama2", "obama3", "same"), ("obama", "biden", "different")]
)
def test_verify_tells_the_verdict(a: str, b: str, verdict: str, capsys: pytest.CaptureFixture[str], samples: Path) -> None:
    status, output, _ = run(capsys, "verify", "--json", samples / f"{a}.jpg", samples / f"{b}.jpg")
    answer = json.loads(output)
    assert status == 0
    assert answer.keys() >= {"verdict", "distance", "threshold", "faces", "plain_distance", "crowdedness", "probability"}
    assert answer["verdict"] == verdict
    assert (answer["distance"] < answer["threshold"]) == (verdict == "same")
    assert [face.keys() for face in answer["faces"]] == [FACE, FACE]


def test_evaluate_counts_saves_and_names_failures(
    capsys: pytest.CaptureFixture[str], samples: Path, odd_photos: Path, tmp_path: Path
) -> None:
    names = {n: samples / f"{n}.jpg" for n in ("obama", "obama2", "obama3", "biden")}
    pairs = [("obama", "obama2", 1), ("obama", "obama3", 1), ("obama", "biden", 0), ("obama2", "biden", 0)]
    lines = [
        "a,b,same",
        *(f"{names[a]},{names[b]},{same}" for a, b, same in pairs),
        f"{odd_photos / 'no_face.png'},{names['biden']},0",
    ]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    status, output, error = run(capsys, "evaluate", "--json", "--save", tmp_path / "out.csv", tmp_path / "pairs.csv")
    answer = json.loads(output)
    assert status == 0
    assert {"pairs", "accuracy", "threshold", "auc", "tar_at_far", "failed"} <= answer.keys()
    assert (answer["pairs"], answer["accuracy"], answer["auc"]) == (4, 1, 1)
    assert answer["failed"] == [str(odd_photos / "no_face.png")]
    assert "no face was found" in error
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["same"] for row in rows] == ["1", "1", "0", "0"]
    assert all((float(row["distance"]) < answer["threshold"]) == (row["same"] == "1") for row in rows)


@pytest.mark.parametrize(
    "arguments", [["detect"], ["frobnicate"], ["detect", "x.jpg", "--min-face", "3"], ["detect", "x.jpg", "--min-face", "many"]]
)
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: facelab" in capsys.readouterr().err


def test_command_is_installed_and_missing_models_are_one_line(samples: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("facelab")
    done = subprocess.run(
        [command, "detect", samples / "obama.jpg"],
        env={"FACELAB_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "make models" in done.stderr
