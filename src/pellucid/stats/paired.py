"""Two models' predictions on the same samples: McNemar's test."""

import math
from dataclasses import dataclass

import numpy as np

from pellucid.errors import ShapeError
from pellucid.types import Array

EXACT = 100_000  # samples, beyond which whole numbers take seconds
LEAST = 6  # differing samples: with fewer, all of them on one side, the p value is above 0.05


@dataclass(frozen=True)
class McNemar:
    """How often each of two models was correct, and how likely a difference of that size is by chance.

    Attributes
    ----------
    both, only_a, only_b, neither : int
        Samples that both models, one of them, or neither classified correctly.
    p_value : float
        Exact and two-sided: the probability that two equally good models differ at least as much on the samples
        that only one of them classified correctly.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float


def mcnemar(correct_a: Array, correct_b: Array) -> McNemar:
    """Test whether two models are equally good, from their predictions on the same samples.

    Parameters
    ----------
    correct_a, correct_b : Array, shape (m,), bool
        Whether each model classified each sample correctly.

    Returns
    -------
    McNemar

    Raises
    ------
    ShapeError
        If the arrays are empty or differ in shape.

    Notes
    -----
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions": samples that
    both or neither classified correctly carry no information; of the n = b + c that only one did, an equally good
    model gets each with probability 1/2. This is the exact test, p = min(1, 2 P[Bin(n, 1/2) <= min(b, c)]), the
    one p-value that every command and report shows: it holds for any n, and equals statsmodels'
    ``mcnemar(exact=True)``. The chi-square approximation needs many samples, and mid-p may exceed its level.
    With n = 0 it is 1.

    Examples
    --------
    >>> a = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    >>> b = np.array([1, 0, 0, 1, 1, 1, 1, 0], bool)
    >>> result = mcnemar(a, b)
    >>> result.only_a, result.only_b, round(result.p_value, 4)
    (2, 4, 0.6875)
    """
    a, b = check_pair("mcnemar", np.asarray(correct_a, bool), np.asarray(correct_b, bool))
    both, only_a, only_b = (int(np.count_nonzero(part)) for part in (a & b, a & ~b, b & ~a))
    neither, n = len(a) - both - only_a - only_b, only_a + only_b
    if n == 0:
        return McNemar(both, 0, 0, neither, 1.0)
    return McNemar(both, only_a, only_b, neither, min(1.0, 2 * _at_most(min(only_a, only_b), n)))


def _at_most(k: int, n: int) -> float:
    """Return P[Bin(n, 1/2) <= k]: its last term, then each one before as a fraction of the next."""
    if n <= EXACT:
        last = math.comb(n, k) / 2**n
    else:
        last = math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
    i = np.arange(k, 0, -1)
    return float(last * (1 + np.cumprod(i / (n - i + 1)).sum()))


def check_pair(where: str, a: Array, b: Array) -> tuple[Array, Array]:
    """Return two arrays of shape (m,) unchanged; ShapeError for anything else."""
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ShapeError(
            f"{where}: expected two arrays of shape (m,), m at least 1, got {a.shape} and {b.shape}. "
            "Both models must have answered the same samples."
        )
    return a, b


def too_few(n: int, n_baseline: int, answer: str) -> str:
    """Return that a test part can show no model to be better than the baseline; "" where it can.

    Parameters
    ----------
    n, n_baseline : int
        The test samples, and those of them that the baseline, always ``answer``, classifies correctly.
    answer : str

    Examples
    --------
    >>> too_few(42, 40, "ok")
    "Too few test samples to tell: 2 of 42 are not 'ok', and 6 is the least that could show a model to be better."
    """
    left = n - n_baseline
    if left >= LEAST:
        return ""
    return (
        f"Too few test samples to tell: {left} of {n} {'is' if left == 1 else 'are'} not {answer!r}, and {LEAST} "
        "is the least that could show a model to be better."
    )
