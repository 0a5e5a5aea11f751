"""Whether what a change costs is more than chance explains: McNemar's test, corrected for the number of changes."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from pellucid.stats.multiple import holm

LEVEL = 0.05  # a p-value below it counts as beyond chance
BREAK_POINTS = 10  # percent of all photos: such a loss counts as a break

Outcome: TypeAlias = Literal["no loss", "more than chance", "not shown", "cannot be told"]


class Chance(NamedTuple):
    """What a test says of the cost of one change.

    Attributes
    ----------
    p_value : float
        Of McNemar's exact test, with Holm's correction for all the changes tried.
    outcome : str
        "no loss"; "more than chance", p below 0.05; "not shown", p not below it; or "cannot be told": not below
        it, and with so few photos a loss of ten points would not have been either, even with none gained.
    """

    p_value: float
    outcome: Outcome


def judge(costs: Sequence[int], p_values: Sequence[float], n: int) -> list[Chance]:
    """Return what tests of several changes on the same ``n`` photos say.

    Parameters
    ----------
    costs : sequence of int
        How many photos fewer are classified correctly under each change.
    p_values : sequence of float
        Of McNemar's exact test for each change, uncorrected.
    n : int
        Photos.

    Notes
    -----
    Of k photos lost and none gained, the test's p-value is 2 / 2^k: the fewest that are significant.

    Examples
    --------
    >>> for found in judge([9, 4, 0], [0.0039, 0.125, 1.0], 50):
    ...     print(found.outcome, round(found.p_value, 3))
    more than chance 0.012
    cannot be told 0.25
    no loss 1.0
    """
    corrected = holm(p_values)
    n_not_rejected = max(1, int((corrected >= LEVEL).sum()))  # Holm's factor for the next
    fewest = math.floor(math.log2(2 * n_not_rejected / LEVEL)) + 1
    otherwise: Outcome = "cannot be told" if 100 * fewest > BREAK_POINTS * n else "not shown"
    return [
        Chance(p, "no loss" if cost <= 0 else "more than chance" if p < LEVEL else otherwise)
        for cost, p in zip(costs, corrected.tolist(), strict=True)
    ]
