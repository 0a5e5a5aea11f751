"""Integrated gradients, along a path that is cut finer wherever the gradient changes, until the sum is right."""

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.types import Array

TOLERANCE = 0.01
LOCAL = 10  # how many times the tolerance the errors of all pieces may be, each taken as positive
FIRST_INTERVALS = 8
MOST_POINTS = 300


def _look(scorer: Scorer, x: Array, points: Array) -> tuple[Array, Array, Array]:
    """Return score, directional derivative and gradient at fractions of the path from black."""
    scores, gradients = scorer.gradients((points.reshape(-1, *[1] * x.ndim) * x).astype(x.dtype))
    gradients = np.asarray(gradients, np.float64)
    slopes = gradients.reshape(len(points), -1) @ x.astype(np.float64).reshape(-1)
    return np.asarray(scores, np.float64), slopes, gradients


def integrated_gradients(scorer: Scorer, x: Array) -> Attribution:
    """Return what each pixel adds to the score on the way from a black picture to the photo.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.

    Returns
    -------
    Attribution
        ``values`` add up to the difference of the scores within ``completeness_error``, 0.01 unless the path needs
        too many points; ``heat`` is the sum over the channels.

    Notes
    -----
    Sundararajan, Taly and Yan, 2017, "Axiomatic attribution for deep networks", equation 1 and proposition 1
    (completeness): ``(x - x') * integral from 0 to 1 of dscore/dx at x' + t (x - x')``.

    The trapezoidal rule. How wrong it is in each piece of the path is known, because the directional derivative's
    integral over a piece is the difference of the scores at its ends. Pieces that are wrong by more than their
    part of the tolerance are halved, until the sum is within it, and not by luck: the errors of all pieces, each
    taken as positive, are within ten times it. No further than 300 points. A relu network is linear between
    kinks, so only the pieces with kinks are cut.
    """
    points = np.linspace(0, 1, FIRST_INTERVALS + 1)
    scores, slopes, gradients = _look(scorer, x, points)
    while True:
        widths, difference = np.diff(points), float(scores[-1] - scores[0])
        signed = np.diff(scores) - widths * (slopes[1:] + slopes[:-1]) / 2
        errors, allowed = np.abs(signed), TOLERANCE * abs(difference)
        is_right = abs(signed.sum()) <= allowed and errors.sum() <= LOCAL * allowed
        if is_right or len(points) >= MOST_POINTS:
            break
        worst_first = np.argsort(-errors)
        is_wrong = errors[worst_first] > allowed * widths[worst_first]
        chosen = np.sort(worst_first[is_wrong][: MOST_POINTS - len(points)])
        middles = (points[chosen] + points[chosen + 1]) / 2
        found = points, scores, slopes, gradients
        new = middles, *_look(scorer, x, middles)
        points, scores, slopes, gradients = (
            np.insert(old, chosen + 1, values, axis=0) for old, values in zip(found, new, strict=True)
        )
    values = as_cube(x * np.trapezoid(gradients, points, axis=0))
    total = float(values.sum())
    error = abs(total - difference) / abs(difference) if difference else None
    note = "It scores exactly what a black picture does: there is nothing to attribute."
    if error is not None:
        note = (
            f"From a black picture to this one the score moves by {difference:+.3g}; the pixels' parts add up to "
            f"{total:+.3g}, {100 * error:.2g} % off ({len(points)} points of the path)."
        )
    return Attribution(values, values.sum(axis=2), True, note, error)
