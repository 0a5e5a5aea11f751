"""`--start MODEL --freeze LAYER`: trainings that begin from a trained model."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused, words_of
from tests.conftest import save_photos
from tests.every import every

import pellucid as pl
from pellucid.cli.main import main
from pellucid.nn.freezing import frozen_names

pytestmark = pytest.mark.usefixtures("base")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two classes of photos, base, and a folder of larger photos of three, own."""
    folder = tmp_path_factory.mktemp("from")
    photos = str(save_photos(folder / "photos.npz"))
    line = ["train", photos, "--model", "mlp-wide", "--epochs", "5", "--out", str(folder / "base"), "--quiet"]
    assert main(line) == 0
    rng = np.random.default_rng(1)
    for i, name in enumerate(("red", "green", "blue")):
        (folder / "own" / name).mkdir(parents=True)
        for n in range(12):
            pixels = rng.integers(0, 120, (18, 12, 3), dtype=np.uint8)
            pixels[..., i] += 120
            Image.fromarray(pixels).save(folder / "own" / name / f"{n}.png")
    return folder


@pytest.fixture
def base(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)


@pytest.mark.slow
@every("name", ["train", "run"])
def test_photos_of_ones_own_from_a_run_and_from_its_file(pellucid: Command, name: str) -> None:
    line, out = f"{name} own --freeze dense_2 --epochs 40 --out {name} --overwrite", Path(name)
    done = pellucid.ok(line, "--start", "base")
    source, model = pl.load("base"), pl.load(out)
    n = f"{model._n_frozen:,} parameters frozen, up to dense_2; {model.theta.size:,} parameters trained."
    assert f"Begins from base, a new last layer: {n}" in done.out
    assert (model.classes, model.input_shape) == (("blue", "green", "red"), source.input_shape)
    assert frozen_names(model)[-1] == "dense_2"
    assert model.preprocessing == source.preprocessing
    np.testing.assert_array_equal(source.layers[1].params["W"], model.layers[1].params["W"])
    scores = json.loads((out / "metrics.json").read_text())
    assert scores["test"]["accuracy"] > 0.8
    if name == "run":
        words = words_of(out / "report.html")
        assert f"base, {model._n_frozen:,} parameters frozen" in words
        assert f"{model._n_frozen:,} more are frozen" in words
        assert "Dense, frozen" in words
    again = pellucid.json(line, "--start", "base/model.safetensors")
    assert again["final_loss"] == scores["final_loss"]
    assert pellucid.json("evaluate", name, "own")["accuracy"] == scores["test"]["accuracy"]


@pytest.mark.slow
def test_the_same_classes_keep_all_and_the_run_is_read_again(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid.ok("run photos.npz --start base --learning-rate 1e-9 --epochs 1 --out more")
    assert "Begins from base, its last layer kept: " in done.out
    np.testing.assert_allclose(pl.load("more").theta, pl.load("base").theta, atol=1e-6)
    config = tomllib.loads(Path("more/config.toml").read_text())
    assert (config["model"], "freeze" in config) == (str(tmp_path / "base"), False)
    assert "base on photos" in Path("more/report.html").read_text()
    notes = pellucid.json("influence more --samples 0 --retrain")["notes"]
    assert not any("other scores" in note for note in notes)
    shutil.rmtree("base")
    words = " ".join(pellucid.ok("influence more --samples 0").out.split())
    gone = f"the model that it began from is no longer at {tmp_path / 'base'}."
    assert f"Nothing was trained again: {gone}" in words


@pytest.mark.slow
def test_labels_are_smoothed_as_before_unless_said(pellucid: Command) -> None:
    pellucid.ok("train photos.npz --model logistic --epochs 2 --label-smoothing 0.2 --out soft --quiet")
    for out, more, smoothing in (("as-before", "", 0.2), ("none", "--label-smoothing 0", 0.0)):
        pellucid.ok(f"run photos.npz --start soft --epochs 1 --out {out} --quiet {more}")
        assert pl.load(out).loss_config.get("label_smoothing", 0.0) == smoothing
        assert ("label smoothing 0.2" in words_of(Path(out, "report.html"))) == bool(smoothing)


@pytest.mark.slow
def test_influence_of_a_frozen_training_is_of_what_was_trained(pellucid: Command) -> None:
    pellucid.ok("train photos.npz --start base --freeze dense_1 --epochs 4 --out more --quiet")
    for more in ("", "--retrain"):
        notes = pellucid.json(f"influence more --samples 0 {more}")["notes"]
        assert not any("other scores" in note for note in notes)


def test_resumed_and_extended(pellucid: Command) -> None:
    line = "train own --start base --schedule constant"
    for epochs, out in ((7, "whole"), (4, "more")):
        pellucid.ok(f"{line} --freeze dense_1 --epochs {epochs} --out {out}")
    done = pellucid.ok("train own --out more --resume --epochs 7")
    assert "Begins from" not in done.out
    for name in ("model.safetensors", "history.csv", "config.toml"):
        assert Path("more", name).read_bytes() == Path("whole", name).read_bytes()
    refused = pellucid(f"{line} --freeze dense_2 --out more --resume --epochs 8")
    assert_refused(refused, "frozen = ")


def test_tables_keep_their_columns(pellucid: Command, rng: np.random.Generator) -> None:
    size, coat = rng.standard_normal(60), rng.choice(["plain", "tabby"], 60)
    rows = [f"{s:.3f},{c},{'big' if s > 0 else 'small'},{2 * s:.3f}" for s, c in zip(size, coat, strict=True)]
    text = "\n".join(["size,coat,kind,length", *rows])
    for file, table in (("a", text), ("b", text.replace("coat", "fur")), ("c", text.replace("big", "huge"))):
        Path(f"{file}.csv").write_text(table)
    pellucid.ok("train a.csv --target kind --epochs 5 --model mlp-wide --out first")
    pellucid.ok("train c.csv --target kind --epochs 5 --start first --out other")
    assert pl.load("other").classes == ("huge", "small")
    assert pl.load("other").preprocessing == pl.load("first").preprocessing
    refused = pellucid("train b.csv --target kind --epochs 5 --start first --out third")
    assert_refused(refused, "takes the columns size, coat, length")


def test_what_does_not_go_together_is_said_in_a_line(pellucid: Command) -> None:
    named = "To begin from a trained model, name it with --start."
    for line, words in {
        "photos.npz --start base --model cnn": "--model and --start: base brings its own layers.",
        "photos.npz --freeze dense_1": "--freeze: dense_1 is to be a layer of a trained model. Name the model",
        "photos.npz --start base --freeze dense2": "unknown layer 'dense2'. Did you mean 'dense_2'?",
        "photos.npz --start base --freeze dense_3": "no layer after dense_3 is left to train",
        "digits --start base": "the model takes samples of shape (6, 6, 3), the data have (8, 8, 1)",
        "own --start base --image-size 7x7": "takes photos of 6 × 6, got 7 × 7",
        "photos.npz --start nowhere": "nowhere",
        "photos.npz --start photos.npz": "not a whole model file",
        "photos.npz --model base": named,
        "photos.npz --model gone.safetensors": named,
        "photos.npz --model base/model.safetensors": named,
        "photos.npz --start base --dtype float64": "the model is already float32",
    }.items():
        for name in ("train", "run"):
            assert_refused(pellucid(f"{name} {line} --out out"), words)
            assert not Path("out").exists()
