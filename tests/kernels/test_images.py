"""The kernels of augmentation and of preparing photos, held to their plain twins."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from tests.every import every

from pellucid.dispatch import all_twins
from pellucid.ops.sampling import EDGES
from pellucid.types import Array

TWINS = all_twins()
DTYPES = every("dtype", [np.float32, np.float64])


def both(name: str, *arguments: Any, **options: Any) -> tuple[Array, Array]:
    """Return what the plain function and the kernel return."""
    pair = TWINS[name]
    assert pair.kernel is not None
    return pair.plain(*arguments, **options), pair.kernel(*arguments, **options)


@DTYPES
@every("shape", [(1, 1, 1, 1), (1, 1, 7, 3), (3, 9, 14, 3), (6, 16, 5, 1), (0, 4, 4, 3)])
@every("edge", sorted(EDGES))
@every("reach", [0.0, 0.3, 40.0])
def test_sample_has_the_same_bits(
    dtype: Any, shape: Any, edge: str, reach: float, rng: np.random.Generator
) -> None:
    """Maps of whole pixels and of any, a little and far outside."""
    X, m = rng.random(shape).astype(dtype), shape[0]
    any_map = np.eye(3) + reach * rng.standard_normal((m, 3, 3))
    whole = np.tile(np.diag([-1.0, 1, 1]), (m, 1, 1))
    whole[:, :2, 2] = rng.integers(-4, 5, (m, 2))
    for inverse in (any_map, whole):
        plain, fast = both("sample", X, inverse, edge=edge, fill=0.3)
        np.testing.assert_array_equal(fast, plain)
        assert fast.dtype == dtype


@DTYPES
@every("shape", [(1, 1, 1, 1), (1, 1, 7, 3), (3, 9, 14, 3), (6, 16, 5, 1), (0, 4, 4, 3)])
def test_recolour_equals_the_product(dtype: Any, shape: Any, rng: np.random.Generator) -> None:
    X, c = rng.random(shape).astype(dtype), shape[3]
    maps = np.eye(c + 1) + 0.3 * rng.standard_normal((shape[0], c + 1, c + 1))
    plain, fast = both("recolour", X, maps)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-12)
    assert fast.dtype == dtype


@every("name", ["sample", "recolour"])
def test_nan_and_infinity_stay_where_they_are(name: str, rng: np.random.Generator) -> None:
    X = rng.random((2, 8, 8, 3), dtype=np.float32)
    X[0, 2, 3, 1], X[1, 4, 4] = np.nan, np.inf
    with np.errstate(invalid="ignore"):  # 0 times infinity
        plain, fast = both(name, X, np.tile(np.eye(3 + (name == "recolour")), (2, 1, 1)))
    np.testing.assert_array_equal(fast, plain)
    assert np.isnan(fast[0, 2, 3, 1])


@every("name", ["sample", "recolour"])
@every("is_view", [False, True])
def test_buffers_and_views_give_the_same_bits(name: str, is_view: bool, rng: np.random.Generator) -> None:
    X = rng.random((2, 8, 9, 6), dtype=np.float32)[..., ::2]
    X = X if is_view else X.copy()
    maps = np.eye(3 + (name == "recolour")) + 0.1 * rng.standard_normal((2, *[3 + (name == "recolour")] * 2))
    plain, fast = both(name, X, maps)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-6)
    kernel = TWINS[name].kernel
    assert kernel is not None
    out = np.empty((2, 8, 9, 6), np.float32)[..., ::2] if is_view else np.empty_like(X)
    assert kernel(X, maps, out=out) is out
    np.testing.assert_allclose(out, fast, rtol=0, atol=1e-6)
    assert kernel(X, maps, out=X) is X
    np.testing.assert_allclose(X, fast, rtol=0, atol=1e-6)


@DTYPES
@every("shape", [(1,), (5, 1), (7, 5, 3, 3), (0, 4)])
@every("pixels", [np.uint8, np.uint16, np.int64])
def test_scale_pixels_has_the_same_bits(
    dtype: Any, shape: Any, pixels: Any, rng: np.random.Generator
) -> None:
    X = rng.integers(0, 256, shape).astype(pixels)
    some = rng.integers(0, len(X), 4) if len(X) else np.zeros(0, int)
    for rows in (None, slice(1, 4), some):
        plain, fast = both("scale_pixels", X, 255.0, dtype, rows=rows)
        np.testing.assert_array_equal(fast, plain)
        assert fast.dtype == dtype
        np.testing.assert_array_equal(plain, (X if rows is None else X[rows]).astype(dtype) / dtype(255))
        out = np.empty_like(plain)
        assert both("scale_pixels", X, 255.0, dtype, rows=rows, out=out)[1] is out
        np.testing.assert_array_equal(out, plain)


@DTYPES
@every("shape", [(1, 1, 1, 1), (5, 7, 9, 3), (0, 4, 4, 3)])
@every("is_in_place", [False, True])
def test_paste_has_the_same_bits(dtype: Any, shape: Any, is_in_place: bool, rng: np.random.Generator) -> None:
    """Boxes of their own, some of them empty, of images that are covered themselves."""
    X, (m, h, w, _) = rng.random(shape).astype(dtype), shape
    corners = np.stack([rng.integers(0, h, m), rng.integers(0, w, m)], axis=1)
    sides = np.floor(rng.random((m, 2)) * (np.array([h, w]) + 1 - corners)).astype(int)
    others, boxes = rng.permutation(m), np.hstack([corners, sides])
    pair = TWINS["paste"]
    assert pair.kernel is not None
    wanted, copy = pair.plain(X, others, boxes), X.copy()
    got = pair.kernel(copy, others, boxes, out=copy if is_in_place else None)
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(copy, wanted if is_in_place else X)
