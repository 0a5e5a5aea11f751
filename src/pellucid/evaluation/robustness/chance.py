"""Whether what a change costs is more than chance explains: McNemar's test, corrected for the number of changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pellucid.stats.multiple import holm

LEVEL = 0.05  # p values from here on are put down to chance
POINTS = (
    10  # a loss of this percentage of all photos counts as a break, and is what a test should be able to tell
)

Outcome: TypeAlias = Literal["no loss", "more than chance", "within chance", "cannot be told"]


@dataclass(frozen=True)
class Chance:
    """What a test says of the cost of one change.

    Attributes
    ----------
    p_value : float
        Of McNemar's exact test, with Holm's correction for all the changes tried.
    outcome : str
        "no loss"; "more than chance", p below 0.05; "within chance"; or "cannot be told": it is not below, and
        with so few photos a loss of ten points would not have been either.
    least_loss : int or None
        The fewest photos lost, as many gained as there are, for which p is below 0.05; None: no number is enough.
    """

    p_value: float
    outcome: Outcome
    least_loss: int | None


def judge(costs: Sequence[int], n_gained: Sequence[int], p_values: Sequence[float], n: int) -> list[Chance]:
    """Return what tests of several changes on the same ``n`` photos say.

    Parameters
    ----------
    costs : sequence of int
        How many photos fewer are classified correctly under each change.
    n_gained : sequence of int
        How many are classified correctly only under the change.
    p_values : sequence of float
        Of McNemar's exact test for each change, uncorrected.
    n : int
        Photos.

    Examples
    --------
    >>> for found in judge([9, 4, 0], [0, 0, 1], [0.0039, 0.125, 1.0], 50):
    ...     print(found.outcome, round(found.p_value, 3), found.least_loss)
    more than chance 0.012 7
    cannot be told 0.25 7
    no loss 1.0 8
    """
    corrected = holm(p_values)
    n_open = int((corrected >= LEVEL).sum())  # what is not told yet is tested as one of so many
    found = []
    for cost, gained, p in zip(costs, n_gained, corrected.tolist(), strict=True):
        least = least_loss(gained, n, max(n_open, 1))
        found.append(Chance(p, _outcome(cost, p, least, n), least))
    return found


def least_loss(n_gained: int, n: int, n_tests: int) -> int | None:
    """Return the smallest loss of photos, on balance, that McNemar's exact test tells from chance.

    Parameters
    ----------
    n_gained : int
        Photos classified correctly only under the change.
    n : int
        Photos: no more than these can be lost.
    n_tests : int
        By which the p-value is multiplied.

    Returns
    -------
    int or None
        None if not even the loss of all photos would be.

    Examples
    --------
    >>> least_loss(0, 52, 16), least_loss(0, 52, 1), least_loss(3, 52, 16), least_loss(0, 4, 1)
    (10, 6, 14, None)
    """
    from scipy.stats import binom  # here, so that importing pellucid stays fast

    losses = np.arange(1, n + 1)
    p = 2 * binom.cdf(n_gained, 2 * n_gained + losses, 0.5)
    told = losses[n_tests * p < LEVEL]
    return int(told[0]) if len(told) else None


def _outcome(cost: int, p: float, least: int | None, n: int) -> Outcome:
    if cost <= 0:
        return "no loss"
    if p < LEVEL:
        return "more than chance"
    return "cannot be told" if least is None or 100 * least > POINTS * n else "within chance"
