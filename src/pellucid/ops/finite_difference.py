"""Check gradients against the slope of the loss along random directions."""

from collections.abc import Callable, Mapping

import numpy as np

from pellucid.types import Array


def gradcheck(
    function: Callable[..., float],
    gradients: Mapping[str, Array],
    arguments: Mapping[str, Array],
    rng: np.random.Generator,
    *,
    step: float = 1e-6,
    n_directions: int = 3,
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
    step : float, optional
        Half the distance between the two points, relative to the argument's size.
    n_directions : int, optional
        How many random directions; the largest error counts.

    Returns
    -------
    dict of str to float
        |g . v - (f(x + h v) - f(x - h v)) / 2h| over the larger of the two, and 1e-8.

    Notes
    -----
    Two evaluations per direction, however many entries an argument has.

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
        h = step * max(1.0, float(np.abs(x).max(initial=0)))
        worst = 0.0
        for _ in range(n_directions):
            v = rng.standard_normal(x.shape)
            plus = function(**{**arguments, name: x + h * v})
            minus = function(**{**arguments, name: x - h * v})
            slope, claimed = (plus - minus) / (2 * h), float(np.vdot(gradient, v))
            worst = max(worst, abs(claimed - slope) / max(abs(claimed), abs(slope), 1e-8))
        errors[name] = worst
    return errors
