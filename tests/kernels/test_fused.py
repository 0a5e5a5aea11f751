"""The fused steps where the mean is large compared with the deviation: the variance keeps its digits."""

import numpy as np
import pytest

from pellucid.kernels.uncompiled import conv_norm_pool, norm_pool
from pellucid.ops import fused as plain


def compare(ours: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...], tolerance: float) -> None:
    for one, two in zip(ours, theirs, strict=True):
        scale = max(1.0, float(np.abs(two).max()))
        np.testing.assert_allclose(one, two, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("seed", range(5))
def test_norm_relu_pool_with_a_large_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((4, 6, 8, 5)) + 1e4
    gamma, beta, upstream = rng.standard_normal(5), rng.standard_normal(5), rng.standard_normal((4, 3, 4, 5))
    results = []
    for room in (norm_pool, plain):
        A, mean, var, _, cache = room.norm_relu_pool_forward(Z.copy(), gamma, beta)
        results.append((A.copy(), mean, var, *room.norm_relu_pool_backward(upstream.copy(), cache)))
    compare(*results, tolerance=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_conv_norm_relu_pool_with_a_large_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, W = rng.standard_normal((4, 6, 8, 3)) + 1e3, rng.standard_normal((3, 3, 3, 5))
    gamma, beta, upstream = rng.standard_normal(5), rng.standard_normal(5), rng.standard_normal((4, 3, 4, 5))
    results = []
    for room in (conv_norm_pool, plain):
        A, mean, var, _, cache = room.conv_norm_relu_pool_forward(X, W, gamma, beta, padding=((1, 1), (1, 1)))
        results.append(
            (
                A.copy(),
                mean,
                var,
                *room.conv_norm_relu_pool_backward(upstream.copy(), cache, dW=np.empty_like(W)),
            )
        )
    compare(*results, tolerance=1e-6)
