"""Activations against PyTorch, at their ends, and options that are refused. The contract: test_contract.py."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError
from pellucid.ops.activations import ACTIVATIONS, Activation, derivative_of, get_activation

SHAPES = [(1, 1), (3, 4), (33, 7), (2, 3, 4, 5)]


class Case(NamedTuple):
    name: str
    options: dict[str, float]
    oracle: str  # of torch.nn.functional
    oracle_options: dict[str, Any]

    @property
    def activation(self) -> Activation:
        return get_activation(self.name, **self.options)


CASES = [
    Case("elu", {}, "elu", {}),
    Case("elu", {"alpha": 0.3}, "elu", {"alpha": 0.3}),
    Case("gelu", {}, "gelu", {}),
    Case("gelu_tanh", {}, "gelu", {"approximate": "tanh"}),
    Case("hard_sigmoid", {}, "hardsigmoid", {}),
    Case("hard_swish", {}, "hardswish", {}),
    Case("leaky_relu", {}, "leaky_relu", {}),
    Case("leaky_relu", {"slope": 0.3}, "leaky_relu", {"negative_slope": 0.3}),
    Case("leaky_relu", {"slope": 0.0}, "leaky_relu", {"negative_slope": 0.0}),
    Case("linear", {}, "threshold", {"threshold": -np.inf, "value": 0.0}),
    Case("relu", {}, "relu", {}),
    Case("relu6", {}, "relu6", {}),
    Case("relu6", {"high": 0.7}, "hardtanh", {"min_val": 0.0, "max_val": 0.7}),
    Case("selu", {}, "selu", {}),
    Case("sigmoid", {}, "sigmoid", {}),
    Case("silu", {}, "silu", {}),
    Case("softmax", {}, "softmax", {"dim": -1}),
    Case("softplus", {}, "softplus", {"threshold": 50.0}),
    Case("tanh", {}, "tanh", {}),
]
every_case = every("case", CASES, ids=lambda case: f"{case.name}{case.options or ''}")
both_dtypes = every("dtype", [np.float32, np.float64])
every_shape = every("shape", SHAPES, ids=str)


def test_the_table_of_this_test_is_complete() -> None:
    assert {case.name for case in CASES} == set(ACTIVATIONS)


@every_case
@every_shape
@every(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@every("size", [1.0, 10.0, 1e4])
def test_values_and_gradients_are_those_of_torch(case, shape, dtype, tolerance, size, rng) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    Z, dA = (size * rng.standard_normal(shape)).astype(dtype), rng.standard_normal(shape).astype(dtype)
    Z.flat[0] = 0  # both take the same side of a kink
    A, cache = case.activation.forward(Z)
    dZ = case.activation.backward(dA, cache)
    if case.oracle == "hardsigmoid":  # its 1/6 is that of float32
        tolerance = max(tolerance, 1e-7)
    Z_torch = torch.tensor(Z, requires_grad=True)
    with np.errstate(all="ignore"):
        A_torch = getattr(torch.nn.functional, case.oracle)(Z_torch, **case.oracle_options)
        A_torch.backward(torch.tensor(dA))
    for ours, theirs in ((A, A_torch.detach().numpy()), (dZ, Z_torch.grad.numpy())):
        scale = max(np.abs(theirs).max(), np.finfo(dtype).tiny)
        assert np.abs(ours - theirs).max() <= tolerance * scale


@every_case
@both_dtypes
def test_extreme_inputs_stay_finite_and_silent(case, dtype) -> None:
    sizes = np.array([0, 1e-30, 1e-3, 5, 17, 38, 87, 89, 104, 700, 709, 710, 746, 1e4])
    Z = np.concatenate([sizes, -sizes]).astype(dtype)
    A, cache = case.activation.forward(Z)
    dZ = case.activation.backward(np.ones_like(Z), cache)
    assert np.isfinite(A).all()
    assert np.isfinite(dZ).all()
    if case.name != "softmax":
        ends, cache = case.activation.forward(np.array([-1e4, 1e4], dtype))
        low, high = {
            "elu": (-case.options.get("alpha", 1.0), 1e4),
            "hard_sigmoid": (0, 1),
            "leaky_relu": (-1e4 * case.options.get("slope", 0.01), 1e4),
            "linear": (-1e4, 1e4),
            "relu6": (0, case.options.get("high", 6.0)),
            "selu": (-1.7580993408473766, 1.0507009873554805e4),
            "sigmoid": (0, 1),
            "tanh": (-1, 1),
        }.get(case.name, (0, 1e4))
        np.testing.assert_allclose(ends, [low, high], rtol=1e-6)


def test_small_probabilities_keep_their_digits() -> None:
    Z = np.array([-40.0, -300.0, -700.0])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].forward(Z)[0], np.exp(Z), rtol=1e-15)


def test_gelu_keeps_the_digits_of_its_tail() -> None:
    from math import erfc, sqrt

    Z = np.array([-1.0, -8.0, -20.0, 3.0])
    expected = [z * erfc(-z / sqrt(2)) / 2 for z in Z]
    np.testing.assert_allclose(ACTIVATIONS["gelu"].forward(Z)[0], expected, rtol=1e-13)


def test_softmax_adds_up_and_ignores_a_shift(rng) -> None:
    Z = rng.standard_normal((6, 5))
    A = ACTIVATIONS["softmax"].forward(Z)[0]
    np.testing.assert_allclose(A.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(ACTIVATIONS["softmax"].forward(Z + 1e4)[0], A, rtol=1e-11)


def test_nan_comes_through() -> None:
    for name, activation in ACTIVATIONS.items():
        A, cache = activation.forward(np.array([np.nan, 1.0]))
        assert np.isnan(A[0]), name
        assert np.isnan(activation.backward(np.array([np.nan, 1.0]), cache)[0]), name


def test_a_new_activation_touches_one_place() -> None:
    def cube_forward(Z, *, strength=1.0, out=None):
        return strength * Z**3, Z

    @derivative_of(cube_forward)
    def cube_backward(dA, cache, *, dZ=None):
        return 3 * dA * cache**2

    assert ACTIVATIONS.pop("cube")[:3] == (cube_forward, cube_backward, ("strength",))


def test_unknown_names_and_options() -> None:
    with pytest.raises(OptionError, match=r"'leaky'\. Did you mean 'leaky_relu'"):
        get_activation("leaky")
    with pytest.raises(OptionError, match=r"option of leaky_relu 'slpe'\. Did you mean 'slope'"):
        get_activation("leaky_relu", slpe=0.1)
    with pytest.raises(OptionError, match="relu: takes no options, got 'slope'"):
        get_activation("relu", slope=0.1)


@every(
    ("name", "options"),
    [
        ("leaky_relu", {"slope": 1.0}),
        ("leaky_relu", {"slope": -0.1}),
        ("leaky_relu", {"slope": float("nan")}),
        ("leaky_relu", {"slope": "0.1"}),
        ("elu", {"alpha": -1.0}),
        ("elu", {"alpha": float("inf")}),
    ],
)
def test_options_out_of_range(name, options) -> None:
    with pytest.raises(OptionError, match=f"{name}: expected"):
        get_activation(name, **options)
