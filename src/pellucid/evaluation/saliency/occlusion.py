"""Occlusion: cover one place after another, and see how far the score falls."""

from collections.abc import Iterator

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution, as_cube
from pellucid.evaluation.saliency.scoring import ROWS, Scorer
from pellucid.types import Array

N_ACROSS = 8  # a patch's side is this part of the photo's shorter one


def occlusion(
    scorer: Scorer, x: Array, *, patch: int | None = None, stride: int | None = None
) -> Attribution:
    """Return how far the score falls when a patch over each pixel is painted over in the photo's mean colour.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.
    patch : int, optional
        Side of the square in pixels; default: an eighth of the shorter side of the photo.
    stride : int, optional
        How far neighbouring patches are apart; default: half a patch.

    Returns
    -------
    Attribution
        ``values`` (h, w, 1), the mean over the patches that cover the pixel of score(x) - score(covered).

    Notes
    -----
    Zeiler and Fergus, 2014, "Visualizing and understanding convolutional networks", section 4.2. One forward pass
    a patch, in batches. They paint grey and watch the probability; here it is the photo's own mean colour, which
    stands out less, and the logit, which still moves where a probability is near 0 or 1.
    """
    h, w = x.shape[:2]
    side = min(patch or max(1, round(min(h, w) / N_ACROSS)), h, w)
    step = stride or max(1, side // 2)
    colour = x.mean(axis=(0, 1), dtype=np.float64).astype(x.dtype)
    corners = [(top, left) for top in _starts(h, side, step) for left in _starts(w, side, step)]
    falls = float(scorer.scores(x[None])[0]) - np.concatenate(
        [scorer.scores(batch) for batch in _covered(x, corners, side, colour)]
    ).astype(np.float64)
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


def _starts(length: int, side: int, step: int) -> list[int]:
    """Return where patches begin, the last one flush with the end."""
    return sorted({*range(0, length - side, step), length - side})


def _covered(x: Array, corners: list[tuple[int, int]], side: int, colour: Array) -> Iterator[Array]:
    for start in range(0, len(corners), ROWS):
        part = corners[start : start + ROWS]
        batch = np.repeat(x[None], len(part), axis=0)
        for image, (top, left) in zip(batch, part, strict=True):
            image[top : top + side, left : left + side] = colour
        yield batch
