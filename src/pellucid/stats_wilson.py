"""How far a share of so many samples may be from the truth."""

import math
from statistics import NormalDist

from pellucid.errors import OptionError

LEVEL = 0.95  # of every interval that is not told otherwise


def wilson_interval(n_correct: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Return what the true accuracy may be, given so many right of so many.

    Parameters
    ----------
    n_correct, n : int
        Samples that were read rightly, and all of them; 0 <= n_correct <= n and n at least 1.
    level : float, optional
        Between 0 and 1: in that share of all test sets, the interval holds the true accuracy (about).

    Returns
    -------
    low, high : float
        Between 0 and 1.

    Raises
    ------
    OptionError
        If there are no samples, more right ones than samples, or the level is not between 0 and 1.

    Notes
    -----
    Wilson (1927), "Probable inference, the law of succession, and statistical inference": the shares p that a
    normal test would not refuse, |n_correct / n - p| <= z sqrt(p (1 - p) / n). Unlike the share plus and minus
    two standard errors, it stays within 0 and 1, and is no point where all are right.

    Examples
    --------
    >>> low, high = wilson_interval(40, 50)
    >>> print(f"{low:.2f} to {high:.2f}")
    0.67 to 0.89
    """
    check_level("wilson_interval", level)
    if not 0 <= n_correct <= n or n < 1:
        raise OptionError(
            f"wilson_interval: expected 0 <= n_correct <= n with n at least 1, got n_correct={n_correct}, n={n}. "
            "Pass the number of right answers and the number of all."
        )
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, over = n_correct / n, z * z / n
    centre = share + over / 2
    reach = z * math.sqrt(share * (1 - share) / n + over / (4 * n))
    low, high = (centre - reach) / (1 + over), (centre + reach) / (1 + over)
    return (0.0 if n_correct == 0 else max(low, 0.0)), (1.0 if n_correct == n else min(high, 1.0))


def check_level(where: str, level: float) -> None:
    """Refuse a level that is not between 0 and 1."""
    if not 0 < level < 1:
        raise OptionError(f"{where}: level: expected a number between 0 and 1, such as 0.95, got {level}.")
