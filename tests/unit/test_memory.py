"""What is remembered of photos: found again, never in the way, and never at the cost of a file that is not facelab's."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facelab.detect import Face
from facelab.errors import InputError
from facelab.memory import Found, Memory, forget
from facelab.native import NativeRuntime

OLD_TABLE = "create table if not exists faces (content text, setting text, found blob, primary key (content, setting))"
FACE = Found(Face(np.arange(4.0), 0.9, np.ones((5, 2)), turned=90), np.ones(128, np.float32), ("dark", "blurred"))

Opening = Callable[[], Memory]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache" / "faces"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache" / "faces"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(file: Path, said: list[str], runtime: NativeRuntime) -> Iterator[Opening]:
    memories: list[Memory] = []

    def open_another() -> Memory:
        memories.append(Memory(file, runtime.manifest, None, said.append))
        return memories[-1]

    yield open_another
    for memory in memories:
        memory.close()


def database(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as base, base:
        for statement in statements:
            base.execute(statement)


def test_faces_come_back(opened: Opening, said: list[str]) -> None:
    opened().keep("photo", [FACE])
    opened().keep("landscape", [])
    (back,) = opened().recall("photo") or []
    np.testing.assert_array_equal(back.embedding, FACE.embedding)
    assert (back.complaints, back.face.score, back.face.turned) == (FACE.complaints, FACE.face.score, FACE.face.turned)
    assert opened().recall("landscape") == []
    assert opened().recall("another") is None
    assert said == []


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.write_text("my diary"),
        lambda file: file.touch(),
        lambda file: file.mkdir(),
        lambda file: database(file, "create table faces (name text)"),
        lambda file: database(file, OLD_TABLE, "create table notes (text text)"),
        lambda file: database(file, OLD_TABLE, "pragma application_id = 1196444487"),  # a GeoPackage
    ],
)
def test_another_program_s_file_is_left_alone(make: Callable[[Path], None], file: Path, opened: Opening, said: list[str]) -> None:
    make(file)
    before = file.read_bytes() if file.is_file() else b""
    memory = opened()
    memory.keep("photo", [FACE])
    assert memory.recall("photo") is None
    assert len(said) == 1
    assert "was not made by facelab" in said[0]
    with pytest.raises(InputError, match="was not made by facelab"):
        forget()
    assert (file.read_bytes() if file.is_file() else b"") == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_memory_from_before_there_was_a_mark_is_used_and_forgotten(file: Path, opened: Opening, said: list[str]) -> None:
    opened().keep("photo", [FACE])
    database(file, "pragma application_id = 0")
    assert opened().recall("photo")
    assert file.read_bytes()[68:72] == b"FLAB"
    assert said == []
    assert forget()
    assert not forget()


def test_damaged_pages_are_made_anew(file: Path, opened: Opening, said: list[str]) -> None:
    memory = opened()
    for number in range(40):
        memory.keep(f"photo {number}", [FACE])
    memory.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\x5a" * (len(whole) - 4096))
    memory = opened()
    memory.keep("photo", [FACE])
    memory.keep("photo", [FACE])
    assert memory.recall("photo")
    assert len(said) == 1
    assert "was damaged" in said[0]


@pytest.mark.parametrize("value", ["x'00'", "'text'", "7", "null", "zeroblob(3000)"])
def test_damaged_row_is_looked_for_again(value: str, file: Path, opened: Opening) -> None:
    memory = opened()
    memory.keep("photo", [FACE])
    database(file, f"update faces set found = {value}")
    assert memory.recall("photo") is None
    memory.keep("photo", [FACE])
    assert memory.recall("photo")


def test_lock_that_lasts_costs_patience_once(file: Path, opened: Opening, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    opened().keep("photo", [FACE])
    monkeypatch.setattr("facelab.memory.PATIENCE", 0.05)
    with closing(sqlite3.connect(file)) as other:
        other.execute("begin exclusive")
        memory = opened()
        assert memory.recall("photo") is None
        memory.keep("photo", [FACE])
        assert len(said) == 1
        assert "locked" in said[0]
    assert opened().recall("photo"), "the other process's memory is still there"


def test_place_where_nothing_can_be_written_is_said_once(said: list[str], runtime: NativeRuntime) -> None:
    memory = Memory(Path("/dev/null/faces"), runtime.manifest, None, said.append)
    memory.keep("photo", [FACE])
    assert memory.recall("photo") is None
    assert len(said) == 1
    assert "cannot be used" in said[0]


def test_full_disk_is_said_once(opened: Opening, said: list[str]) -> None:
    memory = opened()
    memory.keep("photo", [FACE])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        for number in range(20):
            memory.keep(f"photo {number}", [FACE])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(said) == 1
    assert "cannot be used" in said[0]
    assert opened().recall("photo"), "what was kept before is still there"


def test_forgetting_during_a_run_does_not_end_the_run(file: Path, opened: Opening, said: list[str]) -> None:
    memory = opened()
    memory.keep("photo", [FACE])
    Path(f"{file}-journal").write_bytes(b"a face or two")
    assert forget()
    memory.keep("another", [FACE])
    memory.recall("photo")
    assert list(file.parent.iterdir()) == []
    assert len(said) <= 1
