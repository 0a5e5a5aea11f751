"""The loops of losses, which Dense stacks run: equal to the plain losses."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.ops.losses.base import LOSSES

losses = pytest.importorskip("pellucid.kernels.losses", reason="needs Numba: pip install 'pellucid[fast]'")
NO_LABELS, M = np.zeros(0, np.intp), 40


@pytest.mark.parametrize(
    ("dtype", "limit"), [("float32", 1e-5), pytest.param("float64", 1e-12, marks=pytest.mark.slow)]
)
@every("kind", ["binary", "binary outputs", "labels", "soft targets"])
@every("smoothing", [0.0, 0.2])
@every("bad", [None, np.nan, np.inf, -np.inf])
def test_weights_smoothing_and_nan(
    kind: str, smoothing: float, bad: float | None, dtype: str, limit: float
) -> None:
    rng, k = np.random.default_rng(0), {"binary": 1, "binary outputs": 3}.get(kind, 10)
    Z, weights = (3 * rng.standard_normal((M, k))).astype(dtype), rng.random(M)
    if bad is not None:
        Z[3, 0] = bad
    scale, dZ = (weights / weights.sum()).astype(dtype), np.empty_like(Z)
    Y: Any = rng.integers(0, 2, (M, k)).astype(dtype)
    if kind == "labels":
        Y = rng.integers(0, k, M)
    elif kind == "soft targets":
        Y = rng.dirichlet(np.ones(k), M).astype(dtype)
    name = "binary_cross_entropy" if k < 10 else "categorical_cross_entropy"
    with np.errstate(all="ignore"):
        loss, cache = LOSSES.make(name, label_smoothing=smoothing).forward(Z, Y, weights=weights)
        if k < 10:
            flat = np.repeat(scale, k)
            ours = losses.binary_cross_entropy(Z.ravel(), Y.ravel(), flat, smoothing, dZ.ravel())
        else:
            labels, targets = (Y, Z) if Y.ndim == 1 else (NO_LABELS, Y)
            ours = losses.softmax_cross_entropy(Z, labels, targets, scale, smoothing, dZ)
        wanted = LOSSES.make(name, label_smoothing=smoothing).backward(cache)
    assert np.isfinite(ours) <= np.isfinite(loss)
    if np.isfinite(loss) and np.isfinite(ours):
        assert abs(ours - loss) <= limit * abs(loss)
    finite = np.isfinite(wanted) & np.isfinite(dZ)
    assert not np.isfinite(dZ[~np.isfinite(wanted)]).any()
    np.testing.assert_allclose(dZ[finite], wanted[finite], rtol=0, atol=limit)
