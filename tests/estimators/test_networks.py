"""Estimators around any network: images and flat rows, presets, files, models of one's own, recipes."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from tests.every import every

import pellucid as pl
from pellucid.data.augmentation.augment import augment_preset
from pellucid.estimators import NetworkClassifier, NetworkRegressor
from pellucid.nn.freezing import frozen_names
from pellucid.training.recipes import RECIPES
from pellucid.training.schedules.cosine import Cosine
from pellucid.types import Array


@pytest.fixture(scope="module")
def cats() -> tuple[Array, Array]:
    data = pl.load_data("drawn-cats").train
    return data.X[:80, ::4, ::4], data.y[:80]  # (80, 16, 16, 3) bytes


def test_images_and_flat_rows_are_the_same(cats: Any) -> None:
    X, y = cats
    options = {"n_epochs": 2, "random_state": 0}
    images = NetworkClassifier("cnn", **options).fit(X, y)
    rows = NetworkClassifier("cnn", image_shape=(16, 16, 3), **options).fit(X.reshape(80, -1), y)
    np.testing.assert_array_equal(images.predict_proba(X), rows.predict_proba(X.reshape(80, -1)))
    np.testing.assert_array_equal(images.predict_proba(X.reshape(80, -1)), rows.predict_proba(X))
    assert images.sample_shape_ == rows.sample_shape_ == (16, 16, 3)
    assert images.n_features_in_ == 768
    assert images.model_.preprocessing.kind == "divide"
    np.testing.assert_allclose(images.predict_proba(X / 255), images.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(images.predict_proba(X.astype(float)), images.predict_proba(X))
    with pytest.raises(ValueError, match=r"the model was trained on uint8 from .* X is float64"):
        images.predict(X / 16)
    with pytest.raises(ValueError, match="X has 192 features, but NetworkClassifier is expecting 768"):
        images.predict(X[:, ::2, ::2])


def test_images_that_lie_on_their_side_are_refused(cats: Any) -> None:
    X, y = cats
    fitted = NetworkClassifier(n_epochs=1).fit(X[:, :8], y)
    with pytest.raises(ValueError, match=r"expected images of shape \(8, 16, 3\), got \(16, 8, 3\)"):
        fitted.predict(X[:, :, :8])
    grey = NetworkClassifier(n_epochs=1, image_shape=(16, 16, 1)).fit(X[..., 0], y)
    np.testing.assert_array_equal(grey.predict(X[..., 0]), grey.predict(X[..., :1]))


@every("name", ["logistic", "two-layer", "mlp", "mlp-small", "mlp-wide", "cnn", "resnet-small"])
def test_presets_with_their_recipes(name: str, cats: Any) -> None:
    X, y = cats
    estimator = NetworkClassifier(name, random_state=0, n_epochs=2).fit(X, y)
    assert estimator.n_iter_ == 2
    assert estimator.history_.n_steps == 2 * -(-80 // (RECIPES[name]["batch_size"] or 80))
    assert ("learning_rate" in estimator.history_.columns) == ("schedule" in RECIPES[name])
    assert type(estimator.model_).__name__ == "Sequential"
    assert estimator.model_.dtype == ("float64" if name in ("logistic", "two-layer", "mlp") else "float32")


def test_a_saved_model_is_the_estimators(cats: Any, tmp_path: Path) -> None:
    X, y = cats
    two, only = np.where(y == 1, "cat", "other"), np.full(len(y), "only")
    for labels, smoothing in ((two, 0.0), (two, 0.1), (only, 0.0)):
        fitted = NetworkClassifier(n_epochs=3, label_smoothing=smoothing, random_state=0).fit(X, labels)
        pl.save(fitted.model_, tmp_path / "m.safetensors")
        loaded = pl.load(tmp_path / "m.safetensors")
        assert loaded.classes == (("cat", "other") if labels is two else ())
        np.testing.assert_array_equal(loaded.predict_proba(X), fitted.model_.predict_proba(X))
        assert set(pickle.loads(pickle.dumps(fitted)).predict(X)) <= {*labels}


def test_labels_are_smoothed_as_the_recipe_says_unless_something_else_is_asked_for(cats: Any) -> None:
    X, y = cats

    def options(model: str = "cnn", **asked: Any) -> Any:
        fitted = NetworkClassifier(model, n_epochs=1, random_state=0, **asked).fit(X, y)
        assert set(fitted.predict(X)) <= {0, 1}
        return {key: value for key, value in fitted.model_.loss_config.items() if key != "type"}

    usual = {"label_smoothing": RECIPES["cnn"]["label_smoothing"]}
    assert options() == options(loss="log_loss") == options(loss={"type": "binary_cross_entropy"}) == usual
    assert options(label_smoothing=0) == options("mlp-wide") == options(loss="hinge") == {}
    assert options("mlp-wide", label_smoothing=0.3) == {"label_smoothing": 0.3}


LAYERS = """
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 5
activation = "tanh"
[[layers]]
type = "Dense"
units = 1
"""


def network_file(folder: Path, training: str) -> Path:
    """Write a network of five hidden units, with a table of its training."""
    (folder / "net.toml").write_text(f"{LAYERS}[training]\n{training}")
    return folder / "net.toml"


def test_a_file_with_its_training_and_its_loss(cats: Any, tmp_path: Path) -> None:
    X, y = cats
    usual = 'optimizer = "sgd"\nlearning_rate = 0.25\nepochs = 7\nschedule = "cosine"\nbatch_size = 0\n'
    path = network_file(tmp_path, usual)
    for model in (path, str(path)):
        fitted = clone(NetworkClassifier(model, random_state=0)).fit(X, y)
        assert (fitted.n_iter_, fitted.history_.n_steps) == (7, 7)
        assert fitted.history_.columns["learning_rate"][0] == 0.25
        assert fitted.transform(X).shape == (80, 5)
    assert NetworkClassifier(path, n_epochs=2, learning_rate=0.5, schedule=None).fit(X, y).n_iter_ == 2
    with pytest.raises(ValueError, match="expected 3 outputs for these targets, got \\(1,\\)"):
        NetworkClassifier(path).fit(X, np.arange(80) % 3)
    network_file(tmp_path, 'loss = { type = "focal", gamma = 1.0 }\nepochs = 2\naugment = "none"\n')
    assert NetworkClassifier(path).fit(X, y).model_.loss_config == {"type": "focal", "gamma": 1.0}
    assert NetworkClassifier(path, loss="log_loss").fit(X, y).model_.loss == "binary_cross_entropy"


def test_a_model_of_ones_own_and_fine_tuning(rng: np.random.Generator) -> None:
    X = rng.standard_normal((100, 4))
    y = X[:, 0] * 2
    model = pl.Sequential([pl.Dense(1)], dtype="float64")
    first = NetworkRegressor(model, optimizer="lbfgs", n_epochs=100).fit(X, y)
    before = first.model_.theta.copy()
    assert first.score(X, y) > 0.999
    tuned = NetworkRegressor(first.model_, n_epochs=1, learning_rate=1e-6).fit(X, y)
    assert tuned.score(X, y) > 0.999  # it began where the other ended
    moved = NetworkRegressor(first.model_, n_epochs=100, learning_rate=0.1, schedule=None).fit(X, y + 1)
    assert moved.score(X, y + 1) > 0.99  # and can be trained
    assert not model._is_initialized
    np.testing.assert_array_equal(first.model_.theta, before)


def test_options_reach_the_training(cats: Any) -> None:
    X, y = cats
    options = {"optimizer": "sgd", "learning_rate": 0.1, "n_epochs": 3, "random_state": 0}

    def history(**more: Any) -> Any:
        return NetworkClassifier("mlp-wide", **options, **more).fit(X, y).history_

    def loss(augment: Any) -> float:
        return NetworkClassifier("cnn", augment=augment, n_epochs=1, random_state=0).fit(X, y).loss_

    assert "learning_rate" not in history(schedule=None).columns
    assert history(schedule=Cosine()).columns["learning_rate"][-1] < 0.1
    assert history(batch_size=None).n_steps == 3
    assert loss("photo") == loss(augment_preset("photo")) != loss(None)
    assert NetworkClassifier(dtype="float64", n_epochs=1).fit(X, y).model_.dtype == "float64"
    assert NetworkClassifier(n_epochs=1).fit(X / 255, y).model_.dtype == "float64"


def test_early_stopping_and_warm_start(cats: Any) -> None:
    X, y = cats
    stopping = NetworkClassifier(early_stopping=True, n_iter_no_change=2, n_epochs=200, random_state=0)
    fitted = stopping.fit(X, y)
    assert fitted.n_iter_ < 200
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    easy = np.random.default_rng(0).standard_normal((200, 4)) + 6 * (np.arange(200) % 2)[:, None]
    level = NetworkClassifier(early_stopping=True, learning_rate=0.02, n_epochs=150, random_state=0)
    assert level.fit(easy, np.arange(200) % 2).n_iter_ < 100  # a score that only stays is not better
    held = (X[60:], y[60:])
    judged = NetworkClassifier(early_stopping=True, n_epochs=6, scoring="neg_log_loss", random_state=0)
    judged.fit(X[:60], y[:60], validation_data=held)
    wide = clone(judged).set_params(optimizer="sgd", form="dual").fit(X[:60], y[:60], validation_data=held)
    for each in (judged, wide):
        best = -log_loss(y[60:], each.predict_proba(X[60:]))
        assert max(each.validation_scores_) == pytest.approx(best, rel=1e-5)
    warm = NetworkClassifier(n_epochs=3, warm_start=True, random_state=0).fit(X, y)
    first = warm.loss_
    assert warm.fit(X, y).loss_ < first
    assert len(warm.loss_curve_) == 6
    with pytest.raises(ValueError, match="model: the weights to continue from belong to another"):
        warm.set_params(model="logistic").fit(X, y)


def test_several_labels_and_outputs(cats: Any, rng: np.random.Generator) -> None:
    X, y = cats
    Y = np.column_stack([y, 1 - y, y])
    fitted = NetworkClassifier(n_epochs=20, random_state=0).fit(X, Y)
    assert fitted.predict(X).shape == fitted.predict_proba(X).shape == (80, 3)
    assert fitted.model_.loss == "multi_label"
    rows = rng.standard_normal((60, 3))
    regressor = NetworkRegressor(optimizer="lbfgs", random_state=0).fit(rows, rows[:, :2])
    assert regressor.score(rows, rows[:, :2]) > 0.99
    counts = NetworkRegressor(loss="poisson", optimizer="lbfgs", random_state=0).fit(rows, np.exp(rows[:, 0]))
    assert (counts.predict(rows) > 0).all()
    assert counts.score(rows, np.exp(rows[:, 0])) > 0.95


def test_a_graph_trains_and_has_no_row_of_hidden_layers(rng: np.random.Generator) -> None:
    X = rng.standard_normal((20, 3))
    nodes = {"hidden": (pl.Dense(4, "tanh"), "x"), "both": ("concat", ["hidden", "x"])}
    graph = pl.Graph(["x"], {**nodes, "out": (pl.Dense(1), "both")}, "out")
    fitted = NetworkRegressor(graph, optimizer="lbfgs", random_state=0).fit(X, X[:, 0])
    assert fitted.score(X, X[:, 0]) > 0.99
    with pytest.raises(ValueError, match="there is no hidden layer"):
        fitted.transform(X)


def test_partial_fit_equals_fit(cats: Any) -> None:
    X, y = cats
    options = {"batch_size": 32, "n_epochs": 3, "random_state": 0}
    whole = NetworkClassifier("mlp-wide", **options).fit(X, y)
    parts = NetworkClassifier("mlp-wide", **options)
    for _ in range(3):
        parts.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(whole.model_.theta, parts.model_.theta)
    assert not hasattr(NetworkClassifier(optimizer="lbfgs"), "partial_fit")


def prices(rng: np.random.Generator) -> tuple[Array, Array]:
    X = rng.standard_normal((100, 4))
    return X, 1e5 * (3 + X[:, 0] + X[:, 1] * X[:, 2] / 2)


def test_a_preset_learns_quantities_in_any_unit(rng: np.random.Generator) -> None:
    X, y = prices(rng)
    first = NetworkRegressor("mlp-wide", n_epochs=40, random_state=1).fit(X, y, validation_data=(X, y))
    assert first.score(X, y) > 0.9
    assert max(first.val_loss_curve_) < 3  # of standardized targets
    tuned = NetworkRegressor(first.model_, n_epochs=1, learning_rate=1e-9).fit(X, 10 * y)
    assert tuned.score(X, y) > 0.9  # it began where that ended
    early = NetworkRegressor("mlp-wide", n_epochs=40, random_state=1, early_stopping=True).fit(X, y)
    assert early.best_validation_score_ > 0.5
    two = NetworkRegressor("mlp-wide", n_epochs=40, random_state=1).fit(X, np.c_[y, 1e-9 * y])
    assert two.score(X, np.c_[y, 1e-9 * y]) > 0.9
    assert two.partial_fit(X, np.c_[y, 1e-9 * y]).score(X, np.c_[y, 1e-9 * y]) > 0.9


def test_a_network_of_ones_own_takes_quantities_as_they_are(rng: np.random.Generator) -> None:
    X, y = prices(rng)
    for model, loss in ((None, None), (pl.Sequential([pl.Dense(1)]), None), ("mlp", "poisson")):
        regressor = NetworkRegressor(model, loss=loss, n_epochs=1, random_state=1).fit(X, y)
        assert len(regressor.model_.loss_config) == 1


def test_a_pickle_keeps_frozen_layers_and_the_inputs_range(rng: np.random.Generator) -> None:
    X, y = rng.random((40, 6)), np.arange(40) % 2
    model = pl.Sequential([pl.Dense(5, "relu"), pl.Dense(4, "relu"), pl.Dense(1)], dtype="float64")
    pl.train(model, (X, y), n_epochs=1)
    pl.freeze(model, "dense_2")
    fitted = NetworkClassifier(model, n_epochs=2, random_state=1).fit(X, y)
    for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert frozen_names(twin.model_) == ["dense_1", "dense_2"]
        assert twin.model_.inputs_seen == fitted.model_.inputs_seen
        assert twin.model_.inputs_seen is not None
        np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
        trained = twin.partial_fit(X, y).model_._leaves()
        np.testing.assert_array_equal(trained[1].params["W"], model._leaves()[1].params["W"])


def test_what_a_recipe_holds_out_is_held_out() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    y, labels = X[:, 0] + 3 * rng.standard_normal(300), X[:, 0] + rng.standard_normal(300) > 0
    for kind, targets in ((NetworkRegressor, y), (NetworkClassifier, labels)):
        model: Any = kind("realmlp", random_state=1).fit(X, targets)
        losses = model.val_loss_curve_
        assert model.n_iter_ == len(losses) == 34 + int(np.argmin(losses)) < 128
        assert model.validation_scores_ is None
        assert model.set_params(n_epochs=3).fit(X[:40], targets[:40]).val_loss_curve_ is None  # few
        assert model.fit(X[:100], targets[:100], validation_data=(X[100:], targets[100:])).n_iter_ == 3
        every = model.set_params(n_epochs=None, early_stopping=False).fit(X, targets)
        assert (every.n_iter_, every.val_loss_curve_) == (128, None)
    model = NetworkClassifier("realmlp", n_epochs=1).partial_fit(X, labels, classes=[False, True])
    assert model.partial_fit(X, labels).val_loss_curve_ is None
