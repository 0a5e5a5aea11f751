"""`pellucid train`, `evaluate`, and `predict` on tables: any model, any targets, resumable."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command

import pellucid as pl
from pellucid.training.nonfinite import replay_nonfinite


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    kinds = rng.choice(["cat", "dog", "owl"], 120)
    coats = np.where(rng.random(120) < 0.5, "plain", "tabby")
    weight = np.choose(np.searchsorted(["cat", "dog", "owl"], kinds), [4.0, 20.0, 1.0]) + rng.normal(
        0, 0.5, 120
    )
    rows = [
        f"{w:.3f},{c},{k},{2 * w + 1:.3f},{int(w > 3)},{int(k == 'owl')}"
        for w, c, k in zip(weight, coats, kinds, strict=True)
    ]
    path = tmp_path / "pets.csv"
    path.write_text("\n".join(["weight,coat,kind,length,heavy,flies", *rows]))
    return path


def test_a_table_with_three_classes(pellucid: Command, pets: Path, tmp_path: Path) -> None:
    done = pellucid("train", pets, "--target", "kind", "--model", "mlp-wide", "--epochs", 30, "--out", "out")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9
    model = pl.load(tmp_path / "out")
    assert model.classes == ("cat", "dog", "owl")
    assert model.preprocessing is not None
    assert model.preprocessing.kind == "standardize"
    (tmp_path / "new.csv").write_text(
        "coat,weight,length,heavy,flies\ntabby,4.1,9.2,1,0\nplain,19.5,40,1,0\n"
    )
    done = pellucid("predict", "out", "new.csv", "--json")
    assert [row["label"] for row in json.loads(done.out)["predictions"]] == ["cat", "dog"]
    assert pellucid("predict", "out", "new.csv").out.startswith("row 0: cat (")
    scores = json.loads(pellucid("evaluate", "out", pets, "--json").out)
    assert scores["n_samples"] == 24
    assert scores["accuracy"] == metrics["test"]["accuracy"]
    assert scores["accuracy"] > 0.9


def test_quantities_and_several_labels(pellucid: Command, pets: Path, tmp_path: Path) -> None:
    options = ["--model", "mlp-wide", "--epochs", 150]
    assert pellucid("train", pets, "--target", "length", *options, "--out", "size").code == 0
    metrics = json.loads((tmp_path / "size" / "metrics.json").read_text())
    assert metrics["test"]["r_squared"] > 0.8
    assert pellucid("train", pets, "--target", "heavy,flies", *options, "--out", "labels").code == 0
    metrics = json.loads((tmp_path / "labels" / "metrics.json").read_text())
    assert metrics["test"]["label_accuracy"] > 0.9
    rows = json.loads(pellucid("predict", "labels", pets, "--json").out)["predictions"]
    assert {label for row in rows for label in row["labels"]} == {"heavy", "flies"}


def test_run_takes_many_classes(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid("run", "digits", "--model", "mlp-wide", "--epochs", 4, "--out", "out")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(metrics["test"]["classes"]) == 10
    assert metrics["test"]["accuracy"] > 0.9


NET = """
[model]
dtype = "float32"

[[layers]]
type = "Conv2D"
filters = 4
activation = "relu"

[[layers]]
type = "MaxPool2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 1

[training]
epochs = 3
batch_size = 8
optimizer = "adam"
learning_rate = 0.01
"""


def test_a_network_of_ones_own(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    done = pellucid("train", photos, "--model", "net.toml", "--out", "out", "--epochs", 5)
    assert done.code == 0, done.err
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())["training"]
    assert (config["epochs"], config["batch_size"], config["optimizer"]) == (5, 8, "adam")
    assert len((tmp_path / "out" / "history.csv").read_text().splitlines()) == 6
    (tmp_path / "bad.toml").write_text(NET.replace("filters", "filtres"))
    done = pellucid("train", photos, "--model", "bad.toml", "--out", "bad")
    assert done.code == 2
    assert "line 7" in done.err
    assert "filters" in done.err
    assert not (tmp_path / "bad").exists()


def test_killed_and_resumed_ends_with_the_same_weights(photos: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pellucid.cli.main",
        "train",
        photos,
        "--model",
        "mlp-wide",
        "--epochs",
        "400",
    ]
    command += ["--validation", "0.2", "--checkpoint-steps", "5", "--threads", "1", "--quiet"]
    subprocess.run([*command, "--out", "whole"], cwd=tmp_path, check=True, capture_output=True)
    process = subprocess.Popen([*command, "--out", "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("killed/checkpoints/step-0000002*")):
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    subprocess.run([*command, "--out", "killed", "--resume"], cwd=tmp_path, check=True, capture_output=True)
    whole, killed = pl.load(tmp_path / "whole"), pl.load(tmp_path / "killed")
    np.testing.assert_array_equal(killed.theta, whole.theta)
    one, two = ((tmp_path / name / "history.jsonl").read_text() for name in ("whole", "killed"))
    assert one == two


def test_resume_and_folders(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    done = pellucid("train", photos, "--out", "out", "--resume")
    assert done.code == 2
    assert "no training to go on from" in done.err
    assert not (tmp_path / "out").exists()
    assert pellucid("train", photos, "--out", "out", "--epochs", 3).code == 0
    done = pellucid("train", photos, "--out", "out", "--epochs", 3)
    assert done.code == 2
    assert "--resume to go on, --force to start again" in done.err
    assert pellucid("train", photos, "--out", "out", "--epochs", 3, "--force").code == 0
    done = pellucid("train", photos, "--out", "elsewhere", "--patience", 3)
    assert done.code == 2
    assert "--validation" in done.err


@pytest.mark.parametrize(
    "options",
    [
        ["--batch-size", "1000"],
        ["--loss", "hinge", "--label-smoothing", "0.1"],
        ["--form", "dual", "--optimizer", "adam"],
    ],
)
def test_options_that_do_not_suit_the_data_leave_nothing(
    pellucid: Command, photos: Path, tmp_path: Path, options: list[str]
) -> None:
    done = pellucid("train", photos, "--out", tmp_path / "out", "--quiet", *options)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_broken_training_leaves_what_broke_it(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    done = pellucid("train", photos, "--out", "out", "--learning-rate", "1e200", "--epochs", 50)
    assert done.code == 2
    assert "nonfinite.safetensors" in done.err
    *_, fault = replay_nonfinite(tmp_path / "out" / "nonfinite.safetensors")
    assert fault is not None
