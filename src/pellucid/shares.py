"""Shares of samples in percent, rounded in one way wherever a reader sees one: accuracies, recalls, intervals."""

from pellucid.text import percent

MANY = 100  # samples, above which one more or fewer right moves a share by less than a percent


def share(fraction: float, n: int) -> str:
    """Return a share of n samples in percent, with the digits that one sample more or fewer can change.

    Shares that are compared are rounded alike: by the smaller number of samples.

    Examples
    --------
    >>> share(0.8, 50), share(356 / 360, 360), share(1 / 360, 360), share(1.0, 360)
    ('80 %', '98.9 %', '0.3 %', '100 %')
    """
    return percent(fraction, 0 if n <= MANY or fraction in (0, 1) else 1)


def chance(probability: float, digits: int = 0) -> str:
    """Return a probability in percent, never 0 or 100 %: only rounding makes it 0 or 1.

    Examples
    --------
    >>> chance(0.97), chance(1.0), chance(0.0)
    ('97 %', '> 99 %', '< 1 %')
    """
    return percent(min(max(probability, 1e-9), 1 - 1e-9), digits)


def share_range(low: float, high: float, n: int, *, to: str = " to ") -> str:
    """Return the ends of an interval of a share of n samples.

    Examples
    --------
    >>> share_range(0.6696, 0.8876, 50), share_range(0.93, 0.999, 50, to="–")
    ('67 to 89 %', '93 to > 99 %')
    """
    first, last = share(low, n), share(high, n)
    between = " to " if {"<", ">"} & {first[0], last[0]} else to
    return f"{first.removesuffix(' %')}{between}{last}"
