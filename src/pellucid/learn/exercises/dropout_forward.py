"""Switch units off at random while training.

``A`` (n, m): a layer's outputs. ``keep``: the probability that a unit is kept, above 0 and up to 1. ``U`` (n, m):
numbers drawn uniformly from 0..1, one for each output: an output is kept where U is below ``keep``.

Return ``(A_dropped, mask)``: dropped outputs are 0, kept ones are divided by ``keep``, so that their mean stays what it
was; the mask (n, m) is True where an output is kept, else False (or 1 and 0, as integers or floats).

Why it matters: divided here, prediction needs no change at all.

>>> dropout_forward(np.array([[2.0, 4.0]]), 0.5, np.array([[0.1, 0.9]]))[0]
array([[4., 0.]])
"""

import numpy as np

OUTPUTS = "A_dropped", "mask"


def cases(rng):
    yield np.array([[2.0, 4.0]]), 0.5, np.array([[0.1, 0.9]])
    for n, m, keep in ((3, 5, 0.8), (4, 7, 0.3)):
        U = rng.uniform(size=(n, m))
        U[0, 0] = keep
        yield rng.standard_normal((n, m)), keep, U


def dropout_forward(A, keep, U):
    mask = keep > U
    A_dropped = A * mask / keep
    return A_dropped, mask


def right_in_steps(A, keep, U):
    mask = (U < keep).astype(int)
    dropped = np.multiply(A, mask)
    dropped = dropped / keep
    return dropped, mask


def right_by_where(A, keep, U):
    mask = U < keep
    return np.where(mask, A / keep, 0), mask


def right_on_a_copy(A, keep, U):
    out = A.copy()
    off = U >= keep
    out[off] = 0
    out /= keep
    return out, ~off


def right_by_factor(A, keep, U):
    mask = U < keep
    factor = mask * (1 / keep)
    return A * factor, mask


FAULTS = (
    ("scale forgotten", "dropped = dropped / keep", "pass"),
    ("scale forgotten", "    out /= keep\n", ""),
    ("scaled by the wrong probability", "A * mask / keep", "A * mask / (1 - keep)"),
    ("keeps what is dropped", "keep > U", "keep <= U"),
    ("keeps what is dropped", "(U < keep)", "(U >= keep)"),
    ("threshold", "keep > U", "U < 1 - keep"),
    ("own random numbers", "keep > U", "keep > np.random.rand(*A.shape)"),
    ("scaled by the kept share", "A * mask / keep", "A * mask / mask.mean()"),
    ("mask scaled too", "mask = U < keep\n    factor", "mask = (U < keep) / keep\n    factor"),
    ("one mask for all examples", "keep > U", "keep > U[:, :1]"),
    ("cache missing", "return A_dropped, mask", "return A_dropped"),
    ("returns the wrong mask", "return out, ~off", "return out, off"),
)
