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


def right_in_one_line(dA_dropped, mask, keep):
    return dA_dropped * mask / keep


def right_by_loops(dA_dropped, mask, keep):
    n, m = dA_dropped.shape
    dA = np.zeros((n, m))
    for i in range(n):
        for k in range(m):
            if mask[i, k]:
                dA[i, k] = dA_dropped[i, k] / keep
    return dA


def right_filled(dA_dropped, mask, keep):
    dA = np.zeros_like(dA_dropped)
    dA[mask] = dA_dropped[mask] / keep
    return dA


def right_by_columns(dA_dropped, mask, keep):
    columns = []
    for k in range(mask.shape[1]):
        column = dA_dropped[:, k] * mask[:, k]
        columns.append(column / keep)
    return np.stack(columns, axis=1)


def right_by_functions(dA_dropped, mask, keep):
    D = mask.astype(float)
    dA = np.multiply(dA_dropped, D)
    scale = 1.0 / keep
    dA = np.multiply(dA, scale)
    return dA


FAULTS = (
    ("mask forgotten", "dA = dA_dropped * mask", "dA = dA_dropped"),
    ("mask forgotten", "    dA[~mask] = 0\n", ""),
    ("scale forgotten", "    dA = dA / keep\n", ""),
    ("scale forgotten", "    dA *= 1 / keep\n", ""),
    ("scaled by the wrong probability", "dA / keep", "dA / (1 - keep)"),
    ("scaled twice", "dA / keep", "dA / keep / keep"),
    ("keeps what is dropped", "dA_dropped * mask", "dA_dropped * (1 - mask)"),
    ("keeps what is dropped", "dA[~mask] = 0", "dA[mask] = 0"),
    ("keeps what is dropped", "where(mask, dA_dropped / keep, 0.0)", "where(mask, 0.0, dA_dropped / keep)"),
    ("mask from the slope", "np.where(mask,", "np.where(dA_dropped > 0,"),
    ("mask forgotten", "dA_dropped * mask / keep", "dA_dropped / keep"),
    ("mask forgotten", "np.where(mask, dA_dropped / keep, 0.0)", "dA_dropped / keep"),
    ("mask forgotten", "dA_dropped[:, k] * mask[:, k]", "dA_dropped[:, k]"),
    ("mask forgotten", "if mask[i, k]:", "if True:"),
    ("mask forgotten", "np.multiply(dA_dropped, D)", "dA_dropped"),
    ("mask forgotten", "factor = mask / keep", "factor = 1 / keep"),
    ("scale forgotten", "    dA = np.multiply(dA, scale)\n", ""),
    ("scaled by the wrong probability", "mask / keep", "mask / (1 - keep)"),
    ("multiplied for divided", "scale = 1.0 / keep", "scale = keep"),
    ("scaled by the wrong probability", "scale = 1.0 / keep", "scale = 1.0 / (1 - keep)"),
    ("scaled by the wrong probability", "dA_dropped[i, k] / keep", "dA_dropped[i, k] / (1 - keep)"),
    ("multiplied for divided", "dA *= 1 / keep", "dA *= keep"),
    ("scaled by the kept share", "dA = dA / keep", "dA = dA / np.mean(mask)"),
    ("scaled by the kept share", "dA_dropped * mask / keep", "dA_dropped * mask / np.mean(mask)"),
    ("scaled twice", "column / keep", "column / keep**2"),
    ("scaled twice", "dA = np.multiply(dA, scale)", "dA = np.multiply(dA, scale) / keep"),
    ("keeps what is dropped", "if mask[i, k]:", "if not mask[i, k]:"),
    ("keeps what is dropped", "dA[mask] = dA_dropped[mask]", "dA[~mask] = dA_dropped[~mask]"),
    ("keeps what is dropped", "mask.astype(float)", "1 - mask.astype(float)"),
    ("keeps what is dropped", "factor = mask / keep", "factor = ~mask / keep"),
    ("keeps what is dropped", "dA_dropped[:, k] * mask[:, k]", "dA_dropped[:, k] * ~mask[:, k]"),
    ("mask from the slope", "if mask[i, k]:", "if dA_dropped[i, k] > 0:"),
    ("mask from the slope", "D = mask.astype(float)", "D = (dA_dropped > 0) * 1.0"),
    ("one mask for all examples", "dA_dropped[:, k] * mask[:, k]", "dA_dropped[:, k] * mask[:, 0]"),
    ("one mask for all examples", "D = mask.astype(float)", "D = mask[:, :1].astype(float)"),
    ("own random numbers", "D = mask.astype(float)", "D = np.random.RandomState(0).rand(*mask.shape) < keep"),
    ("own random numbers", " * mask\n", " * (np.random.RandomState(1).rand(*mask.shape) < keep)\n"),
    ("view for copy", "np.zeros_like(dA_dropped)", "dA_dropped"),
    ("input modified", "dA = dA_dropped * mask\n", "dA = dA_dropped\n    dA *= mask\n"),
    ("input modified", "dA = np.multiply(dA_dropped, D)", "dA = np.multiply(dA_dropped, D, out=dA_dropped)"),
    ("ones for zeros", "np.zeros_like(dA_dropped)", "np.ones_like(dA_dropped)"),
    ("added for multiplied", "dA_dropped * mask\n", "dA_dropped + mask\n"),
    ("dA left out", "dA_dropped[i, k] / keep", "1 / keep"),
    ("transpose", "np.stack(columns, axis=1)", "np.stack(columns)"),
    ("returned in the wrong place", "[i, k] / keep\n    return dA", "[i, k] / keep\n        return dA"),
)
