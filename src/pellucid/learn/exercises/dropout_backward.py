"""Back through dropout.

``dA_dropped`` (n, m): the slope for the outputs of ``dropout_forward``; ``mask`` (n, m), booleans, True where an output
was kept; ``keep``, the probability. Return dA, the slope for what went into it.

Why it matters: what was switched off has no part in the cost, and what was kept was made larger.

>>> dropout_backward(np.array([[1.0, 3.0]]), np.array([[True, False]]), 0.5)
array([[2., 0.]])
"""

import numpy as np

OUTPUTS = ("dA",)


def cases(rng):
    yield np.array([[1.0, 3.0]]), np.array([[True, False]]), 0.5
    for n, m, keep in ((3, 5, 0.8), (4, 7, 0.3)):
        yield rng.standard_normal((n, m)), rng.uniform(size=(n, m)) < 0.5, keep


def measured(dA_dropped, mask, keep):
    return {"dA": (np.zeros(mask.shape), lambda A: float(np.sum(dA_dropped * mask * A)) / keep)}


def dropout_backward(dA_dropped, mask, keep):
    dA = dA_dropped * mask
    dA = dA / keep
    return dA


def right_by_where(dA_dropped, mask, keep):
    return np.where(mask, dA_dropped / keep, 0.0)


def right_on_a_copy(dA_dropped, mask, keep):
    dA = np.array(dA_dropped)
    dA[~mask] = 0
    dA *= 1 / keep
    return dA


def right_by_factor(dA_dropped, mask, keep):
    factor = mask / keep
    return factor * dA_dropped


FAULTS = (
    ("mask forgotten", "dA = dA_dropped * mask", "dA = dA_dropped"),
    ("mask forgotten", "    dA[~mask] = 0\n", ""),
    ("scale forgotten", "    dA = dA / keep\n", ""),
    ("scale forgotten", "    dA *= 1 / keep\n", ""),
    ("scale forgotten", "mask / keep", "mask"),
    ("scaled by the wrong probability", "dA / keep", "dA * keep"),
    ("scaled by the wrong probability", "dA / keep", "dA / (1 - keep)"),
    ("scaled twice", "dA / keep", "dA / keep / keep"),
    ("keeps what is dropped", "dA_dropped * mask", "dA_dropped * (1 - mask)"),
    ("keeps what is dropped", "dA[~mask] = 0", "dA[mask] = 0"),
    (
        "keeps what is dropped",
        "np.where(mask, dA_dropped / keep, 0.0)",
        "np.where(mask, 0.0, dA_dropped / keep)",
    ),
    ("view for copy", "np.array(dA_dropped)", "dA_dropped"),
    ("mask from the slope", "np.where(mask,", "np.where(dA_dropped > 0,"),
)
