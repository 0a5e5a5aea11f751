"""A run folder: written alike by both commands, read back whole, and never evaluated while it is read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

from pellucid.data.source import DataSource
from pellucid.errors import DataError, FormatError
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.runs.data import find_source, reading_of, source_for
from pellucid.runs.run import read_run


@pytest.fixture
def pets(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder of photos of several sizes in two classes."""
    for label, low in (("cat", 0), ("dog", 150)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(low, low + 100, (9 + i, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / label / f"{i}.png")
    return tmp_path / "pets"


@pytest.mark.slow
def test_a_reading_option_is_kept(pellucid: Command, pets: Path) -> None:
    options = ["--image-size", "8x6", "--seed", 3, "--epochs", 5, "--out", "out", "--quiet"]
    pellucid.ok("train", pets, *options)
    found = read_run(Path("out"))
    assert found.source == DataSource(str(pets), image_size=(8, 6), seed=3)
    assert found.split.train.X.shape[1:] == (8, 6, 3)
    pellucid.ok("report out")
    pellucid.ok("influence out --samples 0 --quiet")


def test_both_commands_leave_the_same_record(pellucid: Command, photos: Path) -> None:
    records = []
    for command in ("run", "train"):
        assert pellucid(command, photos, "--epochs", 20, "--out", command, "--quiet").code == 0
        files = {path.name for path in Path(command).iterdir() if path.is_file()} - {"report.html"}
        metrics = json.loads((Path(command) / "metrics.json").read_text())
        del metrics["seconds"], metrics["setup_seconds"]
        records.append((files, (Path(command) / "config.toml").read_text(), metrics))
    assert records[0] == records[1]


def test_reading_a_run_evaluates_nothing(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the model was asked for a prediction")

    for cls in (Model, Sequential):
        for name in ("predict", "predict_proba", "decision_function", "forward"):
            if hasattr(cls, name):
                monkeypatch.setattr(cls, name, refuse)
    found = read_run(trained)
    assert found.options.n_epochs == 200
    assert found.history.n_steps == 200
    assert found.metrics["test"]["n_samples"] == len(found.split.test) == 8


@pytest.mark.parametrize(
    "text",
    [
        "model = 3",
        'model = "mlp"',
        'model = "mlp"\n[data]\nname = "digits"\n[training]',
        "?",
        f"x = {'[' * 9999}",
    ],
)
def test_a_damaged_configuration_is_named(trained: Path, text: str) -> None:
    (trained / "config.toml").write_text(text)
    with pytest.raises(FormatError, match=r"config\.toml: not the configuration of a run"):
        read_run(trained)


def test_data_that_moved_are_named(trained: Path, photos: Path) -> None:
    there = photos.rename(photos.with_name("moved.npz"))
    with pytest.raises(DataError, match=r"no longer at .*--data"):
        read_run(trained)
    assert len(read_run(trained, data=str(there)).split.train) == 32


def test_a_model_tells_no_path_and_how_its_data_are_read(pellucid: Command, pets: Path) -> None:
    assert (
        pellucid("train", pets, "--image-size", "8x6", "--seed", 2, "--epochs", 2, "--out", "out").code == 0
    )
    model = read_run(Path("out")).model
    assert model._summary_of_training["reading"] == {"image_size": [8, 6], "seed": 2}
    assert find_source(model, Path("out")) == DataSource(str(pets), image_size=(8, 6), seed=2)
    assert find_source(model, Path("elsewhere.safetensors")) is None
    assert source_for(model, DataSource(str(pets))) == DataSource(str(pets), image_size=(8, 6), seed=2)
    assert source_for(model, DataSource("digits")) == DataSource("digits", seed=2)
    assert reading_of(DataSource("catvnoncat", mirror="http://example.org")) == {"name": "catvnoncat"}


@pytest.mark.parametrize("command", ["run", "train"])
def test_each_part_is_predicted_once(
    pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    sizes: list[int] = []
    asked: Any = Model.decision_function

    def count(self: Model, X: Any) -> Any:
        sizes.append(len(X))
        return asked(self, X)

    monkeypatch.setattr(Model, "decision_function", count)
    assert pellucid(command, photos, "--epochs", 3, "--out", "out", "--quiet").code == 0
    assert sorted(sizes) == [8, 32]  # the test and the training part
