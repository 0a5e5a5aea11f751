"""`pellucid predict` on images, for every kind of model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

import pellucid as pl


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


@pytest.mark.parametrize("kind", MODELS)
def test_each_kind_of_model_says_what_it_means(
    kind: str, photo: Path, tmp_path: Path, pellucid: Command
) -> None:
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
