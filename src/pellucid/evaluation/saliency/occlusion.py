"""Occlusion: cover one place after another, and see how far the score falls."""

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import ROWS, Scorer
from pellucid.types import Array

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
