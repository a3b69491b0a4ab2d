"""Photos read by many processes: one that dies takes nobody along, and all end with their parent. Real processes throughout."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facelab import folders
from facelab.folders import find_faces
from facelab.memory import Found

_look = folders._look


def _look_or_die(photo: Path, min_face: float | None) -> list[Found] | str:
    """In a worker: dies as one does that asks for more memory than there is."""
    if photo.name == "deadly.jpg":
        os.kill(os.getpid(), signal.SIGKILL)
    return _look(photo, min_face)


@pytest.fixture
def photos(samples: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(samples / "obama.jpg", tmp_path / f"{number}.jpg")) for number in range(8)]


def test_killed_worker_costs_no_photo(photos: list[Path]) -> None:
    found = find_faces(photos, remember=False)
    answers = [next(found)]
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
    answers += found
    assert [photo for photo, _ in answers] == photos
    assert not [faces for _, faces in answers if isinstance(faces, str)]


def test_photo_that_kills_its_worker_is_named_and_left_out(photos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_look", _look_or_die)
    photos[3] = photos[3].rename(photos[3].with_name("deadly.jpg"))
    answers = dict(find_faces(photos, remember=False))
    assert [photo.name for photo, faces in answers.items() if isinstance(faces, str)] == ["deadly.jpg"]
    assert "deadly.jpg ends the process" in str(answers[photos[3]])


def test_photo_that_is_gone_is_left_out(photos: list[Path]) -> None:
    photos[1].unlink()
    answers = dict(find_faces(photos[:3], remember=False))
    assert [photo for photo, faces in answers.items() if isinstance(faces, str)] == [photos[1]]
    assert "does not exist" in str(answers[photos[1]])


@pytest.mark.parametrize(
    ("how", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)]
)
def test_workers_end_with_their_parent(how: signal.Signals, status: int, samples: Path, tmp_path: Path) -> None:
    """Workers hold the other end of the parent's output, so that it ends when the last of them has."""
    (tmp_path / "0.jpg").write_text("no photo")  # named on standard error once the workers have their photos
    photo = shutil.copy(samples / "obama.jpg", tmp_path / "1.jpg")
    for number in range(2, 2000):
        os.link(photo, tmp_path / f"{number}.jpg")
    command = [sys.executable, "-m", "facelab.cli", "cluster", "--no-cache", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stderr
        assert "0.jpg" in parent.stderr.readline()
        (os.killpg if how == signal.SIGINT else os.kill)(parent.pid, how)  # a terminal's Ctrl+C reaches the workers too
        _, said = parent.communicate(timeout=10)
    assert parent.returncode == status
    assert "Traceback" not in said
    assert ("facelab: stopped" in said) == (how == signal.SIGINT)
