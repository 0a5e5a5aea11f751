"""A linear model or a network for a table: by held-out training rows."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

import pellucid as pl
from pellucid.data.source import DataSource
from pellucid.runs.build import fit_run, make_model, plan
from pellucid.runs.choose_table import choose_for_table
from pellucid.workflows.checkpoints import Checkpoints
from pellucid.workflows.train import train_into


def table(folder: Path, X: Any, y: Any) -> Path:
    path = folder / "t.csv"
    lines = [",".join(map(str, (*row, label))) for row, label in zip(X.round(4), y, strict=True)]
    path.write_text("\n".join(["a,b,c,y", *lines]))
    return path


@pytest.fixture
def X() -> Any:
    return np.random.default_rng(3).normal(size=(400, 3))


def test_a_linear_target_gets_the_linear_model(tmp_path: Path, X: Any) -> None:
    y = (X @ [2.0, -1.0, 0.5] + np.random.default_rng(0).normal(size=400)).round(3)
    path = table(tmp_path, X, y)
    asked = plan("auto", DataSource(str(path), target="y"))
    assert asked.config.model == "linear"
    assert asked.config.options.optimizer == "lbfgs"
    assert asked.config.reason.startswith(
        "as good as a network on 150 held-out training rows (R²: linear 0.83"
    )
    split = pl.load_data(path, target="y")
    model = pl.preset("linear", n_outputs=1)
    pl.train(model, split, progress=False)
    ridge = RidgeCV(np.logspace(-3, 3, 25)).fit(split.train.X, split.train.y)
    np.testing.assert_allclose(model.predict(split.test.X), ridge.predict(split.test.X), atol=0.05)
    assert asked.trained is not None
    np.testing.assert_array_equal(asked.trained.model.theta, model.theta)


def test_a_curved_target_gets_the_network_that_it_was_tried_on(tmp_path: Path, X: Any) -> None:
    path = table(tmp_path, X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other"))
    source = DataSource(str(path), target="y")
    asked = plan("auto", source, seed=5)
    assert asked.config.model == "realmlp-mean"
    assert "better than a linear model on" in asked.config.reason
    assert asked.trained is not None
    split = asked.load()
    again = make_model(asked.config, None, split)
    history = fit_run(again, split, asked.config)
    np.testing.assert_array_equal(again.theta, asked.trained.model.theta)
    assert history.columns == asked.trained.history.columns
    outcome = train_into(asked, tmp_path / "run", say=lambda line: None)
    np.testing.assert_array_equal(pl.load(tmp_path / "run").theta, again.theta)
    assert outcome.run.metrics["is_complete"] is history.is_complete
    assert not (tmp_path / "run" / "checkpoints").exists()
    train_into(asked, tmp_path / "own", checkpoints=Checkpoints(checkpoint_steps=20), say=lambda line: None)
    np.testing.assert_array_equal(pl.load(tmp_path / "own").theta, again.theta)
    assert list((tmp_path / "own" / "checkpoints").iterdir())


def test_other_options_than_were_tried_are_trained_by_afterwards(tmp_path: Path, X: Any) -> None:
    source = DataSource(str(table(tmp_path, X, X[:, 0].round(3))), target="y")
    assert plan("auto", source, form="direct").trained is None
    longer = plan("auto", source, n_epochs=3)  # who names steps is not compared for
    assert (longer.config.model, longer.config.options.n_epochs, longer.trained) == ("mlp-small", 3, None)


def test_a_small_table_gets_the_mean_of_several(tmp_path: Path) -> None:
    X = np.random.default_rng(3).normal(size=(3000, 3))
    split = pl.load_data(table(tmp_path, X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other")), target="y")
    for n, name in ((40, "linear"), (400, "realmlp-mean"), (2400, "realmlp")):
        part = pl.Split(split.train.take(slice(n)), split.test, "t", (), split.schema)
        found, trained = choose_for_table(part)
        assert found.model == name
        assert (trained is None) is (n == 40)


def test_the_test_part_and_the_rows_beyond_ten_thousand_are_not_looked_at(tmp_path: Path, X: Any) -> None:
    split = pl.load_data(table(tmp_path, X, X[:, 0].round(3)), target="y")
    rows = np.arange(12_000) % len(split.train)
    noise = np.random.default_rng(1).normal(size=12_000)
    large = pl.Split(split.train.take(rows), split.test.take(slice(0, 0)), "t", (), split.schema)
    large.train.X[:, 1] = noise
    found, trained = choose_for_table(large)
    assert (found.model, trained) == ("linear", None)
    assert "1,500 held-out" in found.reason


def test_a_network_that_is_only_a_little_better_is_not_chosen(tmp_path: Path, X: Any) -> None:
    y = X[:, 0] + np.random.default_rng(1).normal(size=400)
    split = pl.load_data(table(tmp_path, X, y.round(3)), target="y")
    found, _ = choose_for_table(split)
    scores = [float(score) for score in re.findall(r" (0\.\d+)", found.reason)]
    assert (found.model, len(scores)) == ("linear", 2)
    assert scores[0] < scores[1]


def test_rows_of_one_group_get_the_linear_model(tmp_path: Path, X: Any) -> None:
    split = pl.load_data(table(tmp_path, X, X[:, 0].round(3)), target="y")
    alike = replace(split.train, groups=np.zeros(len(split.train), np.int64))
    found, trained = choose_for_table(replace(split, train=alike))
    assert (found.model, trained) == ("linear", None)
    assert "could not be trained" in found.reason
