"""`pellucid robustness`: numbers and pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

import pellucid as pl
from pellucid.evaluation.robustness.perturbations import PERTURBATIONS
from pellucid.evaluation.robustness.try_perturbations import typical_photo
from pellucid.prediction.predict import predict


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
    model = pl.preset("logistic", 2)
    pl.train(model, pl.load_data(str(photos)).train, n_epochs=200, batch_size=None, seed=1)
    pl.save(model, path := photos.with_name("model.safetensors"))
    return path


def test_json_and_words_have_every_perturbation(pellucid: Command, trained: Path, photos: Path) -> None:
    found = pellucid.json("robustness", trained, photos)
    assert [p["name"] for p in found["perturbations"]] == list(PERTURBATIONS)
    assert found["accuracy"] == pellucid.json("evaluate", trained, photos)["accuracy"]
    assert (found["files"], found["photo"]) == ([], None)
    words = pellucid.ok("robustness", trained, photos).out
    for told in ("moderate change", "Breaks at: ", *(f"{p.title} " for p in PERTURBATIONS.values())):
        assert told in words


def test_out_holds_pictures_and_data(pellucid: Command, trained: Path, photos: Path) -> None:
    line, out = ("robustness", trained, photos, "--perturbations"), Path("robust")
    found = pellucid.json(*line, "hue, blur", "-o", out)
    files = ["curves.png", "sheet.png", "robustness.json"]
    assert found["files"] == [str(out / name) for name in files]
    assert sorted(path.name for path in out.iterdir()) == sorted(files)
    assert json.loads((out / "robustness.json").read_text()) == found
    for name in ("curves.png", "sheet.png"):
        with Image.open(out / name) as image:
            assert image.width == 1200
    again = pellucid.ok(*line, "blur", "-o", out, "--overwrite", "--quiet")
    assert (again.err, again.out.count("photos")) == ("", 1)
    (found,) = pellucid.json(*line, "rotation", "--strengths", "45,15")["perturbations"]
    assert [row["strength"] for row in found["rows"]] == [0, 15, 45]


def test_the_sheet_shows_the_correct_photo_of_median_certainty(trained: Path, photos: Path) -> None:
    model, data = pl.load(trained), pl.load_data(str(photos)).test
    shown = typical_photo(predict(model, data))
    labels = model.predict(data.X)
    assert labels[shown] == data.y[shown]
    sure = model.predict_proba(data.X)[np.arange(len(data)), labels]
    right = np.sort(sure[labels == data.y])
    assert sure[shown] == right[(len(right) - 1) // 2]
    assert typical_photo(predict(model, pl.Dataset(data.X, 1 - labels, data.classes))) == 0


@pytest.mark.slow
def test_the_published_photos(pellucid: Command, published_folder: Path) -> None:
    found = pellucid.json("robustness", published_folder, "--perturbations", "rotation,darker")
    assert (found["n"], found["n_correct"], found["most_common"]) == (50, 40, "non-cat")
    rotation, darker = found["perturbations"]
    assert 17 <= darker["rows"][-1]["n_correct"] < 33  # always the majority class of training: 17
    assert rotation["rows"][0]["n_correct"] == 40


def test_the_test_photos_are_those_that_were_held_out(pellucid: Command) -> None:
    """Nothing can be learned: a photo that was trained on is classified correctly, another is not."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        Path("photos", name).mkdir(parents=True)
        for i in range(15):
            Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(f"photos/{name}/{i}.png")
    options = "--image-size 9x9 --model logistic --epochs 200 --quiet"
    pellucid.ok(f"train photos --out run --seed 5 {options}")
    metrics = json.loads(Path("run/metrics.json").read_text())
    found = pellucid.json("robustness run photos --perturbations mirror")
    assert metrics["train"]["accuracy"] == 1
    assert found["accuracy"] == metrics["test"]["accuracy"] < 1
    assert not any("other data" in note for note in found["notes"])
    shutil.copy("photos/one/0.png", "photos/one/new.png")
    done = pellucid.ok("robustness run photos --perturbations mirror")
    assert "The model was trained on other data" in " ".join(done.out.split())
