"""A test score beside that of one answer for all samples, and classes that are never predicted, in words."""

import math

import numpy as np

from pellucid.ops.metrics import r_squared
from pellucid.prediction.predict import Predictions
from pellucid.shares import share
from pellucid.stats.paired import mcnemar
from pellucid.text import join_some, plural

CHANCE = 0.05  # p values from here on are put down to chance


def against_constant(test: Predictions) -> str | None:
    """Return that a score cannot be told from that of one answer for all samples; None where it can.

    Examples
    --------
    >>> y = np.repeat([0, 1], [30, 20])
    >>> always = Predictions("classification", y, np.zeros(50, int), np.zeros((50, 2)), False, ("no", "yes"))
    >>> against_constant(always)
    "The test accuracy, 60 %, is that of always answering 'no'."
    """
    if test.kind == "classification":
        matrix = test.confusion
        compared = mcnemar(test.is_correct, test.is_majority)
        is_better = compared.p_value < CHANCE and matrix.accuracy > matrix.baseline
        if is_better or matrix.n_correct == len(test):
            return None
        words = f"The test accuracy, {share(matrix.accuracy, len(test))},"
        baseline = share(matrix.baseline, len(test))
        always = f"always answering {matrix.majority_class!r}"
        if not compared.only_a and not compared.only_b:
            return f"{words} is that of {always}."
        if matrix.accuracy < matrix.baseline:
            return f"{words} is below that of {always}, {baseline}."
        return (
            f"{words} cannot be told from that of {always}, {baseline} (p = {compared.p_value:.2g}, "
            f"{plural(len(test), 'test sample')})."
        )
    if test.kind == "multi_label":
        usual = np.rint(test.y_true.mean(axis=0))
        gains = (test.is_correct.astype(float) - (test.y_true == usual)).mean(axis=1)
        what = "The test accuracy of the labels cannot be told from that of the most common answer for each."
    else:
        errors = [
            ((test.y_true - guess) ** 2).mean(axis=1) for guess in (test.y_true.mean(axis=0), test.y_pred)
        ]
        gains = errors[0] - errors[1]
        what = "The test predictions cannot be told from always answering the mean, R squared {:.2f}."
        what = what.format(r_squared(test.y_true, test.y_pred))
    is_clear = gains.mean() > 2 * gains.std() / math.sqrt(len(gains))
    return None if is_clear else what


def unpredicted(test: Predictions) -> str | None:
    """Return which classes that occur are never predicted; None where each is."""
    if test.kind == "regression":
        return None
    if test.kind == "multi_label":
        never = test.y_true.any(axis=0) & ~test.y_pred.any(axis=0)
        what = "Label", "Labels"
    else:
        k = len(test.classes)
        never = (np.bincount(test.y_true, minlength=k) > 0) & (np.bincount(test.y_pred, minlength=k) == 0)
        what = "Class", "Classes"
    names = [
        name for name, is_never in zip(test.classes, np.asarray(never).tolist(), strict=True) if is_never
    ]
    if not names:
        return None
    are = (what[0], "is") if len(names) == 1 else (what[1], "are")
    return f"{are[0]} {join_some(names)} {are[1]} never predicted."
