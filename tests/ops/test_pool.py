"""Pooling, global average, upsampling and zero padding: against plain twins, PyTorch and numerical gradients."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pellucid.errors import ShapeError
from pellucid.ops import conv_geometry, reference_conv
from pellucid.ops.conv_geometry import NO_PADDING, output_length
from pellucid.ops.finite_difference import gradcheck
from pellucid.ops.pool import (
    average_pool_backward,
    average_pool_forward,
    global_average_backward,
    global_average_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.ops.resize import upsample_backward, upsample_forward, zero_pad_backward, zero_pad_forward
from pellucid.types import Array
from pellucid.workspace import Workspace


@st.composite
def problems(draw: Any) -> tuple[Any, dict[str, Any]]:
    """Return the shape of X and the options of a pooling."""
    shape = tuple(draw(st.integers(1, n)) for n in (3, 9, 9, 3))
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = size if draw(st.booleans()) else (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in size)
    for axis in (0, 1):
        assume(output_length(shape[1 + axis], size[axis], stride[axis], padding[axis], 1) > 0)
    return shape, {"size": size, "stride": stride, "padding": padding}


@settings(deadline=None, max_examples=100)
@given(problem=problems(), ties=st.booleans(), block=st.sampled_from([1, 1 << 20]), seed=st.integers(0, 99))
def test_max_pool_equals_its_twin(problem: Any, ties: bool, block: int, seed: int) -> None:
    (shape, options), rng = problem, np.random.default_rng(seed)
    X = rng.integers(-2, 1, shape).astype(float) if ties else rng.standard_normal(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_geometry, "BLOCK_BYTES", block)
        Z, cache = max_pool_forward(X, **options)
        np.testing.assert_array_equal(Z, reference_conv.max_pool_forward(X, **options))
        dZ = rng.standard_normal(Z.shape)
        expected = reference_conv.max_pool_backward(dZ, X, **options)
        np.testing.assert_allclose(max_pool_backward(dZ, cache), expected, rtol=0, atol=1e-14)


@settings(deadline=None, max_examples=100)
@given(problem=problems(), count=st.booleans(), block=st.sampled_from([1, 1 << 20]), seed=st.integers(0, 99))
def test_average_pool_equals_its_twin(problem: Any, count: bool, block: int, seed: int) -> None:
    (shape, options), rng = problem, np.random.default_rng(seed)
    options = {**options, "count_include_pad": count}
    X = rng.standard_normal(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_geometry, "BLOCK_BYTES", block)
        Z, cache = average_pool_forward(X, **options)
        np.testing.assert_allclose(Z, reference_conv.average_pool_forward(X, **options), rtol=0, atol=1e-14)
        dZ = rng.standard_normal(Z.shape)
        expected = reference_conv.average_pool_backward(dZ, X, **options)
        np.testing.assert_allclose(average_pool_backward(dZ, cache), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "stride", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 1), (4, 2, 2)])
@pytest.mark.parametrize("ties", [False, True])
def test_both_equal_pytorch(
    rng: np.random.Generator, dtype: Any, size: int, stride: int, pad: int, ties: bool
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    X = rng.integers(-2, 1, (3, 11, 12, 5)) if ties else rng.standard_normal((3, 11, 12, 5))
    X = X.astype(dtype)
    options: dict[str, Any] = {
        "size": (size, size),
        "stride": (stride, stride),
        "padding": ((pad, pad), (pad, pad)),
    }
    limit = 1e-5 if dtype == np.float32 else 1e-12
    functional = torch.nn.functional
    for forward, backward, theirs in (
        (max_pool_forward, max_pool_backward, functional.max_pool2d),
        (average_pool_forward, average_pool_backward, functional.avg_pool2d),
    ):
        x = torch.tensor(X.transpose(0, 3, 1, 2).copy(), requires_grad=True)
        z = theirs(x, size, stride, pad)
        Z, cache = forward(X, **options)
        dZ = rng.standard_normal(Z.shape).astype(dtype)
        z.backward(torch.tensor(dZ.transpose(0, 3, 1, 2).copy()))
        dX = backward(dZ, cache)
        assert Z.dtype == dX.dtype == dtype
        np.testing.assert_allclose(Z, z.detach().numpy().transpose(0, 2, 3, 1), rtol=0, atol=limit)
        np.testing.assert_allclose(dX, x.grad.numpy().transpose(0, 2, 3, 1), rtol=0, atol=limit)


def test_one_winner_a_window_and_ties_go_to_the_first() -> None:
    X = np.array([[1.0, 1, 0, 0], [1, 1, 0, 7], [0, -np.inf, -np.inf, 7], [0, 0, -np.inf, 7]])[
        None, :, :, None
    ]
    Z, cache = max_pool_forward(X, size=(2, 2))
    np.testing.assert_array_equal(
        max_pool_backward(np.ones_like(Z), cache)[0, :, :, 0],
        [[1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]],
    )
    lowest = np.full((1, 3, 3, 1), -np.inf)  # nothing is larger than the padding: still a pixel wins
    Z, cache = max_pool_forward(lowest, size=(2, 2), stride=(1, 1), padding=((1, 1), (1, 1)))
    assert max_pool_backward(np.ones_like(Z), cache).sum() == Z.size


def test_padding_counts_in_the_mean_or_does_not() -> None:
    X, padding = np.ones((1, 4, 4, 1)), ((1, 1), (1, 1))
    counted, _ = average_pool_forward(X, size=(2, 2), padding=padding)
    apart, _ = average_pool_forward(X, size=(2, 2), padding=padding, count_include_pad=False)
    np.testing.assert_array_equal(counted[0, :, :, 0], [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]])
    np.testing.assert_array_equal(apart, np.ones_like(apart))


OPS: dict[str, Any] = {
    "max": (lambda X, **k: max_pool_forward(X, size=(2, 2), **k), max_pool_backward),
    "max, overlapping": (
        lambda X, **k: max_pool_forward(X, size=(3, 2), stride=(2, 1), padding=((1, 0), (0, 1)), **k),
        max_pool_backward,
    ),
    "max, gaps": (lambda X, **k: max_pool_forward(X, size=(2, 1), stride=(3, 2), **k), max_pool_backward),
    "average": (lambda X, **k: average_pool_forward(X, size=(2, 2), **k), average_pool_backward),
    "average, overlapping": (
        lambda X, **k: average_pool_forward(
            X, size=(3, 2), stride=(2, 1), padding=((1, 0), (0, 1)), count_include_pad=False, **k
        ),
        average_pool_backward,
    ),
    "global average": (global_average_forward, global_average_backward),
    "upsample": (lambda X, **k: upsample_forward(X, (2, 3), **k), upsample_backward),
    "zero pad": (lambda X, **k: zero_pad_forward(X, ((1, 0), (2, 3)), **k), zero_pad_backward),
}


@pytest.mark.parametrize(("forward", "backward"), OPS.values(), ids=OPS)
def test_gradients(rng: np.random.Generator, forward: Any, backward: Any) -> None:
    X = rng.standard_normal((2, 6, 5, 3))
    Z, cache = forward(X)
    dZ = rng.standard_normal(Z.shape)
    errors = gradcheck(lambda X: float(np.vdot(forward(X)[0], dZ)), {"X": backward(dZ, cache)}, {"X": X}, rng)
    assert errors["X"] < 1e-6


@pytest.mark.parametrize(("forward", "backward"), OPS.values(), ids=OPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_inputs_buffers_and_rows(
    rng: np.random.Generator, forward: Any, backward: Any, dtype: Any
) -> None:
    X = rng.standard_normal((3, 6, 5, 3)).astype(dtype)
    before = X.copy()
    Z, cache = forward(X)
    dZ = rng.standard_normal(Z.shape).astype(dtype)
    dZ_before, dX = dZ.copy(), backward(dZ, cache)
    assert Z.dtype == dX.dtype == dtype
    out, buffer = np.full_like(Z, np.nan), np.full_like(X, np.nan)
    assert forward(X, out=out)[0] is out
    assert backward(dZ, cache, dX=buffer) is buffer
    np.testing.assert_array_equal(out, Z)
    np.testing.assert_array_equal(buffer, dX)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(dZ, dZ_before)
    for i in range(3):
        alone, cache = forward(X[i : i + 1])
        np.testing.assert_array_equal(alone[0], Z[i])
        np.testing.assert_array_equal(backward(dZ[i : i + 1], cache)[0], dX[i])


def test_workspaces_are_used_again_and_threads_do_not_meet(rng: np.random.Generator) -> None:
    inputs = [rng.standard_normal((4, 6, 6, 8)).astype(np.float32) for _ in range(2)]

    def run(X: Array) -> Array:
        workspace = Workspace()
        for rows in (4, 1, *[4] * 20):
            Z, cache = max_pool_forward(X[:rows], size=(2, 2), workspace=workspace)
            dX = max_pool_backward(Z, cache, workspace=workspace)
        return dX

    alone = [run(X) for X in inputs]
    with ThreadPoolExecutor(2) as pool:
        for one, two in zip(alone, pool.map(run, inputs), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("forward", [max_pool_forward, average_pool_forward])
def test_windows_that_do_not_fit_are_named(forward: Any) -> None:
    with pytest.raises(ShapeError, match="does not fit into images of 1x4"):
        forward(np.zeros((1, 1, 4, 1)), size=(2, 2))
    with pytest.raises(ShapeError, match="expected padding less than the 2x2 window"):
        forward(np.zeros((1, 4, 4, 1)), size=(2, 2), padding=((2, 0), (0, 0)))
    with pytest.raises(ShapeError, match="expected X of shape"):
        forward(np.zeros((4, 4)), size=(2, 2))
    with pytest.raises(ShapeError, match="expected out of shape"):
        forward(np.zeros((1, 4, 4, 1)), size=(2, 2), out=np.zeros((1, 2, 2, 2)))
    assert forward(np.zeros((1, 4, 4, 1)), size=(2, 2), padding=NO_PADDING)[0].shape == (1, 2, 2, 1)
