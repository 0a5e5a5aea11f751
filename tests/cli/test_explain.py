"""`pellucid explain`: pictures, words and numbers that agree, and the training data found again."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.every import every

import pellucid as pl
from pellucid.formats.safetensors import load, save
from pellucid.runs.data import find_training_photos
from pellucid.workflows.explain import explain_photo

FILES = ["photo.png", "saliency.png", "first-layer.png", "explanation.txt", "explanation.json"]


@pytest.fixture
def trained(trained_once: Path) -> Path:
    """A run folder; tests do not write there."""
    return trained_once


@pytest.fixture(autouse=True)
def photo(tmp_path: Path) -> None:
    """A dark photo, dark.jpg."""
    pixels = np.random.default_rng(0).integers(0, 120, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "dark.jpg")


@pytest.mark.slow
def test_a_verdict_is_explained(pellucid: Command, trained: Path) -> None:
    done = pellucid.ok("explain", trained, "dark.jpg", "-o", "why")
    lines = done.out.strip().splitlines()
    assert "Predicted 'dark' (" in lines[0]
    assert "nearest by pixels" in done.out
    assert lines[-5:] == [f"why/{name}" for name in FILES]
    for name in FILES[:3]:
        with Image.open(Path("why", name)) as image:
            assert image.width >= 800
    text = Path("why/explanation.txt").read_text()
    for words in ("Integrated gradients", "sanity check", "nearest by the last hidden layer"):
        assert words in text


def test_no_folder_need_be_named_and_one_in_use_keeps_its_files(pellucid: Command, trained: Path) -> None:
    line = ("explain", trained, "dark.jpg", "--quiet", "--methods", "gradient")
    Path("why").mkdir()
    Path("why/mine.txt").write_text("mine")
    for out, more in (("explained/dark-1", ()), ("why", ("-o", "why", "--overwrite"))):
        assert pellucid.ok(*line, *more).out.split() == [f"{out}/{name}" for name in FILES]
        assert {path.name for path in Path(out).iterdir()} - {"mine.txt"} == {*FILES}
    assert Path("why/mine.txt").read_text() == "mine"


def test_json_says_the_same_of_the_class_that_is_asked_for(pellucid: Command, trained: Path) -> None:
    methods = ("--methods", "gradient,occlusion", "--target", "bright")
    result = pellucid.json("explain", trained, "dark.jpg", "-o", "why", *methods)
    assert result == json.loads(Path("why/explanation.json").read_text())
    assert [found["method"] for found in result["saliency"]] == ["gradient", "occlusion"]
    assert {found["target"] for found in result["saliency"]} == {"bright"}
    assert result["photo"]["label"] == "dark"
    assert result["photo"]["novelty"]["is_unlike"] is None  # 32 training photos are too few to say
    assert len(result["photo"]["nearest_by_pixels"]) == 5
    (predicted,) = pellucid.json("predict", trained, "dark.jpg")["predictions"]
    assert result["photo"]["probability"] == pytest.approx(predicted["probability"])


def test_data_are_found_or_left_out(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    run, alone = Path("run"), Path("alone/model.safetensors")  # alone: without its run folder
    pellucid.ok("train photos.npz --out run --model logistic --epochs 5 --quiet")
    alone.parent.mkdir()
    shutil.copy(run / "model.safetensors", alone)
    model = load(run)
    assert str(tmp_path) not in str(model._summary_of_training)  # a model that is given away tells no path

    def note(where: Path, *data: str) -> str:
        found, note = find_training_photos(model, where, *data)
        return "" if found is not None and not note else f"{'found' if found else 'none'}: {note}"

    assert note(run) == note(alone, str(photos)) == ""
    assert "--data" in note(alone)
    moved = photos.rename("elsewhere.npz")
    assert note(run).startswith(f"none: The training data are no longer at {photos}")
    assert note(alone, str(moved)) == ""
    with np.load(moved) as arrays:
        np.savez(photos, **(dict(arrays) | {"X": 255 - arrays["X"]}))
    assert "are not those that the model was trained on" in note(run)
    assert note(alone, str(photos)).startswith("found: Mind that")
    line = "dark.jpg --methods gradient -o"
    done = pellucid.ok(f"explain {alone} {line} a --data photos.npz")
    assert "Mind that" in done.out
    assert "nearest by pixels" in done.out
    photos.write_bytes(b"no longer a file of arrays")
    done = pellucid.ok(f"explain run {line} b")
    assert "The training data cannot be had" in done.out
    assert "nearest by pixels" not in done.out
    model._summary_of_training = {}
    assert "does not say where its training data are" in note(alone)


def test_other_models_than_classifiers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.random((30, 6, 6, 3)).astype(np.float32)
    for loss, y in {
        "hinge": rng.integers(0, 2, 30),
        "mean_squared_error": rng.random(30),
        "multi_label": rng.integers(0, 2, (30, 2)),
    }.items():
        model = pl.preset("two-layer", n_outputs=1 if y.ndim == 1 else 2)
        pl.train(model, pl.Dataset(X, y, () if y.dtype.kind == "f" else ("a", "b")), loss=loss, n_epochs=2)
        save(model, path := tmp_path / f"{loss}.safetensors")
        methods = ["gradient", "integrated_gradients"]
        result = explain_photo(path, tmp_path / "dark.jpg", out=tmp_path / loss, methods=methods)
        assert not result.photo.classes
        assert result.maps["gradient"].heat is not None
        assert not (tmp_path / loss / "photo.png").exists()
        assert str(result)
        json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_the_published_run(pellucid: Command, published_folder: Path, published_dir: Path) -> None:
    result = pellucid.json("explain", published_folder, published_dir / "my_cat_1.jpg", "-o", "why")
    assert result["notes"] == []
    novelty = result["photo"]["novelty"]
    assert (novelty["n_train"], novelty["is_unlike"]) == (209, False)
    errors = {found["method"]: found["completeness_error"] for found in result["saliency"]}
    assert errors["integrated_gradients"] < 0.01


@every("start", ["a step of 1e-12", "random weights"])
def test_what_learned_nothing_is_said_first(start: str, tmp_path: Path) -> None:
    """Maps of such a network depend on its weights all the same."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    low = 100 * y[:, None, None, None]
    photos = pl.Dataset(rng.integers(low, low + 99, (60, 6, 6, 3)).astype(np.uint8), y)
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    if start == "random weights":
        model.initialize((6, 6, 3), seed=3)
        model.params["dense_1"]["W"] *= 1e-5
        model.params["dense_1"]["b"][...] = 9  # the same class for all
    else:
        pl.train(model, photos, n_epochs=1, learning_rate=1e-12, progress=False)
    stages: list[tuple[str, int, int]] = []
    found = pl.explain_photo(
        model, photos.X[0], photos, methods=["gradient"], progress=lambda *stage: stages.append(stage)
    )
    assert stages[-1] == ("pictures", 4, 4)
    words = r"\d+ of 60 training photos are classified correctly, not shown to be better than always '"
    assert re.match(words, found.headline)
    assert str(found).startswith(found.doubt)
    assert "1 of 1 depends on the network's weights (sanity check)" in found.maps.headline
    assert "learned" not in found.maps.headline
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    pl.train(model, photos, n_epochs=100, learning_rate=0.1, progress=False)
    assert pl.explain_photo(model, photos.X[0], photos, methods=["gradient"], progress=False).doubt == ""
