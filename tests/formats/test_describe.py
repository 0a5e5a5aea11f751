"""Every layer is described once, every export has what descriptions name; layers of one's own note themselves."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.formats.networks import NETWORKS, Reversed, own_layers, shaken

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.formats.describe import DESCRIPTIONS, describe
from pellucid.formats.html.network import page_of
from pellucid.formats.onnx.export import export_onnx
from pellucid.formats.onnx.layers import NODES
from pellucid.formats.script import layers
from pellucid.formats.script.write import write_script
from pellucid.formats.steps import steps_of
from pellucid.nn.blocks import MERGES


def test_every_layer_is_described_and_every_export_has_its_function() -> None:
    structures = {pl.Sequential, pl.Residual, pl.Parallel, pl.Graph}
    assert set(DESCRIPTIONS) == own_layers() - structures
    steps = [step for make, shape in NETWORKS.values() for step in steps_of(shaken(make(), shape)).steps]
    used = {type(step.what) for step in steps} - {str}
    assert used == set(DESCRIPTIONS), "a network of NETWORKS has each layer"
    named = {describe(step.what).name for step in steps if not isinstance(step.what, str)} - {""}
    assert named == set(NODES)
    code = (files("pellucid.formats.html") / "templates" / "network.js").read_text(encoding="utf-8")
    in_page = set(re.findall(r"^  (\w+)(?:\(|: \()", code[code.index("const LAYERS") :], re.MULTILINE))
    assert named | {"activation", *MERGES} <= in_page
    assert all(hasattr(layers, name) for name in named - {"dense"})


class Squash(pl.Layer):
    """A layer of one's own with arrays, which computes each number by itself."""

    def build(self, input_shape: Any, rng: Any) -> None:
        super().build(input_shape, rng)
        self.params = {"width": np.ones(input_shape[-1]), "centre": np.zeros(input_shape[-1])}

    def forward(self, X: Any, *, training: bool = False) -> Any:
        self._X = X
        return np.tanh((X - self.params["centre"]) / (1 + self.params["width"] ** 2)) * 2

    def backward(self, dY: Any) -> Any:
        return dY


def test_a_layer_of_ones_own_is_exported_without_a_line_for_it(tmp_path: Path) -> None:
    model = pl.Sequential([pl.Conv2D(4), Squash(), pl.Flatten(), pl.Dense(3), Squash(), pl.Dense(2)])
    model = shaken(model, (5, 4, 3))
    made: dict[str, Any] = {"__name__": "predict"}
    text = write_script(model, is_inside=True).text
    exec(text, made)
    assert 'np.tanh((X - W["squash_1.centre"]) / (1 + np.power(W["squash_1.width"], 2))) * 2' in text
    X = np.random.default_rng(0).random((3, 5, 4, 3), np.float32)
    np.testing.assert_allclose(made["forward"](X), model._raw_outputs(X.astype(model.dtype)), atol=1e-5)
    page = page_of(model)
    assert page.activations["layer_squash_1"].startswith("Math.tanh((z - W.centre[i % W.centre.length]) / ")
    pytest.importorskip("onnxruntime")
    assert export_onnx(model, tmp_path / "a.onnx") <= 1e-5


def test_what_cannot_be_described_is_named() -> None:
    class Pixels(pl.Layer):
        """Has a number for each pixel."""

        def build(self, input_shape: Any, rng: Any) -> None:
            super().build(input_shape, rng)
            self.params = {"each": np.ones(input_shape)}

        def forward(self, X: Any, *, training: bool = False) -> Any:
            return X * self.params["each"]

        def backward(self, dY: Any) -> Any:
            return dY

    for layer in (Reversed(), Pixels()):
        model = pl.Sequential([layer])
        model.initialize((2, 2, 3))
        with pytest.raises(OptionError, match=type(layer).__name__):
            describe(layer)
