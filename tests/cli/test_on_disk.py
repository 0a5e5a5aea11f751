"""`--on-disk`: the commands give what they give in memory, and say where they need all samples in it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, words_of

import pellucid as pl


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (60, 16, 16, 3), np.uint8), np.arange(60) % 2
    X[y == 1] //= 2
    np.savez(tmp_path / "photos.npz", X=X, y=y, classes=["bright", "dark"])
    return tmp_path / "photos.npz"


def test_training_evaluating_and_searching_a_rate(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    found = []
    for flags in ([], ["--on-disk"]):
        out = f"out{len(flags)}"
        done = pellucid("train", photos, *flags, "--model", "mlp", "--epochs", 3, "--out", out)
        assert done.code == 0, done.err
        scores = json.loads(pellucid("evaluate", out, photos, *flags, "--json").out)
        rate = json.loads(pellucid("find-lr", photos, *flags, "--model", "mlp", "--epochs", 5, "--json").out)
        found.append((scores["accuracy"], rate["suggestion"], pl.load(tmp_path / out).theta.tolist()))
    assert found[0] == found[1]
    config = (tmp_path / "out1" / "config.toml").read_text()
    assert "on_disk = true" in config


@pytest.mark.slow
def test_run_writes_its_report(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    done = pellucid("run", photos, "--on-disk", "--epochs", 2, "--out", "out")
    assert done.code == 0, done.err
    assert "Mistakes and hits" in words_of(tmp_path / "out" / "report.html")


@pytest.mark.slow
def test_explained_and_changed_as_in_memory(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    Image.fromarray(np.load(photos)["X"][3]).save(tmp_path / "p.png")
    found = []
    for flags in ([], ["--on-disk"]):
        done = pellucid(
            "train", photos, *flags, "--model", "mlp", "--epochs", 3, "--out", "out", "--overwrite"
        )
        assert done.code == 0, done.err
        explained = pellucid("explain", "out", "p.png", "--json", "--out", "x", "--overwrite")
        changed = pellucid(
            "robustness", "out", "--json", "--perturbations", "noise", "--out", "r", "--overwrite"
        )
        found.append((json.loads(explained.out), json.loads(changed.out)))
    assert found[0] == found[1]
