"""Bilinear sampling against SciPy and against maps whose result is known exactly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.every import every

from pellucid.errors import OptionError
from pellucid.ops.sampling import sample, sample_at

ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is the oracle of these tests")
MODES = {"reflect": "mirror", "edge": "nearest", "constant": "grid-constant"}


def scipy_sample(X: np.ndarray, inverse: np.ndarray, edge: str, fill: float) -> np.ndarray:
    """The same by scipy.ndimage, whose positions are (row, column) from the corner."""
    result = np.empty_like(X)
    h, w = X.shape[1:3]
    center = np.array([(h - 1) / 2, (w - 1) / 2])
    for i, image in enumerate(X):
        matrix = inverse[i, [1, 0]][:, [1, 0]]
        offset = inverse[i, [1, 0], 2] + center - matrix @ center
        for k in range(X.shape[3]):
            result[i, ..., k] = ndimage.affine_transform(
                image[..., k], matrix, offset, order=1, mode=MODES[edge], cval=fill
            )
    return result


@settings(deadline=None, max_examples=60)
@given(
    m=st.integers(1, 4),
    h=st.integers(2, 17),
    w=st.integers(2, 17),
    c=st.sampled_from([1, 3]),
    edge=st.sampled_from(sorted(MODES)),
    reach=st.sampled_from([0.1, 3.0, 100.0]),
    seed=st.integers(0, 999),
)
def test_equals_scipy(m: int, h: int, w: int, c: int, edge: str, reach: float, seed: int) -> None:
    """Any affine map, far outside the image too."""
    rng = np.random.default_rng(seed)
    X = rng.random((m, h, w, c))
    inverse = np.concatenate([rng.standard_normal((m, 2, 2)), reach * rng.standard_normal((m, 2, 1))], axis=2)
    expected = scipy_sample(X, inverse, edge, 0.3)
    np.testing.assert_allclose(sample(X, inverse, edge=edge, fill=0.3), expected, rtol=0, atol=1e-10)
    single = sample(X.astype(np.float32), inverse, edge=edge, fill=0.3)
    assert single.dtype == np.float32
    # float32 positions are off by up to a few ulps of the largest coordinate.
    reached = (abs(inverse[:, :2, :2]).sum() + abs(inverse[..., 2]).max()) * max(h, w)
    np.testing.assert_allclose(single, expected, rtol=0, atol=2e-6 * max(1.0, reached))


@every("edge", sorted(MODES))
@every("dtype", [np.float32, np.float64])
def test_the_identity_is_exact(rng: np.random.Generator, edge: str, dtype: type) -> None:
    X = rng.random((3, 9, 14, 3)).astype(dtype)
    np.testing.assert_array_equal(sample(X, np.tile(np.eye(3), (3, 1, 1)), edge=edge), X)


def test_images_do_not_mix_whatever_the_block(rng: np.random.Generator) -> None:
    """150 images of 64 x 64 are sampled in blocks of four; each must be what it is alone."""
    X = rng.random((150, 64, 64, 1), dtype=np.float32)
    inverse = np.eye(3) + 0.2 * rng.standard_normal((150, 3, 3))
    together = sample(X, inverse)
    for i in (0, 3, 4, 77, 149):
        np.testing.assert_array_equal(sample(X[i : i + 1], inverse[i : i + 1])[0], together[i])


def test_out_may_be_the_input_and_nothing_else_is_written(rng: np.random.Generator) -> None:
    X = rng.random((9, 32, 32, 3))
    before, inverse = X.copy(), np.eye(3) + 0.1 * rng.standard_normal((9, 3, 3))
    result = sample(X, inverse)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(sample(X, inverse, out=np.empty_like(X)), result)
    assert sample(X, inverse, out=X) is X
    np.testing.assert_array_equal(X, result)


def test_a_view_with_strides_is_sampled_as_its_copy(rng: np.random.Generator) -> None:
    X = rng.random((2, 3, 8, 9)).transpose(0, 2, 3, 1)
    inverse = np.eye(3) + 0.1 * rng.standard_normal((2, 3, 3))
    np.testing.assert_array_equal(sample(X, inverse), sample(np.ascontiguousarray(X), inverse))


@every("edge", ["reflect", "edge"])
def test_an_image_of_one_pixel_stays_itself(edge: str) -> None:
    one = np.full((1, 1, 1, 3), 0.7)
    moved = np.array([[[0.5, 1.0, 3.3], [2.0, 1.0, -math.pi]]])
    np.testing.assert_allclose(sample(one, moved, edge=edge), one, rtol=1e-15)


def test_an_unknown_edge_names_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"unknown edge 'reflekt'\. Did you mean 'reflect'"):
        sample(np.zeros((1, 2, 2, 1)), np.eye(3)[None], edge="reflekt")
    with pytest.raises(OptionError, match=r"unknown edge 'edges'\. Did you mean 'edge'"):
        sample_at(np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), edge="edges")


def test_sample_at_takes_any_positions_as_sample_takes_a_maps(rng: np.random.Generator) -> None:
    X = rng.random((40, 9, 14, 3))
    inverse = np.eye(3) + 0.3 * rng.standard_normal((40, 3, 3))
    columns, rows = np.arange(14) - 6.5, np.arange(9)[:, None] - 4.0
    maps = inverse[:, :2, :, None, None]
    x, y = (maps[:, i, 0] * columns + maps[:, i, 1] * rows + maps[:, i, 2] for i in (0, 1))
    x, y = x + 6.5, y + 4.0
    before = x.copy(), y.copy()
    for edge in sorted(MODES):
        np.testing.assert_allclose(
            sample_at(X, x, y, edge=edge, fill=0.3),
            sample(X, inverse, edge=edge, fill=0.3),
            rtol=0,
            atol=1e-12,
        )
    np.testing.assert_array_equal((x, y), before)


def test_sample_at_whole_positions_is_an_index(rng: np.random.Generator) -> None:
    X = rng.random((600, 6, 5, 1), dtype=np.float32)  # more than one block
    x, y = rng.integers(0, 5, (600, 6, 5)), rng.integers(0, 6, (600, 6, 5))
    result = sample_at(X, x.astype(np.float32), y.astype(np.float32))
    np.testing.assert_array_equal(result, X[np.arange(600)[:, None, None], y, x])
