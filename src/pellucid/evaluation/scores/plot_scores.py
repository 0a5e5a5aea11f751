"""Figures of scores: curves over every threshold, calibration, every score with its interval, and residuals.

The curves are scikit-learn's displays; of many classes the worst are named, and all others are grey.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.estimate_text import number, title_of, with_interval
from pellucid.evaluation.scores.one_vs_rest import ClassScores
from pellucid.evaluation.scores.scores import Scores
from pellucid.plotting.data import confusion_matrix_figure
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    RED,
    class_name,
    look,
    new_figure,
    whole_numbers,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.prediction.predict import Predictions

COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, INK)
MOST_LINES = len(COLORS)  # beyond, all are grey but the worst
N_WORST = 3
MOST_CLASSES = 12  # whose own recall and precision are drawn
MOST_TARGETS = 4  # whose residuals are drawn
N_BINS = 30


def draw(scores: Scores, name: str | None = None) -> Figure:
    """Return one figure by name; default: the first that suits the scores."""
    figures = _figures(scores)
    if name is not None and name not in figures:
        raise OptionError(unknown_name("figure", name, figures))
    return figures[name or next(iter(figures))](scores)


def draw_all(scores: Scores) -> dict[str, Figure]:
    """Return every figure that suits the scores, by name."""
    return {name: make(scores) for name, make in _figures(scores).items()}


def _figures(scores: Scores) -> dict[str, Callable[[Scores], Figure]]:
    if scores.kind == "regression":
        return {"predicted": lambda scores: residual_figure(scores.predictions)}
    found: dict[str, Callable[[Scores], Figure]] = {
        "intervals": intervals_figure,
        "roc": roc_figure,
        "precision-recall": precision_recall_figure,
    }
    if scores.predictions.has_probabilities:
        found["calibration"] = calibration_figure
    if scores.confusion is not None:
        matrix = scores.confusion
        found["confusion"] = lambda scores: confusion_matrix_figure(matrix.counts, matrix.classes)
    return found


def roc_figure(scores: Scores) -> Figure:
    """Draw the ROC curve of each class against the rest; of two classes that of class 1, as the other mirrors it.

    Parameters
    ----------
    scores : Scores
        Of classes or labels.

    Returns
    -------
    matplotlib.figure.Figure
        Areas and their intervals are in the legend, the worst first; with many classes only the worst are named.
        Where no curve is defined, a sentence says why.

    Examples
    --------
    >>> from pellucid.evaluation.scores.evaluate import score
    >>> from pellucid.prediction.predict import Predictions
    >>> y, s = np.arange(6) % 2, np.array([0.1, 0.2, 0.3, 0.9, 0.4, 0.8])
    >>> predictions = Predictions("classification", y, y, np.stack([-s, s], axis=1), False, ("dog", "cat"))
    >>> roc_figure(score(predictions)).axes[0].get_xlabel()
    'False positive rate'
    """
    from sklearn.metrics import RocCurveDisplay

    def display(one: ClassScores) -> Any:
        return one.roc and RocCurveDisplay(fpr=one.roc.false_positive_rate, tpr=one.roc.true_positive_rate)

    labels = {"xlabel": "False positive rate", "ylabel": "True positive rate (recall)", "title": "ROC"}
    figure, axes = _curves(scores, "roc_auc", display, labels, mirrors=True)
    axes.plot([0, 1], [0, 1], ":", color=MUTED, label="Chance: 0.50")
    if len(axes.lines) > 1:
        axes.legend(loc="lower right", frameon=True, fontsize=9)
    return figure


def precision_recall_figure(scores: Scores) -> Figure:
    """Draw the precision-recall curve of each class against the rest, with the words of :func:`roc_figure`."""
    from sklearn.metrics import PrecisionRecallDisplay

    def display(one: ClassScores) -> Any:
        curve = one.precision_recall
        return curve and PrecisionRecallDisplay(precision=curve.precision, recall=curve.recall)

    labels = {"xlabel": "Recall", "ylabel": "Precision", "title": "Precision over recall"}
    return _curves(scores, "average_precision", display, labels)[0]


def _curves(
    scores: Scores,
    score: str,
    display: Callable[[ClassScores], Any],
    labels: Mapping[str, str],
    *,
    mirrors: bool = False,
) -> tuple[Figure, Axes]:
    """Draw the curves of the classes that have one, those of the lowest score named; without any, why."""
    shown = [one for one in scores.per_class if one.roc is not None]
    if mirrors and scores.kind == "classification" and len(scores.per_class) == 2:
        shown = shown[-1:]
    worst = sorted(shown, key=lambda one: one.estimates[score].value or 0.0)
    named = [f"{class_name((one.name,), 0)}: {with_interval(one.estimates[score])}" for one in worst]
    with look():
        figure = new_figure(5.4, 5.4)
        axes = figure.add_subplot(aspect="equal")
        for one, style in zip(worst, _styles(named), strict=True):
            display(one).plot(ax=axes)
            axes.lines[-1].set(**style)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), **labels)
        axes.grid()
        if shown:
            axes.legend(loc="lower left", frameon=True, fontsize=9)
        else:
            words = f"Undefined: {scores[score].reason}"
            axes.text(0.5, 0.5, words, ha="center", va="center", color=RED, wrap=True)
    return figure, axes


def _styles(labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return how the curves of these labels are drawn, the worst first: of many, the others in grey."""
    n = len(labels) if len(labels) <= MOST_LINES else N_WORST
    named = [
        {"color": color, "linewidth": 2, "label": label}
        for color, label in zip(COLORS, labels[:n], strict=False)
    ]
    others = [f"The other {len(labels) - n}", *["_"] * len(labels)][: len(labels) - n]
    return named + [{"color": MUTED, "alpha": 0.35, "linewidth": 1, "label": label} for label in others]


def calibration_figure(scores: Scores) -> Figure:
    """Draw calibration curves, and below how many samples each bin has.

    Parameters
    ----------
    scores : Scores
        Of classes or labels, with probabilities.

    Returns
    -------
    matplotlib.figure.Figure
        On the diagonal the model is perfectly calibrated; below it, overconfident. Bars are Wilson's intervals. Of
        classes, left the predicted class and right each class; of labels, each label.
    """
    curves = [(one.name, one.calibration) for one in scores.per_class if one.calibration is not None]
    if scores.kind == "classification" and len(scores.per_class) == 2:
        curves = curves[1:]  # the other is its mirror image
    overall = scores.calibration
    panels = [(curves, "Each label" if overall is None else "Each class", "Probability")]
    if overall is not None:
        panels.insert(0, ([("", overall)], "Predicted class", "Confidence"))
    with look():
        figure = new_figure(*((5.0, 8.0) if len(panels) == 2 else (5.4, 5.4)))
        grid = figure.subplots(2, len(panels), height_ratios=(4, 1), squeeze=False)
        for (above, below), (drawn, title, x) in zip(grid.T, panels, strict=True):
            _draw_calibration(above, drawn, title)
            edges = drawn[0][1].edges
            counts = np.zeros(len(edges) - 1)
            for _, curve in drawn:
                counts[curve.bins] += curve.counts
            below.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.6)
            below.set(xlim=(-0.02, 1.02), xlabel=x, ylabel="Samples")
            below.yaxis.set_major_locator(whole_numbers(nbins=4))
    return figure


def _draw_calibration(axes: Axes, curves: Sequence[tuple[str, Calibration]], title: str) -> None:
    from sklearn.calibration import CalibrationDisplay

    worst = sorted(curves, key=lambda curve: -curve[1].error)
    labels = [f"{class_name((name,), 0, 12)}: ECE {number(curve.error)}" for name, curve in worst]
    for (_, curve), style in zip(worst, _styles(labels), strict=True):
        display = CalibrationDisplay(curve.fraction_positive, curve.mean_predicted, None)
        display.plot(ax=axes, name="curve", ref_line=not axes.lines)
        axes.lines[-1].set(**style, markersize=4)
    legend = axes.legend(loc="best", fontsize=9, frameon=True)
    if len(curves) == 1:
        legend.remove()
        (name, curve), positive = curves[0], curves[0][1].fraction_positive
        shown = repr(class_name((name,), 0)) if name else title
        title = f"{shown}: expected calibration\nerror (ECE) {number(curve.error)}"
        bars = np.abs(np.stack([positive - curve.low, curve.high - positive]))
        axes.errorbar(curve.mean_predicted, positive, bars, color=BLUE, fmt="none", capsize=3, alpha=0.7)
    named, is_one = class_name((curves[0][0],), 0, 24), len(curves) == 1
    of_class = f"Fraction that is '{named}'" if is_one else "Fraction that is of the class"
    y_label = of_class if curves[0][0] else "Fraction that is right"
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="", ylabel=y_label, title=title)
    axes.grid()
    axes.tick_params(labelbottom=False)


def intervals_figure(scores: Scores) -> Figure:
    """Draw every score from 0 to 1 as a dot with its interval as a bar.

    Parameters
    ----------
    scores : Scores
        Of classes or labels. Each class's recall and precision follow the overall scores, of up to twelve classes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = [
        (title_of(name), estimate, MUTED if name == "baseline" else BLUE)
        for name, estimate in scores.estimates.items()
        if name not in ("brier", "log_loss", *scores.further)
    ]
    for one in scores.per_class if len(scores.per_class) <= MOST_CLASSES else ():
        name = class_name((one.name,), 0)
        rows += [
            (f"{title_of(score)} of '{name}'", one.estimates[score], ORANGE)
            for score in ("recall", "precision")
        ]
    with look():
        figure = new_figure(0.9 + 0.3 * len(rows))
        axes = figure.add_subplot()
        for i, (_, estimate, color) in enumerate(rows):
            words = "undefined" if estimate.value is None else with_interval(estimate)
            axes.text(1.04, i, words, va="center", fontsize=9)
            if estimate.low is not None and estimate.high is not None:
                ends = [estimate.low, estimate.high]
                axes.plot(ends, [i, i], color=color, linewidth=5, alpha=0.4, solid_capstyle="butt")
            if estimate.value is not None:
                axes.plot(estimate.value, i, "o", color=color, markersize=6, clip_on=False, zorder=3)
        axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
        words = f"Score and its {100 * scores.level:g} % interval"
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.32), xlabel=words)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure


def residual_figure(predictions: Predictions, names: Sequence[str] = ()) -> Figure:
    """Draw predicted over true values, the residuals, true minus predicted, and how these are spread.

    Parameters
    ----------
    predictions : Predictions
        Of a regression.
    names : sequence of str, optional
        Of its targets.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each of the first four targets.

    Examples
    --------
    >>> y = np.arange(6.0)[:, np.newaxis]
    >>> figure = residual_figure(Predictions("regression", y, y + 1, np.empty((6, 0)), False, ()), ["price"])
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['True price', 'Predicted price', 'Residual']
    """
    n_targets = predictions.y_true.shape[1]
    names = names or [f"target {j + 1}" if n_targets > 1 else "value" for j in range(n_targets)]
    n = min(n_targets, MOST_TARGETS)
    dots: dict[str, Any] = {"color": BLUE, "alpha": 0.4, "markersize": 3.5, "markeredgewidth": 0}
    with look():
        figure = new_figure(3.1 * n + 0.1)
        for j, row in enumerate(figure.subplots(n, 3, squeeze=False)):
            y, y_pred = predictions.y_true[:, j], predictions.y_pred[:, j]
            name, (over, residuals, spread) = class_name((names[j],), 0, 24), row
            ends = [min(y.min(), y_pred.min()), max(y.max(), y_pred.max())]
            over.plot(y, y_pred, "o", **dots)
            over.plot(ends, ends, ":", color=MUTED, label="equal")
            over.axhline(float(y.mean()), color=ORANGE, linewidth=1, label="the mean")
            over.set(xlabel=f"True {name}", ylabel="Predicted", title="Predicted over true")
            over.legend(fontsize=8, frameon=True)
            residuals.plot(y_pred, y - y_pred, "o", **dots)
            residuals.axhline(0, color=MUTED, linestyle=":")
            residuals.set(xlabel=f"Predicted {name}", ylabel="True minus predicted", title="Residuals")
            reach = max(np.abs(y - y_pred).max(), 1e-9)  # of equal residuals, too, 30 bins
            spread.hist(y - y_pred, bins=N_BINS, range=(-reach, reach), color=BLUE)
            spread.axvline(0, color=MUTED, linestyle=":")
            spread.set(xlabel="Residual", ylabel="Count", title="Their spread")
            spread.yaxis.set_major_locator(whole_numbers())
    return figure
