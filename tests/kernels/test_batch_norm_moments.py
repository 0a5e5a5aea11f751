"""Moments on kernels where the sample that they are summed about is an outlier."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs Numba")

from pellucid.kernels.batch_norm import batch_moments
from pellucid.ops.batch_norm import batch_moments as plain


def test_a_first_sample_far_from_all_others_costs_no_digits() -> None:
    X = np.random.default_rng(0).normal(3, 1, (6400, 8)).astype(np.float32)
    for scale in (1e3, 1e5):
        far = X.copy()
        far[0] = scale
        np.testing.assert_allclose(batch_moments(far).mean, plain(far).mean, rtol=1e-5)
        np.testing.assert_allclose(batch_moments(far).var, plain(far).var, rtol=1e-4)
    constant = np.full((64, 8), 1e4, np.float32)
    assert (batch_moments(constant).var == 0).all()
