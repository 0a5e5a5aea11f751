"""Folds: every sample is tested once a repeat, by a network that was not trained on it; and pairs of networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit
from tests.cli.test_compare import NET
from tests.commands import Command
from tests.every import every

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import OptionError
from pellucid.evaluation.comparison.folds import CrossValidation, Fold, cross_validate
from pellucid.evaluation.comparison.splitting import folds_of_text, make_folds, merge_parts
from pellucid.runs.candidates import find_candidate, train_candidate


@every("gaps", [[0.1, 0.1], [0.1]])
def test_folds_that_differ_alike_have_no_interval(gaps: list[float]) -> None:
    folds = [
        tuple(Fold(0, i, {"balanced_accuracy": 0.5 + share * gap}, 1.0) for i, gap in enumerate(gaps))
        for share in (0, 1)
    ]
    result = CrossValidation("d", 20, 0, 2, 1, ("x", "y"), tuple(folds), 1.0)
    difference = result.difference()
    assert (difference.mean, difference.low, difference.p_value) == (pytest.approx(0.1), None, None)
    assert f"B is ahead in {len(gaps)}, behind in 0." in result.headline


def test_folds_are_the_same_for_both_and_nothing_is_tested_twice(hard: Path) -> None:
    split = pl.load_data(hard)
    a = find_candidate("A", "logistic", data="hard", n_epochs=30)
    b = find_candidate("B", "two-layer", data="hard", n_epochs=30, learning_rate=0.05)
    both = cross_validate(split, [a, b], n_splits=4, n_repeats=2)
    alone = cross_validate(split, [b], n_splits=4, n_repeats=2, n_jobs=2)
    a_values, b_values = both.values()
    np.testing.assert_array_equal(b_values, alone.values()[0])
    gain = both.to_dict()["difference"]["balanced_accuracy"]["mean"]
    assert gain == pytest.approx(b_values.mean() - a_values.mean(), abs=1e-12)
    same = cross_validate(split, [a, a], n_splits=4, n_repeats=2)
    np.testing.assert_array_equal(*same.values())
    difference = same.difference()
    assert difference is not None
    assert (difference.mean, difference.low, difference.p_value) == (0, None, None)
    assert [(row["repeat"], row["fold"]) for row in both.to_rows()] == [
        (r, f) for r in (1, 2) for f in (1, 2, 3, 4)
    ]
    assert [row["balanced_accuracy_b"] for row in both.to_rows()] == b_values.tolist()
    assert both.n_samples == 100
    assert both.test_to_train == pytest.approx(25 / 75)


def test_every_fold_is_trained_on_its_own_rows_from_the_next_seed(hard: Path, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    net = find_candidate("A", tmp_path / "net.toml", data="hard", n_epochs=40)
    split = pl.load_data(hard)
    data = merge_parts(split)
    found = cross_validate(split, [net], n_splits=3, n_repeats=2, seed=7)
    by_hand: dict[int, list[float]] = {0: [], 1: []}  # by how much the seed grows from fold to fold
    for step, accuracies in by_hand.items():
        for number, (train_rows, test_rows) in enumerate(make_folds(data, 3, 2).rows):
            part = Split(data.take(train_rows), data.take(test_rows))
            model, _ = train_candidate(net, part, seed=7 + step * number)
            accuracies.append(float((model.predict(part.test.X) == part.test.y).mean()))
    assert found.values("accuracy")[0].tolist() == by_hand[1] != by_hand[0]


@every(("flag", "asked", "name"), [("--cv", "3x2", "cross-validation"), ("--seeds", 3, "seeds")])
def test_the_command_writes_what_it_prints(
    pellucid: Command, hard: Path, tmp_path: Path, flag: str, asked: Any, name: str
) -> None:
    options = ["--data", hard, "--epochs", 20, "--jobs", 1, "-o", tmp_path / "out"]
    done = pellucid.ok("compare", "mlp", "logistic", flag, asked, *options)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.json", f"{name}.png"}
    assert json.loads((tmp_path / "out" / f"{name}.json").read_text())["headline"] in done.out
    assert done.err == ""


def test_of_few_folds_the_interval_is_cut_at_0_and_1(hard: Path) -> None:
    candidate = find_candidate("A", "mlp", data="hard", n_epochs=20)
    alone = cross_validate(pl.load_data(hard), [candidate], n_splits=2).to_dict()
    assert alone["difference"] is None
    (mean,) = alone["means"]["accuracy"]
    assert 0 <= mean["low"] <= mean["high"] <= 1


def test_of_the_published_photos_the_copy_is_left_out(published_dir: object) -> None:
    data = merge_parts(pl.load_data("catvnoncat"))
    assert len(data) == 258
    assert len(np.unique(data.X.reshape(258, -1), axis=0)) == 258


def test_copies_of_pictures_are_left_out_but_rows_of_tables_are_not() -> None:
    X = np.arange(4 * 12, dtype=np.uint8).reshape(4, 2, 2, 3)
    train, test = (Dataset(X[rows], np.array(rows) % 2, ("a", "b")) for rows in ([0, 1, 2, 3], [1, 1]))
    np.testing.assert_array_equal(merge_parts(Split(train, test)).X, X)
    table = Split(*(Dataset(part.X.reshape(len(part), -1), part.y, part.classes) for part in (train, test)))
    assert len(merge_parts(table)) == 6


def test_folds_are_read() -> None:
    assert folds_of_text("10X2")[:2] == (10, 2)
    for text in ("", "1x3", "x", "5x", "-5x3", "5x3x2", "5.0x3", "1e3", "9999999x1"):
        with pytest.raises(OptionError, match="--cv"):
            folds_of_text(text)


def test_the_correction_goes_by_the_splitter_s_own_parts() -> None:
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    data = pl.Dataset(X, (X[:, 0] > 0).astype(np.int64), ("low", "high"))
    half = StratifiedShuffleSplit(3, test_size=0.5, random_state=0)
    split = pl.Split(data.take(slice(40)), data.take(slice(40, 60)))
    found = pl.compare("logistic", data=split, cv=half, n_epochs=2, progress=False)
    assert found.test_to_train == 1


@pytest.mark.parametrize("grouped", [False, True])
def test_numbers_are_compared_by_r_squared(grouped: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)).round(3)
    rows = [f"{a},{b},{i // 4},{(2 * a + 0.3 * rng.normal()):.3f}" for i, (a, b) in enumerate(X)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,who,y", *rows]))
    options = {"group": "who"} if grouped else {"drop": ["who"]}
    split = pl.load_data(tmp_path / "t.csv", target="y", **options)
    found = cross_validate(
        split, [find_candidate("A", name) for name in ("linear", "mlp-small")], n_splits=3, n_repeats=2
    )
    assert found.metrics == ("r_squared", "mean_absolute_error", "root_mean_squared_error")
    assert found.is_complete
    assert found.headline.startswith("R², B minus A: ")
    assert found.means()[0].mean > 0.9
    assert [row["r_squared_a"] for row in found.to_rows()] == found.values()[0].tolist()
    assert found.notes[1].startswith("Mean absolute error: A 0.")
    json.dumps(found.to_dict())
    assert found.figures()["cross-validation"].axes[0].get_ylabel() == "R²"
    with pytest.raises(OptionError, match="70 folds need as many"):
        cross_validate(split, [find_candidate("A", "linear")], n_splits=70)


def test_a_model_in_memory_and_a_preset() -> None:
    cats, model = pl.load_data("drawn-cats"), pl.preset("logistic")
    with pytest.raises(OptionError, match="train the model first"):
        pl.compare(model, "logistic", data=cats)
    with pytest.raises(OptionError, match="expected a second model"):
        pl.compare("logistic", data=cats)
    pl.train(model, cats.train, n_epochs=20)
    shown: list[tuple[str, int, int, str]] = []
    found = pl.compare(model, "logistic", data=cats, n_epochs=20, progress=lambda *what: shown.append(what))
    assert found.a.confusion.accuracy == pl.evaluate(model, cats.test)["accuracy"].value
    assert shown[-1][:3] == ("training B (logistic)", 20, 20)


def test_terminal_notebook_frame_and_json_show_the_same_rows() -> None:
    options = {"data": "drawn-cats", "n_epochs": 2}
    for found, n_rows in (
        (pl.compare("logistic", "mlp", **options), 2),
        (pl.compare("logistic", cv=2, n_jobs=1, **options), 2),
        (pl.compare("logistic", n_seeds=2, n_jobs=1, **options), 1),
    ):
        rows = found.to_rows()
        assert len(rows) == len(found.to_frame()) == len(found.to_dict()["rows"]) == n_rows
        assert all(len(found.cells(row)) == len(found.columns) for row in rows)
        assert str(found).startswith(found.headline)
        assert found._repr_html_().count("<tr>") == n_rows + 1
        assert found.plot().axes
        assert repr(found).startswith(f"{type(found).__name__}({found.headline[:20]}")
