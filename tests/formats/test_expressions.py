"""Layers and activations as expressions in Python, JavaScript and MathML."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import NETWORKS, Reversed, own_layers, shaken

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.formats.describe import DESCRIPTIONS, describe
from pellucid.formats.expressions import (
    expression_of,
    function_name,
    javascript_of,
    mathml_of,
    python_of,
    slope_of,
)
from pellucid.formats.html.network import page_of
from pellucid.formats.onnx.export import export_onnx
from pellucid.formats.onnx.layers import NODES
from pellucid.formats.script import layers
from pellucid.formats.script.write import write_script
from pellucid.formats.steps import steps_of
from pellucid.nn.blocks import MERGES
from pellucid.ops.activations import ACTIVATIONS, derivative_of, get_activation

Z = np.concatenate([np.linspace(-12, 12, 200), [-1000.0, 0.0, 1000.0]])
OPTIONS = {
    "elu": {"alpha": 0.3},
    "hard_sigmoid": {"slope": 0.2},
    "leaky_relu": {"slope": 0.3},
    "relu6": {"high": 1.5},
}


@every("name", [name for name in ACTIVATIONS if name != "softmax"])
@every("dtype", [np.float32, np.float64])
def test_python_computes_what_the_forward_does(name: str, dtype: Any) -> None:
    for options in ({}, OPTIONS.get(name, {})):
        expected = get_activation(name, **options).forward(Z.astype(dtype))[0]
        text = python_of(expression_of(name, options, ""))
        with np.errstate(over="ignore"):
            found = eval(text, {"np": np, "ndtr": layers.ndtr, "Z": Z.astype(dtype)})
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.fixture
def own() -> Iterator[Any]:
    """Yield what registers a function of Z as the activation ``own``, until the test ends."""

    def register(function: Any) -> str:
        def own_forward(Z: Any, *, out: Any = None) -> Any:
            return function(Z), Z

        derivative_of(own_forward)(lambda dA, cache, *, dZ=None: dA)
        return "own"

    yield register
    del ACTIVATIONS["own"]


@every(
    ("function", "python", "javascript"),
    [
        (lambda Z: Z / (1 + np.abs(Z)), "Z / (1 + np.abs(Z))", "z / (1 + Math.abs(z))"),
        (lambda Z: np.where(Z > 0, Z, -0.5), "np.where(Z > 0, Z, -0.5)", "where(z > 0, z, -0.5)"),
        (lambda Z: np.clip(Z, -1, 1) ** 3, None, "Math.pow(Math.min(Math.max(z, -1), 1), 3)"),
        (lambda Z: np.square(Z) - 1 / Z, "Z * Z - 1 / Z", "z * z - 1 / z"),
        (lambda Z: -(Z - (1 - Z)) * 2, "-(Z - (1 - Z)) * 2", "-(z - (1 - z)) * 2"),
        (lambda Z: Z / (Z / 2) - (Z + 3), "Z / (Z / 2) - (Z + 3)", "z / (z / 2) - (z + 3)"),
    ],
)
def test_brackets_stand_where_they_are_needed(function: Any, python: str, javascript: str, own: Any) -> None:
    node = expression_of(own(function), {}, "")
    assert python is None or python_of(node) == python
    assert javascript_of(node) == javascript
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(eval(python_of(node), {"np": np, "Z": Z}), function(Z))


@every(
    "function",
    [
        lambda Z: np.cumsum(Z),
        lambda Z: Z if Z.max() > 0 else -Z,
        lambda Z: Z if Z > 0 else -Z,
        lambda Z: np.asarray(Z) + 1,
        lambda Z: np.minimum(Z, np.inf),
        lambda Z: np.add(Z, 1, where=Z > 0),
    ],
)
def test_what_looks_at_the_numbers_is_refused(function: Any, own: Any) -> None:
    words = "dense_7: the forward of the activation 'own' cannot be written down"
    with pytest.raises(OptionError, match=words):
        expression_of(own(function), {}, "dense_7")


def test_names_are_those_of_functions() -> None:
    names = [function_name("elu", {"alpha": value}) for value in (0.5, 1e-05, 5.0)]
    assert len(set(names)) == 3
    assert all(name.isidentifier() for name in names)


@every("name", [name for name in ACTIVATIONS if name not in ("linear", "softmax")])
def test_derivatives_are_those_of_the_backward_at_kinks_too(name: str) -> None:
    kinks = {"relu6": [1.5, 6.0], "hard_sigmoid": [-2.5, 2.5, -3.0, 3.0], "hard_swish": [-3.0, 3.0]}
    at = np.concatenate([Z, kinks.get(name, [])])
    for options in ({}, OPTIONS.get(name, {})):
        op = get_activation(name, **options)
        A, cache = op.forward(at)
        expected = op.backward(np.ones_like(at), cache)
        node = slope_of(name, options)
        assert node is not None
        with np.errstate(over="ignore"):
            found = eval(python_of(node), {"np": np, "ndtr": layers.ndtr, "Z": at, "a": A})
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_a_backward_that_cannot_be_noted_has_no_derivative(own: Any) -> None:
    name = own(lambda Z: np.tanh(Z))
    assert slope_of(name, {}) is None  # its backward returns dA itself


MATHML = {
    "<mfrac><mi>z</mi><mrow><mn>1</mn><mo>+</mo><mrow><mo>|</mo><mi>z</mi>": lambda Z: Z / (1 + np.abs(Z)),
    "<mtd><mtext>if </mtext><mrow><mi>z</mi><mo>&gt;</mo><mn>0</mn></mrow>": lambda Z: np.where(
        Z > 0, Z, -0.5
    ),
    "<mrow><mo>(</mo><mrow><mi>z</mi><mo>+</mo><mn>1</mn></mrow><mo>)</mo></mrow>": lambda Z: (Z + 1) * 2,
    "<mi>σ</mi><mo>(</mo><mi>z</mi><mo>)</mo>": lambda Z: Z * (1 / (1 + np.exp(-Z))),
}


@every("mathml", MATHML)
def test_expressions_are_mathml(mathml: str, own: Any) -> None:
    text = mathml_of(expression_of(own(MATHML[mathml]), {}, ""))
    ET.fromstring(text)
    assert mathml in text


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
