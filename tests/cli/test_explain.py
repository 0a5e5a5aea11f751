"""`pellucid explain`: pictures, words and numbers that agree, and the training data found again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

import pellucid as pl
from pellucid.formats.safetensors import load, save
from pellucid.runs.data import find_training_photos
from pellucid.workflows.explain import explain_photo

FILES = {"photo.png", "saliency.png", "first-layer.png", "explanation.txt", "explanation.json"}
FAST = ("--methods", "gradient")


@pytest.fixture
def trained(trained_once: Path) -> Path:
    """A run folder; tests do not write there."""
    return trained_once


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A dark photo."""
    path = tmp_path / "dark.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 120, (40, 50, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.slow
def test_a_verdict_is_explained(pellucid: Command, trained: Path, photo: Path, tmp_path: Path) -> None:
    done = pellucid("explain", trained, photo, "-o", tmp_path / "why")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "why").iterdir()} == FILES
    lines = done.out.strip().splitlines()
    assert "Predicted 'dark' (" in lines[0]
    assert "nearest by pixels" in done.out
    assert lines[-1] == str(tmp_path / "why" / "explanation.json")
    for name in ("photo.png", "saliency.png", "first-layer.png"):
        with Image.open(tmp_path / "why" / name) as image:
            assert image.width >= 800
    text = (tmp_path / "why" / "explanation.txt").read_text()
    for words in ("Integrated gradients", "sanity check", "nearest by the last hidden layer", "First layer"):
        assert words in text


def test_no_folder_need_be_named(pellucid: Command, trained: Path, photo: Path) -> None:
    done = pellucid("explain", trained, photo, "--quiet", *FAST)
    assert done.code == 0, done.err
    files = [Path(line) for line in done.out.splitlines()]
    assert {path.name for path in files} == FILES
    assert all(path.is_file() for path in files)


def test_json_says_the_same(pellucid: Command, trained: Path, photo: Path, tmp_path: Path) -> None:
    methods = ("--methods", "gradient,occlusion")
    done = pellucid("explain", trained, photo, "-o", tmp_path / "why", "--json", *methods)
    result = json.loads(done.out, parse_constant=lambda value: pytest.fail(value))
    assert result == json.loads((tmp_path / "why" / "explanation.json").read_text())
    assert [found["method"] for found in result["saliency"]] == ["gradient", "occlusion"]
    assert result["photo"]["label"] == "dark"
    assert result["photo"]["novelty"]["is_unlike"] is None  # 32 training photos are too few to say
    assert len(result["photo"]["nearest_by_pixels"]) == 5
    predicted = json.loads(pellucid("predict", trained, photo, "--json").out)["predictions"][0]
    assert result["photo"]["probability"] == pytest.approx(predicted["probability"])
    assert all(Path(name).is_file() for name in result["files"])


def test_the_class_to_explain(pellucid: Command, trained: Path, photo: Path, tmp_path: Path) -> None:
    done = pellucid("explain", trained, photo, "-o", tmp_path / "why", "--json", "--target", "bright", *FAST)
    result = json.loads(done.out)
    assert {found["target"] for found in result["saliency"]} == {"bright"}
    assert result["photo"]["label"] == "dark"


def test_data_are_found_or_left_out(pellucid: Command, photos: Path, photo: Path, tmp_path: Path) -> None:
    run, alone = tmp_path / "run", tmp_path / "alone" / "model.safetensors"  # alone: without its run folder
    assert pellucid("train", photos, "--out", run, "--model", "logistic", "--epochs", 5, "--quiet").code == 0
    alone.parent.mkdir()
    shutil.copy(run / "model.safetensors", alone)
    model = load(run)
    assert str(tmp_path) not in str(model._summary_of_training)  # a model that is given away tells no path

    def note(where: Path, *data: str) -> str:
        found, note = find_training_photos(model, where, *data)
        return "" if found is not None and not note else f"{'found' if found else 'none'}: {note}"

    assert note(run) == note(alone, str(photos)) == ""
    assert "--data" in note(alone)
    moved = photos.rename(tmp_path / "elsewhere.npz")
    assert note(run).startswith(f"none: The training data are no longer at {photos}")
    assert note(alone, str(moved)) == ""
    with np.load(moved) as arrays:
        np.savez(photos, **(dict(arrays) | {"X": 255 - arrays["X"]}))
    assert "are not those that the model was trained on" in note(run)
    assert note(alone, str(photos)).startswith("found: Mind that")
    done = pellucid("explain", alone, photo, "-o", "a", *FAST, "--data", photos)
    assert "Mind that" in done.out
    assert "nearest by pixels" in done.out
    photos.write_bytes(b"no longer a file of arrays")
    done = pellucid("explain", run, photo, "-o", "b", *FAST)
    assert done.code == 0
    assert "The training data cannot be had" in done.out
    assert "nearest by pixels" not in done.out
    model._summary_of_training = {}
    assert "does not say where its training data are" in note(alone)


@pytest.mark.slow
def test_a_run_knows_where_a_folder_of_photos_was(pellucid: Command, tmp_path: Path, photo: Path) -> None:
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 150)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(low, low + 100, (10 + i, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{i}.png")
    options = ("--image-size", "8x6", "--epochs", 5, "--model", "logistic", "--quiet")
    assert pellucid("train", "set", *options, "--out", "r").code == 0
    done = pellucid("explain", "r", photo, "-o", "why", *FAST)
    assert done.code == 0, done.err
    assert "nearest by pixels" in done.out
    shutil.copy(tmp_path / "r" / "model.safetensors", "alone.safetensors")
    done = pellucid("explain", "alone.safetensors", photo, "-o", "why2", *FAST, "--data", "set")
    assert "nearest by pixels" in done.out  # its size is the model's


def test_other_models_than_classifiers(pellucid: Command, tmp_path: Path, photo: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.random((30, 6, 6, 3)).astype(np.float32)
    losses = {
        "hinge": rng.integers(0, 2, 30),
        "mean_squared_error": rng.random(30),
        "multi_label": rng.integers(0, 2, (30, 2)),
    }
    for loss, y in losses.items():
        model = pl.preset("two-layer", n_outputs=1 if y.ndim == 1 else 2)
        pl.train(model, pl.Dataset(X, y, () if y.dtype.kind == "f" else ("a", "b")), loss=loss, n_epochs=2)
        path = tmp_path / f"{loss}.safetensors"
        save(model, path)
        result = explain_photo(path, photo, out=tmp_path / loss, methods=["gradient", "integrated_gradients"])
        assert not result.photo.classes
        assert result.maps["gradient"].heat is not None
        assert not (tmp_path / loss / "photo.png").exists()
        assert str(result)
        json.dumps(result.to_dict(), allow_nan=False)


def test_a_folder_in_use_by_force(pellucid: Command, trained: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "why"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert pellucid("explain", trained, photo, "-o", out, "--overwrite", "--methods", "gradient").code == 0
    assert {path.name for path in out.iterdir()} == {*FILES, "mine.txt"}


@pytest.mark.slow
def test_the_published_run(pellucid: Command, published_dir: Path, tmp_path: Path) -> None:
    assert pellucid("train", "catvnoncat", "--epochs", 1500, "--out", "r", "--quiet").code == 0
    done = pellucid("explain", "r", published_dir / "my_cat_1.jpg", "-o", "why", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert result["notes"] == []
    assert result["photo"]["novelty"]["n_train"] == 209
    assert result["photo"]["novelty"]["is_unlike"] is False
    errors = {found["method"]: found["completeness_error"] for found in result["saliency"]}
    assert errors["integrated_gradients"] < 0.01
