"""What scikit-learn's perceptrons do not have: each option does what it says, not only runs."""

import io
from typing import Any

import numpy as np
import pytest
import scipy.special
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.metrics import balanced_accuracy_score, get_scorer, log_loss, make_scorer, mean_absolute_error
from sklearn.utils.class_weight import compute_sample_weight
from tests.every import every

from pellucid import Activation, BatchNorm, Dense, Sequential
from pellucid.estimators import MLPClassifier, MLPRegressor
from pellucid.ops.losses.regression import Huber
from pellucid.progress import ProgressBar
from pellucid.training.events import EpochEnd, TrainStart
from pellucid.training.schedules.cosine import Cosine
from pellucid.types import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def digits() -> tuple[Array, Array]:
    X, y = load_digits(return_X_y=True)
    return X[:400] / 16, y[:400]


def filled(layers: Any, fitted: Any) -> Sequential:
    """Return a network with the weights of an estimator."""
    model = Sequential(layers, dtype="float64")
    model.initialize((64,))
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    for layer, W, b in zip(dense, fitted.coefs_, fitted.intercepts_, strict=True):
        layer.params["W"][...], layer.params["b"][...] = W, b
    return model


def test_an_activation_for_each_layer(digits: Any) -> None:
    X, y = digits
    names = ["tanh", "gelu", "identity", "silu", "elu", "leaky_relu"]
    fitted = MLPClassifier([8] * 6, names, max_iter=2, random_state=0).fit(X, y)
    layers = [Dense(8, None if name == "identity" else name) for name in names]
    model = filled([*layers, Dense(10)], fitted)
    logs = scipy.special.log_softmax(model._raw_outputs(X), axis=1)
    np.testing.assert_allclose(fitted.predict_log_proba(X), logs, rtol=1e-12, atol=1e-12)


def test_dropout_drops_in_training_only(digits: Any) -> None:
    X, y = digits
    plain, dropped = (
        MLPClassifier(50, dropout=rate, max_iter=60, random_state=0).fit(X, y) for rate in (0.0, [0.5])
    )
    assert dropped.loss_ > plain.loss_ * 1.2
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))
    again = MLPClassifier(50, dropout=0.5, max_iter=60, random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], dropped.coefs_[0])


def test_batch_norm_predicts_by_running_statistics(digits: Any) -> None:
    X, y = digits
    options: dict[str, Any] = {"batch_norm": True, "max_iter": 40, "learning_rate_init": 0.01}
    fitted = MLPClassifier((12, 6), random_state=0, **options).fit(X, y)
    assert fitted.score(X, y) > 0.9
    for norm in fitted.batch_norms_:
        assert sorted(norm) == ["beta", "gamma", "running_mean", "running_var"]
    hidden = [layer for n in (12, 6) for layer in (Dense(n), BatchNorm(), Activation("relu"))]
    model = filled([*hidden, Dense(10)], fitted)
    for layer, norm in zip(model.layers[1::3], fitted.batch_norms_, strict=True):
        for name, array in (*layer.params.items(), *layer.state.items()):
            array[...] = norm[name]
    logs = scipy.special.log_softmax(model._raw_outputs(X), axis=1)
    np.testing.assert_allclose(fitted.predict_log_proba(X), logs, rtol=1e-9, atol=1e-9)
    before = fitted.batch_norms_[0]["running_mean"].copy()
    moved = np.abs(fitted.partial_fit(X, y).batch_norms_[0]["running_mean"] - before).max()
    assert 0 < moved < np.abs(before).max()  # it went on from there


@every("class_weight", ["balanced", {0: 3.0}, {0: 0.5, 1: 4.0}])
def test_class_weight_is_a_sample_weight(class_weight: Any) -> None:
    X, y = make_classification(300, weights=[0.9], flip_y=0.1, random_state=0)
    weights = compute_sample_weight(class_weight, y)

    def fitted(class_weight: Any, sample_weight: Any) -> Any:
        estimator = MLPClassifier(5, class_weight=class_weight, max_iter=20, random_state=0)
        return estimator.fit(X, y, sample_weight=sample_weight).coefs_[0]

    np.testing.assert_array_equal(fitted(class_weight, None), fitted(None, weights))
    np.testing.assert_allclose(fitted(class_weight, weights), fitted(None, weights**2), atol=1e-12)


@every("n_classes", [2, 3])
def test_label_smoothing_is_training_on_softer_targets(n_classes: int, digits: Any) -> None:
    X, y = digits[0], digits[1] % n_classes
    plain = MLPClassifier((), solver="lbfgs", alpha=0.0, max_iter=300, random_state=0).fit(X, y)
    fitted = clone(plain).set_params(label_smoothing=0.2, max_iter=3000, max_fun=10**6, tol=1e-7).fit(X, y)
    P = fitted.predict_proba(X)
    assert P.max() < plain.predict_proba(X).max()
    softened = np.full((len(y), n_classes), 0.2 / n_classes)
    softened[np.arange(len(y)), y] += 0.8
    soft_loss = -(softened * np.log(P)).sum(axis=1).mean()
    assert fitted.loss_ == pytest.approx(soft_loss, rel=1e-9)


def test_losses_of_classifiers(digits: Any) -> None:
    X, y = digits
    focal = MLPClassifier(loss={"type": "focal", "gamma": 0.0}, max_iter=5, random_state=0).fit(X, y)
    plain = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(focal.coefs_[0], plain.coefs_[0], atol=1e-9)  # gamma 0 is the cross-entropy
    for labels in (y, y > 4):
        hinge = MLPClassifier(loss="hinge", random_state=0).fit(X, labels)
        assert hinge.score(X, labels) > 0.95
        assert not hasattr(hinge, "predict_proba")
        assert hinge.out_activation_ == "identity"


def test_losses_of_regressors(rng: np.random.Generator) -> None:
    X = rng.standard_normal((300, 1))
    y = 3 * X[:, 0]
    y[:30] += 100  # outliers
    errors = {}
    for loss in ("squared_error", "absolute_error", "mean_absolute_error", {"type": "huber", "delta": 0.5}):
        fitted = MLPRegressor(loss, (), solver="lbfgs", alpha=0.0, max_iter=500, random_state=0).fit(X, y)
        errors[str(loss)] = mean_absolute_error(y[30:], fitted.predict(X[30:]))
    assert errors.pop("squared_error") > 5
    fitted = MLPRegressor(Huber(delta=0.5), (), solver="lbfgs", alpha=0.0, max_iter=500, random_state=0)
    error = mean_absolute_error(y[30:], clone(fitted).fit(X, y).predict(X[30:]))
    assert error == errors[str({"type": "huber", "delta": 0.5})]  # an object is as good as its dictionary
    assert max(errors.values()) < 0.5
    half, whole = (
        MLPRegressor(loss, max_iter=3, alpha=0.0, random_state=0).fit(X, y)
        for loss in ("squared_error", "mean_squared_error")
    )
    assert half.loss_curve_[0] * 2 == pytest.approx(whole.loss_curve_[0])


@every("schedule", ["cosine", Cosine(warmup=0.2)])
def test_schedule(schedule: Any, digits: Any) -> None:
    fitted = MLPClassifier(5, schedule=schedule, max_iter=20, random_state=0, tol=0).fit(*digits)
    rates = fitted.history_.columns["learning_rate"]
    assert max(rates) <= 0.001
    assert rates[-1] < 1e-4
    assert not isinstance(schedule, Cosine) or schedule.n_steps == 1  # the parameter itself was not used


def test_a_schedule_takes_the_place_of_learning_rate(digits: Any) -> None:
    options = {"solver": "sgd", "schedule": "cosine", "tol": 10.0, "n_iter_no_change": 1, "random_state": 0}
    fitted = [MLPClassifier(learning_rate=name, **options).fit(*digits) for name in ("constant", "adaptive")]
    assert fitted[0].loss_curve_ == fitted[1].loss_curve_
    assert fitted[0].n_iter_ == 3


def test_callbacks_hear_everything(digits: Any) -> None:
    events: list[Any] = []

    def listen(event: Any) -> bool:
        events.append(event)
        return isinstance(event, EpochEnd) and event.epoch == 4

    fitted = MLPClassifier(5, callbacks=[listen], random_state=0).fit(*digits)
    assert isinstance(events[0], TrainStart)
    assert fitted.n_iter_ == 5
    assert [event.loss for event in events if isinstance(event, EpochEnd)] == fitted.loss_curve_


def test_validation_data(digits: Any) -> None:
    X, y = digits
    fitted = MLPClassifier(20, alpha=0.0, max_iter=5, random_state=0)
    fitted.fit(X[:300], y[:300], validation_data=(X[300:], y[300:]))
    assert len(fitted.val_loss_curve_) == 5
    loss = log_loss(y[300:], fitted.predict_proba(X[300:]))
    assert fitted.val_loss_curve_[-1] == pytest.approx(loss, rel=1e-12)
    assert fitted.validation_scores_ is None
    plain = clone(fitted).fit(X[:300], y[:300])
    np.testing.assert_array_equal(plain.coefs_[0], fitted.coefs_[0])
    regressor = MLPRegressor(max_iter=3, random_state=0)
    regressor.fit(X[:300], y[:300], validation_data=(X[300:], y[300:]))
    half_squares = ((regressor.predict(X[300:]) - y[300:]) ** 2).mean() / 2
    assert regressor.val_loss_curve_[-1] == pytest.approx(half_squares, rel=1e-12)


def test_the_loss_of_weighted_held_out_samples(digits: Any, rng: np.random.Generator) -> None:
    X, y = digits
    weights = rng.uniform(0, 3, 100)
    fitted = MLPClassifier(20, max_iter=3, random_state=0, early_stopping=True)
    fitted.fit(X[:300], y[:300], validation_data=(X[300:], y[300:], weights))
    assert fitted.validation_scores_[-1] == pytest.approx(fitted.score(X[300:], y[300:], weights))
    by_weight = log_loss(y[300:], fitted.predict_proba(X[300:]), sample_weight=weights)
    assert fitted.val_loss_curve_[-1] == pytest.approx(by_weight, rel=1e-12)


def test_scoring_decides_when_to_stop(digits: Any) -> None:
    X, y = digits
    held = (X[300:], y[300:] > 6)
    for scoring in ("neg_log_loss", "roc_auc", make_scorer(balanced_accuracy_score)):
        fitted = MLPClassifier(10, scoring=scoring, early_stopping=True, max_iter=15, random_state=0)
        fitted.fit(X[:300], y[:300] > 6, validation_data=held)
        assert get_scorer(scoring)(fitted, *held) == pytest.approx(max(fitted.validation_scores_), rel=1e-12)


def test_a_scorer_need_not_take_weights(digits: Any) -> None:
    X, y = digits
    options: dict[str, Any] = {"early_stopping": True, "max_iter": 2, "random_state": 0}
    fitted = MLPClassifier(class_weight="balanced", scoring=lambda estimator, X, y: 0.5, **options).fit(X, y)
    assert fitted.validation_scores_ == [0.5, 0.5]
    MLPRegressor(scoring="neg_max_error", **options).fit(X, y, sample_weight=np.ones(len(y)))
    with pytest.raises(ValueError, match="scoring must return a number, got None"):
        MLPClassifier(scoring=lambda *_: None, **options).fit(X, y)


def test_scoring_of_strings_with_feature_names() -> None:
    pd = pytest.importorskip("pandas", reason="needs pandas")
    X, y = make_classification(100, random_state=0)
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(20)])
    fitted = MLPClassifier(3, early_stopping=True, scoring="f1_macro", max_iter=3)
    fitted.fit(frame, np.where(y, "a", "b"))
    assert len(fitted.validation_scores_) == 3


@every(
    ("given", "asked", "wanted"),
    [("f4", None, "f4"), ("f8", "float32", "f4"), ("f4", np.float64, "f8"), ("i8", None, "f8")],
)
def test_dtype(given: str, asked: Any, wanted: str, digits: Any) -> None:
    X = digits[0].astype(given)
    fitted = MLPClassifier(5, dtype=asked, max_iter=1).fit(X, digits[1])
    arrays = fitted.coefs_[0], fitted.predict_proba(X), fitted.transform(X)
    assert {array.dtype for array in arrays} == {np.dtype(wanted)}
    assert MLPRegressor(dtype=asked, max_iter=1).fit(X, digits[1]).predict(X).dtype == np.dtype(wanted)


def test_progress_is_shown_unless_it_is_off_or_verbose(digits: Any, monkeypatch: Any) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    stream.isatty = lambda: True  # type: ignore[method-assign]
    home = "pellucid.training.callbacks.progress.ProgressBar"
    monkeypatch.setattr(home, lambda **_: ProgressBar(True, patience=0))
    MLPClassifier(5, progress=True, max_iter=3).fit(*digits)
    assert "epoch 1/3" in stream.getvalue()
    shown = stream.getvalue()
    for quiet in ({"progress": False}, {"verbose": True}):  # the lines of verbose, or nothing
        MLPClassifier(5, max_iter=3, **quiet).fit(*digits)
        assert stream.getvalue() == shown


def test_transform_gives_hidden_layers(digits: Any) -> None:
    X, y = digits
    fitted = MLPClassifier((12, 7), max_iter=3, random_state=0).fit(X, y)
    first = np.maximum(X @ fitted.coefs_[0] + fitted.intercepts_[0], 0)
    second = np.maximum(first @ fitted.coefs_[1] + fitted.intercepts_[1], 0)
    np.testing.assert_allclose(fitted.transform(X), second, atol=1e-12)
    np.testing.assert_allclose(fitted.transform(X, layer=0), first, atol=1e-12)
    np.testing.assert_allclose(fitted.transform(X, layer=-2), first, atol=1e-12)
    assert list(fitted.get_feature_names_out())[-1] == "mlpclassifier6"
    with pytest.raises(ValueError, match="from -2 to 1, got 2"):
        fitted.transform(X, layer=2)
    with pytest.raises(ValueError, match="there is no hidden layer"):
        MLPClassifier((), max_iter=1).fit(X, y).transform(X)
