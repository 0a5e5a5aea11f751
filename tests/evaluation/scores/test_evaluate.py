"""The assessment as a whole: the published run, data of one class, labels, quantities, leaks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.evaluation.scores.evaluate import evaluate, score
from pellucid.prediction.predict import Predictions
from pellucid.stats.bootstrap import bootstrap
from pellucid.types import Array


def outputs_of(y: Array, score: Array, names: tuple[str, ...] = ("no", "yes")) -> Predictions:
    scores = np.stack([-score, score], axis=1)
    return Predictions("classification", y, (score > 0).astype(int), scores, True, names)


@pytest.fixture
def outputs(rng: np.random.Generator) -> Predictions:
    y = np.repeat([0, 1], [40, 20])
    return outputs_of(y, rng.normal(size=60) + 1.2 * y - 0.5)


@pytest.mark.slow
def test_the_published_run(published_folder: Path) -> None:
    photos = pl.load_data("catvnoncat")
    result = evaluate(pl.load(published_folder), photos.test, train=photos.train)
    assert [f"{value:.2f}" for value in result.estimates["baseline"][:3]] == ["0.34", "0.22", "0.48"]
    assert [tuple(leak) for leak in result.predictions.leaks] == [(17, 146, "exact")]
    without = result.without_leaks
    assert without is not None
    assert (len(without), without.confusion.n_correct) == (49, 39)  # type: ignore[union-attr]
    accuracy = "Test accuracy 80 % (40/50, 95 % interval 67 to 89 %)"
    assert result.headline == f"{accuracy}. Baseline (always 'non-cat') 34 %."
    (leak,) = (note for note in result.notes if "17 = training 146" in note)
    assert "Without: Test accuracy 80 % (39/49" in leak


def test_log_loss_and_brier_intervals_are_those_of_their_means(outputs: Predictions) -> None:
    P = 1 / (1 + np.exp(-outputs.scores[np.arange(60), outputs.y_true]))
    ours = score(outputs).estimates
    for name, losses in (("log_loss", -np.log(P)), ("brier", (1 - P) ** 2)):
        values = bootstrap(lambda counts, losses=losses: losses @ counts / 60, 60, strata=outputs.y_true)
        assert ours[name].value == pytest.approx(losses.mean())
        assert ours[name][1:3] == pytest.approx(tuple(np.quantile(values, (0.025, 0.975))))


def test_levels_seeds_and_resamples_count(outputs: Predictions) -> None:
    def widths(**options: Any) -> Array:
        estimates = score(outputs, **options).estimates
        return np.array([e.high - e.low for e in estimates.values()])  # type: ignore[operator]

    assert (widths(level=0.8) < widths()).all()
    assert (widths() == widths(seed=1)).all()
    assert (widths() != widths(seed=2)).any()
    assert score(outputs, level=0.8).to_dict()["level"] == 0.8


@every("label", [0, 1])
def test_one_class_only_has_no_ranking_and_says_so(label: int, rng: np.random.Generator) -> None:
    result = score(outputs_of(np.full(12, label), rng.normal(size=12)))
    name = ("no", "yes")[label]
    assert result.estimates["roc_auc"].value is None
    assert f"every sample is {name!r}" in result.per_class[label].estimates["roc_auc"].reason
    assert result.per_class[1 - label].estimates["recall"].value is None
    assert result.per_class[0].roc is None
    content = json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads(content)["estimates"]["roc_auc"]["value"] is None
    assert any(f"No sample is {('no', 'yes')[1 - label]}" in line for line in result.notes)


def test_a_class_that_is_never_named_counts_as_none_right() -> None:
    result = score(outputs_of(np.arange(10) % 2, np.full(10, 1.0)))
    assert result.per_class[0].estimates["precision"].reason == "no sample was predicted as 'no'"
    assert result.estimates["precision"].value == 0.25
    assert result.estimates["balanced_accuracy"].value == 0.5


def test_all_samples_leaked_leaves_none(rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((12, 2)), np.arange(12) % 2, ("a", "b"))
    model = pl.preset("logistic")
    pl.train(model, data, n_epochs=3)
    result = evaluate(model, data.take(slice(4)), data)
    assert [leak.test for leak in result.predictions.leaks] == [0, 1, 2, 3]
    assert result.without_leaks is None
    assert any("none is left" in note for note in result.notes)
    part = evaluate(model, data.take(slice(6)), train=data.take(slice(2)))
    assert part.without_leaks is not None
    direct = evaluate(model, data.take(slice(2, 6)))
    assert part.without_leaks.estimates == direct.estimates


def test_several_labels(rng: np.random.Generator) -> None:
    X = rng.standard_normal((80, 3))
    data = pl.Dataset(X, (X + rng.normal(0, 0.7, X.shape) > 0.4).astype(int), ("wet", "cold", "dark"))
    model = pl.Sequential([pl.Dense(3)])
    pl.train(model, data, n_epochs=100, loss="multi_label")
    result = evaluate(model, data)
    hits = model.predict(X) == data.y
    assert result.estimates["label_accuracy"].value == pytest.approx(hits.mean())
    assert result.estimates["exact_match"].value == pytest.approx(hits.all(axis=1).mean())
    loss = model._measure(X.astype(np.float32), model._encode(data.y))["loss"]
    assert result.estimates["log_loss"].value == pytest.approx(loss, rel=1e-5)
    for j, figures in enumerate(result.per_class):
        value, low, high, _ = figures.estimates["accuracy"]
        assert value == pytest.approx(hits[:, j].mean())
        assert low < value < high
        assert figures.estimates["baseline"].value == max(data.y[:, j].mean(), 1 - data.y[:, j].mean())
        scores = model.decision_function(X)[:, j]
        assert figures.estimates["roc_auc"].value == pytest.approx(sk.roc_auc_score(data.y[:, j], scores))
    written = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert written["per_label"]["cold"] == pytest.approx(hits[:, 1].mean())
    assert result.headline.startswith("Exact match ")
    assert [row[0] for row in result.class_table()[1]] == ["wet", "cold", "dark"]


def test_targets_of_one_value_have_no_r_squared() -> None:
    y, y_pred = np.full((5, 1), 0.1), np.arange(5.0)[:, None]
    result = score(Predictions("regression", y, y_pred, np.empty((5, 0)), False, ()))
    assert result.estimates["r_squared"].value is None
    assert "same target" in result.estimates["r_squared"].reason
    json.dumps(result.to_dict(), allow_nan=False)


def test_progress_is_shown(rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((12, 2)), np.arange(12) % 2, ("a", "b"))
    model = pl.preset("logistic")
    pl.train(model, data, n_epochs=3)
    shown: list[tuple[str, int, int]] = []
    evaluate(model, data, progress=lambda *what: shown.append(what))
    assert shown[1] == ("predicting", 12, 12)
    assert shown[-1] == ("resampling", 2000, 2000)


def test_scores_show_themselves_in_a_terminal_and_a_notebook(outputs: Predictions) -> None:
    result = score(outputs, n_resamples=100)
    assert result.accuracy == result["accuracy"].value == outputs.is_correct.mean()
    assert str(result).startswith(result.headline)
    assert len(result.to_rows()) == len(result.to_frame()) == len(result.estimates)
    assert result.to_rows()[0] == {"score": "accuracy", **result["accuracy"].to_dict()}
    page = result._repr_html_()
    assert page.count("<table>") == 3, "scores, classes, confusions"
    assert repr(result) == f"Scores(classification, 60 samples, accuracy {result.accuracy:.4g})"
    y = np.arange(6.0)[:, np.newaxis]
    quantities = score(Predictions("regression", y, y + 1, np.empty((6, 0)), False, ()), n_resamples=100)
    assert quantities._repr_html_().count("<table>") == 1
    with pytest.raises(OptionError, match="mean_absolute_error"):
        quantities.accuracy  # noqa: B018
