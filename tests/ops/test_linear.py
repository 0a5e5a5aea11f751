"""The affine map against its plain twin and a numerical gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import ShapeError
from pellucid.ops import reference
from pellucid.ops.finite_difference import gradcheck
from pellucid.ops.linear import linear_backward, linear_forward

sizes = st.integers(1, 6)


@settings(deadline=None, max_examples=40)
@given(m=sizes, n_in=sizes, n_out=sizes, seed=st.integers(0, 99))
def test_equals_its_twin(m: int, n_in: int, n_out: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, W, b = rng.standard_normal((m, n_in)), rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out)
    dZ = rng.standard_normal((m, n_out))
    Z, cache = linear_forward(X, W, b)
    np.testing.assert_allclose(Z, reference.linear_forward(X, W, b), rtol=0, atol=1e-14)
    for ours, twin in zip(linear_backward(dZ, cache), reference.linear_backward(dZ, X, W), strict=True):
        assert ours is not None
        np.testing.assert_allclose(ours, twin, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_inputs_too_and_buffers_are_bit_equal(rng: np.random.Generator, dtype: type) -> None:
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in ((5, 3), (3, 2), (2,), (5, 2))]
    X, W, b, dZ = arrays
    before = [array.copy() for array in arrays]
    Z, cache = linear_forward(X, W, b)
    assert Z.dtype == dtype
    np.testing.assert_array_equal(linear_forward(X, W, b, out=np.empty_like(Z))[0], Z)
    plain = linear_backward(dZ, cache)
    buffers = {"dX": np.empty_like(X), "dW": np.empty_like(W), "db": np.empty_like(b)}
    filled = linear_backward(dZ, cache, **buffers)
    for one, two, buffer in zip(plain, filled, buffers.values(), strict=True):
        assert two is buffer
        assert one is not None
        assert one.dtype == dtype
        np.testing.assert_array_equal(one, two)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_without_input_gradient_the_rest_is_the_same(rng: np.random.Generator) -> None:
    Z, cache = linear_forward(rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), np.zeros(2))
    dX, dW, db = linear_backward(Z, cache, needs_dX=False)
    assert dX is None
    np.testing.assert_array_equal(dW, linear_backward(Z, cache)[1])
    np.testing.assert_array_equal(db, linear_backward(Z, cache)[2])


def test_gradients_of_every_argument(rng: np.random.Generator) -> None:
    arguments = {
        name: rng.standard_normal(shape) for name, shape in (("X", (5, 4)), ("W", (4, 3)), ("b", (3,)))
    }
    upstream = rng.standard_normal((5, 3))

    def loss(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> float:
        return float(np.vdot(linear_forward(X, W, b)[0], upstream))

    gradients = linear_backward(upstream, linear_forward(**arguments)[1])
    errors = gradcheck(loss, dict(zip("XWb", gradients, strict=True)), arguments, rng)
    assert max(errors.values()) < 1e-6


def test_a_transposed_input_is_recognized() -> None:
    with pytest.raises(ShapeError, match=r"expected X of shape \(m, 3\), got \(3, 5\).*try X.T"):
        linear_forward(np.zeros((3, 5)), np.zeros((3, 2)), np.zeros(2))
