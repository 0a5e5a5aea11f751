"""What columns matter: shuffled, moved, and added up for a row."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import accuracy_score, r2_score

import pellucid as pl
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_text import table_of
from pellucid.errors import DataError
from pellucid.plotting.tables import columns_of
from pellucid.reporting.sections.tables import _row
from pellucid.workflows.explain import explain_row_of

ROW = {"a": 1.5, "b": -1, "coat": "tabby", "born": "2024-03-01"}


def table(folder: Path, *, is_class: bool) -> Any:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 240)).round(3)
    coat = rng.choice(["plain", "tabby", "black"], 240)
    born = [f"2024-0{1 + i % 6}-1{i % 9}" for i in range(240)]
    score = 2 * a + (coat == "tabby") + 0.1 * rng.normal(size=240)
    y = np.where(score > 0, "yes", "no") if is_class else score.round(3)
    lines = [",".join(map(str, row)) for row in zip(a, b, coat, born, y, strict=True)]
    (folder / "t.csv").write_text("\n".join(["a,b,coat,born,y", *lines]))
    return pl.load_data(folder / "t.csv", target="y")


def trained(split: Any, name: str, **options: Any) -> Any:
    model = pl.preset(name, n_outputs=1)
    pl.train(model, split, progress=False, **options)
    assert model._schema == split.schema
    return model


@pytest.mark.parametrize("is_class", [True, False])
def test_importance_is_that_of_scikit_learn(is_class: bool, tmp_path: Path) -> None:
    split = table(tmp_path, is_class=is_class)
    model = trained(split, "linear")
    found = pl.column_importance(model, split, n_repeats=5, seed=3, progress=False)
    assert found.names[:2] == ("a", "coat")
    assert found.metric == ("accuracy" if is_class else "R²")
    assert "of 4 columns clearly matter" in found.headline
    rows = {row["column"]: row for row in found.to_rows()}
    assert abs(rows["b"]["drop"]) < 0.05
    only = [0, 1]  # columns that stay one column each

    class Wrapped:
        def fit(self, X: Any, y: Any) -> None: ...

    def score(_: Any, X: Any, y: Any) -> float:
        full = split.test.X.copy()
        full[:, only] = X[:, only]
        return float((accuracy_score if is_class else r2_score)(y, model.predict(full)))

    padded = np.column_stack([split.test.X[:, only], np.zeros((len(split.test), 2))])
    theirs = permutation_importance(
        Wrapped(), padded, split.test.y, scoring=score, n_repeats=5, random_state=3
    )
    for name, drops in zip(found.names, found.drops, strict=True):
        if name in "ab":
            np.testing.assert_allclose(drops, theirs.importances["ab".index(name)], atol=1e-9)
    json.dumps(found.to_dict())
    assert set(found.figures()) == {"importance", "dependence"}


def test_curves_are_partial_dependence(tmp_path: Path) -> None:
    split = table(tmp_path, is_class=False)
    model = trained(split, "mlp-small", n_epochs=5)
    curve = next(c for c in pl.column_importance(model, split, progress=False).curves if c.column == "a")

    class Wrapped(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> None: ...

        def predict(self, X: Any) -> Any:
            return model.predict(X).ravel()

        def __sklearn_is_fitted__(self) -> bool:
            return True

    values = np.array([float(value) for value in curve.values])
    theirs = partial_dependence(Wrapped(), split.test.X, [0], custom_values={0: values}, method="brute")
    np.testing.assert_allclose(curve.predicted["y"], theirs["average"][0], rtol=1e-4, atol=1e-5)


def test_a_row_of_a_linear_model_has_its_terms(tmp_path: Path) -> None:
    split = table(tmp_path, is_class=True)
    model = trained(split, "linear")
    found = pl.explain_row(model, ROW)
    typical = {column.name: column.usual for column in split.schema.columns}
    X = split.schema.encode([ROW, typical]).X
    prepared = (X - model.preprocessing.mean) / model.preprocessing.scale
    terms = (prepared[0] - prepared[1]) * np.asarray(model.layers[-1].params["W"], float)[:, 0]
    bounds = np.cumsum([0, *(column.width for column in split.schema.columns)])
    wanted = {
        c.name: terms[i:j].sum() for c, i, j in zip(split.schema.columns, bounds, bounds[1:], strict=False)
    }
    for row in found.to_rows():
        assert row["adds"] == pytest.approx(wanted[row["column"]], abs=1e-4)
        assert row["typical"] == typical[row["column"]]
    assert found.target == "yes"
    assert found.unit == "log-odds"
    assert found.notes == ()


@pytest.mark.parametrize("is_class", [True, False])
def test_a_row_of_a_network_adds_up(is_class: bool, tmp_path: Path) -> None:
    split = table(tmp_path, is_class=is_class)
    model = trained(split, "mlp-small", n_epochs=5)
    found = pl.explain_row(model, ROW)
    assert found.contributions.sum() == pytest.approx(found.end - found.start, rel=0.02)
    if not is_class:
        typical = {column.name: column.usual for column in split.schema.columns}
        both = model.predict(split.schema.encode([ROW, typical]).X).ravel()
        np.testing.assert_allclose([found.end, found.start], both, rtol=1e-4)
    pl.save(model, tmp_path / "m.safetensors")
    done = explain_row_of(tmp_path / "m.safetensors", tmp_path / "t.csv", row=3, out=tmp_path / "why")
    assert [path.name for path in done.files] == ["row.png", "explanation.txt", "explanation.json"]
    kept = json.loads((tmp_path / "why" / "explanation.json").read_text())
    assert kept["rows"][0]["column"] == done.names[0]
    with pytest.raises(DataError, match="expected a row from 1 to 240, got --row 241"):
        explain_row_of(tmp_path / "m.safetensors", tmp_path / "t.csv", row=241)


def test_large_numbers_keep_their_digits(tmp_path: Path) -> None:
    """A typical row is not rounded, targets far from 0 are not, and a bad cell is named by its line."""
    when = 1_700_000_000 + np.arange(200) * 7
    y = 1.7e9 + 10.0 * np.arange(200)
    (tmp_path / "t.csv").write_text("\n".join(["ts,y", *(f"{a},{b}" for a, b in zip(when, y, strict=True))]))
    split: Any = pl.load_data(tmp_path / "t.csv", target="y")
    model = trained(split, "linear")
    assert r2_score(split.test.y, model.predict(split.test.X)) > 0.99
    found = pl.explain_row(model, {"ts": when[0]}, target="y")
    assert float(found.usual[0]) == np.median(split.train.X)
    assert found.target == "y"
    assert found.predicted.startswith("y 1")
    (tmp_path / "bad.csv").write_text("ts,y\n1,2\nold,3\n")
    told = r"bad\.csv: column 'ts': expected finite numbers, got 'old' in line 3"
    with pytest.raises(DataError, match=told):
        explain_row_of(model, tmp_path / "bad.csv", row=2)
    assert len(pl.predict(model, {"ts": 5})) == 1
    with pytest.raises(DataError, match="expected files, rows or samples, got None"):
        pl.predict(model, None)


def test_what_is_no_model_of_a_table_is_refused(tmp_path: Path) -> None:
    model = pl.preset("linear")
    model.initialize((3,))
    with pytest.raises(DataError, match=r"expected a model of a table with named columns, got one of \(3,\)"):
        pl.explain_row(model, {"a": 1})
    with pytest.raises(DataError, match="expected a model of a table"):
        pl.column_importance(model, (np.zeros((4, 3)), [0, 1, 0, 1]), progress=False)
    split = table(tmp_path, is_class=True)
    model = trained(split, "linear")
    with pytest.raises(DataError, match="there are no columns 'b', 'coat', 'born'"):
        pl.explain_row(model, {"a": 1})
    with pytest.raises(DataError, match="expected one row, a dictionary"):
        pl.explain_row(model, [{"a": 1}])  # type: ignore[arg-type]


def test_true_and_false_are_shown_in_their_own_words() -> None:
    rows = [{"vip": ["True", "False"][i % 3 > 0], "age": i % 40, "y": "ab"[i % 3 > 0]} for i in range(90)]
    split = split_table(table_of(rows), target="y", name="rows", seed=1, test_fraction=0.3)
    model = pl.train("linear", split, progress=False).model
    why = pl.explain_row(model, {"vip": "TRUE", "age": 3})
    assert ("vip", "TRUE", "False") in zip(why.names, why.values, why.usual, strict=True)
    found = pl.column_importance(model, split, progress=False)
    assert [one.values for one in found.curves if one.column == "vip"] == [("False", "True")]
    column, part = columns_of(split)[0]
    assert _row(column, part)[1:4] == ("True or False", "True, False", "True in 33 %")
