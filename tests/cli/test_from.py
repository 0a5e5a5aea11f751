"""`--start MODEL --freeze LAYER`: trainings that begin from a trained model."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, words_of

import pellucid as pl
from pellucid.nn.freezing import frozen_names


@pytest.fixture
def base(pellucid: Command, photos: Path, tmp_path: Path) -> Path:
    """Return a run of two classes of photos, 8 x 8."""
    done = pellucid("train", photos, "--model", "mlp-wide", "--epochs", 5, "--out", "base", "--quiet")
    assert done.code == 0, done.err
    return tmp_path / "base"


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """Return a folder of photos of three classes, larger than the model takes them."""
    size = np.load(photos)["X"].shape[1]
    rng = np.random.default_rng(1)
    for i, name in enumerate(("red", "green", "blue")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for n in range(12):
            pixels = rng.integers(0, 120, (3 * size, 2 * size, 3), dtype=np.uint8)
            pixels[..., i] += 120
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{n}.png")
    return tmp_path / "own"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "run"])
def test_photos_of_ones_own_from_a_run_and_from_its_file(
    pellucid: Command, base: Path, folder: Path, tmp_path: Path, name: str
) -> None:
    options = ["--start", "base", "--freeze", "dense_2", "--epochs", 40]
    done = pellucid(name, folder, *options)
    assert done.code == 0, done.err
    source, model = pl.load(base), pl.load(tmp_path / "runs" / "own-base-1")
    n = f"{model._n_frozen:,} parameters frozen, up to dense_2; {model.theta.size:,} parameters trained."
    assert f"Begins from base, a new last layer: {n}" in done.out
    assert (model.classes, model.input_shape) == (("blue", "green", "red"), source.input_shape)
    assert frozen_names(model)[-1] == "dense_2"
    assert model.preprocessing == source.preprocessing
    kept = source.layers[1].params["W"], model.layers[1].params["W"]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(*kept)
    scores = json.loads((tmp_path / "runs" / "own-base-1" / "metrics.json").read_text())
    assert scores["test"]["accuracy"] > 0.8
    done = pellucid(name, folder, *options, "--start", base / "model.safetensors", "--out", "again", "--json")
    assert json.loads(done.out)["final_loss"] == scores["final_loss"]
    if name == "run":
        words = words_of(tmp_path / "runs" / "own-base-1" / "report.html")
        assert f"base, {model._n_frozen:,} parameters frozen" in words
        assert f"{model._n_frozen:,} more are frozen" in words
        assert "Dense, frozen" in words
    evaluated = json.loads(pellucid("evaluate", "again", folder, "--json").out)
    assert evaluated["accuracy"] == scores["test"]["accuracy"]


@pytest.mark.slow
def test_the_same_classes_keep_all_and_the_run_is_read_again(
    pellucid: Command, base: Path, photos: Path, tmp_path: Path
) -> None:
    done = pellucid("run", photos, "--start", "base", "--learning-rate", 1e-9, "--epochs", 1, "--out", "more")
    assert done.code == 0, done.err
    assert "Begins from base, its last layer kept: " in done.out
    np.testing.assert_allclose(pl.load("more").theta, pl.load("base").theta, atol=1e-6)
    config = tomllib.loads((tmp_path / "more" / "config.toml").read_text())
    assert (config["model"], "freeze" in config) == (str(base), False)
    assert "base on photos" in (tmp_path / "more" / "report.html").read_text()
    done = pellucid("report", "more", "--full")
    assert done.code == 0, done.err
    result = json.loads(pellucid("influence", "more", "--samples", 0, "--retrain", "--json").out)
    assert not any("other scores" in note for note in result["notes"])
    shutil.rmtree(base)
    done = pellucid("influence", "more", "--samples", 0)
    assert done.code == 0, done.err
    assert f"Nothing was trained again: the model that it began from is no longer at {base}." in " ".join(
        done.out.split()
    )


@pytest.mark.slow
def test_labels_are_smoothed_as_before_unless_said(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    smooth = ("--model", "logistic", "--epochs", 2, "--label-smoothing", 0.2)
    assert pellucid("train", photos, *smooth, "--out", "base", "--quiet").code == 0
    for out, more, smoothing in (("as-before", (), 0.2), ("none", ("--label-smoothing", 0), 0.0)):
        done = pellucid("run", photos, "--start", "base", "--epochs", 1, "--out", out, "--quiet", *more)
        assert done.code == 0, done.err
        assert pl.load(out).loss_config.get("label_smoothing", 0.0) == smoothing
        assert ("label smoothing 0.2" in words_of(tmp_path / out / "report.html")) == bool(smoothing)


@pytest.mark.slow
def test_influence_of_a_frozen_training_is_of_what_was_trained(
    pellucid: Command, base: Path, photos: Path
) -> None:
    options = ("--start", "base", "--freeze", "dense_1", "--epochs", 4, "--out", "more", "--quiet")
    assert pellucid("train", photos, *options).code == 0
    for more in ([], ["--retrain"]):
        done = pellucid("influence", "more", "--samples", 0, "--json", *more)
        assert done.code == 0, done.err
        assert not any("other scores" in note for note in json.loads(done.out)["notes"])


def test_resumed_and_extended(pellucid: Command, base: Path, folder: Path, tmp_path: Path) -> None:
    options = [folder, "--start", "base", "--freeze", "dense_1", "--schedule", "constant"]
    assert pellucid("train", *options, "--epochs", 7, "--out", "whole").code == 0
    assert pellucid("train", *options, "--epochs", 4, "--out", "more").code == 0
    done = pellucid("train", folder, "--out", "more", "--resume", "--epochs", 7)
    assert done.code == 0, done.err
    assert "Begins from" not in done.out
    for name in ("model.safetensors", "history.csv", "config.toml"):
        assert (tmp_path / "more" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    done = pellucid("train", *options, "--freeze", "dense_2", "--out", "more", "--resume", "--epochs", 8)
    assert done.code == 2
    assert "frozen = " in done.err


def test_tables_keep_their_columns(pellucid: Command, tmp_path: Path, rng: np.random.Generator) -> None:
    size, coat = rng.standard_normal(60), rng.choice(["plain", "tabby"], 60)
    rows = [f"{s:.3f},{c},{'big' if s > 0 else 'small'},{2 * s:.3f}" for s, c in zip(size, coat, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["size,coat,kind,length", *rows]))
    (tmp_path / "b.csv").write_text((tmp_path / "a.csv").read_text().replace("coat", "fur"))
    (tmp_path / "c.csv").write_text((tmp_path / "a.csv").read_text().replace("big", "huge"))
    options = ("--target", "kind", "--model", "mlp-wide", "--epochs", 5, "--out", "base")
    assert pellucid("train", "a.csv", *options).code == 0
    options = ("--target", "kind", "--start", "base", "--epochs", 5)
    done = pellucid("train", "c.csv", *options, "--out", "other")
    assert done.code == 0, done.err
    assert pl.load("other").classes == ("huge", "small")
    assert pl.load("other").preprocessing == pl.load("base").preprocessing
    done = pellucid("train", "b.csv", *options, "--out", "third")
    assert done.code == 2
    assert "takes the columns size, coat, length" in done.err


def test_what_does_not_go_together_is_said_in_a_line(
    pellucid: Command, base: Path, photos: Path, folder: Path
) -> None:
    size = np.load(photos)["X"].shape[1]
    for arguments, words in (
        ((photos, "--start", "base", "--model", "cnn"), "--model and --start: base brings its own layers."),
        (
            (photos, "--freeze", "dense_1"),
            "--freeze: dense_1 is to be a layer of a trained model. Name the model with",
        ),
        (
            (photos, "--start", "base", "--freeze", "dense2"),
            "unknown layer 'dense2'. Did you mean 'dense_2'?",
        ),
        ((photos, "--start", "base", "--freeze", "dense_3"), "no layer after dense_3 is left to train"),
        (
            ("digits", "--start", "base"),
            f"the model takes samples of shape ({size}, {size}, 3), the data have (8, 8, 1)",
        ),
        ((folder, "--start", "base", "--image-size", "7x7"), f"takes photos of {size} × {size}, got 7 × 7"),
        ((photos, "--start", "nowhere"), "nowhere"),
        ((photos, "--start", photos), "not a whole model file"),
        ((photos, "--model", "base"), "To begin from a trained model, name it with --start."),
        ((photos, "--model", "gone.safetensors"), "To begin from a trained model, name it with --start."),
        ((photos, "--model", base / "model.safetensors"), "name it with --start."),
        ((photos, "--start", "base", "--dtype", "float64"), "the model is already float32"),
    ):
        for name in ("train", "run"):
            done = pellucid(name, *arguments, "--out", "out")
            assert done.code == 2, arguments
            assert words in done.err, done.err
            assert len(done.err.splitlines()) <= 3
            assert not Path("out").exists()
