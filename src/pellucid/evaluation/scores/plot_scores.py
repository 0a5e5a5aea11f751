"""Figures of scores: ROC and precision-recall curves, every score with its interval, predicted over true values.

Curves come from scikit-learn (:mod:`.roc`). Its display classes are not used: intervals in the legend, and of many
classes all but the worst in grey, would have to be drawn around them, and their arguments change between versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.scores.calibration_figure import COLORS, MOST_LINES, N_WORST, calibration_figure
from pellucid.evaluation.scores.estimate_text import level_in_words, with_interval
from pellucid.evaluation.scores.one_vs_rest import ClassScores
from pellucid.evaluation.scores.scores import Scores
from pellucid.plotting.data import confusion_matrix_figure
from pellucid.plotting.style import BLUE, MUTED, ORANGE, RED, class_name, look, new_figure
from pellucid.stats.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "accuracy": "Accuracy",
    "baseline": "Majority-class baseline",
    "balanced_accuracy": "Balanced accuracy",
    "label_accuracy": "Label accuracy",
    "exact_match": "Exact match",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC area",
    "average_precision": "PR area",
}
MOST_CLASSES = 12  # whose own recall and precision are drawn


def draw(scores: Scores, name: str | None = None) -> Figure:
    """Return one figure by name; default: the first that suits the scores."""
    figures = _figures(scores)
    if name is not None and name not in figures:
        raise OptionError(unknown_name("figure", name, figures))
    return next(iter(figures.values()))(scores) if name is None else figures[name](scores)


def draw_all(scores: Scores) -> dict[str, Figure]:
    """Return every figure that suits the scores, by name."""
    return {name: make(scores) for name, make in _figures(scores).items()}


def _figures(scores: Scores) -> dict[str, Callable[[Scores], Figure]]:
    if scores.kind == "regression":
        return {"predicted": predicted_figure}
    found: dict[str, Callable[[Scores], Figure]] = {
        "intervals": intervals_figure,
        "roc": roc_figure,
        "precision-recall": precision_recall_figure,
    }
    if scores.predictions.has_probabilities:
        found["calibration"] = calibration_figure
    if scores.confusion is not None:
        found["confusion"] = confusion_figure
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
    shown = _with_curves(scores)
    if scores.kind == "classification" and len(scores.per_class) == 2:
        shown = shown[-1:]
    with look():
        figure, axes = _square("ROC curve" + ("s" if len(shown) > 1 else ""))
        axes.plot([0, 1], [0, 1], ":", color=MUTED, label="Chance: 0.50")
        for one, style in _styled(shown, "roc_auc"):
            assert one.roc is not None
            axes.plot(one.roc.false_positive_rate, one.roc.true_positive_rate, **style)
        axes.set(xlabel="False positive rate", ylabel="True positive rate (recall)")
        _finish(axes, scores, "roc_auc")
    return figure


def precision_recall_figure(scores: Scores) -> Figure:
    """Draw the precision-recall curve of each class against the rest.

    Parameters
    ----------
    scores : Scores
        Of classes or labels.

    Returns
    -------
    matplotlib.figure.Figure
        Dotted: how common the class is, the precision of chance.
    """
    shown = _with_curves(scores)
    with look():
        figure, axes = _square("Precision-recall curve" + ("s" if len(shown) > 1 else ""))
        for one, style in _styled(shown, "average_precision"):
            assert one.precision_recall is not None
            curve = one.precision_recall
            axes.plot(curve.recall[::-1], curve.precision[::-1], drawstyle="steps-pre", **style)
            if len(shown) <= MOST_LINES:
                axes.axhline(one.n_samples / len(scores), linestyle=":", color=style["color"], linewidth=1)
        axes.set(xlabel="Recall", ylabel="Precision")
        _finish(axes, scores, "average_precision")
    return figure


def _with_curves(scores: Scores) -> list[ClassScores]:
    """Return the classes that have curves."""
    if scores.kind == "regression":
        raise OptionError("curves: expected scores of classes or labels, got those of a regression.")
    return [one for one in scores.per_class if one.roc is not None]


def _styled(shown: list[ClassScores], score: str) -> list[tuple[ClassScores, dict[str, Any]]]:
    """Return each class with how its line is drawn: of many, all grey but the worst."""
    worst = sorted(shown, key=lambda one: one.estimates[score].value or 0.0)
    few = len(shown) <= MOST_LINES
    named = worst if few else worst[:N_WORST]
    styled: list[tuple[ClassScores, dict[str, Any]]] = []
    for i, one in enumerate(worst[len(named) :]):
        label = None if i else f"The other {len(shown) - N_WORST} classes"
        styled.append((one, {"color": MUTED, "alpha": 0.35, "linewidth": 1, "label": label}))
    for one in named:
        color = COLORS[shown.index(one) if few else named.index(one)]
        label = f"{class_name((one.name,), 0)}: {with_interval(one.estimates[score])}"
        styled.append((one, {"color": color, "linewidth": 2, "label": label}))
    return styled


def _square(title: str) -> tuple[Figure, Axes]:
    figure = new_figure(5.4, 5.4)
    axes = figure.add_subplot(aspect="equal")
    axes.set_title(title)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.grid()
    return figure, axes


def _finish(axes: Axes, scores: Scores, score: str) -> None:
    if any(one.roc is not None for one in scores.per_class):
        axes.legend(loc="lower right" if score == "roc_auc" else "lower left", frameon=True, fontsize=9)
        return
    axes.text(0.5, 0.5, f"Undefined: {scores[score].reason}", ha="center", va="center", color=RED, wrap=True)


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
    if scores.kind == "regression":
        raise OptionError(
            "intervals_figure: expected scores of classes or labels, got those of a regression."
        )
    rows = [
        (title, scores[name], MUTED if name == "baseline" else BLUE)
        for name, title in TITLES.items()
        if name in scores.estimates
    ]
    for one in scores.per_class if len(scores.per_class) <= MOST_CLASSES else ():
        name = class_name((one.name,), 0)
        for score in ("recall", "precision"):
            rows.append((f"{TITLES[score]} of “{name}”", one.estimates[score], ORANGE))
    with look():
        figure = new_figure(0.9 + 0.3 * len(rows))
        axes = figure.add_subplot()
        for i, (_, estimate, color) in enumerate(rows):
            _interval(axes, i, estimate, color)
        axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
        words = f"Score and its {level_in_words(scores.level)} interval"
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.32), xlabel=words)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure


def _interval(axes: Axes, row: int, estimate: Estimate, color: str) -> None:
    if estimate.value is None:
        axes.text(1.04, row, "undefined", va="center", color=MUTED, fontsize=9)
        return
    if estimate.low is not None and estimate.high is not None:
        ends = [estimate.low, estimate.high]
        axes.plot(ends, [row, row], color=color, linewidth=5, alpha=0.4, solid_capstyle="butt")
    axes.plot(estimate.value, row, "o", color=color, markersize=6, clip_on=False, zorder=3)
    axes.text(1.04, row, with_interval(estimate), va="center", fontsize=9)


def confusion_figure(scores: Scores) -> Figure:
    """Draw the confusion matrix of a classifier."""
    assert scores.confusion is not None
    return confusion_matrix_figure(scores.confusion.counts, scores.confusion.classes)


def predicted_figure(scores: Scores) -> Figure:
    """Draw predicted over true quantities; on the diagonal they are equal.

    Parameters
    ----------
    scores : Scores
        Of a regression.

    Returns
    -------
    matplotlib.figure.Figure
    """
    y_true, y_pred = scores.predictions.y_true, scores.predictions.y_pred
    low, high = float(min(y_true.min(), y_pred.min())), float(max(y_true.max(), y_pred.max()))
    margin = 0.04 * (high - low) or 1.0
    limits = (low - margin, high + margin)
    with look():
        figure, axes = _square("Predicted over true")
        axes.plot([low, high], [low, high], ":", color=MUTED, label="Predicted = true")
        for j, color in zip(range(y_true.shape[1]), COLORS * y_true.shape[1], strict=False):
            label = f"Target {j + 1}" if y_true.shape[1] > 1 else f"{len(y_true)} samples"
            axes.plot(y_true[:, j], y_pred[:, j], "o", color=color, alpha=0.5, markersize=4, label=label)
        axes.set(xlim=limits, ylim=limits, xlabel="True", ylabel="Predicted")
        axes.legend(loc="upper left", fontsize=9, frameon=True)
    return figure
