"""What the tests share. Real photos throughout: the samples of the site, and the evaluation photos beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelab.native import NativeRuntime, default_runtime

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=float, default=5, metavar="SECONDS", help="for all of tests/unit/test_fuzz.py (5)")
    parser.addoption(
        "--insecure", action="store_true", help="the browser's tests over plain http, under a name that is not localhost"
    )


@pytest.fixture(scope="session")
def samples() -> Path:
    """The site's sample photos: obama, obama2, obama3 and biden, at most 640 pixels a side."""
    return ROOT / "docs" / "app" / "samples"


@pytest.fixture(scope="session")
def runtime() -> NativeRuntime:
    return default_runtime()


def data_set(name: str) -> Path:
    """A folder of evaluation photos. Skips where there are none at all; where there are others, this one has to be there."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the evaluation photos are not beside this checkout (../shared/data)")
    folder = SHARED_DATA / name
    assert folder.is_dir(), f"{SHARED_DATA} has no {name}"
    return folder


@pytest.fixture(scope="session")
def lfw100() -> Path:
    """100 photos of 10 people, a folder a person."""
    return data_set("lfw100")


@pytest.fixture(scope="session")
def orl39() -> Path:
    """390 photos of 39 people whose faces fill the frame, a folder a person."""
    return data_set("orl39")


@pytest.fixture(scope="session")
def odd_photos(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder of photos as people really have them (see tests/odd_photos.py)."""
    from .odd_photos import write_odd_photos

    folder = tmp_path_factory.mktemp("odd")
    write_odd_photos(samples, folder)
    return folder
