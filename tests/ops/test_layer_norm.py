"""Layer normalization against PyTorch and a numerical gradient."""

from typing import Any

import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.ops.finite_difference import gradcheck
from pellucid.ops.layer_norm import layer_norm_backward, layer_norm_forward
from pellucid.workspace import Workspace


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float64) -> dict[str, Any]:
    return {
        "X": (3 * rng.standard_normal(shape) + 2).astype(dtype),
        "gamma": rng.uniform(-2, 2, shape[-1]).astype(dtype),
        "beta": rng.standard_normal(shape[-1]).astype(dtype),
    }


@pytest.mark.parametrize("shape", [(5, 4), (2, 30), (3, 4, 5, 6), (7, 11, 64), (32, 8, 8, 24)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_equals_pytorch(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: type, tolerance: float
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    arguments = draw(rng, shape, dtype)
    upstream = rng.standard_normal(shape).astype(dtype)
    Y, cache = layer_norm_forward(**arguments)
    gradients = layer_norm_backward(upstream, cache)

    X, gamma, beta = (torch.tensor(a, requires_grad=True) for a in arguments.values())
    theirs = torch.nn.functional.layer_norm(X, shape[-1:], gamma, beta)
    theirs.backward(torch.tensor(upstream))
    oracles = [theirs.detach(), X.grad, gamma.grad, beta.grad]
    for ours, oracle in zip((Y, *gradients), oracles, strict=True):
        scale = max(1.0, float(oracle.abs().max()))
        np.testing.assert_allclose(ours, oracle.numpy(), rtol=0, atol=tolerance * scale)


def test_gradients_of_every_argument(rng: np.random.Generator) -> None:
    arguments = draw(rng, (4, 3, 5))
    upstream = rng.standard_normal((4, 3, 5))

    def loss(**given: np.ndarray) -> float:
        return float(np.vdot(layer_norm_forward(**given)[0], upstream))

    gradients = layer_norm_backward(upstream, layer_norm_forward(**arguments)[1])
    claimed = dict(zip(arguments, gradients, strict=True))
    assert max(gradcheck(loss, claimed, arguments, rng).values()) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_of_buffers_dtypes_and_inputs(rng: np.random.Generator, dtype: type) -> None:
    arguments = draw(rng, (6, 4, 5), dtype)
    before = {name: array.copy() for name, array in arguments.items()}
    Y, cache = layer_norm_forward(**arguments)
    again, _ = layer_norm_forward(**arguments, out=np.empty_like(Y), workspace=Workspace())
    assert Y.dtype == dtype
    np.testing.assert_array_equal(again, Y)
    upstream = rng.standard_normal(Y.shape).astype(dtype)
    kept = upstream.copy()
    gradients = layer_norm_backward(upstream, cache)
    np.testing.assert_array_equal(upstream, kept)
    buffers = {"dX": upstream, "dgamma": np.empty(5, dtype), "dbeta": np.empty(5, dtype)}  # dX in dY's place
    filled = layer_norm_backward(upstream, cache, **buffers)
    for one, two, buffer in zip(gradients, filled, buffers.values(), strict=True):
        assert two is buffer
        assert one.dtype == dtype
        np.testing.assert_array_equal(one, two)
    for name, array in arguments.items():
        np.testing.assert_array_equal(array, before[name])
    X = arguments["X"].copy()
    np.testing.assert_array_equal(layer_norm_forward(**{**arguments, "X": X}, out=X)[0], Y)


def test_samples_do_not_mix(rng: np.random.Generator) -> None:
    arguments = draw(rng, (6, 4, 5))
    Y, _ = layer_norm_forward(**arguments)
    for i in range(6):
        row = layer_norm_forward(**{**arguments, "X": arguments["X"][i : i + 1]})[0]
        np.testing.assert_allclose(row[0], Y[i], rtol=0, atol=1e-14)


def test_a_constant_row_becomes_beta() -> None:
    beta = np.array([1.0, 2.0, 3.0])
    Y, cache = layer_norm_forward(np.full((2, 3), 7.0), np.ones(3), beta)
    np.testing.assert_array_equal(Y, [beta, beta])
    assert np.isfinite(layer_norm_backward(np.ones((2, 3)), cache)[0]).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"layer_norm_forward: expected beta of shape \(3,\).*got \(1,\)"):
        layer_norm_forward(np.zeros((2, 3)), np.ones(3), np.zeros(1))
