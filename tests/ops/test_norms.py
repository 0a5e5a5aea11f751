"""Batch and layer normalization, plain and fast, against PyTorch. The contract: test_contract.py."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.dispatch.ops import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference_forward,
    layer_norm_backward,
    layer_norm_forward,
)
from pellucid.errors import ShapeError

pytestmark = pytest.mark.usefixtures("kernels")
SHAPES = [(5, 4), (2, 1), (3, 4, 5, 6), (7, 11, 3), (32, 16, 16, 24), (209, 20)]
LAYER_SHAPES = [(5, 4), (2, 30), (3, 4, 5, 6), (7, 11, 64), (32, 8, 8, 24)]
CASES = [*(("batch", shape) for shape in SHAPES), *(("layer", shape) for shape in LAYER_SHAPES)]


@every(("kind", "shape"), CASES)
@every(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_equals_pytorch(
    rng: np.random.Generator, kind: str, shape: tuple[int, ...], dtype: type, tolerance: float
) -> None:
    """Far from the easy case: another mean and deviation for each channel."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    c = shape[-1]
    arrays = [rng.standard_normal(shape) * rng.uniform(0.5, 3, c) + rng.uniform(-5, 5, c)]
    arrays += [rng.uniform(-2, 2, c), rng.standard_normal(c)]
    arrays, upstream = [array.astype(dtype) for array in arrays], rng.standard_normal(shape).astype(dtype)
    X, gamma, beta = (torch.tensor(array, requires_grad=True) for array in arrays)
    functional, flat = torch.nn.functional, X.reshape(-1, c)
    if kind == "batch":
        Y, (mean, var, _), cache = batch_norm_forward(*arrays)
        gradients: Any = batch_norm_backward(upstream, cache)
        theirs = functional.batch_norm(flat, None, None, gamma, beta, training=True).reshape(shape)
        pairs = [(mean, flat.mean(0).detach()), (var, flat.var(0, unbiased=False).detach())]
    else:
        Y, cache = layer_norm_forward(*arrays)
        gradients, pairs = layer_norm_backward(upstream, cache), []
        theirs = functional.layer_norm(X, shape[-1:], gamma, beta)
    theirs.backward(torch.tensor(upstream))
    pairs += zip((Y, *gradients), (theirs.detach(), X.grad, gamma.grad, beta.grad), strict=True)
    for ours, oracle in pairs:
        scale = max(1.0, float(oracle.abs().max()))
        np.testing.assert_allclose(ours, oracle.numpy(), rtol=0, atol=tolerance * scale)


def test_a_large_mean_beside_a_small_deviation_keeps_its_digits(rng: np.random.Generator) -> None:
    """E[X^2] - E[X]^2 would lose everything here, or turn negative."""
    X = 1e6 + rng.standard_normal((1000, 4))
    _, (_, var, _), _ = batch_norm_forward(X, np.ones(4), np.zeros(4))
    np.testing.assert_allclose(var, (X - 1e6).var(axis=0), rtol=1e-9)
    X32 = (100 + rng.standard_normal((4096, 4))).astype(np.float32)
    _, (_, var, _), _ = batch_norm_forward(X32, np.ones(4, np.float32), np.zeros(4, np.float32))
    np.testing.assert_allclose(var, X32.astype(np.float64).var(axis=0), rtol=1e-5)


def test_constant_channels_and_single_values_become_beta() -> None:
    beta = np.array([1.0, 2.0])
    for X in (np.full((5, 2), 7.0), np.array([[3.0, 4.0]])):
        Y, (_, var, _), cache = batch_norm_forward(X, np.ones(2), beta)
        np.testing.assert_array_equal(Y, np.broadcast_to(beta, X.shape))
        np.testing.assert_array_equal(var, [0, 0])
        np.testing.assert_allclose(batch_norm_backward(np.ones_like(X), cache)[0], 0, atol=1e-12)


def test_a_constant_row_becomes_beta() -> None:
    beta = np.array([1.0, 2.0, 3.0])
    Y, cache = layer_norm_forward(np.full((2, 3), 7.0), np.ones(3), beta)
    np.testing.assert_array_equal(Y, [beta, beta])
    assert np.isfinite(layer_norm_backward(np.ones((2, 3)), cache)[0]).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"layer_norm_forward: expected beta of shape \(3,\).*got \(1,\)"):
        layer_norm_forward(np.zeros((2, 3)), np.ones(3), np.zeros(1))
    with pytest.raises(ShapeError, match=r"batch_norm_forward: expected gamma of shape \(3,\).*got \(4,\)"):
        batch_norm_forward(np.zeros((2, 3)), np.ones(4), np.zeros(3))
    with pytest.raises(ShapeError, match=r"expected X of shape \(m, ..., channels\), got \(3,\)"):
        batch_norm_forward(np.zeros(3), np.ones(3), np.zeros(3))
    with pytest.raises(ShapeError, match="at least one value per channel"):
        batch_norm_forward(np.zeros((0, 3)), np.ones(3), np.zeros(3))
    with pytest.raises(ShapeError, match=r"expected var of shape \(3,\)"):
        batch_norm_inference_forward(np.zeros((2, 3)), np.ones(3), np.zeros(3), np.zeros(3), np.ones(2))
