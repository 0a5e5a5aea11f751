"""Layer normalization, plain and fast, against PyTorch. The contract: test_contract.py."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.dispatch.ops import layer_norm_backward, layer_norm_forward
from pellucid.errors import ShapeError

pytestmark = pytest.mark.usefixtures("kernels")


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float64) -> dict[str, Any]:
    return {
        "X": (3 * rng.standard_normal(shape) + 2).astype(dtype),
        "gamma": rng.uniform(-2, 2, shape[-1]).astype(dtype),
        "beta": rng.standard_normal(shape[-1]).astype(dtype),
    }


@every("shape", [(5, 4), (2, 30), (3, 4, 5, 6), (7, 11, 64), (32, 8, 8, 24)])
@every(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
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


def test_a_constant_row_becomes_beta() -> None:
    beta = np.array([1.0, 2.0, 3.0])
    Y, cache = layer_norm_forward(np.full((2, 3), 7.0), np.ones(3), beta)
    np.testing.assert_array_equal(Y, [beta, beta])
    assert np.isfinite(layer_norm_backward(np.ones((2, 3)), cache)[0]).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"layer_norm_forward: expected beta of shape \(3,\).*got \(1,\)"):
        layer_norm_forward(np.zeros((2, 3)), np.ones(3), np.zeros(1))
