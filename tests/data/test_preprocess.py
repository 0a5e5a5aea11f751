"""Preprocessing: exact arithmetic, one rule for a kind of data, a dictionary that survives JSON."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler
from tests.every import every

from pellucid.data.preprocess import Preprocessing, check_finite
from pellucid.errors import DataError, FormatError, OptionError

ALL_BYTES = np.arange(256, dtype=np.uint8).reshape(2, 128)
PIXELS = Preprocessing.for_data(ALL_BYTES)


def test_pixels_are_divided_exactly() -> None:
    for X in (ALL_BYTES, ALL_BYTES.astype(np.int64), ALL_BYTES[:0]):
        np.testing.assert_array_equal(PIXELS.apply(X, np.float64), X / 255.0)
    single = PIXELS.apply(ALL_BYTES, "float32")
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, ALL_BYTES.astype(np.float32) / np.float32(255))


def test_floats_count_as_prepared_unless_clearly_not_divided() -> None:
    X = np.array([[0.0, 0.25, 1.5]])  # noise may lead a little out of 0..1
    assert PIXELS.apply(X, np.float64) is X
    np.testing.assert_array_equal(PIXELS.apply(X, np.float32), X.astype(np.float32))
    with pytest.raises(DataError, match=r"got floats up to 255\. Give X\.astype\('uint8'\), or X / 255"):
        PIXELS.apply(ALL_BYTES.astype(np.float32), np.float32)
    # Row-major, whatever came
    for rule, columns in ((PIXELS, ALL_BYTES), (Preprocessing(), ALL_BYTES / 255)):
        assert rule.apply(np.asfortranarray(columns), np.float64).flags.c_contiguous


@every("dtype", [np.float64, np.int64, np.int8, np.bool_, np.float16])
def test_other_data_are_only_converted(dtype: type) -> None:
    X = np.array([[0, 1], [1, 100]]).astype(dtype)
    rule = Preprocessing.for_data(X)
    assert rule == Preprocessing()
    prepared = rule.apply(X, np.float32)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, X.astype(np.float32))


STANDARD = Preprocessing.standardize(np.array([[0.1, 1.0], [0.7, 0.0], [1e9, 0.0]]), [True, False])
ROBUST = Preprocessing.robust(np.array([[0.1, 1.0], [0.7, 0.0], [1e9, 0.0]]), clip=2.5)


@every("rule", [PIXELS, Preprocessing(), Preprocessing("divide", 2.0), STANDARD, ROBUST])
def test_config_survives_json(rule: Preprocessing) -> None:
    assert Preprocessing.from_config(json.loads(json.dumps(rule.to_config()))) == rule


@every(
    ("config", "message"),
    [
        ({"kind": "divied", "divisor": 255.0}, "unknown kind 'divied'. Did you mean 'divide'"),
        ({"kind": "divide"}, r"expected the keys kind, divisor, got \['kind'\]"),
        ({"kind": "standardize", "divisor": 255.0}, "expected the keys kind, mean, scale, got"),
        ({"kind": "standardize", "mean": [0.0], "scale": [1.0, 1.0]}, "got 1 means, 0 centres and 2 scales"),
        ({"kind": "standardize", "mean": [], "scale": []}, "got 0 means, 0 centres and 0 scales"),
        ({"kind": "standardize", "mean": [0.0], "scale": [0.0]}, "scale to be a list .*above 0"),
        ({"kind": "standardize", "mean": 0.0, "scale": 1.0}, "mean to be a list"),
        ({"kind": ["standardize"], "mean": [0.0], "scale": [1.0]}, "expected the keys kind, divisor"),
        (
            {"kind": "robust", "mean": [0.0], "scale": [1.0]},
            "expected the keys kind, centre, scale, clip, got",
        ),
        ({"kind": "robust", "centre": [], "scale": [1.0], "clip": 3.0}, "0 means, 0 centres and 1 scales"),
        ({"kind": "robust", "centre": [0.0], "scale": [1.0], "clip": 0.0}, "clip to be a number of at least"),
        ({"kind": "divide", "divisor": float("nan")}, "divisor to be a number of at least 1e-30"),
        ({"kind": "divide", "divisor": None}, "damaged, or from a newer pellucid"),
        (None, "damaged, or from a newer pellucid"),
    ],
)
def test_a_damaged_config_is_refused(config: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Preprocessing.from_config(config)  # type: ignore[arg-type]


@every(
    ("fit", "peer", "least"),
    [(Preprocessing.standardize, StandardScaler(), 0), (Preprocessing.robust, RobustScaler(), 3)],
)
def test_columns_equal_those_of_scikit_learn(
    fit: Any, peer: Any, least: int, rng: np.random.Generator
) -> None:
    X = rng.normal(size=(51, 4)) * [1e-6, 1, 1e3, 5] + [0, 1e3, -7, 5e6]
    X[:, 3] = rng.integers(0, 3, 51)
    before, new = X.copy(), rng.normal(size=(7, 4)) * 1e3
    rule, wanted = fit(X), peer.fit(X).transform(new)
    if least:  # clipped smoothly
        wanted = wanted / np.sqrt(1 + (wanted / least) ** 2)
    np.testing.assert_allclose(rule.middle, getattr(peer, "mean_" if not least else "center_"), rtol=1e-13)
    np.testing.assert_allclose(rule.scale, peer.scale_, rtol=1e-12)
    prepared = rule.apply(new, np.float64)
    np.testing.assert_allclose(prepared, wanted, rtol=1e-11)
    single = rule.apply(new, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, prepared.astype(np.float32))  # calculated in float64, then rounded
    np.testing.assert_array_equal(X, before)


def test_robust_scales_where_quartiles_are_equal_and_of_extreme_numbers() -> None:
    X = np.array([[0, 5.0, 0.1, -4e307], [0, 5.0, 0.1, 4e307], [0, 5.0, 0.1 + 2e-17, 0], [1, 5.0, 0.1, 0]])
    rule = Preprocessing.robust(X, clip=2)
    assert rule.scale[:3] == (0.25, 1.0, 1.0)
    assert Preprocessing.robust(X.repeat(5, axis=0)[:17]).scale[0] == 0.5  # half of the range
    new = np.array([[1e300, -1e300, 0.1, 4e307]])
    np.testing.assert_allclose(rule.apply(new, np.float32), [[2, -2, 0, 2 / 2**0.5]], rtol=1e-6)


def test_constant_and_extreme_columns_are_standardized_without_a_fault() -> None:
    X = np.array([[0.1, 1e308, 1e-320, 1e16], [0.1, -1e308, 0.0, 1e16 + 2], [0.1, 1e308, 0.0, 1e16]])
    rule = Preprocessing.standardize(X)
    assert rule.mean[0] == 0.1  # not a rounding error next to it, which a scale of 1e-17 would blow up
    assert rule.scale[0] == 1
    np.testing.assert_allclose(rule.mean[1], 1e308 / 3, rtol=1e-15)
    np.testing.assert_allclose(rule.scale[1], 1e308 * (8 / 9) ** 0.5, rtol=1e-15)
    np.testing.assert_allclose(rule.scale[3], (8 / 9) ** 0.5, rtol=1e-15)
    assert np.abs(rule.apply(X, np.float64)).max() < 2.2
    assert Preprocessing.standardize(X[:1]).scale == (1, 1, 1, 1)
    X = np.array([[1, 0], [3, 1], [8, 1]])  # of which only one column is to be changed
    rule = Preprocessing.standardize(X, (True, False))
    assert rule == Preprocessing("standardize", mean=(4.0, 0.0), scale=(26**0.5 / 3**0.5, 1.0))
    assert hash(rule) == hash(Preprocessing("standardize", mean=[4.0, 0.0], scale=list(rule.scale)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(rule.apply(X, np.float64)[:, 1], X[:, 1])


@every("dtype", ["float64", "float32"])
def test_a_column_that_is_constant_but_for_rounding_counts_as_constant(dtype: str) -> None:
    tenth = np.array([0.1], dtype)
    X = np.concatenate([tenth + 2 * tenth, 3 * tenth, np.nextafter(3 * tenth, 1)])[:, None]
    assert len(np.unique(X)) > 1
    rule = Preprocessing.standardize(X)
    assert rule.scale == (1.0,)
    assert abs(rule.apply(X + 1, np.float64) - 1).max() < 1e-6  # not 1e16 times the difference
    apart = np.array([[0.3], [0.3 * (1 + 40 * np.finfo(dtype).eps)]], dtype)
    np.testing.assert_allclose(rule.standardize(apart).apply(apart, np.float64), [[-1], [1]])


def test_what_cannot_be_prepared() -> None:
    for X in (np.zeros((2, 3, 4)), np.zeros((0, 2)), np.array([["a"]])):
        with pytest.raises(DataError, match=r"standardize: expected a table of numbers"):
            Preprocessing.standardize(X)
    with pytest.raises(DataError, match="standardize: 1 of 2 values are NaN"):
        Preprocessing.standardize(np.array([[1.0, np.nan]]))
    with pytest.raises(OptionError, match=r"expected 2 flags, one per column, got shape \(1,\)"):
        Preprocessing.standardize(np.zeros((2, 2)), [True])
    with pytest.raises(OptionError, match="floating-point dtype such as float32, got int64"):
        PIXELS.apply(ALL_BYTES, np.int64)
    for X in (np.array([["a"]]), np.array([[1j]]), np.array([[None]])):
        with pytest.raises(DataError, match="expected an array of numbers"):
            PIXELS.apply(X, np.float64)


def test_a_standardized_model_gets_other_columns() -> None:
    for X in (np.zeros((2, 3)), np.zeros(2), np.zeros((2, 1, 2))):
        with pytest.raises(DataError, match=r"X: expected 2 columns, shape \(m, 2\)"):
            STANDARD.apply(X, np.float64)
    with pytest.raises(DataError, match=r"a value .*is too large for float64"):
        Preprocessing("standardize", mean=(-1e308,), scale=(1.0,)).apply(np.array([[1.7e308]]), np.float64)
    with pytest.raises(DataError, match=r"a value .sample 0, column 0, .* is too large for float32"):
        STANDARD.apply(np.array([[1e300, 0.0]]), np.float32)
    with pytest.raises(OptionError, match="got 1 means, 0 centres and 1 scales for 'divide'"):
        Preprocessing("divide", 255.0, (0.0,), (1.0,))


def test_the_first_bad_sample_is_named_and_finite_ones_pass() -> None:
    X = np.zeros((5, 2, 3))
    X[3, 1, 2], X[4, 0, 0], X[3, 0, 0] = np.nan, np.inf, -np.inf
    words = r"^toy\.npz: 3 of 30 values are NaN or infinite, the first in sample 3 "
    with pytest.raises(DataError, match=words):
        check_finite(X, "toy.npz")
    for whole in (np.array([[1.0, -1e308]]), ALL_BYTES, X[:3]):
        assert check_finite(whole) is None  # type: ignore[func-returns-value]
