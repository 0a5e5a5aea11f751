"""`pellucid run`: what it prints, what it leaves, and how it behaves when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from tests.commands import Command, assert_refused, words_of

import pellucid as pl
from pellucid.training.nonfinite import replay_nonfinite

FILES = {"report.html", "model.safetensors", "history.jsonl", "history.csv", "config.toml", "metrics.json"}


def test_the_whole_pipeline(pellucid: Command, photos: Path) -> None:
    Image.new("RGB", (50, 30), (250, 250, 250)).save("new.png")
    lines = pellucid.ok("run photos.npz --out out --epochs 250 --photo new.png").out.splitlines()
    assert "photos.npz: 32 training photos and 8 for the test, of 6 × 6 × 3" in lines
    assert "Classes, in the training part: dark (16), bright (16)" in lines
    costs = [line for line in lines if line.startswith("Cost after epoch ")]
    assert [line.split()[3] for line in costs] == ["1:", "100:", "200:", "250:"]
    assert any(" better. Test accuracy " in line for line in lines)
    assert "new.png: bright" in lines
    assert not any("L-layer" in line or "Goodbye" in line or "x_orig" in line for line in lines)

    folder = Path("out")
    assert {path.name for path in folder.iterdir()} == FILES | {"figures", "checkpoints"}
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert len(history) == 250
    assert f"Cost after epoch 250: {history[-1]['loss']:.4g}" in lines
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["training"]["epochs"], config["data"]["name"]) == (250, str(photos))
    metrics, split = json.loads((folder / "metrics.json").read_text()), pl.load_data(photos)
    assert metrics["test"]["n_correct"] == int((pl.load(folder).predict(split.test.X) == split.test.y).sum())
    assert len(list((folder / "figures").glob("*.png"))) == 5


def test_folders_are_numbered_and_others_files_kept(pellucid: Command, photos: Path) -> None:
    line = "run photos.npz --epochs 2 --model logistic --quiet"
    for n in (1, 2):
        assert pellucid.ok(line).out == f"runs/photos-logistic-{n}/report.html\n"
    Path("out").mkdir()
    for name in ("mine.txt", "report.html"):
        Path("out", name).write_text("mine")
    assert_refused(pellucid(line, "--out", "out"), "not empty", "--overwrite")
    assert Path("out/report.html").read_text() == "mine"
    pellucid.ok(line, "--out", "out", "--overwrite")
    assert Path("out/mine.txt").read_text() == "mine" != Path("out/report.html").read_text()


def test_a_run_that_breaks_leaves_what_broke_it(pellucid: Command, photos: Path) -> None:
    done = pellucid("run photos.npz --out out --learning-rate 1e200 --epochs 50")
    assert_refused(done, "smaller learning rate", "nonfinite.safetensors")
    assert {path.name for path in Path("out").iterdir()} == {"config.toml", "nonfinite.safetensors"}
    *_, fault = replay_nonfinite(Path("out/nonfinite.safetensors"))
    assert fault is not None


@pytest.mark.slow
def test_ctrl_c_keeps_history_and_model_and_exits_130(pellucid: Command, photos: Path) -> None:
    words = ["run", "photos.npz", "--model", "mlp", "--epochs", "100000000", "--out", "out", "--form", "dual"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([sys.executable, "-m", "pellucid", *words], env=environment, **pipes)
    for line in process.stdout or ():
        if line.startswith("Cost after epoch 100:"):
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (130, "")
    assert "Stopped after" in out
    history = Path("out/history.jsonl").read_text().splitlines()
    assert len(history) > 100
    assert pl.load("out").theta.size > 0
    assert Path("out/report.html").is_file()
    metrics = json.loads(Path("out/metrics.json").read_text())
    assert (metrics["is_complete"], metrics["n_steps"]) == (False, len(history))


@pytest.mark.slow
def test_on_the_published_photos(published_folder: Path) -> None:
    said = (published_folder.parent / "said").read_text()
    lines = said.splitlines()
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
    assert 'my_cat_1.jpg: y = 1.0, your L-layer model predicts a "cat" picture.' in said
    words = words_of(published_folder / "report.html")
    assert "Test accuracy 80 % (40/50, 95 % interval 67 to 89 %). Training 99 %. Baseline (always" in words
    assert "Not shown to be better" not in words
    assert "test photo 17 is the same as training photo 146 (same class in 1 of 1)" in words
    assert "Accuracy without: 80 % (39/49)." in words
    assert "Most common mistake: 'non-cat' taken for 'cat' (7 of 17 photos)." in words
