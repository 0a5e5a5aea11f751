"""Maps made of the gradient at the photo itself: plain, times the pixels, and averaged over noisy copies."""

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import Scorer
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
