"""Scores in sentences and tables, for readers who know no statistics."""

import math
from typing import Any

from pellucid.evaluation.scores.advice import lines_of
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.estimate_text import (
    level_in_words,
    number,
    score_in_words,
    share_with_interval,
    with_interval,
)
from pellucid.evaluation.scores.scores import Scores
from pellucid.shares import share, share_range
from pellucid.text import chance_in_words, plural
from pellucid.text_blocks import Block, Table

WIDE = 0.1  # an interval of a fraction from here on gets a warning
MOST_NAMED = 3  # leaks
MOST_CLASSES = 10  # of a confusion matrix as text
TITLES = {
    "accuracy": "accuracy",
    "recall": "recall",
    "precision": "precision",
    "f1": "F1",
    "roc_auc": "ROC area",
    "average_precision": "PR area",
}


def in_words(scores: Scores) -> list[str]:
    """Return the main findings, a sentence or two each.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.evaluation.scores.evaluate import score
    >>> from pellucid.prediction.predict import Predictions
    >>> y_true, y_pred = np.repeat([0, 1], 25), np.repeat([0, 1, 0, 1], [20, 5, 5, 20])
    >>> S = np.stack([1.0 - y_pred, y_pred], axis=1)
    >>> scores = score(Predictions("classification", y_true, y_pred, S, False, ("non-cat", "cat")))
    >>> print(in_words(scores)[0])
    40 of 50 correct: accuracy 80 %; with so few samples, the true accuracy may be 67 to 89 % (95 % interval).
    """
    lines = {"classification": _of_classes, "multi_label": _of_labels, "regression": _of_quantities}
    further = [f"{name}: {with_interval(scores[name])}." for name in scores.further]
    return [
        *lines[scores.kind](scores),
        *further,
        *_leaks(scores),
        *(f"Note: {note}" for note in scores.notes),
    ]


def blocks(scores: Scores) -> list[Block]:
    """Return the main findings, the scores of each class and the confusion matrix, as sentences and tables."""
    found: list[Block] = [*in_words(scores)]
    if scores.per_class:
        found += [class_caption(scores), class_table(scores)]
    if scores.confusion is not None and len(scores.confusion.classes) <= MOST_CLASSES:
        found += [CONFUSION_CAPTION, confusion_table(scores)]
    return [*found, *reasons(scores), *lines_of(scores.advice)]


CONFUSION_CAPTION = "Confusion matrix (row: true class, column: predicted class):"


def class_table(scores: Scores, titles: tuple[str, ...] = ()) -> Table:
    """Return header and rows: the scores of each class or label, and their means.

    Parameters
    ----------
    scores : Scores
    titles : tuple of str, optional
        Which of ``TITLES``; default: all that apply.
    """
    names = titles or class_titles(scores)
    is_multi_label = scores.kind == "multi_label"
    # of classes, the mean recall has a name of its own; of labels, the mean accuracy
    mean_names = {"accuracy": "label_accuracy"} if is_multi_label else {"recall": "balanced_accuracy"}
    rows: list[tuple[Any, ...]] = [
        (
            one.name,
            one.n_samples,
            *(score_in_words(name, one.estimates[name], one.n_samples) for name in names),
        )
        for one in scores.per_class
    ]
    means = [score_in_words(name, scores[mean_names.get(name, name)], len(scores)) for name in names]
    rows.append(("mean", "" if is_multi_label else len(scores), *means))
    return ("label" if is_multi_label else "class", "samples", *(TITLES[name] for name in names)), rows


def class_caption(scores: Scores) -> str:
    """Return what the columns of the table of classes mean."""
    noun = "label" if scores.kind == "multi_label" else "class"
    return (
        f"Recall: the share of a {noun}'s samples that are found. Precision: the share of what is predicted as the "
        f"{noun} that is right. F1: their harmonic mean. ROC area: how often a sample of the {noun} gets a higher "
        "score than another; PR area: the mean precision over all recalls."
    )


def class_titles(scores: Scores) -> tuple[str, ...]:
    """Return which of ``TITLES`` the table of classes has."""
    return tuple(name for name in TITLES if name != "accuracy" or scores.kind == "multi_label")


def confusion_table(scores: Scores) -> Table:
    """Return header and rows of the confusion matrix."""
    matrix = scores.confusion
    assert matrix is not None
    rows = zip(matrix.classes, matrix.counts.tolist(), strict=True)
    return ("", *matrix.classes), [(name, *row) for name, row in rows]


def reasons(scores: Scores) -> list[str]:
    """Return why there are dashes, and values without an interval."""
    estimates = [one for each in scores.per_class for one in each.estimates.values() if one.reason]
    lines = []
    for words, is_undefined in (("Undefined (–)", True), ("Without interval", False)):
        found = dict.fromkeys(one.reason for one in estimates if (one.value is None) == is_undefined)
        if found:
            lines.append(f"{words}: {'; '.join(found)}.")
    return lines


def headline(scores: Scores) -> str:
    """Return the accuracy with its interval; of other models than classifiers, their main score."""
    if scores.confusion is None:
        name = "exact_match" if scores.kind == "multi_label" else "mean_absolute_error"
        return f"{name.replace('_', ' ')} {score_in_words(name, scores[name], len(scores), to=' to ')}."
    accuracy = scores["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    n, matrix = len(scores), scores.confusion
    right = f"{matrix.n_correct} of {n} correct: accuracy {share(matrix.accuracy, n)}"
    interval = share_range(accuracy.low, accuracy.high, n)
    if accuracy.high - accuracy.low > WIDE:
        return (
            f"{right}; with so few samples, the true accuracy may be {interval} "
            f"({level_in_words(scores.level)} interval)."
        )
    return f"{right}; {level_in_words(scores.level)} interval {interval}."


def _of_classes(scores: Scores) -> list[str]:
    matrix, table = scores.confusion, scores.versus_baseline
    assert matrix is not None
    assert table is not None
    baseline = (
        f"Majority-class baseline, always {matrix.majority_class!r}, the most common class of "
        f"{matrix.majority_of}: {share_with_interval(scores['baseline'], len(scores))}."
    )
    if table.only_a or table.only_b:
        baseline += (
            f" Only the model is correct on {plural(table.only_a, 'sample')}, only the baseline on {table.only_b}: "
            f"{chance_in_words(table.p_value)}."
        )
    n_occurring = sum(1 for one in scores.per_class if one.n_samples)
    balanced = (
        f"Balanced accuracy, the mean recall of the classes: "
        f"{share_with_interval(scores['balanced_accuracy'], len(scores))}; the baseline has "
        f"{share(1 / n_occurring if matrix.baseline else 0.0, len(scores))}."
    )
    lines = [headline(scores), baseline, balanced]
    if scores.calibration is not None:
        k = len(matrix.classes)
        guess = "a coin toss" if k == 2 else "guessing"
        brier = 0.25 if k == 2 else 1 - 1 / k
        lines.append(_calibration(scores.calibration))
        lines.append(
            f"Brier score {with_interval(scores['brier'])}, log loss {with_interval(scores['log_loss'])}; lower is "
            f"better, {guess} has {brier:.2f} and {math.log(k):.2f}."
        )
    return lines


def _calibration(curve: Calibration) -> str:
    confidence, accuracy = _confidence_and_accuracy(curve)
    n = int(curve.counts.sum())
    return (
        f"Mean confidence {share(confidence, n)}, accuracy {share(accuracy, n)}. {calibration_error(curve)}"
    )


def _confidence_and_accuracy(curve: Calibration) -> tuple[float, float]:
    n = curve.counts.sum()
    means = (
        float((part * curve.counts).sum() / n) for part in (curve.mean_predicted, curve.fraction_positive)
    )
    confidence, accuracy = means
    return confidence, accuracy


def calibration_error(curve: Calibration) -> str:
    """Return the expected calibration error, and whether chance explains it."""
    if curve.chance_range is None:
        return f"Expected calibration error {number(curve.error)}."
    digits = 2 if number(curve.error) != number(curve.chance_range[1]) else 4  # tell apart what looks equal
    error, low, high = (f"{value:.{digits}f}" for value in (curve.error, *curve.chance_range))
    words = f"Expected calibration error, how far confidence and accuracy are apart on average, {error}"
    if curve.error <= curve.chance_range[1]:
        return f"{words}: within chance for a perfectly calibrated model, {low} to {high}."
    confidence, accuracy = _confidence_and_accuracy(curve)
    finding = "overconfident" if confidence > accuracy else "underconfident"
    if abs(confidence - accuracy) < curve.error / 2:
        finding = "too confident for some predictions, not confident enough for others"
    return f"{words}; chance gives a perfectly calibrated model {low} to {high}: the model is {finding}."


def _of_labels(scores: Scores) -> list[str]:
    return [
        f"Label accuracy over {len(scores)} samples: {share_with_interval(scores['label_accuracy'], len(scores))} "
        f"({level_in_words(scores.level)} interval).",
        "Exact match, samples with every label correct: "
        f"{share_with_interval(scores['exact_match'], len(scores))}.",
    ]


def _of_quantities(scores: Scores) -> list[str]:
    several = scores.predictions.y_true.shape[1] > 1
    return [
        f"Mean absolute error over {len(scores)} samples: {with_interval(scores['mean_absolute_error'])} "
        f"({level_in_words(scores.level)} interval).",
        f"Root mean squared error {with_interval(scores['root_mean_squared_error'])}; always predicting the mean "
        f"has {with_interval(scores['baseline'])}.",
        f"R², the fraction of {'each target' if several else 'the target'}'s variance explained"
        f"{', mean of the targets' if several else ''}: {with_interval(scores['r_squared'])}.",
    ]


def _leaks(scores: Scores) -> list[str]:
    twins = {
        leak.test: leak for leak in reversed(scores.predictions.leaks)
    }  # of each the first: exact ones lead
    if not twins:
        return []
    rows = sorted(twins)
    named = ", ".join(f"{row} = training {twins[row].train}" for row in rows[:MOST_NAMED])
    more = f", and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    n_exact = sum(1 for leak in twins.values() if leak.kind == "exact")
    how = {len(rows): "exactly", 0: "as nearly the same image"}.get(n_exact, f"{n_exact} exactly")
    are = "1 test sample is" if len(rows) == 1 else f"{len(rows)} of {len(scores)} test samples are"
    words = f"{are} in the training part too, {how} ({named}{more})."
    if scores.without_leaks is None:
        return [words]
    return [f"{words} Without {'it' if len(rows) == 1 else 'them'}: {headline(scores.without_leaks)}"]
