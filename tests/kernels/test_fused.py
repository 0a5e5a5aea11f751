"""Blocks of a convolution and what follows it, compiled: equal to the plain ops one after another."""

import importlib
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.ops import fused as plain
from pellucid.threads import Workers, helped_by
from pellucid.types import Array
from pellucid.workspace import Workspace

fused = pytest.importorskip(
    "pellucid.kernels.fused", reason="kernels are compiled by Numba, which is not installed"
)

conv_affine = importlib.import_module("pellucid.kernels.conv_affine").conv_affine
WAITS = importlib.import_module("pellucid.kernels.waits").WAITS

SAME = ((1, 1), (1, 1))
LIMITS = {"float32": 1e-5, "float64": 1e-12}
both_dtypes = pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
# images, kernels, options: every algorithm, ragged tiles, odd sizes where there is no pooling; a pooled block is
# compiled for each number of channels
GEOMETRIES: list[tuple[Any, Any, dict[str, Any]]] = [
    ((3, 8, 12, 16), (3, 3, 16, 16), {"padding": SAME}),
    ((2, 6, 10, 12), (3, 3, 12, 13), {"padding": ((0, 2), (1, 1))}),
    ((1, 8, 6, 3), (3, 3, 3, 5), {"padding": SAME}),
    ((2, 8, 6, 4), (3, 3, 1, 16), {"padding": SAME, "groups": 4}),
    ((2, 9, 11, 4), (5, 5, 4, 6), {"padding": ((2, 2), (2, 2)), "stride": (2, 2)}),
    ((2, 4, 6, 8), (1, 1, 8, 5), {}),
]


def relative(one: Array, two: Array) -> float:
    return float(np.linalg.norm(one - two) / max(1e-30, np.linalg.norm(two)))


def gammas(rng: np.random.Generator, c: int, dtype: str) -> Array:
    values = rng.standard_normal(c)
    return (values + np.copysign(0.5, values)).astype(dtype)  # of both signs, none small


def is_even(shape: Any) -> bool:
    return shape[1] % 2 == 0 and shape[2] % 2 == 0


@pytest.mark.slow
@both_dtypes
@every(("relu", "pool"), [(False, False), (True, False), (True, True)])
@every(("X_shape", "W_shape", "options"), GEOMETRIES)
def test_a_convolution_with_batch_norm(X_shape, W_shape, options, relu, pool, dtype) -> None:
    rng = np.random.default_rng(1)
    X, W = rng.standard_normal(X_shape).astype(dtype), rng.standard_normal(W_shape).astype(dtype)
    c = W_shape[-1]
    gamma, beta = gammas(rng, c, dtype), rng.standard_normal(c).astype(dtype)
    results: list[dict[str, Any]] = []
    for room in (plain, fused):
        room_pool = pool and is_even(plain.conv2d_forward(X, W, **options)[0].shape)
        A, (mean, var, n), cache = room.conv_norm_forward(
            X, W, gamma, beta, **options, relu=relu, pool=room_pool
        )
        kept = A.copy()
        dA = np.random.default_rng(2).standard_normal(A.shape).astype(dtype)
        gradients = room.conv_norm_backward(dA, cache)
        names = ("dX", "dW", "dgamma", "dbeta")
        results.append(
            {"A": kept, "mean": mean, "var": var, "n": n, **dict(zip(names, gradients, strict=True))}
        )
    expected, got = results
    assert got["n"] == expected["n"]
    for name in ("A", "mean", "var", "dX", "dW", "dgamma", "dbeta"):
        assert got[name].dtype == (dtype if name not in ("mean", "var") else "float64")
        assert relative(got[name], expected[name]) < LIMITS[dtype], name


@both_dtypes
@every("has_bias", [True, False])
@every("pool", [True, False])
@every(("X_shape", "W_shape", "options"), GEOMETRIES)
def test_a_convolution_with_relu(X_shape, W_shape, options, pool, has_bias, dtype) -> None:
    rng = np.random.default_rng(1)
    X, W = rng.standard_normal(X_shape).astype(dtype), rng.standard_normal(W_shape).astype(dtype)
    b = rng.standard_normal(W_shape[-1]).astype(dtype) if has_bias else None
    pool = pool and is_even(plain.conv2d_forward(X, W, **options)[0].shape)
    results = []
    for room in (plain, fused):
        A, cache = room.conv_relu_forward(X, W, b, **options, pool=pool)
        kept = A.copy()
        dA = np.random.default_rng(2).standard_normal(A.shape).astype(dtype)
        results.append((kept, *room.conv_relu_backward(dA, cache)))
    for name, expected, got in zip(("A", "dX", "dW", "db"), *results, strict=True):
        assert (expected is None) == (got is None)
        if got is not None:
            assert got.dtype == dtype
            assert relative(got, expected) < LIMITS[dtype], name


@both_dtypes
@every(("relu", "pool"), [(False, False), (True, False), (True, True), (False, True)])
@every(("X_shape", "W_shape", "options"), GEOMETRIES)
def test_a_block_that_only_predicts(X_shape, W_shape, options, relu, pool, dtype) -> None:
    rng = np.random.default_rng(1)
    X, W = rng.standard_normal(X_shape).astype(dtype), rng.standard_normal(W_shape).astype(dtype)
    pool = pool and is_even(plain.conv2d_forward(X, W, **options)[0].shape)
    scale, shift = gammas(rng, W_shape[-1], dtype), rng.standard_normal(W_shape[-1]).astype(dtype)
    for one in ((scale, shift), (None, shift), (scale, None)):
        expected = plain.conv_affine(X, W, *one, **options, relu=relu, pool=pool)
        got = conv_affine(X, W, *one, **options, relu=relu, pool=pool)
        assert got.dtype == dtype
        assert relative(got, expected) < LIMITS[dtype]


@pytest.mark.slow
@every("offset", [1e3, 1e6])
def test_a_mean_that_is_large_beside_the_deviation_leaves_the_variance_its_digits(offset: float) -> None:
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((4, 6, 8, 3)) + offset, rng.standard_normal((3, 3, 3, 5))
    for pool in (False, True):
        results = []
        for room in (plain, fused):
            A, moments, cache = room.conv_norm_forward(
                X, W, np.ones(5), np.ones(5), padding=((0, 2), (2, 0)), pool=pool
            )
            results.append((A.copy(), *moments[:2], *room.conv_norm_backward(np.ones_like(A), cache)[1:]))
        for expected, got in zip(*results, strict=True):
            assert relative(got, expected) < 1e-6


@every("pool", [False, True])
@every("bad", [np.nan, np.inf, -np.inf])
@every("c_in", [3, 16])
def test_nan_and_infinity_come_through(bad: float, pool: bool, c_in: int) -> None:
    rng = np.random.default_rng(0)
    shapes, ones = ((2, 8, 8, c_in), (3, 3, c_in, 16)), np.ones(16, np.float32)
    X, W = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    X[0, 3, 3, 0] = bad
    with np.errstate(all="ignore"):
        A, cache = fused.conv_relu_forward(X, W, ones, padding=SAME, pool=pool)
        expected = plain.conv_relu_forward(X, W, ones, padding=SAME, pool=pool)[0]
        assert np.isfinite(A[1]).all()  # the other image keeps its numbers
        assert not np.isfinite(A[0]).all()
        assert (~np.isfinite(A[0]) | np.isfinite(expected[0])).all()  # nothing that is broken looks well
        dW = fused.conv_relu_backward(np.ones_like(A), cache)[1]
        assert not np.isfinite(dW).all()
        A = fused.conv_norm_forward(X, W, ones, ones, padding=SAME, pool=pool)[0]
        assert np.isnan(A).all()  # the statistics are those of the batch
        assert not np.isfinite(conv_affine(X, W, None, None, padding=SAME, relu=False, pool=pool)[0]).all()


@pytest.mark.slow
def test_parts_of_a_batch_share_statistics() -> None:
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((4, 8, 8, 3)), rng.standard_normal((3, 3, 3, 5))
    whole = fused.conv_norm_forward(X, W, np.ones(5), np.ones(5), padding=SAME)
    parts: list[list[Array]] = [[], []]

    def taken(rows: slice, reduce: Any) -> Any:
        return fused.conv_norm_forward(X[rows], W, np.ones(5), np.ones(5), padding=SAME, reduce=reduce)

    first, second = slice(0, 1), slice(1, 4)
    # Sums, then squares about their mean: what a part brings depends on the other's before
    for _ in range(2):
        brought: list[list[Array]] = [[], []]
        for own, other, rows in zip(brought, reversed(parts), (first, second), strict=True):

            def reduce(part: Array, own: Any = own, other: Any = other) -> Array:
                own.append(part)
                return part + other[len(own) - 1] if len(own) <= len(other) else part

            taken(rows, reduce)
        parts = brought
    others = iter(parts[0])
    A, moments, _ = taken(second, lambda part: part + next(others))
    assert moments.n == whole[1].n
    for got, expected in ((A, whole[0][1:]), *zip(moments[:2], whole[1][:2], strict=True)):
        assert relative(got, expected) < 1e-12


@every("n", [2, 3])
@every(("h", "pool"), [(8, False), (13, False), (4, False), (12, True)])
def test_one_photo_is_split_over_threads(h: int, pool: bool, n: int) -> None:
    rng, workspace = np.random.default_rng(0), Workspace()
    W = rng.standard_normal((3, 3, 16, 12)).astype(np.float32)
    b = rng.standard_normal(12).astype(np.float32)
    with Workers(n, WAITS) as workers, helped_by(workers):
        X = rng.standard_normal((1, h, 10, 16)).astype(np.float32)
        for relu in (True, False, False, True):
            X = X if relu else X.copy()
            how: dict[str, Any] = {"padding": SAME, "relu": relu, "pool": pool}
            for _ in range(2):
                got = conv_affine(X, W, None, b, **how, workspace=workspace)
                assert relative(got, plain.conv_affine(X, W, None, b, **how)) < 1e-5
                W *= 2


def test_a_prediction_follows_its_weights() -> None:
    rng = np.random.default_rng(0)
    X, W = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 8, 8, 16), (3, 3, 16, 16)))
    scale = np.ones(16, np.float32)
    workspace = Workspace()

    def predict() -> Array:
        return conv_affine(X, W, scale, None, padding=SAME, workspace=workspace).copy()

    first = predict()
    np.testing.assert_array_equal(predict(), first)
    fused.conv_norm_forward(X, 2 * W, scale, scale, padding=SAME, workspace=workspace)  # trains between
    np.testing.assert_array_equal(predict(), first)
    W *= 2
    assert relative(predict(), 2 * first) < 1e-5
    scale *= 3
    assert relative(predict(), 6 * first) < 1e-5


@every("pool", [False, True])
@every("c_in", [3, 16])
def test_photos_of_other_shapes_and_numbers_have_their_turn(c_in: int, pool: bool) -> None:
    rng = np.random.default_rng(0)
    W = rng.standard_normal((3, 3, c_in, 16)).astype(np.float32)
    b, workspace = np.ones(16, np.float32), Workspace()
    for m, h in ((1, 8), (300, 8), (2, 12), (1, 8), (300, 8)):  # fewer and more than a block
        X = rng.standard_normal((m, h, 8, c_in)).astype(np.float32)
        got = conv_affine(X, W, None, b, padding=SAME, pool=pool, workspace=workspace)
        assert relative(got, plain.conv_affine(X, W, None, b, padding=SAME, pool=pool)) < 1e-5
