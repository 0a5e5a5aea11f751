"""Predictions in one pass, the galleries of samples, and the linear model beside a network."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import ttest_rel
from tests.every import every

import pellucid as pl
from pellucid.checks.classes import constant_scores
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.evaluation.robustness.try_perturbations import robustness
from pellucid.evaluation.scores.galleries import GALLERIES, confusion_cells, pick, sample_prediction
from pellucid.evaluation.scores.linear_baseline import compared, linear_baseline
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.presets import preset
from pellucid.nn.sequential import Sequential
from pellucid.prediction.confusion import confusion_matrix
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, log_odds, predict
from pellucid.runs.run import read_run
from pellucid.stats.intervals import wilson_interval
from pellucid.training.fit import train
from pellucid.types import Array
from pellucid.workflows.run import run


def test_baseline_is_the_commonest_class() -> None:
    result = confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), ("dog", "cat"))
    assert result.baseline == pytest.approx(2 / 3)
    assert result.majority_class == "cat"
    assert result.n_correct == 2
    assert result.accuracy_interval == result.baseline_interval == wilson_interval(2, 3)
    assert result.to_dict()["accuracy_interval"] == list(wilson_interval(2, 3))


def trained(data: Dataset, *, n_outputs: int = 1, loss: str | None = None) -> Model:
    model = Sequential([Dense(n_outputs)])
    train(model, data, n_epochs=3, loss=loss)
    return model


@pytest.fixture
def pair(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.standard_normal((6, 2)), np.arange(6) % 2, ("a", "b"))


def test_evaluate_checks_classes_shape_and_emptiness(pair: Dataset) -> None:
    model = preset("logistic")
    train(model, pair, n_epochs=3)
    assert predict(model, pair).confusion.n_samples == 6
    for data, error, expected in (
        (
            Dataset(pair.X, pair.y, ("a", "c")),
            DataError,
            "knows the classes a, b, the data have a, c: c cann",
        ),
        (Dataset(pair.X[:, :1], pair.y, ("a", "b")), ShapeError, r"as the model was trained on, got \(1,\)"),
        (pair.take(slice(0)), DataError, "at least one sample"),
        (Dataset(pair.X, np.arange(6)), DataError, "labels 0 to 1, the data have labels from 0 to 5"),
        (Dataset(pair.X, np.arange(6) - 1), DataError, "labels 0 to 1, the data have labels from -1 to 4"),
        (Dataset(pair.X, pair.y * 0.5), DataError, "is a classifier, the data have quantities"),
    ):
        with pytest.raises(error, match=expected):
            predict(model, data)
    with pytest.raises(ShapeError, match="got 6 samples with 4 labels"):
        predict(model, Dataset(pair.X, pair.y[:4], ("a", "b")))


def test_classes_are_matched_by_name(rng: np.random.Generator) -> None:
    X = rng.standard_normal((30, 2))
    data = Dataset(X, X.argmax(axis=1), ("a", "b"))
    model = preset("logistic")
    train(model, data, n_epochs=50)
    straight = predict(model, data).confusion
    turned = predict(model, Dataset(X, 1 - data.y, ("b", "a"))).confusion
    np.testing.assert_array_equal(turned.counts, straight.counts)
    only_b = data.take(np.flatnonzero(data.y == 1))
    fewer = predict(model, Dataset(only_b.X, np.zeros(len(only_b), int), ("b",))).confusion
    assert fewer.counts.tolist() == [[0, 0], straight.counts[1].tolist()]
    assert fewer.classes == ("a", "b")


def test_weights_and_scores_that_are_nan_are_reported(pair: Dataset) -> None:
    model = trained(pair)
    weights = model.theta.copy()
    model.theta[1] = np.nan
    with pytest.raises(PellucidError, match="1 of the model's 3 weights are NaN or infinite"):
        predict(model, pair)
    model.theta[...] = weights
    X = pair.X.astype(np.float32)
    X[4, 0] = np.nan
    told = "scores of 1 of 6 samples are NaN or infinite, the first those of sample 4"
    with pytest.raises(PellucidError, match=told):
        predict(model, Dataset(X, pair.y, pair.classes))
    model.theta[...] = 3e38
    with pytest.raises(PellucidError, match=r"scores of \d of 6 samples are NaN or infinite"):
        predict(model, Dataset(np.abs(X[:, ::-1]) + 10, pair.y, pair.classes))


def test_hinge_and_many_classes_predict_as_the_model_does(rng: np.random.Generator) -> None:
    data = Dataset(rng.standard_normal((40, 3)), np.arange(40) % 3, ("a", "b", "c"))
    for loss in ("categorical_cross_entropy", "hinge", "focal"):
        model = trained(data, n_outputs=3, loss=loss)
        outputs = predict(model, data)
        np.testing.assert_array_equal(outputs.y_pred, model.predict(data.X))
        np.testing.assert_array_equal(outputs.scores.argmax(axis=1), outputs.y_pred)
        assert outputs.has_probabilities == (loss != "hinge")
        if outputs.has_probabilities:
            P = model.predict_proba(data.X)
            np.testing.assert_allclose(1 / (1 + np.exp(-outputs.scores)), P, rtol=1e-5)
    two = Dataset(data.X, data.y % 2, ("a", "b"))
    for loss in ("binary_cross_entropy", "hinge"):
        model = trained(two, loss=loss)
        outputs = predict(model, two)
        np.testing.assert_array_equal(outputs.y_pred, model.predict(two.X))
        assert outputs.has_probabilities == (loss != "hinge")


def test_labels_and_quantities_are_checked_too(rng: np.random.Generator) -> None:
    X = rng.standard_normal((8, 2))
    data = Dataset(X, rng.integers(0, 2, (8, 2)), ("wet", "cold"))
    model = trained(data, n_outputs=2, loss="multi_label")
    outputs = predict(model, data)
    np.testing.assert_array_equal(outputs.y_pred, model.predict(X))
    turned = predict(model, Dataset(X, data.y[:, ::-1], ("cold", "wet")))
    np.testing.assert_array_equal(turned.y_true, outputs.y_true)
    with pytest.raises(DataError, match="dry cannot be predicted"):
        predict(model, Dataset(X, data.y, ("wet", "dry")))
    with pytest.raises(DataError, match=r"predicts 2 labels a sample.*the data have one class a sample"):
        predict(model, Dataset(X, np.arange(8) % 2, ("a", "b")))
    numbers = Dataset(X, X.sum(axis=1))
    model = trained(numbers, loss="mean_squared_error")
    np.testing.assert_allclose(predict(model, numbers).y_pred[:, 0], model.predict(X), rtol=1e-6)
    with pytest.raises(ShapeError, match="predicts 1 quantities a sample, the data have 2"):
        predict(model, Dataset(X, X))


def test_models_of_several_outputs_have_no_one_score(rng: np.random.Generator) -> None:
    model = SimpleNamespace(_loss=SimpleNamespace(kind="joint"))
    with pytest.raises(OptionError, match="several outputs"):
        predict(model, Dataset(rng.standard_normal((2, 2)), np.zeros(2)))  # type: ignore[arg-type]


def test_the_majority_class_is_that_of_the_training_part(rng: np.random.Generator, tmp_path: Path) -> None:
    y = np.repeat([0, 1, 0, 1], [30, 10, 4, 16])  # most are 0 in training, 1 in the test part
    X = rng.integers(0, 256, (60, 6, 6, 3), dtype=np.uint8)
    names = ("no", "yes")
    parts = Split(Dataset(X[:40], y[:40], names), Dataset(X[40:], y[40:], names))
    model = Sequential([Flatten(), Dense(1)])
    train(model, parts.train, n_epochs=2)
    pl.save(model, tmp_path / "model.safetensors")
    again = pl.load(tmp_path / "model.safetensors")
    other = pl.load(tmp_path / "model.safetensors")
    other._summary_of_training = {}  # as of a model that was trained elsewhere
    turned = Dataset(parts.test.X, 1 - parts.test.y, names[::-1])
    counts = [np.bincount(part.y) for part in (parts.train, parts.test)]
    baselines = {
        "data check": constant_scores(names, *counts)["train_majority"].n_correct / 20,
        "evaluate": pl.evaluate(model, parts.test, n_resamples=5)["baseline"].value,
        "of a file": pl.evaluate(again, parts.test, n_resamples=5)["baseline"].value,
        "other order": pl.evaluate(again, turned, n_resamples=5)["baseline"].value,
        "given": pl.evaluate(other, parts.test, parts.train, n_resamples=5)["baseline"].value,
        "robustness": robustness(model, parts.test, perturbations=["rotation"]).baseline,
        "metrics": metrics_of(predict(model, parts.test))["baseline"],
    }
    assert baselines == dict.fromkeys(baselines, 0.2)
    found = pl.evaluate(model, parts.test, n_resamples=5)
    assert found.versus_baseline.only_b == ((parts.test.y == 0) & ~found.predictions.is_correct).sum()
    assert "Baseline (always 'no') 20 %" in found.headline
    unknown = pl.evaluate(other, parts.test, n_resamples=5)
    assert unknown["baseline"].value == 0.8
    assert "Baseline (always 'yes') 80 %" in unknown.headline


def predictions_of(y: Array, Z: Array, *, has_probabilities: bool = True) -> Predictions:
    """Predictions of logits: (m,) of two classes, or (m, k)."""
    scores = np.stack([-Z, Z], axis=1) if Z.ndim == 1 else log_odds(Z)
    names = tuple(f"class {c}" for c in range(scores.shape[1]))
    return Predictions("classification", y, scores.argmax(axis=1), scores, has_probabilities, names)


@pytest.fixture
def predictions(rng: np.random.Generator) -> Predictions:
    """Of 400 samples in 7 classes, about half of them correct."""
    Z = rng.normal(0, 2, (400, 7))
    return predictions_of(np.where(rng.random(400) < 0.5, Z.argmax(axis=1), rng.integers(0, 7, 400)), Z)


@every("n", [None, 1, 12, 5000])
def test_each_gallery_by_its_plain_twin(predictions: Predictions, n: int | None) -> None:
    y, P = predictions.y_true, predictions.probabilities
    rows = range(len(y))
    wrong = [i for i in rows if P[i].argmax() != y[i]]
    right = [i for i in rows if P[i].argmax() == y[i]]
    assert wrong
    assert right
    twins = {
        "mistakes": wrong,
        "confident mistakes": sorted(wrong, key=lambda i: -P[i].max()),
        "highest losses": sorted(rows, key=lambda i: P[i, y[i]]),
        "confident hits": sorted(right, key=lambda i: -P[i].max()),
    }
    assert list(twins) == list(GALLERIES)
    for kind, twin in twins.items():
        assert pick(kind, predictions, n).tolist() == twin[:n], kind


def test_the_cells_hold_every_sample_once_the_most_confident_first(predictions: Predictions) -> None:
    cells = confusion_cells(predictions)
    assert sorted(np.concatenate(list(cells.values())).tolist()) == list(range(len(predictions)))
    for (true, predicted), inside in cells.items():
        assert (predictions.y_true[inside] == true).all()
        assert (predictions.y_pred[inside] == predicted).all()
        assert (np.diff(predictions.confidences[inside]) <= 0).all()


def test_losses_stay_exact_where_probabilities_are_rounded() -> None:
    found = predictions_of(np.array([0, 0, 1]), np.array([900.0, 40.0, -800.0]))
    assert found.losses.tolist() == [900, 40, 800]
    assert pick("highest losses", found).tolist() == [0, 2, 1]
    assert [sample_prediction(found, i).loss for i in range(3)] == [900, 40, 800]
    assert sample_prediction(found, 2).probability == 1


def test_equal_confidences_stay_in_the_order_of_the_data() -> None:
    found = predictions_of(np.array([1, 0, 0]), np.array([1.0, 1.0, 1.0]))
    assert pick("confident mistakes", found).tolist() == [1, 2]
    assert not sample_prediction(found, 1).is_correct


def test_what_does_not_fit_is_refused() -> None:
    found = predictions_of(np.array([0, 1]), np.array([0.2, 0.3]))
    with pytest.raises(OptionError, match="no probabilities"):
        pick("highest losses", predictions_of(found.y_true, found.scores[:, 1], has_probabilities=False))


@pytest.mark.parametrize("is_class", [True, False])
def test_next_to_a_network(is_class: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).round(4)
    y = np.where(X[:, 0] > 0, "yes", "no") if is_class else (X[:, 0] * 3).round(4)
    rows = [f"{a},{b},{label}" for (a, b), label in zip(X, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]))
    source = DataSource(str(tmp_path / "t.csv"), target="y")
    said: list[str] = []
    run("mlp-small", source, out=tmp_path / "run", n_epochs=2, say=said.append)
    found = linear_baseline(read_run(tmp_path / "run"))
    assert found is not None
    page = (tmp_path / "run" / "report.html").read_text()
    assert found.headline.replace("\u00a0", " ") in page.replace("\u00a0", " ")
    assert found.metric == ("accuracy" if is_class else "r_squared")
    assert found.linear > 0.95
    assert found.linear > found.network
    assert found.verdict == ("" if is_class else "worse")
    assert found.headline in said
    run("linear", source, out=tmp_path / "linear", say=said.append)
    assert linear_baseline(read_run(tmp_path / "linear")) is None


def test_the_paired_test_of_numbers() -> None:
    rng = np.random.default_rng(1)
    y, a, b = rng.normal(size=(3, 50, 1))
    network, linear = (Predictions("regression", y, each, np.zeros((50, 0)), False, ()) for each in (a, b))
    found = compared(network, linear)
    assert found.p_value == pytest.approx(ttest_rel(((a - y) ** 2).ravel(), ((b - y) ** 2).ravel()).pvalue)
    assert compared(network, network).p_value is None
