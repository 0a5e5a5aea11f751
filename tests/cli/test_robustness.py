"""`pellucid robustness`: numbers and pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

from pellucid.data.dataset import Dataset
from pellucid.data.source import load_data
from pellucid.evaluation.robustness.perturbations import PERTURBATIONS
from pellucid.evaluation.robustness.try_perturbations import typical_photo
from pellucid.formats.safetensors import load, save
from pellucid.nn.presets import preset
from pellucid.prediction.predict import predict
from pellucid.training.fit import train
from pellucid.workflows.robustness import FILES


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz file of 40 small photos in two classes that can be told apart, if not always."""
    rng = np.random.default_rng(1)
    y = np.arange(40) % 2
    X = rng.integers(0, 120, (40, 6, 6, 3), dtype=np.uint8) + (y * 30).astype(np.uint8)[:, None, None, None]
    path = tmp_path_factory.mktemp("data") / "photos.npz"
    np.savez(path, X=X, y=y, classes=np.array(["dark", "bright"]))
    return path


@pytest.fixture(scope="module")
def trained(photos: Path) -> Path:
    """A model of these photos."""
    model = preset("logistic", 2)
    train(model, load_data(str(photos)).train, n_epochs=200, batch_size=None, seed=1)
    save(model, path := photos.with_name("model.safetensors"))
    return path


def test_json_has_at_strength_0_what_evaluate_says(pellucid: Command, trained: Path, photos: Path) -> None:
    done = pellucid("robustness", trained, photos, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert [p["name"] for p in found["perturbations"]] == list(PERTURBATIONS)
    clean = predict(load(trained), load_data(str(photos)).test).confusion
    for part in (found, *(p["rows"][0] for p in found["perturbations"])):
        assert (part["n_correct"], part["accuracy"]) == (clean.n_correct, clean.accuracy)
    assert (found["files"], found["photo"]) == ([], None)


def test_text_names_the_worst_and_lists_all(pellucid: Command, trained: Path, photos: Path) -> None:
    done = pellucid("robustness", trained, photos)
    assert done.code == 0
    assert "change, moderate" in done.out
    assert "Breaks at: " in done.out
    for p in PERTURBATIONS.values():
        assert f"{p.title} " in done.out


def test_out_holds_pictures_and_data(pellucid: Command, trained: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "robust"
    done = pellucid("robustness", trained, photos, "--perturbations", "hue, blur", "-o", out, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["files"] == [str(out / name) for name in FILES]
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert json.loads((out / "robustness.json").read_text()) == found
    for name in ("curves.png", "sheet.png"):
        with Image.open(out / name) as image:
            assert image.width == 1200
    again = pellucid(
        "robustness", trained, photos, "--perturbations", "blur", "-o", out, "--overwrite", "--quiet"
    )
    assert (again.code, again.err, again.out.count("photos")) == (0, "", 1)


def test_strengths_of_ones_own(pellucid: Command, trained: Path, photos: Path) -> None:
    done = pellucid(
        "robustness", trained, photos, "--perturbations", "rotation", "--strengths", "45,15", "--json"
    )
    (found,) = json.loads(done.out)["perturbations"]
    assert [row["strength"] for row in found["rows"]] == [0, 15, 45]


def test_the_sheet_shows_the_correct_photo_of_median_certainty(trained: Path, photos: Path) -> None:
    model, data = load(trained), load_data(str(photos)).test
    shown = typical_photo(predict(model, data))
    labels = model.predict(data.X)
    assert labels[shown] == data.y[shown]
    sure = model.predict_proba(data.X)[np.arange(len(data)), labels]
    right = np.sort(sure[labels == data.y])
    assert sure[shown] == right[(len(right) - 1) // 2]
    assert typical_photo(predict(model, Dataset(data.X, 1 - labels, data.classes))) == 0


@pytest.mark.slow
def test_the_published_photos(pellucid: Command, published_dir: Path, tmp_path: Path) -> None:
    run = pellucid("train", "catvnoncat", "--out", tmp_path / "cats", "--quiet")
    assert run.code == 0, run.err
    done = pellucid(
        "robustness", tmp_path / "cats", "catvnoncat", "--perturbations", "rotation,darker", "--json"
    )
    found = json.loads(done.out)
    assert (found["n"], found["n_correct"], found["most_common"]) == (50, 40, "non-cat")
    rotation, darker = found["perturbations"]
    assert 17 <= darker["rows"][-1]["n_correct"] < 33  # always the majority class of training: 17
    assert rotation["rows"][0]["n_correct"] == 40


def test_the_test_photos_are_those_that_were_held_out(pellucid: Command, tmp_path: Path) -> None:
    """Nothing can be learned: a photo that was trained on is classified correctly, another is not."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(15):
            noise = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "photos" / name / f"{i}.png")
    options = ["--image-size", "9x9", "--model", "logistic", "--epochs", 200, "--quiet"]
    assert pellucid("train", "photos", "--out", "run", "--seed", 5, *options).code == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    found = json.loads(pellucid("robustness", "run", "photos", "--perturbations", "mirror", "--json").out)
    assert metrics["train"]["accuracy"] == 1
    assert found["accuracy"] == metrics["test"]["accuracy"] < 1
    assert not any("other data" in note for note in found["notes"])
    shutil.copy(tmp_path / "photos" / "one" / "0.png", tmp_path / "photos" / "one" / "new.png")
    done = pellucid("robustness", "run", "photos", "--perturbations", "mirror")
    assert "The model was trained on other data" in " ".join(done.out.split())
