"""The compiled ways of computing a convolution, held to the plain one."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.every import every

from pellucid.ops.conv import conv2d_backward, conv2d_forward
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array, Shape

pytest.importorskip("numba")

from pellucid.kernels import conv_direct
from pellucid.kernels.conv_algorithm import ConvAlgorithm
from pellucid.kernels.conv_depthwise import DepthwiseConv
from pellucid.kernels.conv_direct import DirectConv

LIMITS = {np.float32: 1e-5, np.float64: 1e-12}
SAME_3, SAME_5, SAME_7 = (((p, p), (p, p)) for p in (1, 2, 3))


class Case(NamedTuple):
    """A convolution."""

    X: Shape
    W: Shape
    options: dict[str, Any]

    @property
    def is_depthwise(self) -> bool:
        return bool(1 < self.options.get("groups", 1) == self.X[3])


def case(X: Shape, W: Shape, **options: Any) -> Case:
    return Case(X, W, options)


# Widths of images decide which tiles are compiled, a second each: most cases share theirs, with ops/cases.py too.
CASES = [
    case((1, 1, 1, 1), (1, 1, 1, 1)),
    case((3, 9, 8, 5), (3, 3, 5, 6)),
    case((1, 9, 6, 5), (3, 3, 5, 40), padding=SAME_3),
    case((2, 12, 12, 3), (5, 5, 3, 17), padding=SAME_5),
    case((2, 13, 12, 1), (5, 5, 1, 16), padding=SAME_5),
    case((2, 11, 11, 3), (7, 7, 3, 33), padding=SAME_7, stride=(2, 2)),
    case((2, 9, 10, 4), (3, 3, 4, 48), padding=SAME_3, stride=(2, 2)),
    case((2, 9, 10, 4), (3, 2, 4, 33), padding=((1, 0), (0, 2)), stride=(2, 3), dilation=(2, 1)),
    case((1, 11, 11, 3), (4, 4, 3, 5), stride=(3, 3), dilation=(1, 2)),
    case((5, 7, 6, 3), (2, 2, 3, 5), stride=(3, 3)),  # windows skip pixels
    case((1, 3, 3, 3), (2, 2, 3, 5), padding=SAME_7),  # windows of zeros alone
    case((70, 2, 6, 4), (3, 3, 4, 5), padding=SAME_3),  # several blocks
    case((4, 5, 6, 16), (1, 1, 16, 50)),
    case((4, 5, 6, 16), (1, 1, 16, 50), stride=(2, 2)),
    case((2, 7, 6, 8), (3, 3, 2, 12), groups=4, padding=SAME_3),
    case((2, 7, 8, 8), (3, 3, 2, 12), groups=4, padding=SAME_3, stride=(2, 2)),
    case((2, 7, 6, 8), (3, 3, 1, 8), groups=8, padding=SAME_3),
    case((1, 7, 9, 33), (3, 3, 1, 33), groups=33, padding=SAME_3, stride=(2, 2)),
    case((2, 7, 9, 20), (5, 5, 1, 20), groups=20, padding=SAME_5),
    case((2, 7, 6, 20), (5, 3, 1, 40), groups=20, padding=((2, 2), (1, 1)), stride=(2, 1)),
    case((2, 7, 9, 20), (3, 3, 1, 20), groups=20, padding=SAME_5, dilation=(2, 2)),
]
# Each in one of the types, the smallest and a depthwise one in both: a compilation takes a second or two.
FLOAT32 = [CASES[i] for i in (0, 2, 3, 5, 6, 11, 12, 14, 16, 19)]
FLOAT64 = [one for one in CASES if one not in FLOAT32] + [CASES[0], CASES[16]]


def algorithm_of(one: Case) -> Any:
    return DepthwiseConv if one.is_depthwise else DirectConv


def run(algorithm: ConvAlgorithm, X: Array, W: Array, dZ: Array) -> list[Array]:
    """Return Z, dX and dW, computed block by block, each within numbers that must stay as they are."""
    results = [np.full(array.size + 64, 7, array.dtype) for array in (dZ, X, W)]
    Z, dX, dW = (room[32:-32].reshape(array.shape) for room, array in zip(results, (dZ, X, W), strict=True))
    blocks = [slice(i, i + algorithm.block) for i in range(0, len(X), algorithm.block)]
    algorithm.set_weights(W)
    for block in blocks:
        algorithm.forward(X[block], Z[block])
    algorithm.begin_backward()
    for block in blocks:
        algorithm.backward(X[block], dZ[block].copy(), dX[block])
    algorithm.end_backward(dW)
    for room in results:
        assert (room[:32] == 7).all()
        assert (room[-32:] == 7).all()
    return [Z, dX, dW]


def plain(one: Case, X: Array, W: Array, dZ: Array | None) -> tuple[list[Array], Geometry]:
    """Return Z, dX and dW of the plain convolution, and its sizes."""
    Z, cache = conv2d_forward(X, W, **one.options)
    dX, dW, _ = conv2d_backward(np.ones_like(Z) if dZ is None else dZ, cache)
    assert dX is not None
    return [Z, dX, dW], cache.geometry


@every("one", FLOAT32)
def test_equals_the_plain_convolution(
    one: Case, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_equal(one, np.float32, rng, monkeypatch)


@pytest.mark.slow
@every("one", FLOAT64)
def test_equals_the_plain_convolution_in_float64(
    one: Case, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_equal(one, np.float64, rng, monkeypatch)


def check_equal(one: Case, dtype: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv_direct, "BLOCK_BYTES", 20_000)  # several images are several blocks
    geometry = plain(one, np.zeros(one.X), np.zeros(one.W), None)[1]
    assert algorithm_of(one).fits(geometry)
    assert DepthwiseConv.fits(geometry) == one.is_depthwise
    computed = algorithm_of(one)(geometry, dtype)
    for _ in range(2):  # weights change from step to step
        X, W = (rng.standard_normal(shape).astype(dtype) for shape in (one.X, one.W))
        dZ = rng.standard_normal(geometry.out_shape).astype(dtype)
        wanted, _ = plain(one, X.astype(float), W.astype(float), dZ.astype(float))
        for name, ours, theirs in zip(("Z", "dX", "dW"), run(computed, X, W, dZ), wanted, strict=True):
            error = np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1)
            assert error <= LIMITS[dtype], f"{name}: {error:.1e}"


@pytest.mark.slow
@every("fault", [np.nan, np.inf, -np.inf])
@every("one", CASES)
def test_nan_and_infinity_reach_what_depends_on_them_and_nothing_else(
    one: Case, fault: float, rng: np.random.Generator
) -> None:
    geometry = plain(one, np.zeros(one.X), np.zeros(one.W), None)[1]
    dtype: Any = np.float32 if one in FLOAT32 else np.float64
    X, W, dZ = (rng.standard_normal(shape).astype(dtype) for shape in (one.X, one.W, geometry.out_shape))
    for array in (X, dZ):
        kept = array.flat[array.size // 2]
        array.flat[array.size // 2] = fault
        with np.errstate(invalid="ignore"):
            wanted, _ = plain(one, X, W, dZ)
        for ours, theirs in zip(run(algorithm_of(one)(geometry, dtype), X, W, dZ), wanted, strict=True):
            is_finite = np.isfinite(theirs)
            np.testing.assert_array_equal(np.isfinite(ours), is_finite)
            np.testing.assert_array_equal(ours[~is_finite], theirs[~is_finite])
        array.flat[array.size // 2] = kept
