"""`pellucid explain`: pictures, words and numbers that agree, and the training data found again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, Done

import pellucid as pl
from pellucid.cli.main import main
from pellucid.evaluation.photo.measure import explain_file
from pellucid.formats.safetensors import load, save
from pellucid.runs.data import find_training_photos

FILES = {"photo.png", "saliency.png", "first-layer.png", "explanation.txt", "explanation.json"}
FAST = ("--methods", "gradient")


def assert_clear(done: Done, *words: str) -> None:
    assert done.code == 2, (done.out, done.err)
    assert 1 <= len(done.err.strip().splitlines()) <= 3
    for word in words:
        assert word in done.err, done.err


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos.npz, dark and bright ones, and a run on them."""
    folder = tmp_path_factory.mktemp("explain")
    rng, y = np.random.default_rng(1), np.arange(40) % 2
    X = rng.integers(0, 120, (40, 6, 6, 3), dtype=np.uint8) + (y * 120).astype(np.uint8)[:, None, None, None]
    np.savez(folder / "photos.npz", X=X, y=y, classes=np.array(["dark", "bright"]))
    arguments = ["train", folder / "photos.npz", "--out", folder / "run", "--epochs", 200, "--quiet"]
    assert main([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def trained(home: Path) -> Path:
    """The run folder."""
    return home / "run"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A dark photo."""
    path = tmp_path / "dark.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 120, (40, 50, 3), dtype=np.uint8)).save(path)
    return path


def test_a_verdict_is_explained(pellucid: Command, trained: Path, photo: Path, tmp_path: Path) -> None:
    done = pellucid("explain", trained, photo, "-o", tmp_path / "why")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "why").iterdir()} == FILES
    lines = done.out.strip().splitlines()
    assert lines[0].startswith("The network predicts “dark” (")
    assert "Cropped, flipped, darker or brighter" in done.out
    assert "nearest training photo" in done.out
    assert lines[-1] == str(tmp_path / "why" / "explanation.json")
    for name in ("photo.png", "saliency.png", "first-layer.png"):
        with Image.open(tmp_path / "why" / name) as image:
            assert image.width >= 800
    text = (tmp_path / "why" / "explanation.txt").read_text()
    for words in (
        "Integrated gradients",
        "% off",
        "Rank correlation",
        "Nearest training photos",
        "The first layer",
    ):
        assert words in text


def test_no_folder_need_be_named(pellucid: Command, trained: Path, photo: Path) -> None:
    done = pellucid("explain", trained, photo, "--quiet", *FAST)
    assert done.code == 0, done.err
    files = [Path(line) for line in done.out.splitlines()]
    assert {path.name for path in files} == FILES
    assert all(path.is_file() for path in files)


def test_json_is_one_object_and_says_the_same(
    pellucid: Command, trained: Path, photo: Path, tmp_path: Path
) -> None:
    done = pellucid(
        "explain", trained, photo, "-o", tmp_path / "why", "--json", "--methods", "gradient,occlusion"
    )
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
    done = pellucid("explain", trained, photo, "-o", tmp_path / "why", "--json", "--class", "bright")
    result = json.loads(done.out)
    assert {found["target"] for found in result["saliency"]} == {"bright"}
    assert result["photo"]["label"] == "dark"
    assert_clear(pellucid("explain", trained, photo, "-o", tmp_path / "x", "--class", "brigt"), "'bright'")


def test_the_data_are_found_again_named_or_left_out(
    pellucid: Command, photos: Path, photo: Path, tmp_path: Path
) -> None:
    trained = tmp_path / "run"
    assert pellucid("train", photos, "--out", trained, "--epochs", 50, "--quiet").code == 0
    model = load(trained)
    assert str(photos.parent) not in str(
        model.summary_of_training
    )  # a model that is given away tells no path
    found, note = find_training_photos(model, trained)
    assert found is not None
    assert note == ""
    alone = tmp_path / "alone" / "model.safetensors"  # without its run folder
    alone.parent.mkdir()
    shutil.copy(trained / "model.safetensors", alone)
    found, note = find_training_photos(model, alone)
    assert found is None
    assert "--data" in note
    assert find_training_photos(model, alone, str(photos))[0] is not None
    moved = tmp_path / "elsewhere.npz"
    photos.rename(moved)
    assert find_training_photos(model, trained)[0] is None
    done = pellucid("explain", trained, photo, "-o", tmp_path / "a", *FAST)
    assert done.code == 0
    assert f"The training data are no longer at {photos}" in done.out
    assert "nearest training photo" not in done.out
    done = pellucid("explain", alone, photo, "-o", tmp_path / "b", *FAST, "--data", moved)
    assert "nearest training photo" in done.out
    assert "Mind that" not in done.out
    with np.load(moved) as arrays:
        changed = dict(arrays) | {"X": 255 - arrays["X"]}
    np.savez(photos, **changed)
    done = pellucid("explain", trained, photo, "-o", tmp_path / "c", *FAST)
    assert "are not those that the model was trained on" in done.out
    done = pellucid("explain", alone, photo, "-o", tmp_path / "d", *FAST, "--data", photos)
    assert "Mind that" in done.out
    assert "nearest training photo" in done.out
    photos.write_bytes(b"no longer a file of arrays")
    done = pellucid("explain", trained, photo, "-o", tmp_path / "e", *FAST)
    assert done.code == 0
    assert "The training data cannot be had" in done.out
    model.summary_of_training = {}
    save(model, alone)
    assert (
        "does not say where its training data are"
        in pellucid("explain", alone, photo, "-o", tmp_path / "f", *FAST).out
    )


def test_a_run_folder_knows_where_a_folder_of_photos_was(
    pellucid: Command, tmp_path: Path, photo: Path
) -> None:
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 150)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(low, low + 100, (10 + i, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{i}.png")
    done = pellucid("run", "set", "--image-size", "8x6", "--epochs", 20, "--out", "r", "--quiet")
    assert done.code == 0, done.err
    done = pellucid("explain", "r", photo, "-o", "why", *FAST)
    assert done.code == 0, done.err
    assert "nearest training photo" in done.out
    alone = tmp_path / "alone" / "model.safetensors"
    alone.parent.mkdir()
    shutil.copy(tmp_path / "r" / "model.safetensors", alone)
    assert (
        "nearest training photo"
        in pellucid("explain", alone, photo, "-o", "why2", *FAST, "--data", "set").out
    )  # its size is the model's


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
        result = explain_file(path, photo, tmp_path / loss, methods=["gradient", "integrated_gradients"])
        assert not result.photo.classes
        assert result.maps["gradient"].heat is not None
        assert not (tmp_path / loss / "photo.png").exists()
        assert str(result)
        json.dumps(result.to_dict(), allow_nan=False)


def test_bad_input_is_at_most_three_lines(
    pellucid: Command, trained: Path, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "why"
    (tmp_path / "text.jpg").write_text("no image")
    assert_clear(
        pellucid("explain", trained, tmp_path / "text.jpg", "-o", out), "text.jpg", "expected an image"
    )
    assert_clear(pellucid("explain", trained, tmp_path / "none.jpg", "-o", out), "none.jpg")
    assert_clear(pellucid("explain", tmp_path / "none", photo, "-o", out), "none")
    assert_clear(
        pellucid("explain", trained, photo, "-o", out, "--methods", "grad-cam"), "Did you mean 'grad_cam'"
    )
    assert_clear(
        pellucid("explain", trained, photo, "-o", out, "--data", "drawn-cats"), "--data", "(6, 6, 3)"
    )
    assert_clear(pellucid("explain", trained, photo, "-o", out, "--data", "nowhere.npz"), "nowhere.npz")
    assert not out.exists()
    table = pl.Sequential([pl.Dense(1)])
    table.initialize((5,))
    save(table, tmp_path / "table.safetensors")
    assert_clear(
        pellucid("explain", tmp_path / "table.safetensors", photo, "-o", out), "takes one image", "(5,)"
    )
    assert not out.exists()


def test_a_folder_in_use_is_kept_without_force(
    pellucid: Command, trained: Path, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "why"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert_clear(pellucid("explain", trained, photo, "-o", out), "not empty", "--force")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert pellucid("explain", trained, photo, "-o", out, "--force", "--methods", "gradient").code == 0
    assert {path.name for path in out.iterdir()} == {*FILES, "mine.txt"}


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
