"""`--on-disk`: the commands give what they give in memory, and say where they need all samples in it."""

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


def test_the_commands_give_what_they_give_in_memory(pellucid: Command, photos: Path) -> None:
    Image.fromarray(np.load(photos)["X"][3]).save("p.png")
    found = []
    for flag in ("", "--on-disk"):
        pellucid.ok(f"train photos.npz {flag} --model mlp --epochs 3 --out out --overwrite")
        scores = pellucid.json(f"evaluate out photos.npz {flag}")
        rate = pellucid.json(f"find-lr photos.npz {flag} --model logistic --epochs 5 --rates 3")
        explained = pellucid.json("explain out p.png --out x --overwrite --methods gradient")
        changed = pellucid.json("robustness out --perturbations noise --out r --overwrite")
        found.append(
            (scores["accuracy"], rate["suggestion"], pl.load("out").theta.tolist(), explained, changed)
        )
    assert found[0] == found[1]
    assert "on_disk = true" in Path("out/config.toml").read_text()


def test_numbers_in_their_file_are_checked(pellucid: Command, rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    X[:, 1], X[7] = 2.0, X[8]
    np.save("X.npy", X)
    np.save("y.npy", y)
    kinds = [
        [one["kind"] for one in pellucid.json(f"data check X.npy {flag}")["findings"]]
        for flag in ("", "--on-disk")
    ]
    assert kinds[0] == kinds[1]
    assert "constant_column" in kinds[0]
    assert "Constant column" in pellucid.ok("run X.npy --on-disk --model logistic --epochs 2 --out out").out


@pytest.mark.slow
def test_run_writes_its_report(pellucid: Command, photos: Path) -> None:
    pellucid.ok("run photos.npz --on-disk --epochs 2 --out out")
    assert "Mistakes and hits" in words_of(Path("out/report.html"))
