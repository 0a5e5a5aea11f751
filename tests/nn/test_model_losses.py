"""Models with every kind of loss: training, what they predict, and what they refuse."""

import copy
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.regression import Huber
from pellucid.training.optimizers.adam import Adam


def linear_model(n_out: int, loss: Any, **options) -> Sequential:
    model = Sequential([Dense(n_out)], dtype="float64")
    model.initialize((3,), seed=4)
    model.set_loss(loss, **options)
    return model


def loss_of(model: Sequential, X: Any, y: Any) -> float:
    return model._loss.forward(model.forward(X), model._encode(y))[0]


def targets(loss: str, n_out: int, m: int, rng):
    kind = LOSSES[loss].kind
    if kind == "classification":
        return rng.integers(0, max(2, n_out), m)
    return rng.integers(0, 2, (m, n_out))


SETTINGS = [
    ("binary_cross_entropy", 1, {}),
    ("categorical_cross_entropy", 4, {"label_smoothing": 0.1}),
    ("focal", 1, {"alpha": 0.25}),
    ("focal", 4, {"gamma": 1.0}),
    ("hinge", 1, {}),
    ("hinge", 4, {"margin": 2.0}),
    ("huber", 2, {"delta": 0.5}),
    ("mean_absolute_error", 2, {}),
    ("mean_squared_error", 1, {}),
    ("multi_label", 3, {}),
    ("poisson", 2, {}),
]
every_setting = every(("loss", "n_out", "options"), SETTINGS)


@every_setting
def test_encoded_targets_pass_through(loss, n_out, options, rng) -> None:
    model = linear_model(n_out, loss, **options)
    X, y = rng.standard_normal((6, 3)), targets(loss, n_out, 6, rng)
    assert model.loss_and_grad(X, model._encode(y)) == model.loss_and_grad(X, y)


@every_setting
def test_options_are_kept_and_set_again(loss, n_out, options, rng) -> None:
    model = linear_model(n_out, loss, **options)
    assert model.loss_config == {"type": model.loss, **options}
    twin = linear_model(n_out, model.loss, **options)
    X, y = rng.standard_normal((6, 3)), targets(loss, n_out, 6, rng)
    assert loss_of(twin, X, y) == loss_of(model, X, y) == loss_of(copy.deepcopy(model), X, y)
    model.set_loss("binary_cross_entropy")
    assert model.loss_config == {"type": model.loss}


@every_setting
def test_predictions(loss, n_out, options, rng) -> None:
    model, X = linear_model(n_out, loss, **options), rng.standard_normal((7, 3))
    Z, predicted = model.decision_function(X), model.predict(X)
    assert Z.shape == ((7,) if n_out == 1 else (7, n_out))
    kind = LOSSES[loss].kind
    if kind == "classification":
        np.testing.assert_array_equal(predicted, Z > 0 if n_out == 1 else Z.argmax(axis=1))
    elif kind == "multi_label":
        np.testing.assert_array_equal(predicted, Z > 0)
    else:
        np.testing.assert_array_equal(predicted, np.exp(Z) if loss == "poisson" else Z)
    assert predicted.dtype == (np.float64 if kind == "regression" else np.int64)
    if not LOSSES[loss].gives_probabilities:
        with pytest.raises(OptionError, match=f"trained on {loss} gives no probabilities"):
            model.predict_proba(X)
    else:
        P = model.predict_proba(X)
        assert P.shape == (7, max(2, n_out))
        assert ((P > 0) & (P < 1)).all()
        if kind == "multi_label":
            np.testing.assert_allclose(P, 1 / (1 + np.exp(-Z)), rtol=1e-15)
        else:
            np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
            np.testing.assert_array_equal(predicted, P.argmax(axis=1))


def test_multi_label_with_one_output_stays_a_matrix(rng) -> None:
    model = linear_model(1, "multi_label")
    assert model.predict(rng.standard_normal((5, 3))).shape == (5, 1)
    assert model.predict_proba(rng.standard_normal((5, 3))).shape == (5, 1)


def test_integer_targets_do_not_widen_float32(rng) -> None:
    model = Sequential([Dense(2)], dtype="float32")
    model.initialize((3,))
    model.set_loss("multi_label")
    X = rng.standard_normal((4, 3)).astype(np.float32)
    y = rng.integers(0, 2, (4, 2))
    loss = model.loss_and_grad(X, y)
    assert loss == model.loss_and_grad(X, y.astype(np.float32))


def test_what_does_not_fit() -> None:
    with pytest.raises(OptionError, match="Did you mean 'label_smoothing'"):
        linear_model(4, "categorical_cross_entropy", label_smooth=0.1)
    model = linear_model(1, "mean_squared_error")
    model.output_shape = (2, 2, 1)
    with pytest.raises(ShapeError, match=r"got \(m, 2, 2, 1\)\. End it with Flatten"):
        model._encode(np.zeros(1))


def test_a_loss_is_given_as_a_name_a_dictionary_or_an_object(rng) -> None:
    X, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    values = set()
    for given in ({"type": "huber", "delta": 0.5}, Huber(delta=0.5), Huber(0.5)):
        model = linear_model(2, given)
        assert model.loss_config == {"type": "huber", "delta": 0.5}
        values.add(loss_of(model, X, y))
    assert values == {loss_of(linear_model(2, "huber", delta=0.5), X, y)}
    for wrong in (3, ["huber"], {"delta": 1}, Adam()):
        with pytest.raises(OptionError, match="loss: expected a name"):
            linear_model(2, wrong)


def test_a_loss_that_is_not_registered_is_used_but_not_named(rng) -> None:
    class Doubled(Huber):
        def forward(self, Z, Y, *, weights=None, normalizer=None):
            loss, cache = super().forward(Z, Y, weights=weights, normalizer=normalizer)
            return 2 * loss, cache

    model, plain = linear_model(2, Doubled()), linear_model(2, "huber")
    X, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    assert model.loss == "custom"
    assert loss_of(model, X, y) == 2 * loss_of(plain, X, y)
    assert loss_of(copy.deepcopy(model), X, y) == loss_of(model, X, y)
