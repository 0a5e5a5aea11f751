"""A score with its interval in words: with the digits that the interval justifies."""

import math

from pellucid.shares import share, share_range
from pellucid.stats.intervals import Estimate

SHARES = (
    "accuracy",
    "balanced_accuracy",
    "recall",
    "precision",
    "exact_match",
    "label_accuracy",
)  # of samples


def share_with_interval(estimate: Estimate, n: int, *, to: str = " to ") -> str:
    """Return a share of n samples with its interval.

    Examples
    --------
    >>> share_with_interval(Estimate(0.8, 0.6696, 0.8876), 50), share_with_interval(Estimate(None), 0)
    ('80 % (67 to 89 %)', '–')
    """
    if estimate.value is None:
        return number(None)
    value = share(estimate.value, n)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({share_range(estimate.low, estimate.high, n, to=to)})"


def score_in_words(name: str, estimate: Estimate, n: int, *, to: str = "–") -> str:
    """Return a score of n samples with its interval: a share in percent, another as a number.

    Examples
    --------
    >>> score_in_words("recall", Estimate(0.8, 0.66, 0.89), 50), score_in_words("f1", Estimate(0.8, 0.66, 0.89), 50)
    ('80 % (66–89 %)', '0.80 (0.66–0.89)')
    """
    if name in SHARES:
        return share_with_interval(estimate, n, to=to)
    return with_interval(estimate, to=to)


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


def level_in_words(level: float) -> str:
    """Return a level in percent, 95 %."""
    return f"{100 * level:g} %"
