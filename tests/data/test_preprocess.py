"""Preprocessing: exact arithmetic, one rule for a kind of data, a dictionary that survives JSON."""

import json

import numpy as np
import pytest

from pellucid.data.preprocess import Preprocessing, check_finite
from pellucid.errors import DataError, FormatError, OptionError

ALL_BYTES = np.arange(256, dtype=np.uint8).reshape(2, 128)
PIXELS = Preprocessing.for_data(ALL_BYTES)


def test_pixels_are_divided_exactly() -> None:
    np.testing.assert_array_equal(PIXELS.apply(ALL_BYTES, np.float64), ALL_BYTES / 255.0)
    single = PIXELS.apply(ALL_BYTES, "float32")
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, ALL_BYTES.astype(np.float32) / np.float32(255))


def test_the_input_is_not_modified() -> None:
    for X in (ALL_BYTES.copy(), ALL_BYTES.astype(np.int64), np.linspace(0, 1, 6)):
        before = X.copy()
        PIXELS.apply(X, np.float64)
        np.testing.assert_array_equal(X, before)


def test_whole_numbers_of_another_dtype_are_pixels_too() -> None:
    np.testing.assert_array_equal(PIXELS.apply(ALL_BYTES.astype(np.int64), np.float64), ALL_BYTES / 255.0)


def test_floats_count_as_prepared() -> None:
    X = np.array([[0.0, 0.25, 1.5]])  # noise may lead a little out of 0..1
    assert PIXELS.apply(X, np.float64) is X
    np.testing.assert_array_equal(PIXELS.apply(X, np.float32), X.astype(np.float32))


def test_floats_that_were_clearly_not_divided_are_refused() -> None:
    with pytest.raises(DataError, match=r"got floats up to 255\. Give X\.astype\('uint8'\), or X / 255"):
        PIXELS.apply(ALL_BYTES.astype(np.float32), np.float32)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.int8, np.bool_, np.float16])
def test_other_data_are_only_converted(dtype: type) -> None:
    X = np.array([[0, 1], [1, 100]]).astype(dtype)
    rule = Preprocessing.for_data(X)
    assert rule == Preprocessing()
    prepared = rule.apply(X, np.float32)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, X.astype(np.float32))


def test_a_column_major_array_comes_out_row_major() -> None:
    assert PIXELS.apply(np.asfortranarray(ALL_BYTES), np.float64).flags.c_contiguous
    assert Preprocessing().apply(np.asfortranarray(ALL_BYTES / 255), np.float64).flags.c_contiguous


def test_no_samples_stay_no_samples() -> None:
    assert PIXELS.apply(np.empty((0, 3)), np.float32).shape == (0, 3)


@pytest.mark.parametrize("rule", [PIXELS, Preprocessing(), Preprocessing("divide", 2.0)])
def test_config_survives_json(rule: Preprocessing) -> None:
    assert Preprocessing.from_config(json.loads(json.dumps(rule.to_config()))) == rule


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "divied", "divisor": 255.0}, "unknown preprocessing 'divied'. Did you mean 'divide'"),
        ({"kind": "divide"}, r"expected the keys kind, divisor, got \['kind'\]"),
        ({"kind": "divide", "divisor": 255.0, "mean": 1}, "expected the keys"),
        ({"kind": "divide", "divisor": 0}, "expected a finite divisor above 0"),
        ({"kind": "divide", "divisor": float("nan")}, "expected a finite divisor above 0"),
        ({"kind": "divide", "divisor": "many"}, "could not convert"),
        ({"kind": "divide", "divisor": None}, "damaged, or from a newer pellucid"),
        (None, "damaged, or from a newer pellucid"),
        (7, "damaged, or from a newer pellucid"),
    ],
)
def test_a_damaged_config_is_refused(config: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Preprocessing.from_config(config)  # type: ignore[arg-type]


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(OptionError, match="Did you mean 'none'"):
        Preprocessing("nane")
    with pytest.raises(OptionError, match="divisor above 0, got -1"):
        Preprocessing("divide", -1.0)


def test_dtypes_that_cannot_be_used() -> None:
    with pytest.raises(OptionError, match="floating-point dtype such as float32, got int64"):
        PIXELS.apply(ALL_BYTES, np.int64)
    for X in (np.array([["a"]]), np.array([[1j]]), np.array([[None]])):
        with pytest.raises(DataError, match="expected an array of numbers"):
            PIXELS.apply(X, np.float64)


def test_a_number_too_large_for_the_dtype() -> None:
    with pytest.raises(DataError, match="a value is too large for float32"):
        Preprocessing().apply(np.array([[1e300]]), np.float32)


def test_finite_data_pass() -> None:
    check_finite(np.array([[1.0, -1e308]]))
    check_finite(ALL_BYTES)


def test_the_first_bad_sample_is_named() -> None:
    X = np.zeros((5, 2, 3))
    X[3, 1, 2], X[4, 0, 0], X[3, 0, 0] = np.nan, np.inf, -np.inf
    with pytest.raises(
        DataError, match=r"^toy\.npz: 3 of 30 values are NaN or infinite, the first in sample 3 "
    ):
        check_finite(X, "toy.npz")
