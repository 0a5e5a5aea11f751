"""Models as ONNX files: of every network, and of tables with their columns as inputs."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import activated, shaken

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError, PellucidError
from pellucid.formats.onnx.export import export_onnx
from pellucid.ops.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


@every("name", ACTIVATIONS)
def test_every_activation(name: str, tmp_path: Path) -> None:
    assert export_onnx(activated(name), tmp_path / "a.onnx") <= 1e-5


@every(
    ("loss", "n_out", "output"),
    [
        ("binary_cross_entropy", 1, "probabilities"),
        ("categorical_cross_entropy", 3, "probabilities"),
        ("focal", 3, "probabilities"),
        ("multi_label", 3, "probabilities"),
        ("hinge", 3, "scores"),
        ("mean_squared_error", 2, "values"),
        ("poisson", 1, "values"),
    ],
)
def test_every_loss(loss: str, n_out: int, output: str, tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Dense(n_out)]), (4,))
    model.set_loss(loss)
    export_onnx(model, tmp_path / "a.onnx")
    (found,) = runtime.InferenceSession(tmp_path / "a.onnx").get_outputs()
    assert found.name == output


def test_a_trained_model_takes_bytes_and_knows_its_classes(tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats")
    model = pl.preset("mlp")
    pl.train(model, cats.train, n_epochs=20)
    export_onnx(model, tmp_path / "cats.onnx")
    session = runtime.InferenceSession(tmp_path / "cats.onnx")
    found = session.run(None, {"input": cats.test.X})[0]
    np.testing.assert_allclose(found, model.predict_proba(cats.test.X), atol=1e-5)
    kept = session.get_modelmeta().custom_metadata_map
    assert json.loads(kept["classes"]) == list(cats.train.classes)
    assert json.loads(kept["preprocessing"]) == {"kind": "divide", "divisor": 255.0}


@every("size, n", [(2, 5), (2, 8), (4, 7), (3, 6)])
def test_poolings_on_which_the_second_judge_is_wrong(size: int, n: int, tmp_path: Path) -> None:
    layers = [pl.MaxPool2D(size, stride=1, padding="same"), pl.Flatten(), pl.Dense(1)]
    model = shaken(pl.Sequential(layers), (n, n, 2))
    assert export_onnx(model, tmp_path / "a.onnx", raw=True) <= 1e-5


def test_where_the_second_judge_fails_alone_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model = shaken(
        pl.Sequential([pl.MaxPool2D(2, stride=1, padding="same"), pl.Flatten(), pl.Dense(1)]), (5, 5, 2)
    )
    with pytest.raises(
        PellucidError, match=r"export: the file does not run, .* pip install 'pellucid\[onnx\]'"
    ):
        export_onnx(model, tmp_path / "a.onnx", raw=True)
    assert not list(tmp_path.iterdir())
    assert export_onnx(shaken(pl.Sequential([pl.Dense(1)]), (3,)), tmp_path / "b.onnx") <= 1e-5


HEADER = "age,coat,born,ok,values,pet"


@pytest.fixture
def table(tmp_path: Path) -> Any:
    rng = np.random.default_rng(0)
    lines = [HEADER]
    for i in range(200):
        coat = rng.choice(["plain", "tabby", "", "odd", "queer"], p=[0.5, 0.4, 0.09, 0.005, 0.005])
        age, ok = "" if i % 9 == 0 else i % 17, ("yes", "no", "")[i % 3]
        lines.append(
            f"{age},{coat},{i % 28 + 1}/{i % 12 + 1}/2020,{ok},{rng.normal():.3f},{'cat' if i % 2 else 'dog'}"
        )
    (tmp_path / "pets.csv").write_text("\n".join(lines))
    return pl.load_data(tmp_path / "pets.csv", target="pet")


@pytest.fixture
def model(table: Any) -> Any:
    model = pl.preset("mlp-small")
    pl.train(model, table, n_epochs=2, progress=False)
    return model


def test_columns_are_inputs(table: Any, model: Any, tmp_path: Path) -> None:
    assert pl.export_onnx(model, tmp_path / "pets.onnx") <= 1e-5
    session = runtime.InferenceSession(str(tmp_path / "pets.onnx"), providers=["CPUExecutionProvider"])
    kinds = {each.name: each.type for each in session.get_inputs()}
    assert (kinds["age"], kinds["coat"]) == ("tensor(double)", "tensor(string)")
    assert {"ok", "values (column)", "born month", "born days"} <= set(kinds)
    rows = [
        {"age": "", "coat": "never seen", "born": "1/2/2020", "ok": "", "values": 0.5},
        {"age": 3, "coat": "", "born": "3/2/2020", "ok": "yes", "values": -0.5},
    ]
    feed = {name: np.array([[np.nan], [np.nan]]) for name in kinds}
    feed |= {"age": np.array([[np.nan], [3.0]]), "ok": np.array([[np.nan], [1.0]])}
    feed |= {"coat": np.array([["never seen"], [""]], object), "values (column)": np.array([[0.5], [-0.5]])}
    born = table.schema.encode(rows).X
    names = table.schema.feature_names
    feed |= {name: born[:, [names.index(name)]] for name in kinds if name.startswith("born")}
    found = session.run(None, feed)[0]
    np.testing.assert_allclose(found, model.predict_proba(born), atol=1e-5)


def check_same(again: pl.Model, model: pl.Model, table: Any) -> None:
    X = table.test.X
    np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X), atol=1e-5)


def test_the_way_back(table: Any, model: Any, tmp_path: Path) -> None:
    pl.export_onnx(model, tmp_path / "pets.onnx")
    again = pl.import_onnx(tmp_path / "pets.onnx")
    assert again._schema == table.schema
    check_same(again, model, table)
    proto = onnx.load(tmp_path / "pets.onnx")
    kept = [each for each in proto.metadata_props if each.key != "schema"]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    onnx.save(proto, tmp_path / "other.onnx")
    with pytest.raises(FormatError, match="its metadata do not describe its columns"):
        pl.import_onnx(tmp_path / "other.onnx")


@every("rule", [Preprocessing.robust, lambda X: Preprocessing()])
def test_other_scalings(rule: Any, table: Any, tmp_path: Path) -> None:
    model = pl.preset("mlp-small")
    model._schema, model.preprocessing = table.schema, rule(table.train.X)
    pl.train(model, table, n_epochs=1, progress=False)
    assert pl.export_onnx(model, tmp_path / "pets.onnx") <= 1e-5
    check_same(pl.import_onnx(tmp_path / "pets.onnx"), model, table)
