"""Missing values in every container and at every door are refused with their samples; whole ones become arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.base import clone

import pellucid as pl
from pellucid.data.gaps import plain_array
from pellucid.errors import DataError
from pellucid.estimators import MLPClassifier, NetworkClassifier

M, ROW = 12, 3
X, Y = np.random.default_rng(0).normal(size=(M, 2)), np.arange(M) % 2


def words(gap: Any, container: Callable[[Any], Any] = lambda values: np.array(values, object)) -> Any:
    return container([gap if i == ROW else "ab"[i % 2] for i in range(M)])


def numbers(gap: Any, container: Callable[[Any], Any]) -> Any:
    return container([gap if i == ROW else i % 2 for i in range(M)])


LABELS = {
    "objects with None": words(None),
    "objects with NaN": words(np.nan),
    "objects with NA": words(pd.NA),
    "objects with NaT": words(pd.NaT),
    "list with None": words(None, list),
    "list of words with NaN": words(np.nan, list),
    "list of numbers with NaN": numbers(np.nan, list),
    "floats with NaN": numbers(np.nan, np.array),
    **{
        f"pandas {dtype}": words(None, lambda v, dtype=dtype: pd.Series(v, dtype=dtype))  # type: ignore[misc]
        for dtype in ("object", "string", "category")
    },
    **{
        f"pandas {dtype}": numbers(None, lambda v, dtype=dtype: pd.Series(v, dtype=dtype))  # type: ignore[misc]
        for dtype in ("Int64", "Float64", "boolean", "float64")
    },
    "pandas frame": numbers(None, lambda v: pd.DataFrame({"y": v}, dtype="Int64")),
    "polars words": words(None, polars.Series),
    "polars categories": words(None, lambda v: polars.Series(v, dtype=polars.Categorical)),
    "polars numbers": numbers(None, polars.Series),
    "masked numbers": np.ma.array(Y, mask=np.arange(M) == ROW),
    "masked words": np.ma.array(words("a", np.array), mask=np.arange(M) == ROW),
}
INPUTS = {
    "pandas Int64": pd.DataFrame({"a": numbers(1, list), "b": numbers(None, lambda v: pd.array(v, "Int64"))}),
    "pandas boolean": pd.DataFrame({"a": X[:, 0], "b": numbers(None, lambda v: pd.array(v, "boolean"))}),
    "pandas Float64": pd.DataFrame(
        {"a": [True, False] * 6, "b": numbers(None, lambda v: pd.array(v, "Float64"))}
    ),
    "pandas float64": pd.DataFrame({"a": X[:, 0], "b": numbers(np.nan, list)}),
    "polars": polars.DataFrame({"a": X[:, 0], "b": numbers(None, list)}),
    "masked": np.ma.array(X, mask=[[False, i == ROW] for i in range(M)]),
    "objects": np.array([[0.5, None if i == ROW else 1] for i in range(M)], object),
    "list": [[0.5, None if i == ROW else 1] for i in range(M)],
}


@pytest.fixture(scope="module")
def model() -> pl.Model:
    model = pl.Sequential([pl.Dense(1)])
    pl.train(model, (X, Y), n_epochs=1, progress=False)
    return model


def doors(model: pl.Model) -> dict[str, Callable[[Any, Any], Any]]:
    mlp = MLPClassifier((2,), max_iter=1, solver="sgd").partial_fit(X, Y, classes=[0, 1])
    return {
        "Dataset": pl.Dataset,
        "train": lambda X, y: pl.train(pl.Sequential([pl.Dense(1)]), (X, y), n_epochs=1, progress=False),
        "evaluate": lambda X, y: pl.evaluate(model, (X, y), n_resamples=10),
        "MLPClassifier.fit": MLPClassifier((2,), max_iter=1).fit,
        "MLPClassifier.partial_fit": mlp.partial_fit,
        "MLPClassifier.score": mlp.score,
        "NetworkClassifier.fit": NetworkClassifier(n_epochs=1).fit,
        "validation_data": lambda X_, y: NetworkClassifier(n_epochs=1).fit(X, Y, validation_data=(X_, y)),
    }


def refusal(call: Callable[..., Any], *data: Any) -> str:
    try:
        call(*data)
    except ValueError as error:
        return str(error)
    return "taken"


def test_labels_with_gaps_are_refused_with_their_samples(model: pl.Model) -> None:
    calls = {**doors(model), "check_data": lambda X, y: pl.check_data((X, y))}
    wrong = {}
    for kind, y in LABELS.items():
        for door, call in calls.items():
            text = refusal(call, X, y)
            if "y: 1 of 12 samples has no value: 3 (counted from 0)" not in text:
                wrong[kind, door] = text
    assert not wrong


def test_inputs_with_gaps_are_refused_with_their_samples_and_column(model: pl.Model) -> None:
    mlp = MLPClassifier((2,), max_iter=1, solver="sgd").partial_fit(X, Y, classes=[0, 1])
    calls = {
        **doors(model),
        "predict": lambda X, y: model.predict(X),
        "MLPClassifier.predict": lambda X, y: mlp.predict(X),
    }
    wrong = {}
    for kind, table in INPUTS.items():
        column = "'b'" if hasattr(table, "columns") else "1"
        filled = np.asarray(plain_array(table, "X", with_gaps=True), float)
        np.testing.assert_array_equal(np.argwhere(np.isnan(filled)), [[ROW, 1]], err_msg=kind)
        assert [f.kind for f in pl.check_data((table, Y)).findings if f.kind == "missing_values"], kind
        for door, call in calls.items():
            text = refusal(call, table, Y)
            if f"X: 1 of 12 samples has no value in column {column}: 3 (counted from 0)" not in text:
                wrong[kind, door] = text
    assert not wrong


def test_weights_and_columns_of_labels_too() -> None:
    weights = np.ma.array(np.ones(M), mask=np.arange(M) == ROW)
    model = pl.Sequential([pl.Dense(1)])
    for call in (
        lambda: pl.train(model, (X, Y), n_epochs=1, sample_weight=weights),
        lambda: MLPClassifier((2,), max_iter=1).fit(X, Y, weights),
    ):
        assert "sample_weight: 1 of 12 samples has no value: 3" in refusal(call)
    two = pd.DataFrame({"a": numbers(pd.NA, list), "b": numbers(pd.NA, list)}, dtype="Int64")
    assert "in column 'a': 3 (counted from 0); 1 more column" in refusal(pl.Dataset, X, two)


def test_whole_tables_are_the_same_arrays_in_training_and_estimators(model: pl.Model) -> None:
    tables: dict[str, Any] = {
        "numpy": np.rint(X),
        "Int64": pd.DataFrame(np.rint(X)).astype("Int64"),
        "Float64": pd.DataFrame(np.rint(X)).astype("Float64"),
        "mixed": pd.DataFrame({"a": pd.array(np.rint(X[:, 0]), "Int64"), "b": np.rint(X[:, 1])}),
        "objects": np.rint(X).astype(object),
        "masked": np.ma.array(np.rint(X)),
        "polars": polars.DataFrame(np.rint(X)),
    }
    start = MLPClassifier((2,), random_state=1)
    mlp = clone(start).partial_fit(np.rint(X), Y, classes=[0, 1])
    for kind, table in tables.items():
        np.testing.assert_array_equal(pl.Dataset(table, Y).X, np.rint(X), err_msg=kind)
        np.testing.assert_array_equal(model.predict(table), model.predict(np.rint(X)), err_msg=kind)
        found = clone(start).partial_fit(table, Y, classes=[0, 1]).coefs_[0]
        np.testing.assert_array_equal(found, mlp.coefs_[0], err_msg=kind)
        pl.train(pl.Sequential([pl.Dense(1)]), (table, Y), n_epochs=1)
    flags = pd.DataFrame({"a": [True, False] * 6, "b": X[:, 0]}).astype({"a": "boolean"})
    assert plain_array(flags, "X").dtype == np.float64
    assert plain_array(pd.DataFrame({"a": [1, 2]}, dtype="UInt8"), "X").dtype == np.uint8  # pixels stay bytes
    with pytest.raises(DataError, match="expected X to be numbers"):
        pl.train(model, (pd.DataFrame({"a": ["x"] * M, "b": X[:, 0]}), Y), n_epochs=1)
