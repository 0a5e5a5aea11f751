"""Several tests at once: Holm's correction."""

from collections.abc import Sequence

import numpy as np

from pellucid.errors import DataError
from pellucid.types import Array


def holm(p_values: Sequence[float] | Array) -> Array:
    """Return p-values corrected for the number of tests, so that all "p < 0.05" together err in 5 % of cases.

    Parameters
    ----------
    p_values : sequence of float, length k
        One for each test, from 0 to 1.

    Returns
    -------
    Array, shape (k,)
        In the order given, each at most 1.

    Raises
    ------
    DataError
        If one is not a number from 0 to 1.

    Notes
    -----
    Holm (1979), "A simple sequentially rejective multiple test procedure": the smallest is multiplied by k, the
    next by k - 1, and so on; none comes out below a smaller one's. It holds whatever the tests have to do with one
    another, and is never less powerful than Bonferroni's k times each. Equals statsmodels'
    ``multipletests(p, method="holm")``.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03]).round(4).tolist()
    [0.06, 0.03, 0.06]
    """
    p = np.asarray(p_values, float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"holm: expected p-values from 0 to 1 in one row, got {p_values!r}.")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected
