"""`pellucid predict` on images, for every kind of model."""

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command
from tests.every import every

import pellucid as pl
import pellucid.prediction.read_samples as module
from pellucid.data.novelty import Novelty
from pellucid.prediction.output import Target, open_output
from pellucid.prediction.predicted import Prediction
from pellucid.workflows.predict import predict


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(np.full((6, 5, 3), 200, np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def saved(folder: Path, loss: str, biases: list[float], classes: tuple[str, ...] = ()) -> Path:
    """Return a model's file whose outputs are its biases, whatever it sees."""
    model = pl.Sequential([pl.Flatten(), pl.Dense(len(biases), initializer="zeros")])
    model.initialize((4, 4, 3))
    model.layers[1].params["b"][...] = biases
    model.set_loss(loss)
    model.classes = classes
    pl.save(model, folder / "model.safetensors")
    return folder / "model.safetensors"


MODELS: dict[str, tuple[Any, ...]] = {
    "one of two": ("binary_cross_entropy", [2.0], ("cat", "dog"), "dog (88.1 %)"),
    "one of three": ("categorical_cross_entropy", [0.0, 3.0, 0.0], ("a", "b", "c"), "b (90.9 %)"),
    "several": ("multi_label", [2.0, -1.0, 1.0], ("cat", "dog", "old"), "cat (88.1 %), old (73.1 %)"),
    "none": ("multi_label", [-2.0, -1.0], ("cat", "dog"), "none of cat, dog"),
    "a quantity": ("mean_squared_error", [2.5], (), "2.5"),
    "quantities": ("mean_squared_error", [2.5, -1.0], (), "[2.5, -1.0]"),
}


@every("kind", MODELS)
def test_each_kind_says_what_it_means(kind: str, photo: Path, tmp_path: Path, pellucid: Command) -> None:
    loss, biases, classes, words = MODELS[kind]
    model = saved(tmp_path, loss, biases, classes)
    done = pellucid("predict", model, photo)
    assert done.code == 0, done.err
    assert done.out.strip() == f"{photo}: {words}"


def test_as_json(photo: Path, tmp_path: Path, pellucid: Command) -> None:
    found = {}
    for kind in ("several", "none", "a quantity"):
        model = saved(tmp_path, *MODELS[kind][:3])
        (found[kind],) = json.loads(pellucid("predict", model, photo, "--json").out)["predictions"]
    assert found["several"]["labels"] == ["cat", "old"]
    assert found["several"]["classes"]["dog"] == pytest.approx(0.2689, abs=1e-4)
    assert found["none"]["labels"] == []
    assert found["a quantity"] == {"image": str(photo), "value": 2.5}


def test_folders_and_patterns_stand_for_their_images(photo: Path, tmp_path: Path, pellucid: Command) -> None:
    model = saved(tmp_path, *MODELS["a quantity"][:3])
    pets = tmp_path / "pets"
    (pets / "below").mkdir(parents=True)
    for name in ("b.png", "a.PNG", "below/c.png", ".hidden.png"):
        (pets / name).write_bytes(photo.read_bytes())
    (pets / "notes.txt").write_text("of no kind")

    def images(*named: object) -> list[str]:
        found = json.loads(pellucid("predict", model, *named, "--json").out)
        return [Path(each["image"]).relative_to(tmp_path).as_posix() for each in found["predictions"]]

    assert images(pets) == ["pets/a.PNG", "pets/b.png", "pets/below/c.png"]
    assert images(photo, f"{pets}/*.png") == ["photo.png", "pets/b.png"]
    assert images(f"{tmp_path}/**/c.png") == ["pets/below/c.png"]
    assert "1 file in the folders not used" in pellucid("predict", model, pets).err
    empty = tmp_path / "empty"
    empty.mkdir()
    for nothing, words in ((empty, "found no image"), (f"{pets}/*.jpg", "no file matches this pattern")):
        done = pellucid("predict", model, nothing)
        assert done.code == 2
        assert words in done.err


def test_bad_images_are_told_and_the_others_predicted(photo: Path, tmp_path: Path, pellucid: Command) -> None:
    model = saved(tmp_path, *MODELS["a quantity"][:3])
    (tmp_path / "bad.png").write_text("of no kind")
    done = pellucid("predict", model, photo, tmp_path / "bad.png", photo, "--jsonl")
    assert [json.loads(line)["image"] for line in done.out.splitlines()] == [str(photo)] * 2
    assert done.code == 1
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines == json.loads(pellucid("predict", model, photo, photo, "--json").out)["predictions"]
    (line,) = done.err.splitlines()
    assert line.startswith(f"{tmp_path / 'bad.png'}: not in an image format")
    found = json.loads(pellucid("predict", model, photo, tmp_path / "bad.png", "--json").out)
    assert [each["image"] for each in found["faults"]] == [str(tmp_path / "bad.png")]


def test_images_are_read_in_pieces(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(tmp_path, *MODELS["one of three"][:3])
    whole = predict(file, [photo] * 5)
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(module, "PIECE", 2)
    assert predict(pl.load(file), [photo] * 5, progress=lambda *step: told.append(step)) == whole
    assert told == [("reading images", i, 5) for i in range(1, 6)]


@every("kind", MODELS)
def test_python_predicts_what_the_command_does(
    kind: str, photo: Path, tmp_path: Path, pellucid: Command
) -> None:
    model = saved(tmp_path, *MODELS[kind][:3])
    (tmp_path / "photos").mkdir(exist_ok=True)
    for name in ("a.png", "b.png"):
        (tmp_path / "photos" / name).write_bytes(photo.read_bytes())
    found = predict(model, tmp_path / "photos")
    assert found.to_dict() == json.loads(pellucid("predict", model, tmp_path / "photos", "--json").out)
    pixels = np.full((2, 4, 4, 3), 200, np.uint8)
    for data in (pixels, pixels.tolist(), pl.Dataset(pixels, np.zeros(2, np.int64))):
        same = predict(pl.load(model), data)
        assert [row | {"image": 0} for row in same.to_rows()] == [
            row | {"image": 0, "row": i} for i, row in enumerate(found.to_rows())
        ]
    assert found.headline in str(found)
    assert found.to_frame().shape == (2, len(found[0].to_row()))


def test_rows_of_a_table_and_their_frame(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{'red' if i % 2 else 'blue'},{'yes' if i > 9 else 'no'}" for i in range(20))
    (tmp_path / "t.csv").write_text(f"size,colour,label\n{rows}\n")
    split = pl.load_data(tmp_path / "t.csv", target="label")
    model = pl.preset("logistic")
    pl.train(model, split.train, n_epochs=2)
    model._schema = split.schema
    found = predict(model, tmp_path / "t.csv")
    assert len(found) == 20
    assert [row["row"] for row in found.to_rows()] == list(range(1, 21))
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(tmp_path / "t.csv")
    for same in (frame, frame.to_dict("records")):
        assert predict(model, same) == found


def test_what_cannot_be_predicted_is_refused_in_one_sentence(photo: Path, tmp_path: Path) -> None:
    model = pl.load(saved(tmp_path, *MODELS["one of two"][:3]))
    (tmp_path / "bad.png").write_text("of no kind")
    found = predict(model, [photo, tmp_path / "bad.png"])
    assert found.headline == "1 prediction: 1 dog. 1 image cannot be read."
    data: Any
    for data in (tmp_path / "none.png", tmp_path / "bad.png", np.zeros((0, 4, 4, 3)), [], "t.csv"):
        with pytest.raises(pl.errors.DataError):
            predict(model, data)
    with pytest.raises(pl.errors.PellucidError, match="not trained"):
        predict(pl.preset("logistic"), photo)


def test_how_unusual_a_photo_is_has_columns_of_its_own(tmp_path: Path) -> None:
    model: Any = pl.load(saved(tmp_path, *MODELS["one of two"][:3]))
    model._novelty = "of a pretrained body"
    found = Prediction(
        "a.png", "cat", 0.75, {"cat": 0.75, "dog": 0.25}, novelty=Novelty(None, 0.02, 98.0, 50)
    )
    target = Target(model, "of this model", "image")
    for path in (tmp_path / "r.csv", tmp_path / "r.parquet"):
        if path.suffix == ".parquet" and not importlib.util.find_spec("pyarrow"):
            continue
        with open_output(path, target) as output:
            output.write([found])
        with open_output(path, target._replace(resume=True)) as output:
            assert output.is_done("a.png")
    (row,) = csv.DictReader((tmp_path / "r.csv").read_text().splitlines())
    assert row == {k: "" if v is None else str(v) for k, v in found.to_row().items()} | {
        "model": "of this model"
    }
