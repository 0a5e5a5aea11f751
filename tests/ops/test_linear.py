"""The affine map against exact sums. The contract: test_contract.py."""

import math

import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.ops.linear import linear_backward, linear_forward


def test_equals_exact_sums(rng: np.random.Generator) -> None:
    X, W, b, dZ = (rng.standard_normal(shape) for shape in ((5, 4), (4, 3), (3,), (5, 3)))
    Z, cache = linear_forward(X, W, b)
    dX, dW, db = linear_backward(dZ, cache)
    for i, j in np.ndindex(5, 3):
        assert Z[i, j] == pytest.approx(math.fsum(X[i] * W[:, j]) + b[j], abs=1e-14)
    for i, k in np.ndindex(5, 4):
        assert dX[i, k] == pytest.approx(math.fsum(dZ[i] * W[k]), abs=1e-14)
    for k, j in np.ndindex(4, 3):
        assert dW[k, j] == pytest.approx(math.fsum(X[:, k] * dZ[:, j]), abs=1e-14)
    np.testing.assert_allclose(db, [math.fsum(dZ[:, j]) for j in range(3)], rtol=0, atol=1e-14)


def test_a_transposed_input_is_recognized() -> None:
    with pytest.raises(ShapeError, match=r"expected X of shape \(m, 3\), got \(3, 5\).*try X.T"):
        linear_forward(np.zeros((3, 5)), np.zeros((3, 2)), np.zeros(2))
