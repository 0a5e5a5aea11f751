"""TOML architectures: what they become, how they are written, and that any text is one or is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError
from pellucid.formats.architecture import architecture_to_toml, load_architecture
from pellucid.formats.toml.training import training_optimizer
from pellucid.nn.layer import LAYERS
from pellucid.nn.presets import PRESETS

NET = (Path(__file__).parent / "net.toml").read_text()
GRAPH = (Path(__file__).parent / "graph.toml").read_text()


def test_layers_structures_and_training(load: Any) -> None:
    architecture = load(NET)
    conv = pl.Conv2D(4, (3, 3), padding=((1, 1), (1, 1)), activation="relu")
    body = pl.Sequential([pl.Conv2D(4), pl.BatchNorm()])
    branches = [pl.Sequential([pl.MaxPool2D(), pl.Conv2D(2)]), pl.AvgPool2D(2)]
    wanted = [conv, pl.Residual(body, pl.Conv2D(4, 1)), pl.Parallel(branches), pl.Flatten(), pl.Dense(3)]
    assert as_json(architecture.model) == as_json(pl.Sequential(wanted))
    assert architecture.model.dtype == "float64"
    assert architecture.input_shape == (8, 8, 3)
    assert not architecture.model._is_initialized
    architecture.initialize(seed=1)
    assert architecture.model.output_shape == (3,)
    assert architecture.training["n_epochs"] == 20
    optimizer = training_optimizer(architecture.training)
    assert optimizer is not None
    assert optimizer.config()["learning_rate"] == 0.01
    assert optimizer.config()["beta1"] == 0.8
    assert architecture.training["schedule"] == "cosine"


def test_a_graph_with_two_inputs(load: Any) -> None:
    architecture = load(GRAPH)
    assert isinstance(architecture.model, pl.Graph)
    architecture.initialize()
    assert architecture.model.theta.size == 16 + 2 + 1
    assert architecture.input_shape == {"photo": (4, 4, 1), "facts": (2,)}


def test_a_graph_inside_a_sequence(load: Any) -> None:
    text = """[[layers]]
type = "Graph"
inputs = ["x"]
outputs = "z"
nodes = [
    { name = "a", from = "x", type = "Dense", units = 2 },
    { name = "z", from = ["a", "x"], type = "add" },
]"""
    architecture = load(text)
    architecture.initialize((2,))
    assert architecture.model.output_shape == (2,)
    assert as_json(load(architecture_to_toml(architecture.model)).model) == as_json(architecture.model)


def test_windows_line_ends_and_a_mark_at_the_start_are_fine(load: Any, fault: Any) -> None:
    text = b"\xef\xbb\xbf" + NET.replace("\n", "\r\n").encode()
    assert as_json(load(text).model) == as_json(load(NET).model)
    assert fault(text.replace(b"units", b"unit"))[0] == NET.splitlines().index("units = 3") + 1


def test_a_layer_of_your_own_is_known_and_checked(load: Any, fault: Any) -> None:
    @pl.register
    class Scaled(pl.Layer):
        def __init__(self, factor: float, unknown: "Nowhere" = None):  # type: ignore[name-defined] # noqa: F821
            super().__init__()
            if factor == 7:
                raise ValueError("factor 7 is unlucky")
            self.factor, self.unknown = factor, unknown

        def forward(self, X: np.ndarray, *, training: bool = False) -> np.ndarray:
            return X * self.factor

        def backward(self, dY: np.ndarray) -> np.ndarray:
            return dY * self.factor

    try:
        text = '[[layers]]\ntype = "Scaled"\nfactor = 2'
        assert load(text).model.layers[0].factor == 2
        assert fault(text.replace("factor", "faktor")) == (
            3,
            "unknown option of Scaled 'faktor'. Did you mean 'factor'? Known: factor, unknown.",
        )
        assert fault(text.replace("2", "7")) == (3, "Scaled: factor 7 is unlucky.")
        assert load(text).model.config()["layers"] == [{"type": "Scaled", "factor": 2, "unknown": None}]
    finally:
        LAYERS.remove("Scaled")


def as_json(model: pl.Model) -> str:
    return json.dumps(model.config())


@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_every_preset_comes_back_from_its_file(load: Any, name: str) -> None:
    model = pl.preset(name)
    architecture = load(architecture_to_toml(model))
    assert as_json(architecture.model) == as_json(model)
    assert architecture.model.dtype == model.dtype
    assert architecture.input_shape is None
    model.initialize((32, 32, 3), seed=3)
    again = load(architecture_to_toml(model))
    assert again.input_shape == (32, 32, 3)
    again.initialize(seed=3)
    assert np.array_equal(again.model.theta, model.theta)


def test_graphs_and_odd_names_come_back(load: Any) -> None:
    inner = pl.Graph(["x"], {"y": (pl.Sequential([pl.Dense(2), pl.Dropout(0.3)]), "x")}, "y")
    model = pl.Graph(
        ["a b", 'quo"te'],
        {
            "u": (inner, "a b"),
            "v": (pl.Parallel([pl.Residual(pl.Dense(2)), pl.Activation("leaky_relu", slope=0.2)]), "u"),
            "w": ("concat", ["v", 'quo"te']),
            "ä = [": (pl.Dense(1), "w"),
        },
        ["ä = [", "w"],
    )
    model.initialize({"a b": (2,), 'quo"te': (3,)})
    again = load(architecture_to_toml(model))
    assert as_json(again.model) == as_json(model)
    assert again.input_shape == model.input_shape


def test_a_structure_alone_becomes_a_sequence_of_one(load: Any) -> None:
    model = pl.Residual(pl.Sequential([pl.Dense(2, activation="relu"), pl.Dense(2)]))
    assert as_json(load(architecture_to_toml(model)).model) == as_json(pl.Sequential([model]))


def test_the_loss_of_a_trained_model_is_written(load: Any) -> None:
    model = pl.Sequential([pl.Dense(1)])
    model.initialize((2,))
    model.set_loss("huber", delta=2)
    assert "[training]" not in architecture_to_toml(model)
    model._summary_of_training = {"n_steps": 1}
    assert load(architecture_to_toml(model)).training == {"loss": {"type": "huber", "delta": 2.0}}


@given(content=st.binary())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"net\.toml"):
        load_architecture(path)
