"""Figures of an assessment: ROC and precision-recall curves, calibration, and every score with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.scores.calibration_panel import COLORS, MOST_LINES, N_WORST, calibration_panel
from pellucid.evaluation.scores.one_vs_rest import ClassFigures
from pellucid.evaluation.scores.records import ScoresWithIntervals
from pellucid.evaluation.scores.text import with_interval
from pellucid.plotting.style import (
    BLUE,
    MUTED,
    ORANGE,
    RED,
    class_name,
    look,
    new_figure,
)
from pellucid.stats.intervals import Estimate
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "accuracy": "Accuracy",
    "baseline": "Always one class",
    "balanced_accuracy": "Balanced accuracy",
    "label_accuracy": "Answers right",
    "exact_match": "All labels right",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC area",
    "average_precision": "PR area",
}


def roc_figure(result: ScoresWithIntervals) -> Figure:
    """Draw, for each class against the rest, what share of it is found at each share of false alarms.

    Of two classes one curve is drawn, that of class 1: the other is its mirror image.

    Parameters
    ----------
    result : Assessment
        Of classes or labels.

    Returns
    -------
    matplotlib.figure.Figure
        Areas and their intervals are in the legend, the worst first; with many classes only the worst are named.
        Where no curve is defined, a sentence says why.

    Examples
    --------
    >>> from pellucid.evaluation.scores.measure import assess_outputs
    >>> from pellucid.evaluation.scores.outputs import Outputs
    >>> y, scores = np.arange(6) % 2, np.array([0.1, 0.2, 0.3, 0.9, 0.4, 0.8])
    >>> outputs = Outputs("classification", y, y, np.stack([-scores, scores], axis=1), False, ("dog", "cat"))
    >>> roc_figure(assess_outputs(outputs)).axes[0].get_xlabel()
    'False alarms: share of the others taken for it'
    """
    shown = _classes_to_draw(result)
    if result.kind == "classification" and len(result.per_class) == 2:
        shown = shown[-1:] if shown and shown[-1].name == result.per_class[1].name else shown[:1]
    with look():
        figure, axes = _square("ROC curve" + ("s" if len(shown) > 1 else ""))
        axes.plot([0, 1], [0, 1], ":", color=MUTED, label="Guessing: 0.50")
        for figures, style in _styled(shown, "roc_auc"):
            assert figures.roc is not None
            axes.plot(figures.roc.false_positive_rate, figures.roc.true_positive_rate, **style)
        axes.set(
            xlabel="False alarms: share of the others taken for it", ylabel="Found: share of it that is found"
        )
        _finish(axes, result, bool(shown), "roc_auc")
    return figure


def precision_recall_figure(result: ScoresWithIntervals) -> Figure:
    """Draw, for each class against the rest, how sure a verdict is at each share of it that is found.

    Parameters
    ----------
    result : Assessment
        Of classes or labels.

    Returns
    -------
    matplotlib.figure.Figure
        Dotted: how common the class is, which is what guessing has.
    """
    shown = _classes_to_draw(result)
    with look():
        figure, axes = _square("Precision-recall curve" + ("s" if len(shown) > 1 else ""))
        for figures, style in _styled(shown, "average_precision"):
            assert figures.precision_recall is not None
            curve = figures.precision_recall
            axes.plot(curve.recall[::-1], curve.precision[::-1], drawstyle="steps-pre", **style)
            if len(shown) <= MOST_LINES:
                axes.axhline(
                    figures.n_samples / result.n_samples, linestyle=":", color=style["color"], linewidth=1
                )
        axes.set(
            xlabel="Recall: share of it that is found",
            ylabel="Precision: share of its verdicts that is right",
        )
        _finish(axes, result, bool(shown), "average_precision")
    return figure


def _classes_to_draw(result: ScoresWithIntervals) -> list[ClassFigures]:
    """Return the classes that have curves."""
    if result.kind == "regression":
        raise OptionError(
            "figures of curves: expected an assessment of classes or labels, got one of quantities."
        )
    return [figures for figures in result.per_class if figures.roc is not None]


def _styled(shown: Sequence[ClassFigures], score: str) -> list[tuple[ClassFigures, dict[str, Any]]]:
    """Return each class with how its line is drawn: of many, all grey but the worst."""
    worst = sorted(shown, key=lambda figures: figures.estimates[score].value or 0.0)
    few = len(shown) <= MOST_LINES
    named = worst if few else worst[:N_WORST]
    styled: list[tuple[ClassFigures, dict[str, Any]]] = []
    if not few:
        label = f"The other {len(shown) - N_WORST} classes"
        for i, figures in enumerate(worst[N_WORST:]):
            styled.append(
                (figures, {"color": MUTED, "alpha": 0.35, "linewidth": 1, "label": label if not i else None})
            )
    for figures in named:
        color = COLORS[shown.index(figures) if few else named.index(figures)]
        label = f"{class_name((figures.name,), 0)}: {with_interval(figures.estimates[score])}"
        styled.append((figures, {"color": color, "linewidth": 2, "label": label}))
    return styled


def _square(title: str) -> tuple[Figure, Axes]:
    figure = new_figure(5.4, 5.4)
    axes = figure.add_subplot(aspect="equal")
    axes.set_title(title)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.grid()
    return figure, axes


def _finish(axes: Axes, result: ScoresWithIntervals, is_drawn: bool, score: str) -> None:
    if is_drawn:
        axes.legend(loc="lower right" if score == "roc_auc" else "lower left", frameon=True, fontsize=9)
        return
    reason = result.estimates[score].reason
    axes.text(0.5, 0.5, f"Undefined: {reason}", ha="center", va="center", color=RED, wrap=True)


def calibration_figure(result: ScoresWithIntervals) -> Figure:
    """Draw what share was so against what the model said, over bins of its probabilities.

    Parameters
    ----------
    result : Assessment
        Of classes or labels.

    Returns
    -------
    matplotlib.figure.Figure
        On the diagonal, probabilities mean what they say; below it, the model is too sure. Bars are Wilson's
        intervals, and the small panels below count the samples of each bin. Of classes, left the answer that was
        given and right each class; of labels, each label alone.
    """
    curves = [
        (figures.name, figures.calibration) for figures in result.per_class if figures.calibration is not None
    ]
    if not curves:
        raise OptionError("calibration_figure: the assessment has no probabilities to draw.")
    if result.kind == "classification" and len(result.per_class) == 2:
        curves = curves[1:]
    overall = result.calibration
    with look():
        figure = new_figure(5.0 if overall is not None else 5.4, 8.0 if overall is not None else 5.4)
        grid = figure.add_gridspec(2, 1 if overall is None else 2, height_ratios=(4, 1))
        if overall is not None:
            places = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
            said = "Probability of the answer given"
            calibration_panel(places, [("", overall)], "The answer given", said, "Share that is right")
        places = figure.add_subplot(grid[0, -1]), figure.add_subplot(grid[1, -1])
        name = class_name((curves[0][0],), 0)
        title = f"“{name}”" if len(curves) == 1 else "Each label" if overall is None else "Each class"
        said = f"Probability of “{name}”" if len(curves) == 1 else "Probability given to it"
        calibration_panel(places, curves, title, said, "Share that is so")
    return figure


def intervals_figure(result: ScoresWithIntervals) -> Figure:
    """Draw every score from 0 to 1 as a dot with its interval as a bar.

    Parameters
    ----------
    result : Assessment
        Of classes or labels. Each class's recall and precision follow the scores over all, of up to twelve classes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if result.kind == "regression":
        raise OptionError(
            "intervals_figure: expected an assessment of classes or labels, got one of quantities."
        )
    rows = [
        (title, result.estimates[name], BLUE) for name, title in TITLES.items() if name in result.estimates
    ]
    if result.kind == "classification":
        rows = [(title, e, MUTED if title == TITLES["baseline"] else color) for title, e, color in rows]
    if len(result.per_class) <= 12:
        for figures in result.per_class:
            name = class_name((figures.name,), 0)
            for score in ("recall", "precision"):
                rows.append((f"{TITLES[score]} of “{name}”", figures.estimates[score], ORANGE))
    with look():
        figure = new_figure(0.9 + 0.3 * len(rows))
        axes = figure.add_subplot()
        for i, (_, estimate, color) in enumerate(rows):
            _interval(axes, i, estimate, color)
        axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
        axes.set(
            ylim=(len(rows) - 0.4, -0.6),
            xlim=(0, 1.32),
            xlabel=f"Score and its {100 * result.level:g} % interval",
        )
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
        axes.plot(
            [estimate.low, estimate.high],
            [row, row],
            color=color,
            linewidth=5,
            alpha=0.4,
            solid_capstyle="butt",
        )
    axes.plot(estimate.value, row, "o", color=color, markersize=6, clip_on=False, zorder=3)
    axes.text(1.04, row, with_interval(estimate), va="center", fontsize=9)


def predicted_figure(y: Array, predicted: Array) -> Figure:
    """Draw predicted quantities over the true ones; on the diagonal they are right.

    Parameters
    ----------
    y, predicted : Array, shape (m, n)

    Returns
    -------
    matplotlib.figure.Figure
    """
    low, high = float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))
    margin = 0.04 * (high - low) or 1.0
    with look():
        figure = new_figure(5.4, 5.4)
        axes = figure.add_subplot(aspect="equal")
        axes.plot([low, high], [low, high], ":", color=MUTED, label="Predicted = true")
        for j in range(y.shape[1]):
            label = f"Target {j + 1}" if y.shape[1] > 1 else f"{len(y)} samples"
            color = COLORS[j % len(COLORS)]
            axes.plot(y[:, j], predicted[:, j], "o", color=color, alpha=0.5, markersize=4, label=label)
        axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axes.set(xlabel="True", ylabel="Predicted")
        axes.set_title("Predicted over true")
        axes.grid()
        axes.legend(loc="upper left", fontsize=9, frameon=True)
    return figure
