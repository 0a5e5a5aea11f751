"""The same numbers as scikit-learn, to the last digits, wherever nothing is drawn but the start."""

from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_multilabel_classification
from tests.every import every

import pellucid.estimators as ours
from pellucid.types import Array

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

SOLVERS = [
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.25, "learning_rate_init": 0.2},
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "alpha": 0.5},
    {"solver": "lbfgs", "alpha": 0.1},
]


def digits() -> tuple[Array, Array]:
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


def both(kind: str, X: Array, y: Array, fit: dict[str, Any] | None = None, **options: Any) -> tuple[Any, Any]:
    options = {"random_state": 3, "shuffle": False, "max_iter": 12, "hidden_layer_sizes": (12, 7), **options}
    a, b = (getattr(module, kind)(**options).fit(X, y, **(fit or {})) for module in (theirs, ours))
    return a, b


def assert_same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    for wanted, got in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=rtol * max(1, np.abs(wanted).max()))
    assert b.loss_ == pytest.approx(a.loss_, rel=rtol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        assert hasattr(a, name) == hasattr(b, name), name
        if getattr(a, name, None) is not None:
            np.testing.assert_allclose(getattr(b, name), getattr(a, name), rtol=rtol, err_msg=name)


@every("options", SOLVERS, ids=str)
def test_classifier(options: dict[str, Any]) -> None:
    X, y = digits()
    a, b = both("MLPClassifier", X, y, **options)
    assert_same(a, b)
    np.testing.assert_allclose(b.predict_proba(X), a.predict_proba(X), rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(b.predict(X), a.predict(X))
    np.testing.assert_array_equal(b.classes_, a.classes_)


@every("activation", ["identity", "logistic", "tanh", "relu"])
def test_activations(activation: str) -> None:
    assert_same(*both("MLPClassifier", *digits(), activation=activation))
    assert_same(*both("MLPClassifier", *digits(), activation=activation, hidden_layer_sizes=()))


@every("options", SOLVERS[3:], ids=str)
@every("loss", ["squared_error", "poisson"])
def test_regressor(options: dict[str, Any], loss: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:150] * 10, y[:150] / 100
    a, b = both("MLPRegressor", X, y, loss=loss, **options)
    assert_same(a, b)
    np.testing.assert_allclose(b.predict(X), a.predict(X), rtol=1e-7)


@every("loss", ["squared_error", "poisson"])
def test_several_outputs_and_weights(loss: str, rng: np.random.Generator) -> None:
    X, y = load_diabetes(return_X_y=True)
    fit = {"sample_weight": rng.uniform(0.1, 3, 150)}
    Y = np.column_stack([y[:150], y[150:300]]) / 100
    assert_same(*both("MLPRegressor", X[:150], Y, fit, loss=loss))


@every("solver", ["sgd", "adam", "lbfgs"])
def test_several_labels(solver: str) -> None:
    X, Y = make_multilabel_classification(120, random_state=0)
    a, b = both("MLPClassifier", X, Y, solver=solver)
    assert_same(a, b)
    np.testing.assert_array_equal(b.predict(X), a.predict(X))
    np.testing.assert_allclose(b.predict_proba(X), a.predict_proba(X), rtol=1e-7)


@every("batch_size", [7, 50, "auto"])
@every("solver", ["sgd", "adam"])
def test_batches_of_any_size_and_weights(batch_size: Any, solver: str, rng: np.random.Generator) -> None:
    X, y = digits()
    weights = rng.uniform(0.1, 3, len(y))
    options = {"batch_size": batch_size, "solver": solver, "alpha": 0.3}
    assert_same(*both("MLPClassifier", X, y, {"sample_weight": weights}, **options))


def test_lbfgs_stops_where_it_does_there() -> None:
    X, y = load_diabetes(return_X_y=True)
    options = {"solver": "lbfgs", "max_iter": 2000, "hidden_layer_sizes": (), "tol": 1e-9}
    a, b = both("MLPRegressor", X * 10, y / 100, **options)
    assert 5 < a.n_iter_ == b.n_iter_


@every("nesterov", [True, False])
@every("learning_rate", ["constant", "adaptive"])
def test_stopping_by_loss(learning_rate: str, nesterov: bool) -> None:
    X, y = digits()
    options: dict[str, Any] = {"learning_rate": learning_rate, "nesterovs_momentum": nesterov}
    options |= {"solver": "sgd", "tol": 0.01, "n_iter_no_change": 3, "learning_rate_init": 0.2}
    a, b = both("MLPClassifier", X, y, max_iter=400, **options)
    assert 3 < a.n_iter_ < 400
    assert_same(a, b, 1e-7)


@every("solver", ["sgd", "adam"])
def test_early_stopping_of_two_classes(solver: str) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    options = {"early_stopping": True, "max_iter": 60, "n_iter_no_change": 4, "learning_rate_init": 0.01}
    a, b = both("MLPClassifier", X, y, solver=solver, **options)
    assert a.n_iter_ < 60
    assert_same(a, b)


def test_early_stopping_of_a_regressor_with_weights(rng: np.random.Generator) -> None:
    X, y = load_diabetes(return_X_y=True)
    fit = {"sample_weight": rng.uniform(0.1, 3, len(y))}
    options = {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.01, "n_iter_no_change": 3}
    assert_same(*both("MLPRegressor", X * 10, y / 100, fit, **options))


@every("options", [SOLVERS[1], SOLVERS[3], SOLVERS[4]], ids=str)
def test_warm_start_and_partial_fit(options: dict[str, Any]) -> None:
    X, y = digits()
    settings = {"random_state": 3, "shuffle": False, "max_iter": 4, "hidden_layer_sizes": 9, **options}
    pair = [module.MLPClassifier(warm_start=True, **settings) for module in (theirs, ours)]
    for estimator in pair:
        estimator.fit(X, y).fit(X, y)
    assert_same(*pair)
    pair = [module.MLPClassifier(**settings) for module in (theirs, ours)]
    for estimator in pair:
        for start in (0, 100, 200, 0):
            estimator.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.arange(10))
    assert_same(*pair)


def test_patience_and_the_best_go_on_over_warm_starts() -> None:
    X, y = digits()
    options = {"random_state": 3, "shuffle": False, "max_iter": 3, "tol": 10.0, "n_iter_no_change": 4}
    pair = [module.MLPClassifier(9, warm_start=True, **options) for module in (theirs, ours)]
    lengths = [[estimator.fit(X, y).n_iter_ for _ in range(3)] for estimator in pair]
    assert lengths[0] == lengths[1] == [3, 3, 1]
    assert pair[0].best_loss_ == pytest.approx(pair[1].best_loss_)


@every("learning_rate", ["constant", "invscaling"])
def test_float32_stays_and_comes_near(learning_rate: str) -> None:
    X, y = digits()
    options = {"solver": "sgd", "learning_rate_init": 0.1, "learning_rate": learning_rate}
    a, b = both("MLPClassifier", X.astype(np.float32), y, **options)
    assert {array.dtype for array in b.coefs_ + b.intercepts_} == {np.dtype(np.float32)}
    assert b.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_same(a, b, 1e-4)
