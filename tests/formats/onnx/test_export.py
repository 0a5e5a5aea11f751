"""A model as an ONNX file gives what the model gives, whatever its layers, structure and loss."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import activated, shaken

import pellucid as pl
from pellucid.errors import MissingExtraError, OutputError, PellucidError
from pellucid.formats.onnx import export as room
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


def test_nothing_is_written_unless_it_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx"
    with pytest.raises(PellucidError, match="not trained yet"):
        export_onnx(pl.Sequential([pl.Dense(2)]), path)
    path.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        export_onnx(model, path)
    monkeypatch.setattr(room, "gives", lambda output, Z: Z + 1)
    with pytest.raises(PellucidError, match="was not written"):
        export_onnx(model, path, overwrite=True)
    assert path.read_text() == "mine"


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pellucid\[onnx\]"):
        export_onnx(shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx")


def test_without_onnxruntime_its_evaluator_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert export_onnx(shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx") <= 1e-5
