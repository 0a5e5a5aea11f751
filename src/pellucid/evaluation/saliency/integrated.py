"""Integrated gradients, along a path that is cut finer wherever the gradient changes, until the sum is right."""

from dataclasses import dataclass

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.types import Array

TOLERANCE = 0.01
LOCAL = 10  # how many times the tolerance the errors of all pieces may be, each taken as positive
FIRST_INTERVALS = 8
MOST_POINTS = 300


@dataclass(frozen=True, eq=False)
class PathIntegral:
    """The gradient, averaged over the straight path from the baseline to the image.

    Attributes
    ----------
    mean_gradient : Array, shape input_shape
    start, end : float
        The score of the baseline and of the image.
    n_points : int
        How many points of the path were looked at.
    """

    mean_gradient: Array
    start: float
    end: float
    n_points: int


def integrate(scorer: Scorer, x: Array, baseline: Array, *, tolerance: float = TOLERANCE) -> PathIntegral:
    """Return the mean gradient along the path, right enough that the attributions add up within the tolerance.

    Parameters
    ----------
    scorer : Scorer
    x, baseline : Array, shape input_shape
        Prepared.
    tolerance : float, optional
        Of the sum of attributions, relative to the difference of the scores.

    Notes
    -----
    The trapezoidal rule. How wrong it is in each piece of the path is known, because the directional derivative's
    integral over a piece is the difference of the scores at its ends. Pieces that are wrong by more than their
    part of the tolerance are halved, until the sum is within it, and not by luck: the errors of all pieces, each
    taken as positive, are within ten times it. No further than 300 points. A relu network is linear between
    kinks, so only the pieces with kinks are cut.
    """
    points = np.linspace(0, 1, FIRST_INTERVALS + 1)
    scores, slopes, gradients = _look(scorer, x, baseline, points)
    while True:
        widths = np.diff(points)
        signed = np.diff(scores) - widths * (slopes[1:] + slopes[:-1]) / 2
        errors = np.abs(signed)
        allowed = tolerance * abs(scores[-1] - scores[0])
        is_right = abs(signed.sum()) <= allowed and errors.sum() <= LOCAL * allowed
        if is_right or len(points) >= MOST_POINTS:
            break
        worst_first = np.argsort(-errors)
        is_wrong = errors[worst_first] > allowed * widths[worst_first]
        chosen = np.sort(worst_first[is_wrong][: MOST_POINTS - len(points)])
        middles = (points[chosen] + points[chosen + 1]) / 2
        found = points, scores, slopes, gradients
        new = middles, *_look(scorer, x, baseline, middles)
        points, scores, slopes, gradients = (
            np.insert(old, chosen + 1, values, axis=0) for old, values in zip(found, new, strict=True)
        )
    weights = np.zeros(len(points))
    weights[:-1] += widths / 2
    weights[1:] += widths / 2
    mean = np.tensordot(weights, gradients, axes=1)
    return PathIntegral(mean, float(scores[0]), float(scores[-1]), len(points))


def _look(scorer: Scorer, x: Array, baseline: Array, points: Array) -> tuple[Array, Array, Array]:
    """Return score, directional derivative and gradient at fractions of the path."""
    fractions = points.reshape(-1, *[1] * x.ndim)
    X = (baseline + fractions * (x - baseline)).astype(x.dtype)
    scores, gradients = scorer.gradients(X)
    direction = (x - baseline).astype(np.float64).reshape(-1)
    gradients = np.asarray(gradients, np.float64)
    return np.asarray(scores, np.float64), gradients.reshape(len(points), -1) @ direction, gradients


def integrated_gradients(
    scorer: Scorer, x: Array, *, baseline: Array | None = None, tolerance: float = TOLERANCE
) -> Attribution:
    """Return what each pixel adds to the score on the way from a black picture to the photo.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.
    baseline : Array, shape of x, optional
        Where the way begins; default: zeros, black.
    tolerance : float, optional
        How far the sum of all values may be from score(x) - score(baseline), relative to it.

    Returns
    -------
    Attribution
        ``values`` add up to score(x) - score(baseline) within ``completeness_error``; ``heat`` is the sum over
        the channels.

    Notes
    -----
    Sundararajan, Taly and Yan, 2017, "Axiomatic attribution for deep networks", equation 1 and proposition 1
    (completeness): ``(x - x') * integral from 0 to 1 of dscore/dx at x' + t (x - x')``. How the path is cut:
    :func:`integrate`.
    """
    start = np.zeros_like(x) if baseline is None else baseline.astype(x.dtype)
    path = integrate(scorer, x, start, tolerance=tolerance)
    values = as_cube((x - start) * path.mean_gradient)
    difference = path.end - path.start
    total = float(values.sum())
    error = abs(total - difference) / abs(difference) if difference else None
    if error is None:
        note = "It scores exactly what a black picture does: there is nothing to attribute."
    else:
        note = (
            f"From a black picture to this one the score moves by {difference:+.3g}; the pixels' parts add up to "
            f"{total:+.3g}, {100 * error:.2g} % off ({path.n_points} points of the path)."
        )
    return Attribution(values, values.sum(axis=2), True, note, error)
