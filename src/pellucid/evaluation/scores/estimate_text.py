"""A score with its interval in words: with the digits that the interval justifies."""

import math

from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.predict import Predictions
from pellucid.shares import share, share_range
from pellucid.stats.intervals import ALPHA, LEVEL, Estimate, wilson_interval
from pellucid.stats.paired import mcnemar
from pellucid.text import p_in_words

# Of samples, but for a regression's baseline
SHARES = (
    "accuracy",
    "balanced_accuracy",
    "recall",
    "precision",
    "sensitivity",
    "specificity",
    "exact_match",
    "label_accuracy",
    "baseline",
)


IN_WORDS = (*SHARES, "mean_absolute_error", "root_mean_squared_error", "log_loss")
TITLES = {name: name.replace("_", " ").capitalize() for name in IN_WORDS} | {
    "r_squared": "R²",
    "f1": "F1",
    "roc_auc": "ROC area",
    "average_precision": "PR area",
    "brier": "Brier score",
}


def title_of(name: str) -> str:
    """Return a score's name as it is printed; one of a user's own as it is."""
    return TITLES.get(name, name)


def score_in_words(name: str, estimate: Estimate, n: int, *, to: str = " to ") -> str:
    """Return a score of n samples with its interval: a share in percent, another as a number.

    Examples
    --------
    >>> score_in_words("recall", Estimate(0.8, 0.66, 0.89), 50), score_in_words("f1", Estimate(0.8, 0.66, 0.89), 50)
    ('80 % (66 to 89 %)', '0.80 (0.66 to 0.89)')
    """
    if name not in SHARES or estimate.value is None:
        return with_interval(estimate, to=to)
    value = share(estimate.value, n)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({share_range(estimate.low, estimate.high, n, to=to)})"


def accuracy_line(test: Predictions, *, level: float = LEVEL, train: ConfusionMatrix | None = None) -> str:
    """Return the accuracy of predicted classes, of the training part too where it is given, and the baseline's.

    Examples
    --------
    >>> import numpy as np
    >>> y_true, y_pred = np.repeat([0, 1], 25), np.repeat([0, 1, 0, 1], [20, 5, 5, 20])
    >>> print(accuracy_line(Predictions("classification", y_true, y_pred, None, False, ("dog", "cat"))))
    Test accuracy 80 % (40/50, 95 % interval 67 to 89 %). Baseline (always 'dog') 50 %.
    """
    matrix, n = test.confusion, len(test)
    interval = share_range(*wilson_interval(matrix.n_correct, n, level=level), n)
    compared = mcnemar(test.is_correct, test.is_majority)
    how = f"{p_in_words(compared.p_value)}; McNemar's test on the same samples"
    return (
        (test.too_few and f"{test.too_few} ")
        + f"Test accuracy {share(matrix.accuracy, n)} ({matrix.n_correct:,}/{n:,}, {100 * level:g} % interval "
        f"{interval}). "
        + ("" if train is None else f"Training {share(train.accuracy, n)}. ")
        + f"Baseline (always '{matrix.majority_class}') {share(matrix.baseline, n)}."
        + (f" Not shown to be better than the baseline ({how})." if compared.p_value >= ALPHA else "")
    )


def sensitivity_line(test: Predictions) -> str:
    """Return how many samples of each of two classes are found; "" where there are others.

    Examples
    --------
    >>> import numpy as np
    >>> y_true, y_pred = np.repeat([0, 1], [3, 25]), np.repeat([0, 1, 0, 1], [1, 2, 5, 20])
    >>> found = Predictions("classification", y_true, y_pred, None, False, ("defect", "ok"), positive=0)
    >>> sensitivity_line(found)
    "Sensitivity 33 % (1/3 'defect' found), specificity 80 % (20/25 'ok')."
    """
    if test.positive is None:
        return ""
    counts, words = test.confusion.counts, []
    for i in (test.positive, 1 - test.positive):
        hits, n = int(counts[i, i]), int(counts[i].sum())
        words.append(f"{share(hits / n, n) if n else '–'} ({hits:,}/{n:,} '{test.classes[i]}'")
    return f"Sensitivity {words[0]} found), specificity {words[1]})."


def with_interval(estimate: Estimate, *, to: str = " to ") -> str:
    """Return a score with its interval.

    Examples
    --------
    >>> with_interval(Estimate(0.8, 0.6696, 0.8876)), with_interval(Estimate(1.0, reason="too few samples"))
    ('0.80 (0.67 to 0.89)', '1.00')
    """
    if estimate.low is None or estimate.high is None:
        return number(estimate.value)
    value, low, high = (number(part, estimate) for part in estimate[:3])
    return f"{value} ({low}{to}{high})"


def number(value: float | None, estimate: Estimate | None = None) -> str:
    """Return a number with the digits that its interval justifies, at least two for scores; a dash for None.

    Examples
    --------
    >>> number(0.98765), number(0.98765, Estimate(0.98765, 0.986, 0.989)), number(None), number(1234.5)
    ('0.99', '0.988', '–', '1234')
    """
    if value is None:
        return "–"
    if estimate is None or estimate.low is None or estimate.high is None or estimate.high <= estimate.low:
        decimals = 2 if abs(value) < 100 else 0
    else:
        places = -math.floor(math.log10(estimate.high - estimate.low))
        decimals = min(max(places + 1, 0) if estimate.high > 2 else max(places, 2), 12)
    return f"{value:.{decimals}f}"
