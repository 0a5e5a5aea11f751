"""``pellucid cache``."""

import json
from pathlib import Path

import numpy as np
import pytest

from pellucid.cli.main import main
from pellucid.nn.pretrained.features import cached_features


def test_shows_and_clears(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path))
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == "The cache is empty.\n"
    photos = np.zeros((3, 4, 4, 3), np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
    cached_features(lambda X: np.ones((len(X), 5), np.float32), photos, b"")
    assert main(["cache", "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["n_photos"] == 3
    assert held["n_bytes"] == (tmp_path / "features.sqlite").stat().st_size
    assert main(["cache", "--clear"]) == 0
    assert "Removed" in capsys.readouterr().out
    assert not [*tmp_path.iterdir()]
