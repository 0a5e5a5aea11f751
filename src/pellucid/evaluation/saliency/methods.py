"""The maps of any model: the gradient, plain, times the pixels or over noisy copies; integrated; by occlusion."""

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import ROWS, Scorer
from pellucid.rng import stream
from pellucid.types import Array

N_COPIES = 25
NOISE = 0.15  # of the photo's own range, from its darkest to its brightest number
FLAT = (
    "It is 0 everywhere: here no small change of any pixel changes the score (all units on the way are off)."
)


def plain_gradient(scorer: Scorer, x: Array) -> Attribution:
    """Return the gradient of the score for each pixel.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.

    Returns
    -------
    Attribution
        ``values`` is dscore/dx; ``heat`` the largest of the channels' absolute values.

    Notes
    -----
    Simonyan, Vedaldi and Zisserman, 2013, "Deep inside convolutional networks", section 3.1. One forward and one
    backward pass.
    """
    values = as_cube(scorer.gradient(x))
    note = "The brighter a pixel, the more a small change of it would move the score, up or down."
    return _unsigned(values, note)


def gradient_x_input(scorer: Scorer, x: Array) -> Attribution:
    """Return each pixel's gradient times its value: what it adds to the score, were the network linear.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)

    Returns
    -------
    Attribution
        ``heat`` is the sum over the channels. A black pixel gets 0, whatever it means to the network.

    Notes
    -----
    Shrikumar, Greenside, Shcherbina and Kundaje, 2016, "Not just a black box", equation 1.
    """
    values = as_cube(scorer.gradient(x) * x)
    note = "Gradient times brightness: red pixels speak for it, blue ones against; black ones cannot speak."
    return Attribution(values, values.sum(axis=2), True, note if values.any() else FLAT)


def smooth_grad(scorer: Scorer, x: Array) -> Attribution:
    """Return the gradient averaged over noisy copies, which leaves out what changes from pixel to pixel.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)

    Returns
    -------
    Attribution
        ``heat`` is the largest of the channels' absolute values.

    Notes
    -----
    Smilkov, Thorat, Kim, Viégas and Wattenberg, 2017, "SmoothGrad", section 2: the mean of the gradient at
    x + N(0, sigma^2). 25 forward and backward passes.
    """
    sigma = NOISE * float(x.max() - x.min())
    bumps = stream(0, "smoothgrad").standard_normal((N_COPIES, *x.shape))
    copies = (x + sigma * bumps).astype(x.dtype)
    values = as_cube(scorer.gradients(copies)[1].mean(axis=0))
    noise = f"noise of {100 * NOISE:.0f} % of the picture's range"
    note = f"The gradient, averaged over {N_COPIES} copies with {noise}."
    return _unsigned(values, note)


def _unsigned(values: Array, note: str) -> Attribution:
    return Attribution(values, np.abs(values).max(axis=2), False, note if values.any() else FLAT)


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


N_ACROSS = 8  # a patch's side is this part of the photo's shorter one


def occlusion(scorer: Scorer, x: Array) -> Attribution:
    """Return how far the score falls when a patch over each pixel is painted over in the photo's mean colour.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.

    Returns
    -------
    Attribution
        ``values`` (h, w, 1), the mean over the patches that cover the pixel of score(x) - score(covered).

    Notes
    -----
    Zeiler and Fergus, 2014, "Visualizing and understanding convolutional networks", section 4.2. One forward pass
    a patch, in batches; a patch is an eighth of the photo's shorter side, the next one half a patch further. They
    paint grey and watch the probability; here it is the photo's own mean colour, which stands out less, and the
    logit, which still moves where a probability is near 0 or 1.
    """
    h, w = x.shape[:2]
    side = max(1, round(min(h, w) / N_ACROSS))
    step = max(1, side // 2)
    colour = x.mean(axis=(0, 1), dtype=np.float64).astype(x.dtype)
    tops, lefts = (sorted({*range(0, length - side, step), length - side}) for length in (h, w))
    corners = [(top, left) for top in tops for left in lefts]
    scores = []
    for start in range(0, len(corners), ROWS):
        part = corners[start : start + ROWS]
        batch = np.repeat(x[None], len(part), axis=0)
        for image, (top, left) in zip(batch, part, strict=True):
            image[top : top + side, left : left + side] = colour
        scores.append(scorer.scores(batch))
    falls = float(scorer.scores(x[None])[0]) - np.concatenate(scores).astype(np.float64)
    total, count = np.zeros((h, w)), np.zeros((h, w))
    for (top, left), fall in zip(corners, falls, strict=True):
        place = np.s_[top : top + side, left : left + side]
        total[place] += fall
        count[place] += 1
    heat = total / count
    note = (
        f"How far the score falls when a patch of {side} × {side} pixels there is painted over in the picture's "
        f"mean colour (red: it falls, blue: it rises); {len(corners)} patches."
    )
    return Attribution(as_cube(heat), heat, True, note)
