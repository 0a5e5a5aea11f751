"""Figures of an assessment: that they hold its numbers, for two classes, many, labels, and none that is defined."""

import warnings

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from pellucid.errors import OptionError
from pellucid.evaluation.scores import plot_scores as draw
from pellucid.evaluation.scores.evaluate import score
from pellucid.evaluation.scores.scores import Scores
from pellucid.plotting.saving import figure_png
from pellucid.prediction.predict import Predictions, log_odds
from pellucid.types import Array


def of_classes(k: int, m: int, *, only: int | None = None, has_probabilities: bool = True) -> Scores:
    rng = np.random.default_rng(k)
    y = np.arange(m) % k if only is None else np.full(m, only)
    Z = rng.normal(size=(m, k)) + 2 * (y[:, np.newaxis] == np.arange(k))
    scores = np.stack([-Z[:, 1], Z[:, 1]], axis=1) if k == 2 else log_odds(Z)
    names = tuple(f"kind {c}" for c in range(k))
    outputs = Predictions("classification", y, scores.argmax(axis=1), scores, has_probabilities, names)
    return score(outputs, n_resamples=100)


def legend(figure: Figure, at: int = 0) -> list[str]:
    shown = figure.axes[at].get_legend()
    assert shown is not None
    return [text.get_text() for text in shown.get_texts()]


def lines(figure: Figure) -> list[Array]:
    return [np.stack(line.get_data(), axis=1) for line in figure.axes[0].lines]


def is_drawn(figure: Figure) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return figure_png(figure)[1:4] == b"PNG"


def test_two_classes_have_one_roc_curve_and_two_of_precision() -> None:
    result = of_classes(2, 60)
    figure = draw.roc_figure(result)
    area = result.per_class[1].estimates["roc_auc"]
    assert legend(figure) == [f"kind 1: {area[0]:.2f} ({area[1]:.2f} to {area[2]:.2f})", "Chance: 0.50"]
    curve = result.per_class[1].roc
    assert curve is not None
    np.testing.assert_array_equal(lines(figure)[0], np.stack(curve[:2], axis=1))
    assert is_drawn(figure)
    figure = draw.precision_recall_figure(result)
    assert len(legend(figure)) == 2
    assert is_drawn(figure)


def test_of_many_classes_the_worst_are_named() -> None:
    result = of_classes(10, 200)
    areas = {one.name: one.estimates["roc_auc"].value for one in result.per_class}
    worst = sorted(areas, key=lambda name: areas[name] or 0)[:3]
    named = legend(draw.roc_figure(result))
    assert named[3:] == ["The other 7", "Chance: 0.50"]
    assert [words.split(":")[0] for words in named[:3]] == worst
    for make in (draw.roc_figure, draw.precision_recall_figure, draw.calibration_figure):
        assert is_drawn(make(result))
    assert legend(draw.calibration_figure(result), at=1)[-1] == "The other 7"


def test_curves_that_are_undefined_say_why() -> None:
    result = of_classes(2, 20, only=1)
    for figure in (draw.roc_figure(result), draw.precision_recall_figure(result)):
        assert figure.axes[0].texts[0].get_text() == "Undefined: every sample is 'kind 1'"
        assert is_drawn(figure)
    assert is_drawn(draw.calibration_figure(result))
    assert is_drawn(draw.intervals_figure(result))


def test_calibration_shows_what_was_said_and_what_was_so() -> None:
    result = of_classes(2, 60)
    figure = draw.calibration_figure(result)
    assert result.calibration is not None
    title = f"Predicted class: expected calibration error (ECE) {result.calibration.error:.2f}"
    assert " ".join(figure.axes[0].get_title(loc="left").split()) == title
    labels = [axes.get_ylabel() for axes in figure.axes[:2]]
    assert labels == ["Fraction that is right", f"Fraction that is '{result.per_class[1].name}'"]
    points = figure.axes[0].lines[1].get_data()
    np.testing.assert_allclose(points, result.calibration[3:5])  # mean probability, fraction that is right
    heights = [bar.get_height() for bar in figure.axes[2].patches]
    assert sum(heights) == 60
    assert heights[5:] == [*np.bincount(result.calibration.bins, result.calibration.counts, minlength=10)[5:]]


def test_labels_and_quantities(rng: np.random.Generator) -> None:
    Y = rng.integers(0, 2, (50, 3))
    scores = rng.normal(size=(50, 3)) + Y
    outputs = Predictions("multi_label", Y, (scores > 0).astype(int), scores, True, ("wet", "cold", "dark"))
    result = score(outputs, n_resamples=100)
    assert len(legend(draw.roc_figure(result))) == 4
    figure = draw.calibration_figure(result)
    assert len(figure.axes) == 2
    assert figure.axes[0].get_title(loc="left") == "Each label"
    assert is_drawn(figure)
    assert is_drawn(draw.intervals_figure(result))
    y = rng.normal(size=(20, 2))
    quantities, constant = (
        score(Predictions("regression", y, y + 0.1, np.empty((len(y), 0)), False, ()), n_resamples=100)
        for y in (y, np.ones((3, 1)))
    )
    labels = [axes.get_xlabel() for axes in draw.draw(quantities).axes[3:5]]
    assert labels == ["True target 2", "Predicted target 2"]
    assert is_drawn(draw.draw(constant))
    axes = Figure().add_subplot()
    assert result.plot(ax=axes).get_xlabel() == "False positive rate"


def test_scores_draw_the_figures_that_suit_them_by_name() -> None:
    result = of_classes(2, 60)
    assert list(draw.draw_all(result)) == ["intervals", "roc", "precision-recall", "calibration", "confusion"]
    assert "calibration" not in draw.draw_all(of_classes(2, 20, has_probabilities=False))
    axes = Figure().add_subplot()
    assert result.plot("roc", ax=axes) is axes
    assert len(axes.get_legend().get_texts()) == 2
    own = result.plot()
    assert own.get_ylabel() == "True class"
    assert pyplot.fignum_exists(own.figure.number)
    pyplot.close(own.figure)
    with pytest.raises(OptionError, match="Did you mean 'roc'"):
        result.plot("rock")
    with pytest.raises(OptionError, match=r"calibration has several axes of its own\. Leave ax out"):
        result.plot("calibration", ax=axes)
