"""Metrics, by name or of one's own, after each epoch and in an evaluation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.ops.metrics import METRICS, metric
from pellucid.types import Array

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 50))
y = (X[:, 0] > 0).astype(np.int64)


def found(y_true: Array, y_pred: Array) -> float:
    """Return the fraction of ones that are found."""
    return float(y_pred[y_true == 1].mean())


@pytest.fixture
def named() -> Iterator[str]:
    metric(found)
    yield "found"
    del METRICS["found"]


def network(n_out: int = 1) -> pl.Sequential:
    return pl.Sequential(pl.Dense(4, "relu"), pl.Dense(n_out))


@every("form", ["direct", "dual"])
def test_the_last_epoch_has_what_the_trained_model_has(form: str) -> None:
    model = network()
    history = pl.train(model, (X, y), n_epochs=9, metrics=["f1", found], form=form, learning_rate=0.1)
    assert len(history.columns["f1"]) == len(history.columns["found"]) == 9
    assert history.columns["found"][-1] == found(y, model.predict(X))
    assert history.rows()[-1]["f1"] == pytest.approx(pl.evaluate(model, (X, y), n_resamples=5)["f1"].value)


@every("form", ["direct", "dual"])
def test_held_out_samples_are_measured_where_there_are_some(form: str) -> None:
    model, held = network(2), (X[40:], y[40:])
    how: dict[str, Any] = {"metrics": ["accuracy", found], "validation": held, "form": form}
    history = pl.train(model, (X[:40], y[:40]), n_epochs=5, **how)
    assert history.columns["validation_found"][-1] == found(y[40:], model.predict(X[40:]))
    assert len(history.columns["validation_accuracy"]) == 5
    assert "found" not in history.columns


def test_a_metric_can_be_named_watched_and_resumed(named: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"n_epochs": 6, "metrics": [named], "learning_rate": 0.1}
    model = network()
    stop = pl.callbacks.EarlyStopping(named, mode="max", patience=1)
    stopped = pl.train(model, (X, y), **{**options, "n_epochs": 200}, callbacks=[stop])
    assert stop.best == max(stopped.columns[named])
    whole = pl.train(network(), (X, y), **options)
    keep = pl.callbacks.Checkpoint(tmp_path, every_steps=3, keep=9)
    first = pl.train(network(), (X, y), **options, callbacks=[keep])
    assert first.columns == whole.columns
    resumed = pl.train(network(), (X, y), **options, resume=sorted(tmp_path.iterdir())[0])
    assert resumed.columns == whole.columns


def test_a_metric_that_was_not_asked_for_before_is_nan_there(tmp_path: Path) -> None:
    options: dict[str, Any] = {"n_epochs": 6, "learning_rate": 0.1}
    pl.train(network(), (X, y), **options, callbacks=[pl.callbacks.Checkpoint(tmp_path, every_steps=4)])
    first = min(tmp_path.iterdir())
    history = pl.train(network(), (X, y), **options, metrics=["f1"], resume=first)
    assert np.isnan(history["f1"]).tolist() == [True] * 3 + [False] * 3  # the fourth epoch ends later
    assert len(history.rows()) == 6


def test_an_evaluation_has_them_with_intervals() -> None:
    model = network()
    pl.train(model, (X, y), n_epochs=30, learning_rate=0.1)
    scores = pl.evaluate(model, (X, y), metrics=[found, "accuracy"], n_resamples=50)
    recall = scores.per_class[1].estimates["recall"]
    assert scores["found"].value == pytest.approx(recall.value)
    assert scores["found"].low is not None
    assert scores.further == ("found",)
    assert "\nfound " in str(scores)
    assert "found" in scores.to_dict()["estimates"]
    assert pl.evaluate(model, (X, y), n_resamples=50).further == ()


@every(
    ("metrics", "words"),
    [
        (["acc"], "unknown metric 'acc'. Did you mean 'accuracy'"),
        ([3], "expected a name or a function"),
        (3, "expected a list"),
        ([lambda y_true, y_pred: y_true], "to return one number"),
    ],
)
def test_what_is_no_metric_is_refused(metrics: Any, words: str) -> None:
    for ask in (
        lambda model: pl.train(model, (X, y), n_epochs=1, metrics=metrics),
        lambda model: pl.evaluate(model, (X, y), metrics=metrics, n_resamples=2),
    ):
        model = network()
        pl.train(model, (X, y), n_epochs=1)
        with pytest.raises(OptionError) as caught:
            ask(model)
        assert words in str(caught.value)


def test_a_callback_in_another_librarys_words_is_refused() -> None:
    words = r"Log: on_epoch_end would never be called. Name it epoch_end\(self, event\)"
    with pytest.raises(OptionError, match=words):
        type("Log", (pl.callbacks.Callback,), {"on_epoch_end": lambda self, epoch: None})
