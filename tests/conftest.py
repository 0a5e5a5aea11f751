"""Fixtures that every test can use."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _raise_on_floating_point_faults() -> Iterator[None]:
    """Any overflow, division by zero or invalid value in a test is an error."""
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(scope="session", autouse=True)
def _hears_ctrl_c() -> None:
    """Answer SIGINT, and so do the commands that tests start: a shell's job in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def published_dir() -> Path:
    """The folder with the published photos, or a skip that says why."""
    folder = os.environ.get("PELLUCID_DATA_DIR")
    if folder is None or not (Path(folder) / "train_catvnoncat.h5").is_file():
        pytest.skip("needs the published photos: set PELLUCID_DATA_DIR to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def published(published_dir: Path) -> dict[str, Any]:
    """The numbers that the published tutorial printed."""
    numbers: dict[str, Any] = json.loads((published_dir / "published.json").read_text())
    return numbers
