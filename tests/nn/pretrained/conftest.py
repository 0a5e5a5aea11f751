"""A cache of features for each test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path / "cache"))
