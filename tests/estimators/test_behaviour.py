"""What scikit-learn documents of its perceptrons holds for ours: attributes, warnings, stopping, going on."""

import os
import signal
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from tests.every import every

from pellucid.estimators import MLPClassifier, MLPRegressor
from pellucid.training.events import EpochEnd
from pellucid.types import Array

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def iris() -> tuple[Array, Array]:
    X, y = load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def test_limits_that_are_reached_and_a_batch_that_is_clipped_warn(iris: Any) -> None:
    with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger than sample size"):
        MLPClassifier(batch_size=1000, tol=1.0, n_iter_no_change=1).fit(*iris)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        MLPClassifier(max_iter=3).fit(*iris)
    words = r"lbfgs failed to converge after 2 iteration\(s\) \(status=1\)"
    with pytest.warns(ConvergenceWarning, match=words):
        MLPClassifier(solver="lbfgs", max_iter=2).fit(*iris)
    with pytest.warns(ConvergenceWarning, match="EVALUATIONS"):
        fitted = MLPRegressor(solver="lbfgs", max_fun=5).fit(*iris)
    assert fitted.n_iter_ <= 5


def test_a_warm_start_with_other_layers_is_refused(iris: Any) -> None:
    fitted = MLPClassifier(tol=1.0, n_iter_no_change=1, warm_start=True).fit(*iris)
    with pytest.raises(ValueError, match=r"the weights to continue from have the shapes \[\(4, 100\)"):
        fitted.set_params(hidden_layer_sizes=3).fit(*iris)


@quiet
@every("options", [{}, {"solver": "sgd"}, {"dropout": 0.2}, {"schedule": "cosine"}, {"batch_norm": True}])
def test_so_many_partial_fits_are_one_fit(options: dict[str, Any], iris: Any) -> None:
    X, y = iris
    whole = MLPClassifier(8, batch_size=40, max_iter=5, tol=0, random_state=3, **options).fit(X, y)
    parts = MLPClassifier(8, batch_size=40, max_iter=5, tol=0, random_state=3, **options)
    assert [parts.partial_fit(X, y, classes=[0, 1, 2]).n_iter_ for _ in range(5)] == [1] * 5
    for a, b in zip(whole.coefs_, parts.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.loss_curve_, parts.loss_curve_)
    np.testing.assert_array_equal(whole.predict_proba(X), parts.predict_proba(X))
    assert whole.t_ == parts.t_ == 750


def test_verbose_prints(capsys: pytest.CaptureFixture[str], iris: Any) -> None:
    options = {"tol": 10.0, "n_iter_no_change": 1, "random_state": 0, "verbose": True}
    MLPClassifier(early_stopping=True, **options).fit(*iris)
    out = capsys.readouterr().out
    assert "Iteration 1, loss = " in out
    assert "Validation score: " in out
    assert "did not improve more than tol=10.000000 for 1 consecutive epochs. Stopping." in out
    MLPClassifier(solver="sgd", learning_rate="adaptive", **options).fit(*iris)
    out = capsys.readouterr().out
    assert "Training loss did not improve" in out
    assert "Setting learning rate to 0.000200" in out
    assert out.rstrip().endswith("Learning rate too small. Stopping.")


def test_a_diverging_fit_with_early_stopping_keeps_the_best(iris: Any) -> None:
    X, y = iris[0] * 100, iris[1]
    options = {"activation": "identity", "solver": "sgd", "learning_rate_init": 1.0, "random_state": 0}
    estimator = MLPRegressor(early_stopping=True, **options)
    with pytest.warns(ConvergenceWarning, match="The best parameters before that are kept"):
        estimator.fit(X, y)
    assert np.isnan(estimator.validation_scores_[-1])
    assert len(estimator.validation_scores_) == len(estimator.val_loss_curve_) == estimator.n_iter_
    assert len(estimator.loss_curve_) == estimator.n_iter_
    assert all(np.isfinite(W).all() for W in estimator.coefs_)


@quiet
def test_ctrl_c_ends_well(iris: Any) -> None:
    def press(event: Any) -> None:
        if isinstance(event, EpochEnd) and event.epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = MLPClassifier(callbacks=[press]).fit(*iris)
    assert fitted.n_iter_ < 10
    assert fitted.predict(iris[0]).shape == (150,)


def test_one_class(iris: Any) -> None:
    fitted = MLPClassifier(tol=1.0, n_iter_no_change=1).fit(iris[0], np.full(150, "only"))
    assert set(fitted.predict(iris[0])) == {"only"}
    np.testing.assert_array_equal(fitted.predict_proba(iris[0]), np.ones((150, 1)))
    np.testing.assert_array_equal(fitted.predict_log_proba(iris[0]), np.zeros((150, 1)))


@quiet
def test_probabilities_are_consistent(iris: Any) -> None:
    X, y = iris
    for labels in (y, y == 0, np.column_stack([y > 0, y > 1]).astype(int)):
        fitted = MLPClassifier(max_iter=300, solver="lbfgs", random_state=0).fit(X, labels)
        P, logs = fitted.predict_proba(X), fitted.predict_log_proba(X)
        assert np.isfinite(logs).all()
        np.testing.assert_allclose(np.exp(logs), P, atol=1e-12)
        np.testing.assert_array_equal(logs.argmax(axis=1), P.argmax(axis=1))
        if labels.ndim == 1:
            np.testing.assert_allclose(P.sum(axis=1), 1)
            np.testing.assert_array_equal(fitted.classes_[P.argmax(axis=1)], fitted.predict(X))


@quiet
def test_weights_set_by_hand_are_used(iris: Any) -> None:
    fitted = MLPClassifier(4, max_iter=1, random_state=0).fit(*iris)
    fitted.coefs_[1] = np.zeros((4, 3))
    fitted.intercepts_[1] = np.array([0.0, 5.0, 0.0])
    assert set(fitted.predict(iris[0])) == {1}
    fitted.partial_fit(*iris)
    assert np.abs(fitted.coefs_[1]).max() < 0.01  # it went on from there
