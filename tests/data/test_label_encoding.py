"""Labels as other libraries have them become class numbers, and a warning says so where it is not certain."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, DataWarning

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 3))
y = (X[:, 0] > 0).astype(np.int64)
y3 = np.digitize(X[:, 0], [-0.5, 0.5])


def train(labels: Any, n_out: int = 1, **options: Any) -> pl.Model:
    model = pl.Sequential(pl.Dense(n_out))
    pl.train(model, (X, labels), **{"n_epochs": 20, "learning_rate": 0.5, **options})
    return model


@every(
    ("labels", "n_out", "form"),
    [
        (y[:, None], 1, r"a column of numbers, shape \(40, 1\)"),
        (y[:, None].astype(np.float32), 1, "a column of floats"),
        (y.astype(float), 1, "an array of floats"),
        (np.eye(2)[y], 1, r"one-hot, shape \(40, 2\)"),
        (np.eye(2)[y], 2, "one-hot"),
        (np.eye(3)[y3], 3, "one-hot"),
        (y3[:, None], 3, "a column of numbers"),
        (y3.astype(float), 3, "an array of floats"),
    ],
)
def test_another_form_trains_the_same_classifier_and_says_so(labels: Any, n_out: int, form: str) -> None:
    plain = train(y if n_out < 3 else y3, n_out)
    with pytest.warns(DataWarning, match=f"train: y is {form}") as said:
        model = train(labels, n_out)
    assert said[0].filename == __file__
    assert len(said) == 1
    np.testing.assert_array_equal(model.theta, plain.theta)
    assert (
        pl.evaluate(model, (X, labels), n_resamples=10).accuracy
        == pl.evaluate(plain, (X, y3 if n_out == 3 else y)).accuracy
    )


@every(
    ("labels", "n_out", "options", "kind"),
    [
        (np.eye(3)[y3], 3, {"loss": "multi_label"}, "multi_label"),
        (y.astype(float), 1, {"loss": "mean_squared_error"}, "regression"),
        (y[:, None], 1, {"loss": "mean_squared_error"}, "regression"),
        (y3.astype(float), 1, {"learning_rate": 0.01}, "regression"),
        (y3[:, None], 1, {"learning_rate": 0.01}, "regression"),
        (np.eye(3)[y3], 3, {"loss": "categorical_cross_entropy"}, "classification"),
        ((X > 0).astype(int), 3, {}, "multi_label"),
    ],
)
def test_what_is_asked_for_is_done_without_a_word(labels: Any, n_out: int, options: Any, kind: str) -> None:
    assert train(labels, n_out, **options)._loss.kind == kind  # a warning would be an error


def test_text_labels_everywhere() -> None:
    words = np.where(y, "yes", "no")
    data = pl.Dataset(X, words)
    assert data.classes == ("no", "yes")
    np.testing.assert_array_equal(data.y, y)
    np.testing.assert_array_equal(pl.Dataset(X, words, ("yes", "no")).y, 1 - y)
    np.testing.assert_array_equal(pl.Dataset(X.tolist(), words[:, None].tolist()).y, y)
    with pytest.raises(DataError, match="expected the classes yes, maybe, also got no"):
        pl.Dataset(X, words, ("yes", "maybe"))
    model = train(words)
    assert model.classes == ("no", "yes")
    assert pl.evaluate(model, (X[y == 1], words[y == 1]), n_resamples=10).accuracy > 0.7


def test_names_are_no_quantities() -> None:
    with pytest.raises(DataError, match=r"the loss is of quantities, y holds classes \(no, yes\)"):
        train(np.where(y, "yes", "no"), loss="mean_squared_error")


def test_validation_labels_are_numbered_as_those_of_the_training() -> None:
    words, rows = np.where(y, "yes", "no"), y == 1
    model = pl.Sequential(pl.Dense(1))
    history = pl.train(model, (X, words), n_epochs=50, learning_rate=0.5, validation=(X[rows], words[rows]))
    assert history.columns["validation_accuracy"][-1] > 0.7
    with pytest.raises(DataError, match="train: validation: expected the classes no, yes, also got maybe"):
        pl.train(model, (X, words), n_epochs=1, validation=(X, np.where(y, "yes", "maybe")))


@every(
    "ask",
    [
        lambda model: pl.evaluate(model, (X, y)),
        lambda model: model.predict(X),
        lambda model: model.predict_proba(X),
        lambda model: model.loss_and_grad(X, y),
        lambda model: pl.save(model, "model.safetensors"),
        lambda model: pl.saliency(model, X[0]),
        lambda model: pl.robustness(model, (np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 0, 1])),
    ],
)
def test_a_model_that_is_not_trained_says_so(ask: Any) -> None:
    with pytest.raises(pl.PellucidError, match=r"the model is not trained yet. Train it by pl.train\(model"):
        ask(pl.Sequential(pl.Dense(1)))
