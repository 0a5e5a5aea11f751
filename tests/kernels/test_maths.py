"""Elementary functions of kernels against NumPy and SciPy: a few units in the last place, NaN, infinity."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

import numba
from scipy import special

from pellucid.kernels import compiled, maths
from pellucid.kernels.disk_cache import SHARED, _hash_of
from pellucid.kernels.maths import exp, expm1, log1p, normal_density, normal_distribution, sigmoid, tanh
from pellucid.types import Array

EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "log1p": np.log1p,
    "normal_density": lambda x: np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi),
    "normal_distribution": special.ndtr,
}
RANGES = {"exp": (-80, 88), "expm1": (-90, 88), "sigmoid": (-80, 40), "log1p": (0, 1)}  # others: -12 to 12

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])


@lru_cache
def all_functions() -> Any:
    """Return a kernel that writes every function of x."""

    @numba.njit(error_model="numpy")
    def functions(x: Array, out: Array) -> None:
        for i in range(x.shape[1]):
            out[0, i], out[1, i], out[2, i] = exp(x[0, i]), expm1(x[1, i]), tanh(x[2, i])
            out[3, i], out[4, i] = sigmoid(x[3, i]), log1p(x[4, i])
            out[5, i] = normal_density(x[5, i])
            out[6, i] = normal_distribution(x[6, i], normal_density(x[6, i]))

    return functions


def values(x: Array) -> dict[str, Array]:
    out = np.empty_like(x)
    all_functions()(x, out)
    return dict(zip(EXACT, out, strict=True))


@both_dtypes
def test_a_few_units_in_the_last_place(dtype: Any) -> None:
    near_zero = np.concatenate([np.linspace(-1, 1, 3000), [1e-8, -1e-8, 1e-3]])
    rows = []
    for name in EXACT:
        low, high = RANGES.get(name, (-12, 12))
        rows.append(np.concatenate([np.linspace(low, high, 9000), np.maximum(near_zero, low)]))
    x = np.array(rows).astype(dtype)
    for name, ours, at in zip(EXACT, values(x).values(), x, strict=True):
        theirs = EXACT[name](at.astype(np.float64))
        # The references themselves lose some 100 units of float64 at 12, where a square is rounded.
        units = 3.5 if dtype == np.float32 else 200 if name.startswith("normal") else 4
        error = np.abs(ours - theirs) / np.maximum(np.abs(theirs), np.finfo(dtype).tiny)
        assert error.max() <= units * np.finfo(dtype).eps, (
            f"{name}: {error.max():.1e} at {at[error.argmax()]}"
        )


@both_dtypes
def test_nan_infinity_and_the_far_tails(dtype: Any) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1e4, -1e4, 0], dtype)
    results = values(np.tile(x, (len(EXACT), 1)))
    with np.errstate(over="ignore"):
        for name, ours in results.items():
            if name != "log1p":  # which is for 0 to 1
                np.testing.assert_allclose(ours, EXACT[name](x), rtol=1e-6, err_msg=name)
    assert np.isnan(results["log1p"][0])


def test_uncompiled_the_formulas_are_the_same() -> None:
    for name in EXACT:
        x = 0.3
        arguments = (x, normal_density(x)) if name == "normal_distribution" else (x,)
        assert getattr(maths, name)(*arguments) == pytest.approx(float(EXACT[name](x)), rel=1e-14)


def test_a_change_of_the_formulas_is_noticed_by_the_disk_cache() -> None:
    cache = compiled._probe._cache  # type: ignore[attr-defined]
    assert "maths.py" in SHARED
    assert _hash_of(SHARED) in cache._index_key((), numba.core.registry.cpu_target.target_context.codegen())
