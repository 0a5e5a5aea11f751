"""Check gradients against the slope of the loss along random directions."""

from collections.abc import Callable, Mapping

import numpy as np

from pellucid.types import Array

STEP, N_DIRECTIONS = 1e-6, 3


def gradcheck(
    function: Callable[..., float],
    gradients: Mapping[str, Array],
    arguments: Mapping[str, Array],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return, for every argument, the relative error of its gradient against a central difference.

    Parameters
    ----------
    function : callable
        Takes the arguments by name and returns the loss, a float. For an op that returns an array, contract it
        with a random upstream gradient first; ones would hide a softmax gradient, which they make zero.
    gradients : mapping of str to Array
        The gradients to check, each of its argument's shape.
    arguments : mapping of str to Array, float64
        The point to check at. Those without a gradient are held fixed. They are not modified.
    rng : numpy.random.Generator
        Draws the directions.

    Returns
    -------
    dict of str to float
        |g . v - (f(x + h v) - f(x - h v)) / 2h| over the larger of the two, and 1e-8: the largest of several
        random directions v. h is relative to the argument's size.

    Notes
    -----
    Two evaluations for each direction, however many entries an argument has.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> errors = gradcheck(lambda x: float((x**2).sum()), {"x": 2 * x}, {"x": x}, np.random.default_rng(0))
    >>> errors["x"] < 1e-8
    True
    """
    errors: dict[str, float] = {}
    for name, gradient in gradients.items():
        x = arguments[name]
        h = STEP * max(1.0, float(np.abs(x).max(initial=0)))
        worst = 0.0
        for _ in range(N_DIRECTIONS):
            v = rng.standard_normal(x.shape)
            plus = function(**{**arguments, name: x + h * v})
            minus = function(**{**arguments, name: x - h * v})
            slope, claimed = (plus - minus) / (2 * h), float(np.vdot(gradient, v))
            worst = max(worst, abs(claimed - slope) / max(abs(claimed), abs(slope), 1e-8))
        errors[name] = worst
    return errors
