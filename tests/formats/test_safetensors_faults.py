"""Every field of a model file replaced by what no model has: one clear line, or a model that predicts."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.data.dataset import Dataset
from pellucid.data.source import load_data
from pellucid.errors import DataError, FormatError, PellucidError
from pellucid.formats.safetensors import load, save
from pellucid.nn.activation import Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.presets import preset
from pellucid.nn.sequential import Sequential
from pellucid.prediction.predicted import predict_samples
from pellucid.runs.data import find_training_photos
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.fit import train
from pellucid.types import Array

WRONG = [
    *(None, True, -1, 0, 10**12, 2**63, 10**400, 1.5, 1e308, float("nan"), float("inf")),
    *("", "x", "nan", [], [1], [[1]], ["x", "x"], [10**12] * 3, {}, {"type": "Dense", "units": 3}),
]


def convolutional(folder: Path) -> tuple[Model, Array]:
    X = np.random.default_rng(0).integers(0, 256, (12, 6, 6, 3), np.uint8)
    layers = [Conv2D(4, 3, activation="relu"), BatchNorm(), Dropout(0.1), Flatten(), Dense(3)]
    model = Sequential(layers)
    train(model, Dataset(X, np.arange(12) % 3, ("a", "b", "c")), n_epochs=1)
    return model, X


def of_a_table(folder: Path) -> tuple[Model, Array]:
    table = folder / "table.csv"
    table.write_text("a,b,c\n" + "\n".join(f"{i},{'xy'[i % 2]},{'pq'[i % 2]}" for i in range(20)))
    data, model = load_data(table, target="c"), preset("mlp")
    train(model, data.train, n_epochs=2)
    model._schema = data.schema
    return model, data.train.X


def graph(folder: Path) -> tuple[Model, Array]:
    X = np.random.default_rng(0).standard_normal((12, 5))
    nodes: Any = {"hidden": (Dense(4), "x"), "both": ("concat", ["hidden", "x"]), "out": (Dense(1), "both")}
    model = Graph(["x"], nodes, "out")
    train(model, (X, np.arange(12) % 2), n_epochs=1)
    return model, X


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each entry of a header."""
    yield place
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*place, key))


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    value = copy.copy(value)
    value[place[0]] = changed(value[place[0]], place[1:], new)
    return value


@pytest.mark.slow
@pytest.mark.parametrize("make", [convolutional, of_a_table, graph])
def test_no_field_of_a_header_can_do_more_than_be_refused(make: Any, tmp_path: Path) -> None:
    model, X = make(tmp_path)
    path, bad = tmp_path / "model.safetensors", tmp_path / "bad.safetensors"
    model._summary_of_training = {"options": {"seed": 1}, "reading": {"name": "digits"}, "data_sha256": "x"}
    save(model, path)
    header, arrays = read_tensors(path, "pellucid", kind="model", advice="")
    refused: list[str] = []
    for number, place in enumerate(places(header)):
        if place[:1] == ("training",) and len(place) > 2:
            continue  # recorded, not built from
        for new in WRONG[number % 5 :: 5]:  # each of them at a fifth of the places
            write_tensors(bad, "pellucid", {**changed(header, place, new)} if place else {"x": new}, arrays)
            try:
                again = load(bad)
            except FormatError as error:
                refused.append(str(error))
                continue
            try:
                predict_samples(again, X[:2], ["a", "b"])
                again.summary()
                find_training_photos(again, bad)
            except PellucidError:
                continue
    assert len(refused) > 100
    assert max(map(len, refused)) < 700


@every("depth", [300, 100_000])
def test_a_header_nested_too_deeply_is_one_line(tmp_path: Path, depth: int) -> None:
    model, _ = graph(tmp_path)
    path = tmp_path / "model.safetensors"
    save(model, path)
    header, arrays = read_tensors(path, "pellucid", kind="model", advice="")
    header["architecture"] = "HERE"
    write_tensors(path, "pellucid", header, arrays)
    deep = '{\\"type\\": \\"Residual\\", \\"body\\": ' * depth + "1" + "}" * depth
    content = path.read_bytes()
    start = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + start].rstrip(b" ").replace(b'\\"HERE\\"', deep.encode())
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + start :])
    with pytest.raises(FormatError):
        load(path)


def test_names_for_other_classes_than_there_are_outputs_are_refused_before_training() -> None:
    X, y = np.zeros((6, 2)), np.arange(6) % 3
    with pytest.raises(DataError, match=r"5 classes .* got 3: a, b, c"):
        train(Sequential([Dense(5)]), Dataset(X, y, ("a", "b", "c")), n_epochs=1)
