"""A model as an ONNX file gives what the model gives, whatever its layers, structure and loss."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.formats.networks import NETWORKS, activated, own_layers, shaken, two_inputs

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import MissingExtraError, OptionError, OutputError, PellucidError
from pellucid.formats.onnx import export as room
from pellucid.formats.onnx.export import export_onnx, to_onnx
from pellucid.formats.onnx.layers import WRITERS
from pellucid.ops.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("is_raw", [False, True])
def test_every_network(name: str, is_raw: bool, tmp_path: Path) -> None:
    make, shape = NETWORKS[name]
    assert export_onnx(shaken(make(), shape), tmp_path / "a.onnx", is_raw=is_raw) <= 1e-5


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name: str, tmp_path: Path) -> None:
    assert export_onnx(activated(name), tmp_path / "a.onnx") <= 1e-5


def test_every_layer_is_served() -> None:
    assert own_layers() == set(WRITERS)


def test_a_graph_of_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = shaken(two_inputs(), {"photo": (4, 4, 3), "facts": (2,)})
    model.set_loss({"kind": "categorical_cross_entropy", "size": "poisson"})
    export_onnx(model, tmp_path / "a.onnx")
    session = runtime.InferenceSession(tmp_path / "a.onnx")
    assert [each.name for each in session.get_inputs()] == ["photo", "facts"]
    assert [each.name for each in session.get_outputs()] == ["kind_probabilities", "size_values"]


@pytest.mark.parametrize(
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


def test_columns_far_from_zero_keep_their_digits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = 1e7 + rng.standard_normal((50, 3))
    model = shaken(pl.Sequential([pl.Dense(2)]), (3,))
    model.preprocessing = Preprocessing.standardize(X)
    assert export_onnx(model, tmp_path / "a.onnx") <= 1e-5


def test_a_regression_on_standardized_targets(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)).astype(np.float32)
    model = pl.preset("mlp-wide", n_outputs=1)
    pl.train(model, (X, 2e5 + 1e4 * X[:, 0]), n_epochs=5)
    export_onnx(model, tmp_path / "a.onnx")
    found = runtime.InferenceSession(tmp_path / "a.onnx").run(None, {"input": X})[0]
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-5)
    assert found.mean() > 1e5


def test_a_layer_of_ones_own_is_named() -> None:
    class Doubled(pl.Layer):
        def forward(self, X: Any, *, training: bool = False) -> Any:
            return 2 * X

        def backward(self, dY: Any) -> Any:
            return 2 * dY

    model = pl.Sequential([Doubled(), pl.Dense(1)])
    model.initialize((2,))
    with pytest.raises(OptionError, match="layer of your own, Doubled"):
        to_onnx(model)


def test_nothing_is_written_unless_it_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx"
    with pytest.raises(PellucidError, match="Train it first"):
        export_onnx(pl.Sequential([pl.Dense(2)]), path)
    path.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        export_onnx(model, path)
    monkeypatch.setattr(room, "_expected", lambda *args, **options: [np.zeros((1, 2))])
    with pytest.raises(PellucidError, match="was not written"):
        export_onnx(model, path, force=True)
    assert path.read_text() == "mine"


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pellucid\[onnx\]"):
        export_onnx(shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx")


def test_without_onnxruntime_its_own_evaluator_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert export_onnx(shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx") <= 1e-5
