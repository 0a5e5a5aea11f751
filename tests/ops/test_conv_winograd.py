"""Winograd's convolution is the plain one."""

import numpy as np
from tests.every import every

from pellucid.ops.conv import conv2d_forward
from pellucid.ops.conv_winograd import conv_winograd


@every("shape", [(2, 6, 8, 3), (1, 3, 3, 1), (3, 5, 4, 2), (2, 7, 9, 4)])
@every(("dtype", "limit"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_it_equals_the_plain_convolution(shape, dtype, limit, rng) -> None:
    X = rng.standard_normal(shape).astype(dtype)
    W = rng.standard_normal((3, 3, shape[3], 5)).astype(dtype)
    Z, expected = conv_winograd(X, W), conv2d_forward(X, W)[0]
    assert (Z.shape, Z.dtype) == (expected.shape, dtype)
    assert np.abs(Z - expected).max() <= limit * np.abs(expected).max()
