"""A linear model or a network for a table: by held-out training rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

import pellucid as pl
from pellucid.data.source import DataSource
from pellucid.runs.build import plan
from pellucid.runs.choose_table import Choice, choose_for_table
from pellucid.training.recommend import Recommendation


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
    assert asked.config.reason.startswith("as good as a network on 320 held-out training rows (linear 0.8")
    split = pl.load_data(path, target="y")
    model = pl.preset("linear", n_outputs=1)
    pl.train(model, split, progress=False)
    ridge = RidgeCV(np.logspace(-3, 3, 25)).fit(split.train.X, split.train.y)
    np.testing.assert_allclose(model.predict(split.test.X), ridge.predict(split.test.X), atol=0.05)


def test_a_curved_target_gets_a_network(tmp_path: Path, X: Any) -> None:
    path = table(tmp_path, X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other"))
    asked = plan("auto", DataSource(str(path), target="y"))
    assert asked.config.model != "linear"
    assert "better than a linear model on 320 held-out training rows" in asked.config.reason
    longer = plan(
        "auto", DataSource(str(path), target="y"), n_epochs=3
    )  # who names steps is not compared for
    assert longer.config.model == "mlp-small"
    assert longer.config.options.n_epochs == 3


def test_a_small_table_gets_the_mean_of_several(tmp_path: Path) -> None:
    X = np.random.default_rng(3).normal(size=(3000, 3))
    split = pl.load_data(table(tmp_path, X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other")), target="y")
    tried = [Recommendation("realmlp", pl.recipe("realmlp") | {"n_epochs": 30}, "")]
    for n, name in ((400, "realmlp-mean"), (2400, "realmlp")):
        part = pl.Split(split.train.take(slice(n)), split.test, "t", (), split.schema)
        assert choose_for_table(part, tried).model == name


def test_the_test_part_and_the_rows_beyond_ten_thousand_are_not_looked_at(tmp_path: Path, X: Any) -> None:
    split = pl.load_data(table(tmp_path, X, X[:, 0].round(3)), target="y")
    rows = np.arange(12_000) % len(split.train)
    noise = np.random.default_rng(1).normal(size=12_000)
    large = pl.Split(split.train.take(rows), split.test.take(slice(0, 0)), "t", (), split.schema)
    large.train.X[:, 1] = noise
    found = choose_for_table(
        large, [Recommendation("mlp-small", pl.recipe("mlp-small") | {"n_epochs": 1}, "")]
    )
    assert found.model == "linear"
    assert "2,000 held-out" in found.reason


def test_what_fails_or_is_only_a_little_better_is_not_chosen() -> None:
    choice = Choice(("linear", "a", "b"), (0.8, 0.82, 0.9), (False, False, True), 100)
    assert choice.best == "b"
    assert Choice(("linear", "a"), (0.8, 0.82), (False, False), 100).best == "linear"
