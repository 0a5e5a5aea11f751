"""`pellucid run`: what it prints, what it leaves, and how it behaves when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

import pellucid as pl


def test_the_whole_pipeline(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    Image.new("RGB", (50, 30), (250, 250, 250)).save(tmp_path / "new.png")
    done = pellucid("run", photos, "--out", "out", "--epochs", 250, "--photo", tmp_path / "new.png")
    assert done.code == 0
    lines = done.out.splitlines()
    assert f"{photos}: 32 training photos and 8 for the test, of 6 × 6 × 3" in lines
    assert "Classes, in the training part: dark (16), bright (16)" in lines
    costs = [line for line in lines if line.startswith("Cost after iteration ")]
    assert [line.split()[3] for line in costs] == ["0:", "100:", "200:", "249:"]
    assert any(line.startswith("Test accuracy ") for line in lines)
    assert "new.png: bright" in lines
    assert not any("L-layer" in line or "Goodbye" in line or "x_orig" in line for line in lines)

    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        "report.html",
        "model.safetensors",
        "history.jsonl",
        "history.csv",
        "config.toml",
        "metrics.json",
        "figures",
        "checkpoints",
    }
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert len(history) == 250
    assert f"Cost after iteration 249: {history[-1]['loss']}" in lines
    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["training"]["epochs"] == 250
    assert config["data"]["name"] == str(photos)
    metrics = json.loads((folder / "metrics.json").read_text())
    split = pl.load_data(photos)
    assert metrics["test"]["n_correct"] == int((pl.load(folder).predict(split.test.X) == split.test.y).sum())
    assert len(list((folder / "figures").glob("*.png"))) == 5


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources.append(dict(attrs)["src"] or "")


def test_the_report_holds_its_figures(trained: Path) -> None:
    page = (trained / "report.html").read_text()
    parser = _Images()
    parser.feed(page)
    assert len(parser.sources) == 4  # no new photo was given; photos, mistakes and confusion are no pictures
    assert all(
        source.startswith(("data:image/png;base64,", "data:image/webp;base64,")) for source in parser.sources
    )
    assert "http://" not in page
    assert "https://" not in page
    assert "was trained on 32 photos to tell" in page


def test_folders_are_numbered_and_named_after_data_and_model(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        assert pellucid("run", photos, "--epochs", 2, "--model", "logistic", "--quiet").code == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "photos-logistic-1",
        "photos-logistic-2",
    ]


def test_tables_run_too_without_pictures(pellucid: Command, tmp_path: Path, rng: np.random.Generator) -> None:
    np.savez(tmp_path / "table.npz", X=rng.standard_normal((30, 4)), y=np.arange(30) % 2)
    done = pellucid("run", "table.npz", "--epochs", 5, "--out", "out")
    assert done.code == 0, done.err
    assert "24 training samples and 6 for the test, of 4 numbers" in done.out
    assert "image" not in done.out
    assert "Test accuracy " in done.out
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_folder_that_is_not_empty_is_kept_and_force_replaces_only_its_files(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    (out / "report.html").write_text("old")
    done = pellucid("run", photos, "--epochs", 2, "--out", out)
    assert done.code == 2
    assert "not empty" in done.err
    assert "--overwrite" in done.err
    assert (out / "report.html").read_text() == "old"
    assert pellucid("run", photos, "--epochs", 2, "--out", out, "--overwrite").code == 0
    assert (out / "mine.txt").read_text() == "mine"
    assert (out / "report.html").read_text() != "old"


def test_a_run_that_breaks_leaves_what_broke_it_and_one_that_cannot_begin_leaves_nothing(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    done = pellucid("run", photos, "--out", "none", "--photo", "nowhere.png")
    assert (done.code, (tmp_path / "none").exists()) == (2, False)
    done = pellucid("run", photos, "--out", "out", "--learning-rate", "1e200", "--epochs", 50)
    assert done.code == 2
    assert "smaller learning rate" in done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"config.toml", "nonfinite.safetensors"}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["direct", "dual"])
def test_ctrl_c_keeps_history_and_model_and_exits_130(photos: Path, tmp_path: Path, path: str) -> None:
    command = [sys.executable, "-m", "pellucid.cli.main", "run", photos, "--model", "mlp"]
    process = subprocess.Popen(
        [*command, "--epochs", "100000000", "--out", "out", "--form", path],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Cost after iteration 100:"):
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Stopped after" in out
    assert err == ""
    history = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
    assert len(history) > 100
    assert pl.load(tmp_path / "out").theta.size > 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["is_complete"] is False
    assert metrics["n_steps"] == len(history)


@pytest.mark.slow
def test_on_the_published_photos(pellucid: Command, published_dir: Path, tmp_path: Path) -> None:
    done = pellucid("run", "catvnoncat", "--out", "out")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    for line in (
        "Number of training examples: 209",
        "Number of testing examples: 50",
        "Each image is of size: (64, 64, 3)",
        "train_x_orig shape: (209, 64, 64, 3)",
        "test_y shape: (1, 50)",
        "The target labels: [0 1] (non-cat, cat)",
        "train_x's shape: (12288, 209)",
        "Test accuracy: 0.8",
    ):
        assert line in lines
    assert lines[-1].startswith("Program executed successfully on: ")
    assert lines[-1].endswith("...Goodbye!")
    assert 'my_cat_1.jpg: y = 1.0, your L-layer model predicts a "cat" picture.' in done.out
    assert (tmp_path / "out" / "report.html").stat().st_size < 5_000_000
